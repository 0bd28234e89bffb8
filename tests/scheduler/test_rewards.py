"""When a week is rewarded: once, and also after the bot was not running."""

from datetime import UTC, date, datetime, timedelta

from rules.events import RewardsDue
from scheduler import rewards
from store import inbox, queue
from store.database import Database
from store.inbox import Inbox

GIVEN = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # Monday the 23rd, four o'clock in Beijing
DAYS = timedelta(days=1)


async def sweep_rewards(db: Database, now: datetime) -> int:
    async with db.write() as tx:
        return await rewards.sweep(tx, now)


async def rewarded_weeks(db: Database, now: datetime) -> list[date]:
    weeks = []
    async with db.write() as tx:
        while (row := await queue.claim(tx, Inbox, now=now, lease=DAYS, token="t")) is not None:
            event = inbox.event_of(row)
            assert isinstance(event, RewardsDue)
            weeks.append(event.week)
            await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
    return weeks


async def test_a_week_is_rewarded_once(db: Database) -> None:
    """Nothing before Monday at four; then the week before, however often the clock looks."""
    assert await sweep_rewards(db, GIVEN - 2 * DAYS) == 0
    assert await sweep_rewards(db, GIVEN - timedelta(seconds=1)) == 0
    assert [await sweep_rewards(db, GIVEN), await sweep_rewards(db, GIVEN)] == [1, 0]
    assert await rewarded_weeks(db, GIVEN) == [date(2026, 11, 16)]
    async with db.read() as tx:
        assert await rewards.next_due(tx) == GIVEN + 7 * DAYS


async def test_weeks_that_were_missed_are_made_up_for(db: Database) -> None:
    """After three weeks of standing still each week is rewarded by itself, the oldest first."""
    await sweep_rewards(db, GIVEN - 2 * DAYS)
    assert await sweep_rewards(db, GIVEN + 15 * DAYS) == 3
    expected = [date(2026, 11, 16), date(2026, 11, 23), date(2026, 11, 30)]
    assert await rewarded_weeks(db, GIVEN + 15 * DAYS) == expected
