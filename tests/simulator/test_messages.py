"""message/send: who gets what, and how often."""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json


async def test_a_text_arrives(desk: "Desk") -> None:
    """Valid members get it, the others are named in invaliduser."""
    answer = await desk.send_text("lihua|nobody|wangwu", "你好")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")
    assert "response_code" not in answer
    assert [(each.userid, each.kind, each.content) for each in desk.world.sent] == [
        ("lihua", "text", "你好"),
        ("wangwu", "text", "你好"),
    ]
    assert [each.text for each in desk.world.inbox("lihua")] == ["你好"]


async def test_refusals(desk: "Desk") -> None:
    """Nobody valid 81013, wrong app 40056, empty 44004, too long 45002, unknown kind 40008, too many 40032."""
    assert (await desk.send_text("nobody", "你好"))["errcode"] == 81013
    assert (await desk.send_text("", "你好"))["errcode"] == 81013
    assert (await desk.send_text("lihua", "你好", agentid=1))["errcode"] == 40056
    assert (await desk.send_text("lihua", ""))["errcode"] == 44004
    assert (await desk.send_text("lihua", "好" * 683))["errcode"] == 45002
    assert (await desk.send_text("lihua", "好" * 682))["errcode"] == 0
    assert (await desk.send_text("lihua", "你好", msgtype="voice"))["errcode"] == 40008
    assert (await desk.send_text("|".join(f"u{number}" for number in range(1001)), "你好"))["errcode"] == 40032
    assert len(desk.world.sent) == 1


async def test_everybody(desk: "Desk") -> None:
    """@all reaches all visible staff who still work here."""
    desk.world.add_staff("hidden", "外人", visible=False)
    desk.world.staff["wangwu"].left = True
    await desk.send_text("@all", "你好")
    assert [each.userid for each in desk.world.sent] == ["lihua"]


async def test_duplicate_check(desk: "Desk") -> None:
    """The same content within the interval is accepted and not delivered again; later, or unchecked, it is."""
    check = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}
    for _ in range(2):
        assert (await desk.send_text("lihua", "你好", **check))["errcode"] == 0
    assert len(desk.world.inbox("lihua")) == 1
    await desk.send_text("lihua", "你们好", **check)
    assert len(desk.world.inbox("lihua")) == 2
    desk.clock.advance(timedelta(seconds=600))
    await desk.send_text("lihua", "你好", **check)
    await desk.send_text("lihua", "你好")
    assert len(desk.world.inbox("lihua")) == 4


async def test_duplicate_check_is_off_by_default_and_at_most_four_hours(desk: "Desk") -> None:
    """Without the switch a text comes twice; an interval above 14,400 s is refused."""
    for _ in range(2):
        await desk.send_text("lihua", "你好")
    assert len(desk.world.inbox("lihua")) == 2
    too_long = await desk.send_text("lihua", "你好", enable_duplicate_check=1, duplicate_check_interval=14401)
    assert too_long["errcode"] == 40058


async def test_a_card_sent_again_arrives_once(desk: "Desk", removal_card: "Json") -> None:
    """The same card under the same task_id with duplicate check: accepted, delivered once."""
    for _ in range(2):
        assert (await desk.send_card("lihua", removal_card, enable_duplicate_check=1))["errcode"] == 0
    assert len(desk.world.inbox("lihua")) == 1


async def test_a_task_id_is_used_once(desk: "Desk", removal_card: "Json") -> None:
    """Another card, other receivers, no check, or too late: 42014, and nothing is delivered."""
    check = {"enable_duplicate_check": 1}
    await desk.send_card("lihua", removal_card, **check)
    other = removal_card | {"sub_title_text": "别的"}
    assert (await desk.send_card("lihua", other, **check))["errcode"] == 42014
    assert (await desk.send_card("lihua|wangwu", removal_card, **check))["errcode"] == 42014
    assert (await desk.send_card("lihua", removal_card))["errcode"] == 42014
    desk.clock.advance(timedelta(seconds=1800))
    assert (await desk.send_card("lihua", removal_card, **check))["errcode"] == 42014
    assert len(desk.world.sent) == 1
