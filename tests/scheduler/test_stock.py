"""When the stock of entrances is looked at: at once under a new config, every quarter of an hour, after a seat."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from rules.events import StockDue
from scheduler import stock
from store import configs, entrances, inbox, queue
from store.database import Database
from store.entrances import StockRow
from store.inbox import Inbox
from store.seats import SeatRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # in Beijing
SECONDS, MINUTES, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


async def sweep(db: Database, now: datetime) -> int:
    async with db.write() as tx:
        return await stock.sweep(tx, now)


async def next_due(db: Database) -> datetime | None:
    async with db.read() as tx:
        return await stock.next_due(tx)


async def looks(db: Database, *, until: datetime) -> list[datetime]:
    """When it is looked at from noon on, by a bot that wakes whenever something is due."""
    found, now = list[datetime](), NOON
    while now <= until:
        await sweep(db, now)
        async with db.write() as tx:
            while (row := await queue.claim(tx, Inbox, now=now, lease=MINUTES, token="t")) is not None:
                assert isinstance(inbox.event_of(row), StockDue)
                found.append(now)
                await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
        due = await next_due(db)
        assert due is not None
        assert due > now, "it is raised again and again"
        now = due
    return found


async def with_an_entrance(db: Database) -> None:
    """What the first look under a config with an entrance leaves behind."""
    async with db.write() as tx:
        tx.add(StockRow(key="vip-tea", entrance="vip-tea", kind="vip", since=NOON))
        await entrances.note_look(tx, seen_at=NOON)


async def test_quarter_hour_rounds_go_on_after_the_first_look(db: Database) -> None:
    """At once, then every quarter of an hour for as long as the bot runs."""
    await with_an_entrance(db)
    assert await looks(db, until=NOON + HOURS) == [NOON, *(NOON + n * MINUTES for n in (4, 19, 34, 49))]


async def test_without_an_entrance_once_a_day_is_enough(db: Database) -> None:
    """Where no config has ever had an entrance: a first look, the next a few minutes later, then once a day."""
    found = await looks(db, until=NOON + timedelta(days=3))
    assert found[:2] == [NOON, NOON + 4 * MINUTES]
    assert [later - sooner for sooner, later in pairwise(found[2:])] == [timedelta(days=1)] * 2


async def test_a_new_config_is_looked_at_at_once(db: Database) -> None:
    """And its rounds go on as the ones before did; those of the old one end."""
    await with_an_entrance(db)
    await sweep(db, NOON)
    async with db.write() as tx:
        await configs.activate(tx, "managers: []", files={}, config_hash="new", now=NOON)
    assert await sweep(db, NOON + MINUTES) == 1
    assert await next_due(db) == NOON + 4 * MINUTES
    assert await sweep(db, NOON + 4 * MINUTES) == 1
    assert await next_due(db) == NOON + 19 * MINUTES


async def test_a_bot_that_was_away_looks_once(db: Database) -> None:
    """Rounds that were missed are one round, and the next is on the clock again."""
    await with_an_entrance(db)
    await sweep(db, NOON)
    assert await sweep(db, NOON + 3 * HOURS) == 1
    assert await sweep(db, NOON + 3 * HOURS) == 0
    assert await next_due(db) == NOON + 3 * HOURS + 4 * MINUTES


async def test_soon_after_a_seat_was_given(db: Database) -> None:
    """Twenty seconds later, once for all that were given meanwhile."""
    await with_an_entrance(db)
    await sweep(db, NOON)
    async with db.write() as tx:
        for n, at in enumerate((NOON + MINUTES, NOON + MINUTES + 5 * SECONDS)):
            tx.add(SeatRow(chat_id=f"wr{n}", kind="vip", entrance="vip-tea", visitor_id=n, reserved_at=at))
    assert await next_due(db) == NOON + MINUTES + 20 * SECONDS
    assert await sweep(db, NOON + MINUTES + 19 * SECONDS) == 0
    assert await sweep(db, NOON + MINUTES + 20 * SECONDS) == 1
    assert await sweep(db, NOON + MINUTES + 21 * SECONDS) == 0
