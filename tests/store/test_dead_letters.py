"""Which dead letters are made good by themselves: on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any

from store import dead_letters, roster
from store.database import Database
from store.inbox import Inbox

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def bury(db: Database, number: int, ordering_key: str | None, *, source: str = "callback") -> None:
    async with db.write() as tx:
        moments: dict[str, Any] = {"due_at": NOON, "created_at": NOON, "received_at": NOON, "finished_at": NOON}
        row = Inbox(id=number, source=source, digest=f"{number}", payload="<xml/>", lane=2, state="dead", **moments)
        row.ordering_key = ordering_key
        tx.add(row)


async def made_good(db: Database) -> list[int]:
    async with db.read() as tx:
        return await dead_letters.made_good(tx)


async def test_a_groups_callback_is_made_good_by_a_later_read(db: Database) -> None:
    """A read that began before it was given up, and one of another group, say nothing about it; a later one does."""
    await bury(db, 1, "group:wr1")
    async with db.write() as tx:
        group = await roster.known_or_new(tx, "wr1", now=NOON)
        (await roster.known_or_new(tx, "wr2", now=NOON)).read_at = NOON + SECOND
        group.read_at = NOON
    assert await made_good(db) == []
    async with db.write() as tx:
        (await roster.known_or_new(tx, "wr1", now=NOON)).read_at = NOON + SECOND
    assert await made_good(db) == [1]


async def test_a_groups_callback_is_made_good_by_its_end(db: Database) -> None:
    """A group that turns out to be dismissed has no roster to be wrong about."""
    await bury(db, 1, "group:wr1")
    async with db.write() as tx:
        (await roster.known_or_new(tx, "wr1", now=NOON)).dismissed_at = NOON + SECOND
    assert await made_good(db) == [1]


async def test_what_no_read_can_make_good_stays(db: Database) -> None:
    """A press, a person's callback, one that cannot be read, and what was not a callback wait for somebody."""
    async with db.write() as tx:
        (await roster.known_or_new(tx, "wr1", now=NOON)).read_at = NOON + SECOND
    for number, key in enumerate(("card:wr1", "person:wr1", None)):
        await bury(db, number, key)
    await bury(db, 9, "group:wr1", source="page")
    assert await made_good(db) == []
