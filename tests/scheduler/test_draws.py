"""The clock of draws: the calendar hourly and with each config, each step of a draw once."""

from datetime import timedelta

from sqlmodel import select

from scheduler import draws as sweep
from store.database import Database
from store.inbox import Inbox
from tests.handlers.fair import FRIDAY, Fair, book_with, settings

HOUR = timedelta(hours=1)


async def _events(db: Database) -> list[str]:
    async with db.read() as tx:
        rows = (await tx.exec(select(Inbox).order_by(Inbox.id))).all()  # type: ignore[arg-type]  # its column
        return [row.payload for row in rows]


async def test_calendar_at_once_and_then_hourly(sqlite_db: Database) -> None:
    """At the first sweep, not again within the hour, again after it."""
    async with sqlite_db.read() as tx:
        due = await sweep.next_due(tx)
        assert due is not None
        assert due < FRIDAY
    for moment, raised in ((FRIDAY, 1), (FRIDAY + HOUR / 2, 1), (FRIDAY + HOUR, 2)):
        async with sqlite_db.write() as tx:
            await sweep.sweep(tx, moment)
        assert len(await _events(sqlite_db)) == raised
    async with sqlite_db.read() as tx:
        assert await sweep.next_due(tx) == FRIDAY + 2 * HOUR


async def test_each_step_is_raised_once(sqlite_db: Database) -> None:
    """A draw whose step is due is raised by one sweep; if nothing came of that, again a while later."""
    fair = Fair(sqlite_db, book_with(settings()))
    await fair.open(people=("wm1",))
    await fair.calendar()
    opens = (await fair.draw()).open_at
    async with sqlite_db.read() as tx:
        assert await sweep.next_due(tx) is not None
    raised = []
    for moment in (opens - timedelta(seconds=1), opens, opens, opens + sweep.AGAIN_AFTER):
        async with sqlite_db.write() as tx:
            await sweep.sweep(tx, moment)
        raised.append(sum("draw_step_due" in each for each in await _events(sqlite_db)))
    assert raised == [0, 1, 1, 2]
