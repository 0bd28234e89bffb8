"""The clocks of journeys and of tags: what is due is raised once, in batches, and again where nothing came of it."""

from datetime import UTC, date, datetime, timedelta

from sqlmodel import col, select

from scheduler import journeys, own_tags
from store import own_tags as tags
from store.checkins import JourneyRow
from store.database import Database
from store.inbox import Inbox, event_of

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def raised(db: Database) -> list[int]:
    """How many rows each event is about, in the order in which they were raised."""
    async with db.read() as tx:
        found = [event_of(row).model_dump() for row in (await tx.exec(select(Inbox).order_by(col(Inbox.id)))).all()]
    return [len(each.get("journey_ids") or each.get("row_ids") or ()) for each in found]


async def test_journeys_are_raised_in_batches(db: Database) -> None:
    """Sixty that are due are two events; those whose time has not come, and those without a time, are none."""
    async with db.write() as tx:
        for number in range(62):
            at = NOW - MINUTE if number < 60 else NOW + MINUTE if number == 60 else None
            row = JourneyRow(
                visitor_id=number + 1,
                checkin="newcomer-7",
                began_on=date(2026, 11, 23),
                started_on=date(2026, 11, 23),
                began_at=NOW,
                next_at=at,
            )
            tx.add(row)
    async with db.write() as tx:
        assert [await journeys.sweep(tx, NOW) for _ in range(3)] == [1, 1, 0]
        assert await journeys.next_due(tx) == NOW + MINUTE
    assert await raised(db) == [50, 10]


async def test_what_nobody_worked_on_is_raised_again(db: Database) -> None:
    """An event that was lost holds nobody up for more than ten minutes."""
    async with db.write() as tx:
        await tags.give(tx, 1, "绿茶", why="选的", now=NOW)
        await tags.give(tx, 2, "绿茶", why="选的", now=NOW)
    async with db.write() as tx:
        assert [await own_tags.sweep(tx, NOW), await own_tags.sweep(tx, NOW)] == [1, 0]
        assert await own_tags.next_due(tx) == NOW + 10 * MINUTE
    async with db.write() as tx:
        assert await own_tags.sweep(tx, NOW + 10 * MINUTE) == 1
    assert await raised(db) == [2, 2]


async def test_a_tag_is_given_once(db: Database) -> None:
    """The same tag of the same person is one row, with what was said first of it."""
    async with db.write() as tx:
        assert [await tags.give(tx, 1, "绿茶", why=why, now=NOW) for why in ("选的", "又选的")] == [True, False]
        assert [row.why for row in await tags.of_visitor(tx, 1)] == ["选的"]
