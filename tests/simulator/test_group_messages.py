"""企业群发 at the simulated platform (pages 92135, 93338, 97610, 97611) and the files in it (page 90253)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import ImpossibleError
from simulator.groups import Group

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

ADD, LIST, TASK, RESULT, REMIND, CANCEL = (
    f"externalcontact/{each}"
    for each in (
        "add_msg_template",
        "get_groupmsg_list_v2",
        "get_groupmsg_task",
        "get_groupmsg_send_result",
        "remind_groupmsg_send",
        "cancel_groupmsg_send",
    )
)
MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def groups(desk: "Desk", count: int = 2, owner: str = "wangwu") -> list[Group]:
    return [desk.world.create_group(f"会员{n}群", owner) for n in range(1, count + 1)]


def to_groups(desk: "Desk", words: str = "周三分享", **more: Any) -> "Json":
    owned = [each.chat_id for each in desk.world.groups.values() if each.owner == "wangwu"]
    body = {"chat_type": "group", "sender": "wangwu", "chat_id_list": owned, "text": {"content": words}}
    return {**body, **more}


async def add(desk: "Desk", body: "Json") -> str:
    answer = await desk.post(ADD, body)
    assert answer["errcode"] == 0, answer
    msgid: str = answer["msgid"]
    return msgid


async def results(desk: "Desk", msgid: str, userid: str = "wangwu") -> dict[str, int]:
    rows = (await desk.post(RESULT, {"msgid": msgid, "userid": userid}))["send_list"]
    return {each.get("chat_id") or each["external_userid"]: each["status"] for each in rows}


async def test_nothing_goes_out_before_the_owner_confirms(desk: "Desk") -> None:
    """Until then the sender is at 0 and no group has a row; afterwards 2, and each group 1 with its time."""
    one, two = groups(desk)
    msgid = await add(desk, to_groups(desk))
    assert (await desk.post(TASK, {"msgid": msgid}))["task_list"] == [{"userid": "wangwu", "status": 0}]
    assert await results(desk, msgid) == {}
    desk.clock.advance(5 * MINUTES)
    desk.world.group_messages.confirm("wangwu", msgid)
    sent = int(desk.clock.now().timestamp())
    assert (await desk.post(TASK, {"msgid": msgid}))["task_list"] == [
        {"userid": "wangwu", "status": 2, "send_time": sent}
    ]
    assert await results(desk, msgid) == {one.chat_id: 1, two.chat_id: 1}
    with pytest.raises(ImpossibleError):
        desk.world.group_messages.confirm("wangwu", msgid)


async def test_unsent_groups_have_a_row_where_the_other_reading_of_the_page_holds(desk: "Desk") -> None:
    """[NV]: with `lists_unsent` they are told as 0."""
    [group] = groups(desk, 1)
    desk.world.group_messages.lists_unsent = True
    assert await results(desk, await add(desk, to_groups(desk))) == {group.chat_id: 0}


async def test_without_a_list_it_goes_to_every_group_of_the_owner(desk: "Desk") -> None:
    """What several SCRMs get wrong: no chat_id_list means all of them."""
    groups(desk, 3)
    msgid = await add(desk, to_groups(desk, chat_id_list=[]))
    assert len(desk.world.group_messages.confirm("wangwu", msgid).arrived) == 3


@pytest.mark.parametrize(
    ("more", "errcode"),
    [
        ({"sender": None}, 40058),
        ({"sender": "nobody"}, 60111),
        ({"chat_type": "corp"}, 40058),
        ({"text": None}, 40063),
        ({"text": {"content": "好" * 1333 + "a"}}, 0),
        ({"text": {"content": "好" * 1334}}, 45002),
        ({"chat_id_list": ["wrNobody"]}, 41048),
        ({"chat_id_list": [f"wr{n}" for n in range(2001)]}, 40058),
        ({"allow_select": 1}, 40058),
        ({"attachments": [{"msgtype": "voice", "voice": {}}]}, 41065),
        ({"attachments": [{"msgtype": "link", "link": {"title": "茶"}}]}, 40058),
        ({"attachments": [{"msgtype": "link", "link": {"title": "茶" * 43, "url": "https://b.example/"}}]}, 40058),
        ({"attachments": [{"msgtype": "link", "link": {"title": "茶", "url": "https://b.example/"}}] * 9}, 0),
        ({"attachments": [{"msgtype": "link", "link": {"title": "茶", "url": "https://b.example/"}}] * 10}, 40058),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "nobody's"}}]}, 40007),
        ({"attachments": [{"msgtype": "image", "image": {}}]}, 40058),
    ],
)
async def test_what_a_task_for_groups_may_hold(desk: "Desk", more: "Json", errcode: int) -> None:
    """A sender, groups of theirs (at most 2,000), text of at most 4,000 bytes, at most 9 whole attachments."""
    groups(desk)
    body = {key: value for key, value in to_groups(desk, **more).items() if value is not None}
    assert (await desk.post(ADD, body))["errcode"] == errcode


async def test_groups_of_others_are_told_and_left_out(desk: "Desk") -> None:
    """They are in the fail_list; the task is for the others."""
    [mine] = groups(desk, 1)
    theirs = desk.world.create_group("别人的群", "lihua")
    answer = await desk.post(ADD, to_groups(desk, chat_id_list=[mine.chat_id, theirs.chat_id]))
    assert answer["fail_list"] == [theirs.chat_id]
    assert desk.world.group_messages.confirm("wangwu", answer["msgid"]).arrived == [mine.chat_id]


async def test_one_to_one_reaches_those_whom_the_sender_has_added(desk: "Desk") -> None:
    """Others are in the fail_list; who unfriends the sender before the confirmation gets nothing (2)."""
    friend, lost, stranger = (desk.world.add_customer(name) for name in ("陈晨", "林夕", "周舟"))
    for each in (friend, lost):
        desk.world.make_contact("wangwu", each)
    people = [each.id for each in (friend, lost, stranger)]
    body = {"chat_type": "single", "sender": "wangwu", "external_userid": people, "text": {"content": "请不要发广告"}}
    answer = await desk.post(ADD, body)
    assert answer["fail_list"] == [stranger.id]
    assert await results(desk, answer["msgid"]) == {friend.id: 0, lost.id: 0}
    desk.world.end_contact("wangwu", lost, by_staff=False)
    desk.world.group_messages.confirm("wangwu", answer["msgid"])
    assert await results(desk, answer["msgid"]) == {friend.id: 1, lost.id: 2}
    assert (await desk.post(ADD, body | {"external_userid": [stranger.id]}))["errcode"] == 41048


async def test_three_reminders_a_day_of_one_task(desk: "Desk") -> None:
    """The fourth within 24 hours is refused; later one more is let through (page 97610)."""
    groups(desk)
    msgid = await add(desk, to_groups(desk))
    for expected in (0, 0, 0, 45009):
        assert (await desk.post(REMIND, {"msgid": msgid}))["errcode"] == expected
        desk.clock.advance(HOURS)
    desk.clock.advance(20 * HOURS)
    assert (await desk.post(REMIND, {"msgid": msgid}))["errcode"] == 0
    assert (await desk.post(REMIND, {"msgid": "nobody's"}))["errcode"] == 40058


async def test_a_cancelled_task_cannot_be_sent_any_more(desk: "Desk") -> None:
    """What was sent stays; who has not sent cannot (page 97611)."""
    groups(desk)
    msgid = await add(desk, to_groups(desk))
    assert (await desk.post(CANCEL, {"msgid": msgid}))["errcode"] == 0
    with pytest.raises(ImpossibleError):
        desk.world.group_messages.confirm("wangwu", msgid)
    assert await results(desk, msgid) == {}


async def test_a_group_gets_as_many_a_month_as_the_month_has_days(desk: "Desk") -> None:
    """Staff's own count, too; what is over is 3, and the next month begins anew (page 92135)."""
    [group] = groups(desk, 1)
    for _ in range(29):  # November has 30 days; the clock starts on the 23rd
        desk.world.group_messages.staff_sends("wangwu", [group.chat_id], "早安")
    for expected in (1, 3):
        msgid = await add(desk, to_groups(desk))
        desk.world.group_messages.confirm("wangwu", msgid)
        assert await results(desk, msgid) == {group.chat_id: expected}
    desk.clock.advance(8 * DAYS)
    msgid = await add(desk, to_groups(desk))
    desk.world.group_messages.confirm("wangwu", msgid)
    assert await results(desk, msgid) == {group.chat_id: 1}


@pytest.mark.parametrize(("limit", "days"), [("group_messages_a_day", 1), ("group_messages_a_week", 7)])
async def test_a_corp_can_tighten_the_cap(desk: "Desk", limit: str, days: int) -> None:
    """One a day, or so many a week, where it says so in 群发助手."""
    groups(desk, 1)
    setattr(desk.world.limits, limit, 1)
    got: list[int] = []
    for wait in (0 * HOURS, 1 * HOURS, days * DAYS):
        desk.clock.advance(wait)
        msgid = await add(desk, to_groups(desk))
        desk.world.group_messages.confirm("wangwu", msgid)
        got += (await results(desk, msgid)).values()
    assert got == [1, 3, 1]


async def test_staff_confirm_at_once_late_on_a_reminder_or_never(desk: "Desk") -> None:
    """Their habit says how often it has to ring and how long they take."""
    desk.world.staff["wangwu"].confirms(after=5 * MINUTES)
    groups(desk)
    groups(desk, 1, "lihua")
    prompt = await add(desk, to_groups(desk))
    await desk.until_quiet()
    assert desk.world.group_messages.tasks[prompt].confirmed == {"wangwu": desk.clock.now()}
    desk.world.staff["wangwu"].confirms(after=MINUTES, rings=2)
    late = await add(desk, to_groups(desk))
    await desk.until_quiet()
    assert desk.world.group_messages.tasks[late].confirmed == {}
    await desk.post(REMIND, {"msgid": late})
    await desk.until_quiet()
    assert "wangwu" in desk.world.group_messages.tasks[late].confirmed
    desk.world.staff["wangwu"].never_confirms()
    never = await add(desk, to_groups(desk))
    for _ in range(3):
        await desk.post(REMIND, {"msgid": never})
    await desk.until_quiet()
    assert desk.world.group_messages.open_for("wangwu") == [desk.world.group_messages.tasks[never]]


async def test_the_list_tells_by_time_and_says_neither_sender_nor_groups(desk: "Desk") -> None:
    """An app's task has no creator (page 96355), staff's own have; pages and a month at most."""
    [group] = groups(desk, 1)
    start = int(desk.clock.now().timestamp())
    ours = await add(desk, to_groups(desk, "周三分享"))
    desk.clock.advance(HOURS)
    own = desk.world.group_messages.staff_sends("wangwu", [group.chat_id], "早安").msgid
    span = {"chat_type": "group", "start_time": start, "end_time": start + 7200}
    rows = (await desk.post(LIST, span))["group_msg_list"]
    assert [each["msgid"] for each in rows] == [own, ours]
    assert rows[1].keys() == {"msgid", "create_time", "create_type", "text", "attachments"}
    assert (rows[0]["creator"], rows[1]["text"]) == ("wangwu", {"content": "周三分享"})
    assert [each["msgid"] for each in (await desk.post(LIST, {**span, "filter_type": 0}))["group_msg_list"]] == [ours]
    first = await desk.post(LIST, {**span, "limit": 1})
    second = await desk.post(LIST, {**span, "limit": 1, "cursor": first["next_cursor"]})
    assert [each["group_msg_list"][0]["msgid"] for each in (first, second)] == [own, ours]
    assert second["next_cursor"] == ""
    assert (await desk.post(LIST, {**span, "end_time": start + 32 * 86400}))["errcode"] == 40058


async def test_an_answer_may_be_lost_after_the_task_is_made(desk: "Desk") -> None:
    """The task is there, and the list may know it only a little later."""
    groups(desk)
    desk.world.faults.error_5xx_after_effect = desk.world.faults.lagging_reads = 1.0
    token = desk.world.tokens.issue()[0]
    answer = await desk.http.post(f"/cgi-bin/{ADD}", params={"access_token": token}, json=to_groups(desk))
    assert answer.status_code == 502
    desk.world.faults.stop()
    now = int(desk.clock.now().timestamp())
    span = {"chat_type": "group", "start_time": now, "end_time": now + 60}
    assert (await desk.post(LIST, span))["group_msg_list"] == []
    desk.clock.advance(desk.world.read_lag)
    assert len((await desk.post(LIST, span))["group_msg_list"]) == 1


async def test_a_task_that_is_being_dispatched_tells_nothing(desk: "Desk") -> None:
    """41063: ask later."""
    groups(desk)
    msgid = await add(desk, to_groups(desk))
    desk.world.faults.dispatching = 1.0
    for call in (TASK, REMIND, CANCEL):
        assert (await desk.post(call, {"msgid": msgid}))["errcode"] == 41063


async def test_a_file_lives_three_days(desk: "Desk") -> None:
    """Uploaded as a form; afterwards its id is no good (40007). What is too small or no picture is refused."""

    async def upload(name: str, content: bytes, kind: str = "image") -> "Json":
        query = {"access_token": await desk.token(), "type": kind}
        answer = await desk.http.post("/cgi-bin/media/upload", params=query, files={"media": (name, content)})
        result: Json = answer.json()
        return result

    groups(desk)
    picture = await upload("海报.png", b"\x89PNG\r\n\x1a\n and more")
    assert picture["errcode"] == 0
    assert picture["created_at"] == str(int(desk.clock.now().timestamp()))
    body = to_groups(desk, attachments=[{"msgtype": "image", "image": {"media_id": picture["media_id"]}}])
    await add(desk, body)
    desk.clock.advance(3 * DAYS)
    assert (await desk.post(ADD, body))["errcode"] == 40007
    assert (await upload("a.png", b"12345"))["errcode"] == 40006
    assert (await upload("a.gif", b"1234567"))["errcode"] == 40005
    assert (await upload("a.png", b"1234567", kind="picture"))["errcode"] == 40004
    assert (await desk.post("media/upload?type=image", {}))["errcode"] != 0


async def test_a_task_is_sent_from_the_phone(desk: "Desk") -> None:
    """群发助手 shows what is still to be sent, with its words; 发送 sends it, once; then it is gone from there."""
    groups(desk)
    msgid = await add(desk, to_groups(desk, "周三分享"))
    page = (await desk.http.get("/phone/wangwu")).text
    assert "群发助手：待发送" in page
    assert "发到 2 个群" in page
    answer = await desk.http.post("/phone/wangwu/confirm", data={"msgid": msgid})
    assert "2 个收到" in (await desk.http.get(answer.headers["location"])).text
    again = await desk.http.post("/phone/wangwu/confirm", data={"msgid": msgid})
    assert "做不到" in (await desk.http.get(again.headers["location"])).text
    assert "群发助手：待发送" not in (await desk.http.get("/phone/wangwu")).text
