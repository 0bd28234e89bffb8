"""When the welcomes are looked over, and when the managers are asked about the native switches: each once."""

from datetime import UTC, datetime, timedelta

from rules.events import AnyEvent, ControlsCheckDue, WelcomeDue
from scheduler import native_controls, reconcile, welcome
from scheduler.sweep import Sweep
from store import configs, inbox, queue
from store import welcome as rows
from store.database import Database
from store.inbox import Inbox
from store.reconcile import NEVER

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # in Beijing
MINUTES = timedelta(minutes=1)


async def swept(db: Database, sweep: Sweep, now: datetime) -> int:
    async with db.write() as tx:
        return await sweep.sweep(tx, now)


async def due(db: Database, sweep: Sweep) -> datetime | None:
    async with db.read() as tx:
        return await sweep.next_due(tx)


async def taken(db: Database, now: datetime) -> list[AnyEvent]:
    """What is to be worked on; it is done then."""
    events = []
    async with db.write() as tx:
        while (row := await queue.claim(tx, Inbox, now=now, lease=MINUTES, token="t")) is not None:
            events.append(inbox.event_of(row))
            await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
    return events


async def test_welcomes_are_looked_over_at_once_and_hourly(db: Database) -> None:
    """Each time once, however many processes sweep, and once for all that was missed."""
    assert [await swept(db, welcome, NOON) for _ in range(2)] == [1, 0]
    assert await taken(db, NOON) == [WelcomeDue(at=NOON)]
    at = NOON + 34 * MINUTES
    assert await due(db, welcome) == at
    assert [await swept(db, welcome, at) for _ in range(2)] == [1, 0]
    late = NOON + 500 * MINUTES
    assert [await swept(db, welcome, late) for _ in range(2)] == [1, 0]
    assert await due(db, welcome) == NOON + (8 * 60 + 34) * MINUTES


async def test_a_new_config_is_looked_at_right_away(db: Database) -> None:
    """Also one that somebody goes back to; and soon after there is something to attach."""
    await swept(db, welcome, NOON)
    for number, text in enumerate(("a", "b", "a"), start=1):
        at = NOON + number * MINUTES
        async with db.write() as tx:
            await configs.activate(tx, text, config_hash=text, now=at)
        assert await due(db, welcome) == NEVER
        assert [await swept(db, welcome, at) for _ in range(2)] == [1, 0]
    at = NOON + 5 * MINUTES
    async with db.write() as tx:
        await rows.look_soon(tx, now=at)
    assert await due(db, welcome) == at + MINUTES
    assert [await swept(db, welcome, at + MINUTES) for _ in range(2)] == [1, 0]
    assert await due(db, welcome) == NOON + 34 * MINUTES


async def test_managers_are_asked_once_a_month(db: Database) -> None:
    """Also where the bot was down at that hour: as soon as it runs, once for the month that it is."""
    assert await swept(db, native_controls, NOON) == 0
    first = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    assert await due(db, native_controls) == first
    assert await swept(db, native_controls, first - MINUTES) == 0
    late = first + 40 * MINUTES
    assert [await swept(db, native_controls, late) for _ in range(2)] == [1, 0]
    assert await taken(db, late) == [ControlsCheckDue(at=late)]
    assert await due(db, native_controls) == datetime(2027, 1, 1, 2, 0, tzinfo=UTC)


async def test_a_check_before_the_hour_in_a_month_already_asked_is_not_another(db: Database) -> None:
    """Down over a month's turn: the late one stands for the new month, so its own hour raises nothing."""
    await swept(db, native_controls, NOON)
    early = datetime(2027, 1, 1, 1, 0, tzinfo=UTC)  # December's was missed; January's is in an hour
    assert await swept(db, native_controls, early) == 1
    assert await swept(db, native_controls, early + 60 * MINUTES) == 0


async def test_the_rounds_of_reconciling_go_on_beside_the_check(db: Database) -> None:
    """They share a table, and neither keeps the other from being planned."""
    assert await due(db, native_controls) == await due(db, reconcile) == NEVER
    for sweep in (native_controls, reconcile):
        await swept(db, sweep, NOON)
    assert await swept(db, reconcile, NOON + 17 * MINUTES) == 1
    assert await due(db, native_controls) == datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
