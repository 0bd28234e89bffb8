"""企业群发: what is asked of the platform, and how its answers are read (pages 92135, 93338, 97610, 97611, 90253)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from rules.actions import CreateSend, RemindSend, Sendable
from tests.wecom.conftest import Platform, StillClock
from wecom import commands, group_messages
from wecom.commands import Made
from wecom.errors import BAD_ANSWER, PlatformError
from wecom.gateway import Gateway
from wecom.group_messages import Outcome

ADD, LIST, TASK, RESULT = (
    f"externalcontact/{each}"
    for each in ("add_msg_template", "get_groupmsg_list_v2", "get_groupmsg_task", "get_groupmsg_send_result")
)
GROUPS = CreateSend(send_id=1, number=1, chat_type="group", sender="wangwu", targets=("wr1", "wr2"), text="早上好")
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


async def test_groups_are_always_named(gateway: Gateway, platform: Platform) -> None:
    """Without a chat_id_list it would go to all groups of the sender; whom it cannot go to is told."""
    platform.answers[ADD] = [{"errcode": 0, "msgid": "m1", "fail_list": ["wr2"]}]
    picture = Sendable(msgtype="image", fields={"media_id": "M"})
    deed = GROUPS.model_copy(update={"attachments": (picture,)})
    assert await commands.create_send(gateway, deed) == Made(msgid="m1", failed=("wr2",))
    assert platform.bodies(ADD) == [
        {
            "chat_type": "group",
            "sender": "wangwu",
            "chat_id_list": ["wr1", "wr2"],
            "text": {"content": "早上好"},
            "attachments": [{"msgtype": "image", "image": {"media_id": "M"}}],
        }
    ]


async def test_customers_are_named_alike(gateway: Gateway, platform: Platform) -> None:
    """chat_type single: by external_userid, in the name of the sender."""
    platform.answers[ADD] = [{"errcode": 0, "msgid": "m1"}]
    await commands.create_send(gateway, GROUPS.model_copy(update={"chat_type": "single", "targets": ("wm1",)}))
    assert platform.bodies(ADD)[0] == {
        "chat_type": "single",
        "sender": "wangwu",
        "external_userid": ["wm1"],
        "text": {"content": "早上好"},
    }


@pytest.mark.parametrize("answer", [{"errcode": 0}, httpx2.ReadTimeout("slow"), httpx2.Response(502)])
async def test_without_an_id_nobody_knows_whether_it_was_made(
    gateway: Gateway, platform: Platform, answer: Any
) -> None:
    """It has to be looked up, not made again."""
    platform.answers[ADD] = [answer]
    with pytest.raises(PlatformError) as failed:
        await commands.create_send(gateway, GROUPS)
    assert failed.value.treatment == "unknown_outcome"


async def test_reminding_and_stopping_name_the_message(gateway: Gateway, platform: Platform) -> None:
    """By its msgid and nothing else."""
    await commands.remind_send(gateway, RemindSend(send_id=1, msgid="m1"))
    await commands.cancel_send(gateway, "m1")
    assert [body for path, _, body in platform.asked if "groupmsg" in path] == [{"msgid": "m1"}] * 2


async def test_the_list_is_read_to_its_end(gateway: Gateway, platform: Platform) -> None:
    """Page by page; an app's own have no creator."""
    row = {"msgid": "m1", "create_time": str(int(AT.timestamp())), "text": {"content": "早上好"}}
    theirs = {"msgid": "m2", "create_time": "0", "creator": "wangwu", "attachments": [{"msgtype": "image"}]}
    platform.answers[LIST] = [
        {"errcode": 0, "group_msg_list": [row], "next_cursor": "more"},
        {"errcode": 0, "group_msg_list": [theirs], "next_cursor": ""},
    ]
    found = await group_messages.listed_sends(gateway, "group", since=AT - timedelta(days=1), until=AT)
    assert [(each.msgid, each.created_at, each.creator, each.text) for each in found] == [
        ("m1", AT, "", "早上好"),
        ("m2", None, "wangwu", ""),
    ]
    assert found[1].attachments == ("image",)
    assert [body["cursor"] for body in platform.bodies(LIST)] == ["", "more"]
    assert {body["filter_type"] for body in platform.bodies(LIST)} == {0}


async def test_a_sender_has_confirmed_or_has_not(gateway: Gateway, platform: Platform) -> None:
    """Status 2 with its time; 0 is not yet."""
    sent = {"userid": "wangwu", "status": 2, "send_time": int(AT.timestamp())}
    platform.answers[TASK] = [{"errcode": 0, "task_list": [sent, {"userid": "zhaoliu", "status": 0}]}]
    assert await group_messages.senders(gateway, "m1") == {"wangwu": AT, "zhaoliu": None}


async def test_results_are_told_by_group_or_customer(gateway: Gateway, platform: Platform) -> None:
    """Only of those that there is a row of: absence says nothing."""
    rows = [
        {"chat_id": "wr1", "userid": "wangwu", "status": 1, "send_time": int(AT.timestamp())},
        {"external_userid": "wm1", "userid": "wangwu", "status": 3},
    ]
    platform.answers[RESULT] = [{"errcode": 0, "send_list": rows}]
    assert await group_messages.send_results(gateway, "m1", "wangwu") == {
        "wr1": Outcome(status=1, at=AT),
        "wm1": Outcome(status=3, at=None),
    }


@pytest.mark.parametrize("answer", [{"send_list": [{"status": 1}]}, {"send_list": [{"chat_id": "wr1"}]}])
async def test_a_misshapen_answer_is_an_error_of_the_platform(
    gateway: Gateway, platform: Platform, answer: dict[str, Any]
) -> None:
    """BAD_ANSWER: tried again later."""
    platform.answers[RESULT] = [{"errcode": 0, **answer}]
    with pytest.raises(PlatformError) as failed:
        await group_messages.send_results(gateway, "m1", "wangwu")
    assert failed.value.errcode == BAD_ANSWER


async def test_a_file_goes_up_as_a_form(gateway: Gateway, clock: StillClock) -> None:
    """One part called media with the file's name; the type and the token stand in the query."""
    asked: list[httpx2.Request] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("gettoken"):
            return httpx2.Response(200, json={"errcode": 0, "access_token": "T", "expires_in": 7200})
        asked.append(request)
        await request.aread()
        return httpx2.Response(200, json={"errcode": 0, "media_id": "M1", "type": "image"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        gateway._client = client
        assert await commands.upload_media(gateway, "image", "海报.png", b"\x89PNG") == "M1"
    [request] = asked
    assert dict(request.url.params) == {"type": "image", "access_token": "T"}
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="media"; filename="' in request.content
    assert b"\x89PNG" in request.content


async def test_an_upload_without_an_answer_is_tried_again(gateway: Gateway, platform: Platform) -> None:
    """Twice does no harm."""
    platform.handle = lambda request: (  # type: ignore[method-assign]  # a form is no JSON
        httpx2.Response(200, json={"errcode": 0, "access_token": "T", "expires_in": 7200})
        if "gettoken" in request.url.path
        else httpx2.Response(502)
    )
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(platform.handle)) as client:
        gateway._client = client
        with pytest.raises(PlatformError) as failed:
            await commands.upload_media(gateway, "image", "a.png", b"\x89PNG")
    assert failed.value.treatment == "retry"
