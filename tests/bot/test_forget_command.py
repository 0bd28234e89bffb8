"""`steward forget`: what it asks, says and answers."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from rules.facts import Member
from store import points, roster
from store.database import Database
from store.roster import GroupRow

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
Steward = Callable[..., Result]


@pytest.fixture
def steward(sqlite_url: str, tmp_path: Path) -> Steward:
    """`steward("forget", …)` in an empty folder, nobody at the keyboard."""

    def run(*words: str) -> Result:
        with contextlib.chdir(tmp_path):
            return CliRunner().invoke(app, list(words), env={"DATABASE_URL": sqlite_url, "COLUMNS": "80"})

    return run


@pytest.fixture
def two_of_a_name(sqlite_url: str) -> None:
    """Two customers who are both called 林小满."""
    asyncio.run(_two(sqlite_url))


async def _two(url: str) -> None:
    store = await Database.open(url)
    async with store.write() as tx:
        tx.add(GroupRow(chat_id="wr1", name="静安1群", watched_since=NOW))
        await tx.flush()
        members = [Member(external_userid=each, name="林小满", joined_at=NOW) for each in ("wmA", "wmB")]
        await roster.write_members(tx, "wr1", members, announced=(), now=NOW)
        await points.give(tx, "wmA", 5, why="签到", key="k", now=NOW)
    await store.close()


@pytest.mark.usefixtures("two_of_a_name")
def test_it_asks_whom_and_whether(steward: Steward) -> None:
    """Two of a name are told apart by id; without --yes nothing is done, and what would be done is said."""
    which = steward("forget", "林小满")
    assert (which.exit_code, "wmA" in which.output, "wmB" in which.output) == (1, True, True)
    asked = steward("forget", "wmA")
    assert asked.exit_code == 2
    assert "积分" in asked.output
    assert "静安1群" in asked.output
    assert "--yes" in asked.output
    preview = steward("forget", "wmA", "--json")
    data = json.loads(preview.output)
    assert (preview.exit_code, data["done"], data["rows"]) == (1, False, {"members": 1, "points": 1})


@pytest.mark.usefixtures("two_of_a_name")
def test_it_says_what_it_did(steward: Steward) -> None:
    """With --yes they are gone, the other one of that name is not, and doing it again finds nobody."""
    done = steward("forget", "wmA", "--yes")
    assert done.exit_code == 0, done.output
    assert "删除好了" in done.output
    again = steward("forget", "wmA", "--yes")
    assert (again.exit_code, "没有找到" in again.output) == (1, True)
    other = steward("forget", "林小满", "--yes", "--json")
    data = json.loads(other.output)
    assert (other.exit_code, data["done"], data["left"], data["external_userids"]) == (0, True, 0, ["wmB"])
