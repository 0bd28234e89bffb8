"""When the managers hear of a week of posts: once, and once for all weeks that were missed."""

from datetime import UTC, date, datetime, timedelta

from rules.events import PostReportDue
from scheduler import post_report
from store import inbox, queue
from store.database import Database
from store.inbox import Inbox

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, ten o'clock in Beijing
DAYS = timedelta(days=1)


async def sweep_reports(db: Database, now: datetime) -> int:
    async with db.write() as tx:
        return await post_report.sweep(tx, now)


async def told_weeks(db: Database, now: datetime) -> list[tuple[date, date]]:
    found = []
    async with db.write() as tx:
        while (row := await queue.claim(tx, Inbox, now=now, lease=DAYS, token="t")) is not None:
            event = inbox.event_of(row)
            assert isinstance(event, PostReportDue)
            found.append((event.first, event.last))
            await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
    return found


async def test_a_week_is_told_once(db: Database) -> None:
    """Nothing before Monday at ten; then the week before, however often the clock looks."""
    assert await sweep_reports(db, TEN - 2 * DAYS) == 0
    assert await sweep_reports(db, TEN - timedelta(seconds=1)) == 0
    assert [await sweep_reports(db, TEN), await sweep_reports(db, TEN)] == [1, 0]
    assert await told_weeks(db, TEN) == [(date(2026, 11, 16), date(2026, 11, 22))]
    async with db.read() as tx:
        assert await post_report.next_due(tx) == TEN + 7 * DAYS


async def test_weeks_that_were_missed_are_told_together(db: Database) -> None:
    """After two weeks and some days of standing still there is one report, with no gap to the next."""
    await sweep_reports(db, TEN - 2 * DAYS)
    assert await sweep_reports(db, TEN + 17 * DAYS) == 1
    assert await told_weeks(db, TEN + 17 * DAYS) == [(date(2026, 11, 16), date(2026, 12, 6))]
    assert await sweep_reports(db, TEN + 21 * DAYS) == 1
    assert await told_weeks(db, TEN + 21 * DAYS) == [(date(2026, 12, 7), date(2026, 12, 13))]
