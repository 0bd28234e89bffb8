"""Welcomes at the simulated platform: templates, codes, and what people are shown."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

ADD, EDIT, GET, DEL = (f"externalcontact/group_welcome_template/{each}" for each in ("add", "edit", "get", "del"))
SEND = "externalcontact/send_welcome_msg"


def said(text: str, **more: object) -> "Json":
    return {"text": {"content": text}, **more}


async def test_a_template_lives_through_its_calls(desk: "Desk") -> None:
    """Made, read, changed and deleted by its id; then it is no more."""
    made = (await desk.post(ADD, said("你好 %NICKNAME%", notify=0)))["template_id"]
    assert (await desk.post(GET, {"template_id": made}))["text"] == {"content": "你好 %NICKNAME%"}
    assert (await desk.post(EDIT, said("再见", template_id=made)))["errcode"] == 0
    assert desk.world.welcomes.templates[made].text == "再见"
    assert (await desk.post(DEL, {"template_id": made}))["errcode"] == 0
    for call, body in ((GET, {}), (EDIT, said("x")), (DEL, {})):
        assert (await desk.post(call, {**body, "template_id": made}))["errcode"] == 40058


async def test_the_same_text_twice_is_two_templates(desk: "Desk") -> None:
    """Nothing makes adding idempotent, and nothing lists what is there."""
    ids = {(await desk.post(ADD, said("你好")))["template_id"] for _ in range(2)}
    assert len(ids) == 2
    assert (await desk.post("externalcontact/group_welcome_template/list", {}))["errcode"] == 40066


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40063),
        (said(""), 40063),
        (said("好" * 1000), 0),
        (said("好" * 1000 + "a"), 40058),
        ({"text": {"content": 7}}, 40058),
        ({"link": {"title": "茶", "url": "https://brand.example/"}}, 0),
        ({"link": "茶"}, 40058),
        (said("x", notify=2), 40058),
    ],
)
async def test_what_a_template_may_hold(desk: "Desk", body: "Json", errcode: int) -> None:
    """Text of at most 3,000 bytes or an attachment; one of them has to be there."""
    assert (await desk.post(ADD, body))["errcode"] == errcode


async def test_a_library_holds_100(desk: "Desk") -> None:
    """The 101st is refused."""
    for _ in range(100):
        assert (await desk.post(ADD, said("你好")))["errcode"] == 0
    assert (await desk.post(ADD, said("你好")))["errcode"] != 0


def code(desk: "Desk") -> str:
    """A customer adds 李华: their welcome code."""
    desk.world.make_contact("lihua", desk.world.add_customer("陈晨"))
    return next(reversed(desk.world.welcomes.codes))


async def test_a_code_greets_once(desk: "Desk") -> None:
    """The customer sees it; the second time is 41051, an unknown code 41050."""
    welcome_code = code(desk)
    assert (await desk.post(SEND, said("您好", welcome_code=welcome_code)))["errcode"] == 0
    assert (await desk.post(SEND, said("您好", welcome_code=welcome_code)))["errcode"] == 41051
    assert (await desk.post(SEND, said("您好", welcome_code="nobody's")))["errcode"] == 41050
    assert [each.text for each in desk.world.welcomes.shown] == ["您好"]


async def test_a_code_lives_20_seconds(desk: "Desk") -> None:
    """At 19.9 s it is good, at 20 s it is 41050."""
    early, late = code(desk), code(desk)
    desk.clock.advance(timedelta(seconds=19.9))
    assert (await desk.post(SEND, said("您好", welcome_code=early)))["errcode"] == 0
    desk.clock.advance(timedelta(seconds=0.1))
    assert (await desk.post(SEND, said("您好", welcome_code=late)))["errcode"] == 41050


async def test_another_app_may_be_at_it(desk: "Desk") -> None:
    """41096 has no effect: the same code greets a moment later."""
    welcome_code = code(desk)
    desk.world.faults.other_app_greets = 1.0
    assert (await desk.post(SEND, said("您好", welcome_code=welcome_code)))["errcode"] == 41096
    desk.world.faults.stop()
    assert (await desk.post(SEND, said("您好", welcome_code=welcome_code)))["errcode"] == 0


async def test_people_of_other_companies_bring_no_code(desk: "Desk") -> None:
    """Page 92277: no code for WeCom users."""
    desk.world.make_contact("lihua", desk.world.add_rival("孙强", "隔壁茶业"))
    assert desk.world.welcomes.codes == {}


async def test_a_newcomer_is_shown_the_groups_welcome(desk: "Desk") -> None:
    """Once the owner has attached it on the phone, with the newcomer's name; nobody else can attach it."""
    group = desk.world.create_group("会员1群", "wangwu", ["lihua"])
    made = (await desk.post(ADD, said("%NICKNAME%，欢迎来喝茶")))["template_id"]
    before, after = desk.world.add_customer("陈晨"), desk.world.add_customer("林夕")
    desk.world.join(group, before)
    form = {"chat_id": group.chat_id, "template": made}
    answer = await desk.http.post("/phone/lihua/attach", data=form)
    assert "做不到" in (await desk.http.get(answer.headers["location"])).text
    assert "入群欢迎语" in (await desk.http.get("/phone/wangwu")).text
    await desk.http.post("/phone/wangwu/attach", data=form)
    desk.world.join(group, after)
    assert "林夕，欢迎来喝茶" in (await desk.http.get(f"/phone/{after.id}")).text
    assert "欢迎来喝茶" not in (await desk.http.get(f"/phone/{before.id}")).text
