"""What happened, one row each (promise 2): events of our own, and what is forgotten when."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from rules.events import CaseStepDue, RosterReadDue
from store import inbox, queue
from store.database import Database
from store.inbox import Inbox, digest, event_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def put(db: Database, key: str, *, now: datetime = NOON) -> bool:
    async with db.write() as tx:
        return await inbox.put(
            tx,
            source="timer",
            key=key,
            event=RosterReadDue(at=now),
            lane=2,
            ordering_key=None,
            due_at=now,
            now=now,
        )


async def work(db: Database, state: queue.Settled, *, now: datetime = NOON) -> Inbox:
    async with db.write() as tx:
        row = await queue.claim(tx, Inbox, now=now, lease=timedelta(seconds=30), token="mine")
        assert row is not None
        await queue.finish(tx, Inbox, row.id, "mine", state, now=now)
        return row


async def prune(db: Database, *, now: datetime, keep_days: int = 2) -> int:
    async with db.write() as tx:
        return await inbox.prune(tx, now=now, keep_days=keep_days)


async def rows(db: Database) -> list[tuple[str, str]]:
    async with db.read() as tx:
        return [(row.state, row.payload) for row in await tx.exec(select(Inbox).order_by(col(Inbox.id)))]


async def test_an_event_goes_in_and_comes_out(db: Database) -> None:
    """A timer's event is the same value when it is worked on, and its payload is canonical."""
    event = CaseStepDue(at=NOON, case_id=7, chat_id="wr1", step="remind")
    async with db.write() as tx:
        await inbox.put(
            tx, source="timer", key="case:7:remind", event=event, lane=1, ordering_key="wr1", due_at=NOON, now=NOON
        )
    row = await work(db, "done")
    assert event_of(row) == event
    assert row.payload == (
        '{"at":"2026-11-25T12:00:00Z","case_id":7,"chat_id":"wr1","kind":"case_step_due","step":"remind"}'
    )
    assert (row.source, row.digest, row.received_at) == ("timer", digest(b"case:7:remind"), NOON)


async def test_the_same_key_happens_once(db: Database) -> None:
    """An event that every process raises is one event, also after it was worked on."""
    assert await put(db, "roster:2026-11-25T12:00")
    assert not await put(db, "roster:2026-11-25T12:00")
    await work(db, "done")
    assert not await put(db, "roster:2026-11-25T12:00")
    assert await put(db, "roster:2026-11-25T12:05")


@pytest.mark.parametrize("state", ["done", "ignored"])
async def test_pruning_keeps_the_key_for_seven_days(db: Database, state: queue.Settled) -> None:
    """What people wrote goes after the days asked for; that it was here is known for a week, then not."""
    await put(db, "once")
    await work(db, state)
    assert await prune(db, now=NOON + 2 * DAY) == 0
    assert await prune(db, now=NOON + 2 * DAY + timedelta(seconds=1)) == 1
    assert await rows(db) == [("pruned", "")]
    assert not await put(db, "once", now=NOON + 6 * DAY)
    assert await prune(db, now=NOON + 7 * DAY) == 0
    assert await prune(db, now=NOON + 7 * DAY + timedelta(seconds=1)) == 1
    assert await rows(db) == []


async def test_pruning_leaves_what_is_open_or_dead(db: Database) -> None:
    """However old: what was not worked on stays, and what failed stays for people to look at."""
    await put(db, "dead")
    await work(db, "dead")
    await put(db, "open")
    before = await rows(db)
    assert await prune(db, now=NOON + 1000 * DAY) == 0
    assert await rows(db) == before
    assert [state for state, _ in before] == ["dead", "open"]


async def test_pruning_goes_in_bites(db: Database) -> None:
    """Pruning never holds the database for long: it takes some rows at a time, until none is left."""
    for number in range(5):
        await put(db, f"{number}")
        await work(db, "done")
    touched = []
    async with db.write() as tx:
        while number := await inbox.prune(tx, now=NOON + 9 * DAY, keep_days=8, at_most=2):
            touched.append(number)
    assert await rows(db) == []
    assert sum(touched) == 10, "each row is emptied and then forgotten"
    assert max(touched) <= 4
