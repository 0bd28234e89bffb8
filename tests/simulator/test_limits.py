"""Frequencies and concurrency."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk


async def test_too_many_calls_block_one_endpoint_for_a_minute(desk: "Desk") -> None:
    """The call above the limit gets 45009, and so do all of that endpoint until 60 s later; others go on."""
    desk.world.limits.of["user/get"] = 2
    codes = [(await desk.get("user/get", userid="lihua"))["errcode"] for _ in range(3)]
    assert codes == [0, 0, 45009]
    desk.clock.advance(timedelta(seconds=59))
    assert (await desk.get("user/get", userid="lihua"))["errcode"] == 45009
    assert (await desk.get("externalcontact/get_follow_user_list"))["errcode"] == 0
    desk.clock.advance(timedelta(seconds=1))
    assert (await desk.get("user/get", userid="lihua"))["errcode"] == 0


async def test_too_many_calls_at_once(desk: "Desk") -> None:
    """Of three calls at once two are answered and one gets 45033; afterwards the endpoint is free again."""
    desk.world.limits.concurrent = 2
    query = {"access_token": await desk.token(), "userid": "lihua"}
    answers = await asyncio.gather(*(desk.http.get("/cgi-bin/user/get", params=query) for _ in range(3)))
    assert sorted(each.json()["errcode"] for each in answers) == [0, 0, 45033]
    assert (await desk.get("user/get", userid="lihua"))["errcode"] == 0


async def test_a_member_gets_thirty_messages_a_minute(desk: "Desk") -> None:
    """The 31st is accepted, silently dropped and counted; a minute later messages arrive again."""
    for number in range(31):
        assert (await desk.send_text("lihua", f"第{number}条"))["errcode"] == 0
    assert len(desk.world.inbox("lihua")) == 30
    assert desk.world.mail.dropped == {"lihua": 1}
    desk.clock.advance(timedelta(minutes=1))
    await desk.send_text("lihua", "又一条")
    assert len(desk.world.inbox("lihua")) == 31


async def test_a_member_gets_a_thousand_messages_an_hour(desk: "Desk") -> None:
    """Within an hour the 1,001st is dropped though no minute was busy."""
    desk.world.limits.members_a_day = 10_000
    for number in range(1001):
        await desk.send_text("lihua", f"第{number}条")
        desk.clock.advance(timedelta(seconds=3))
    assert desk.world.mail.dropped == {"lihua": 1}


async def test_an_app_has_a_daily_number_of_messages(desk: "Desk") -> None:
    """Accounts x 200 a day, then 45009 until the day turns in Shanghai."""
    desk.world.limits.members_a_day = 2
    assert (await desk.send_text("lihua|wangwu", "一"))["errcode"] == 0
    assert (await desk.send_text("lihua|wangwu", "二"))["errcode"] == 0
    assert (await desk.send_text("lihua", "三"))["errcode"] == 45009
    desk.clock.advance(timedelta(hours=15))  # 01:00 UTC + 15 h = midnight in Shanghai
    assert (await desk.send_text("lihua", "三"))["errcode"] == 0
