"""When we look for what no callback told: rounds that are raised once, and which groups they take up."""

import asyncio
from datetime import UTC, datetime, timedelta

from rules.events import AnyEvent, GroupsReadDue, RosterReadDue
from rules.removal import Reason
from scheduler import reconcile
from scheduler.reconcile import ROUNDS
from store import inbox, queue, removal, roster
from store import reconcile as rounds
from store.database import Database
from store.inbox import Inbox

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # in Beijing
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


async def sweep(db: Database, now: datetime) -> int:
    async with db.write() as tx:
        return await reconcile.sweep(tx, now)


async def raised(db: Database, now: datetime) -> list[AnyEvent]:
    """What is to be worked on; it is done then."""
    events = []
    async with db.write() as tx:
        while (row := await queue.claim(tx, Inbox, now=now, lease=MINUTES, token="t")) is not None:
            events.append(inbox.event_of(row))
            await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
    return events


async def group(db: Database, chat_id: str, read: timedelta | None, **more: object) -> None:
    """A group that was read so long before noon."""
    async with db.write() as tx:
        row = await roster.known_or_new(tx, chat_id, now=NOON - 24 * HOURS)
        row.read_at = None if read is None else NOON - read
        for name, value in more.items():
            setattr(row, name, value)


async def stale(db: Database) -> list[str]:
    """Which groups the round at five past noon takes up."""
    await sweep(db, NOON)
    await sweep(db, NOON + 5 * MINUTES)
    events = await raised(db, NOON + 5 * MINUTES)
    return [chat_id for event in events if isinstance(event, GroupsReadDue) for chat_id in event.chat_ids]


def test_rounds_are_aligned_to_the_clock() -> None:
    """Several processes name the same moment: every five minutes, hourly at 17, and at ten past four in the morning."""
    odd = NOON + timedelta(minutes=3, seconds=7)
    assert ROUNDS["stale"].after(odd) == NOON + 5 * MINUTES
    assert ROUNDS["stale"].after(NOON + 5 * MINUTES) == NOON + 10 * MINUTES
    assert ROUNDS["list"].after(odd) == NOON + 17 * MINUTES
    assert ROUNDS["whole"].after(odd) == datetime(2026, 11, 23, 20, 10, tzinfo=UTC)


async def test_a_round_is_raised_once(db: Database) -> None:
    """The first sweep only plans; then each round comes once, however many processes sweep and however late."""
    assert await sweep(db, NOON) == 0
    at = NOON + 17 * MINUTES
    assert await sweep(db, at) == 1
    assert await sweep(db, at) == 0
    assert await raised(db, at) == [RosterReadDue(at=at, whole=False)]
    long_after = NOON + 40 * HOURS
    assert await sweep(db, long_after) == 2
    whole = {event.whole for event in await raised(db, long_after) if isinstance(event, RosterReadDue)}
    assert whole == {True, False}
    async with db.read() as tx:
        assert await reconcile.next_due(tx) == ROUNDS["stale"].after(long_after)


async def test_which_groups_are_read_again(db: Database) -> None:
    """Hourly any; sooner those with an open case, in doubt, or heard of so lately that the read may have lagged."""
    await group(db, "fresh", 40 * MINUTES)
    await group(db, "old", 61 * MINUTES)
    await group(db, "never", None)
    await group(db, "in-doubt", 5 * MINUTES, in_doubt=True)
    await group(db, "in-doubt-but-just-read", -2 * MINUTES, in_doubt=True)
    await group(db, "settled-since", 2 * MINUTES, settles_at=NOON)
    await group(db, "read-after-it-settled", -1 * MINUTES, settles_at=NOON)
    await group(db, "asked-about", 20 * MINUTES)
    await group(db, "about-to-be-read", 61 * MINUTES, read_due_at=NOON + 10 * MINUTES)
    await group(db, "dismissed", 61 * MINUTES, dismissed_at=NOON)
    await group(db, "out-of-sight", 61 * MINUTES, out_of_sight_at=NOON)
    reasons = [Reason(rule="r", step="remove", because="…")]
    async with db.write() as tx:
        await removal.open_case(
            tx, chat_id="asked-about", external_userid="wo1", reasons=reasons, listed=False, now=NOON
        )
    assert sorted(await stale(db)) == ["asked-about", "in-doubt", "never", "old", "settled-since"]


async def test_a_round_waits_for_the_one_before(db: Database) -> None:
    """A platform that answers slowly is not asked for more and more."""
    await group(db, "old", 61 * MINUTES)
    await sweep(db, NOON)
    assert await sweep(db, NOON + 5 * MINUTES) == 1
    assert await sweep(db, NOON + 10 * MINUTES) == 0
    await raised(db, NOON + 10 * MINUTES)
    assert await sweep(db, NOON + 15 * MINUTES) == 1


async def test_a_round_takes_the_oldest_and_not_more_than_500(sqlite_db: Database) -> None:
    """However many groups there are, callbacks keep most of what the platform allows us to ask."""
    async with sqlite_db.write() as tx:
        for number in range(600):
            row = await roster.known_or_new(tx, f"wr{number:03d}", now=NOON)
            row.read_at = NOON - 2 * HOURS - number * MINUTES
    await sweep(sqlite_db, NOON)
    assert await sweep(sqlite_db, NOON + 5 * MINUTES) == 10
    events = await raised(sqlite_db, NOON + 6 * MINUTES)
    taken = [chat_id for event in events if isinstance(event, GroupsReadDue) for chat_id in event.chat_ids]
    assert taken == [f"wr{number:03d}" for number in range(599, 99, -1)]


async def test_processes_that_start_together_plan_each_round_once(db: Database) -> None:
    """None of them stumbles over what another has just written down."""
    assert await asyncio.gather(*(sweep(db, NOON) for _ in range(8))) == [0] * 8
    async with db.read() as tx:
        assert (await rounds.rounds(tx)).keys() == ROUNDS.keys()
