"""Every log line about an event, a deed or a case carries the ids to follow it by."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from loguru import logger

from rules.book import Book
from tests.life.conftest import StartLife

SECONDS = timedelta(seconds=1)
BOOK = Book.model_validate({"managers": ["李华"], "rules": [{"rule": "other_company"}]})


@pytest.fixture
def lines() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What was logged: each message with its ids."""
    logged: list[tuple[str, dict[str, Any]]] = []
    sink = logger.add(lambda said: logged.append((said.record["message"], dict(said.record["extra"]))), level="INFO")
    yield logged
    logger.remove(sink)


async def test_a_case_can_be_followed_through_the_log(
    start_life: StartLife, lines: list[tuple[str, dict[str, Any]]]
) -> None:
    """Opened by a callback, asked by a card that reaches only one, closed by the roster: each line names the case, and
    the event or deed at work."""
    async with start_life(BOOK) as life:
        life.world.add_staff("lihua", "李华")
        life.world.add_staff("wangwu", "王五")
        life.world.add_staff("zhaoliu", "赵六", visible=False)
        group = life.world.create_group("静安1群", owner="wangwu", admins=["zhaoliu"])
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        rival = life.world.add_rival("张三", "对手公司")
        life.world.join(group, rival)
        await life.run(10 * SECONDS)
        life.world.remove(group, rival, by="wangwu")
        await life.run(10 * SECONDS)
    opened = next(ids for said, ids in lines if "case #1 opened" in said)
    closed = next(ids for said, ids in lines if "case #1 closed" in said)
    missed = next(ids for said, ids in lines if "did not reach zhaoliu" in said)
    assert (opened["case"], opened["group"], opened["kind"]) == (1, group.chat_id, "members_joined")
    assert (closed["case"], closed["group"], closed["kind"]) == (1, group.chat_id, "members_left")
    assert opened["event"] < closed["event"]
    assert (missed["case"], missed["card"], missed["kind"]) == ("1", "1", "send_card")
    assert isinstance(missed["deed"], int)


async def test_the_log_of_one_event_does_not_name_another(
    start_life: StartLife, lines: list[tuple[str, dict[str, Any]]]
) -> None:
    """Ids end with what they belong to."""
    async with start_life(BOOK) as life:
        life.world.add_staff("wangwu", "王五")
        life.world.create_group("静安1群", owner="wangwu")
        await life.run(10 * SECONDS)
        lines.clear()
        logger.info("idle")
    [(_, ids)] = [each for each in lines if each[0] == "idle"]
    assert ids == {}
