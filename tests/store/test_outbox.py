"""What is to be done, one row each; and what is forgotten of it when."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from rules.actions import SendText
from store import outbox, queue
from store.database import Database
from store.outbox import Outbox

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def order(db: Database, key: str) -> bool:
    async with db.write() as tx:
        deed = SendText(to=("wangwu",), text="请移出张三")
        return await outbox.put(tx, deed, key=key, lane=1, ordering_key=None, due_at=NOON, now=NOON, about="case:7")


async def do(db: Database, state: queue.Settled) -> None:
    async with db.write() as tx:
        row = await queue.claim(tx, Outbox, now=NOON, lease=30 * SECOND, token="mine")
        assert row is not None
        await queue.finish(tx, Outbox, row.id, "mine", state, now=NOON, result="{}")


async def prune(db: Database, *, now: datetime) -> int:
    async with db.write() as tx:
        return await outbox.prune(tx, now=now, keep_days=90)


async def rows(db: Database) -> list[tuple[str, str, str | None, str | None]]:
    async with db.read() as tx:
        found = await tx.exec(select(Outbox).order_by(col(Outbox.id)))
        return [(row.state, row.payload, row.result, row.about) for row in found]


@pytest.mark.parametrize("state", ["done", "ignored"])
async def test_what_was_said_goes_and_that_it_was_said_stays(db: Database, state: queue.Settled) -> None:
    """After the days asked for nobody can read the message; that there was one is known for two years, then not."""
    await order(db, "once")
    await do(db, state)
    assert await prune(db, now=NOON + 90 * DAY) == 0
    assert await prune(db, now=NOON + 90 * DAY + SECOND) == 1
    assert await rows(db) == [("pruned", "", None, "case:7")]
    assert not await order(db, "once")
    assert await prune(db, now=NOON + 730 * DAY) == 0
    assert await prune(db, now=NOON + 730 * DAY + SECOND) == 1
    assert await rows(db) == []


async def test_pruning_leaves_what_is_open_or_dead(db: Database) -> None:
    """However old: what was not done stays, and what failed stays for people to look at, with all that it says."""
    await order(db, "dead")
    await do(db, "dead")
    await order(db, "open")
    before = await rows(db)
    assert await prune(db, now=NOON + 1000 * DAY) == 0
    assert await rows(db) == before
    assert [state for state, *_ in before] == ["dead", "open"]
    assert all("张三" in payload for _, payload, *_ in before)
