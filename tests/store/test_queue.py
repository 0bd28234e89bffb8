"""Rows as a queue (promises 1, 2 and 8), on both engines."""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rules.actions import SendText
from store import queue
from store.database import Database
from store.outbox import Outbox, deed_of, put
from store.queue import LeaseLost

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


async def add(
    db: Database, name: str, *, key: str | None = None, lane: int = 2, due_at: datetime = NOON, now: datetime = NOON
) -> bool:
    async with db.write() as tx:
        deed = SendText(to=("wangwu",), text=name)
        return await put(tx, deed, key=name, lane=lane, ordering_key=key, due_at=due_at, now=now)


async def take(db: Database, *, at: datetime = NOON, by: str = "mine", lanes: list[int] | None = None) -> Outbox | None:
    async with db.write() as tx:
        return await queue.claim(tx, Outbox, now=at, lease=LEASE, token=by, lanes=lanes)


async def took(db: Database, *, at: datetime = NOON, by: str = "mine", lanes: list[int] | None = None) -> Outbox:
    row = await take(db, at=at, by=by, lanes=lanes)
    assert row is not None
    return row


async def done(db: Database, row: Outbox, *, by: str = "mine", at: datetime = NOON) -> None:
    async with db.write() as tx:
        await queue.finish(tx, Outbox, row.id, by, "done", now=at, result="sent")


async def later(db: Database, row: Outbox, *, due_at: datetime, by: str = "mine") -> None:
    async with db.write() as tx:
        await queue.retry_later(tx, Outbox, row.id, by, due_at=due_at, error="-1")


async def earliest(db: Database) -> datetime | None:
    async with db.read() as tx:
        return await queue.next_due(tx, Outbox)


async def test_a_row_carries_its_deed(db: Database) -> None:
    """What is claimed is what was put, with the lease and the attempt on it."""
    await add(db, "hello", key="chat:1", lane=3)
    row = await took(db)
    assert deed_of(row) == SendText(to=("wangwu",), text="hello")
    assert (row.key, row.kind, row.lane, row.ordering_key) == ("hello", "send_text", 3, "chat:1")
    assert (row.state, row.attempts, row.lease_token, row.leased_until) == ("open", 1, "mine", NOON + LEASE)
    assert (row.due_at, row.created_at, row.finished_at) == (NOON, NOON, None)


async def test_putting_twice_is_putting_once(db: Database) -> None:
    """The same key makes one row, and the second caller is told."""
    assert await add(db, "once")
    assert not await add(db, "once", key="another chat")
    await took(db)
    assert await take(db) is None


async def test_lane_then_due_then_id(db: Database) -> None:
    """Urgent lanes go first, then what is due longest, then what came first; what is not due waits."""
    await add(db, "statistics", lane=4, due_at=NOON - SECOND)
    await add(db, "second")
    await add(db, "third")
    await add(db, "first", due_at=NOON - SECOND)
    await add(db, "tomorrow", lane=0, due_at=NOON + timedelta(days=1))
    await add(db, "welcome", lane=0)
    names = [(await took(db)).key for _ in range(5)]
    assert names == ["welcome", "first", "second", "third", "statistics"]
    assert await take(db) is None


async def test_only_the_lanes_asked_for(db: Database) -> None:
    """A worker that serves some lanes is given nothing from the others."""
    await add(db, "normal", lane=2)
    await add(db, "posts", lane=3)
    assert await take(db, lanes=[0, 1]) is None
    assert (await took(db, lanes=[0, 3])).key == "posts"


async def test_four_claimers_get_each_row_once(db_url: str, size: Callable[[int, int], int]) -> None:
    """However many claim at once, a row is claimed by one of them (promise 8)."""
    rows = size(60, 1000)
    machines = [await Database.open(db_url) for _ in range(4)]
    for number in range(rows):
        await add(machines[0], f"{number}")
    claimed: list[str] = []

    async def work(number: int, machine: Database) -> None:
        while row := await take(machine, by=f"claimer {number}"):
            assert row.lease_token == f"claimer {number}"
            claimed.append(row.key)

    await asyncio.gather(*(work(number, machine) for number, machine in enumerate(machines)))
    assert Counter(claimed) == Counter(f"{number}" for number in range(rows))
    for machine in machines:
        await machine.close()


async def test_one_at_a_time_within_a_key(db: Database) -> None:
    """Of a group's rows the oldest open one is worked on, and no other until it is finished; other keys go on."""
    for name, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("free", None)):
        await add(db, name, key=key)
    first = await took(db)
    assert [first.key, (await took(db)).key, (await took(db)).key] == ["a1", "b1", "free"]
    assert await take(db) is None
    await done(db, first)
    assert (await took(db)).key == "a2"


async def test_back_off_holds_up_its_key(db: Database) -> None:
    """A row that is to be tried again later is not overtaken by its group's next one, in any lane."""
    await add(db, "a1", key="a")
    row = await took(db)
    await add(db, "a2", key="a", lane=0)
    await later(db, row, due_at=NOON + 10 * SECOND)
    assert await take(db, at=NOON + 9 * SECOND) is None
    assert await earliest(db) == NOON + 10 * SECOND
    again = await took(db, at=NOON + 10 * SECOND)
    assert (again.key, again.attempts, again.last_error) == ("a1", 2, "-1")


async def test_a_timer_holds_up_nobody_before_its_time(db: Database) -> None:
    """A reminder due in an hour does not stop the group's callbacks, and takes its turn when it is due."""
    await add(db, "reminder", key="a", due_at=NOON + timedelta(hours=1))
    await add(db, "join", key="a")
    row = await took(db)
    assert row.key == "join"
    late = NOON + timedelta(hours=1)
    await later(db, row, due_at=late + SECOND)
    assert await take(db, at=late) is None, "the join was begun first and is in back-off"
    await done(db, await took(db, at=late + SECOND), at=late + SECOND)
    assert (await took(db, at=late + SECOND)).key == "reminder"


async def test_a_row_that_comes_late_does_not_join_one_at_work(db: Database) -> None:
    """A row with an earlier due time than the one being worked on waits all the same: two never run at once."""
    await add(db, "at work", key="a")
    row = await took(db)
    await add(db, "late", key="a", due_at=NOON - timedelta(minutes=1))
    assert await take(db) is None
    await done(db, row)
    assert (await took(db)).key == "late"


async def _somebody_waits(db: Database) -> bool:
    async with db.read() as tx:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool((await (await tx.connection()).exec_driver_sql(waiting)).scalar_one())


async def test_two_machines_cannot_begin_one_key(postgres_db: Database) -> None:
    """On PostgreSQL a claim that cannot see another, uncommitted one still does not begin a second row of its key."""
    await add(postgres_db, "first", key="a")
    async with postgres_db.write() as tx:
        assert await queue.claim(tx, Outbox, now=NOON, lease=LEASE, token="one") is not None
        await add(postgres_db, "late", key="a", due_at=NOON - SECOND)
        other = asyncio.create_task(take(postgres_db, by="two"))
        async with asyncio.timeout(20):
            while not (other.done() or await _somebody_waits(postgres_db)):
                pass
        assert not other.done()
    assert await other is None


async def test_an_expired_lease_is_claimed_again(db: Database) -> None:
    """Where a worker died its row is worked on by another; the first one's late result is refused (LeaseLost)."""
    await add(db, "a1", key="a")
    await add(db, "a2", key="a")
    row = await took(db, by="dead")
    assert await take(db, at=NOON + LEASE - SECOND, by="next") is None
    assert await earliest(db) == NOON + LEASE
    again = await took(db, at=NOON + LEASE, by="next")
    assert (again.key, again.attempts) == ("a1", 2)
    with pytest.raises(LeaseLost):
        await done(db, row, by="dead")
    with pytest.raises(LeaseLost):
        await later(db, row, due_at=NOON, by="dead")
    async with db.read() as tx:
        assert not await queue.still_mine(tx, Outbox, row.id, "dead", now=NOON + LEASE)
        assert await queue.still_mine(tx, Outbox, row.id, "next", now=NOON + LEASE)
        assert not await queue.still_mine(tx, Outbox, row.id, "next", now=NOON + 2 * LEASE)
    await done(db, again, by="next")
    with pytest.raises(LeaseLost):
        await done(db, again, by="next")


async def test_a_lost_lease_undoes_everything(db: Database) -> None:
    """What was written beside a finish() that came too late is not there afterwards."""
    await add(db, "row")
    row = await took(db, by="dead")
    await took(db, at=NOON + LEASE, by="next")
    with contextlib.suppress(LeaseLost):
        async with db.write() as tx:
            deed = SendText(to=("wangwu",), text="twice")
            await put(tx, deed, key="twice", lane=0, ordering_key=None, due_at=NOON, now=NOON)
            await queue.finish(tx, Outbox, row.id, "dead", "done", now=NOON)
    assert await take(db) is None


async def test_extending_a_lease(db: Database) -> None:
    """Long work keeps its row by extending the lease; after it is lost that fails."""
    await add(db, "row")
    row = await took(db)
    async with db.write() as tx:
        await queue.extend(tx, Outbox, row.id, "mine", now=NOON + 20 * SECOND, lease=LEASE)
    assert await take(db, at=NOON + 40 * SECOND, by="other") is None
    await took(db, at=NOON + 50 * SECOND, by="other")
    with pytest.raises(LeaseLost):
        async with db.write() as tx:
            await queue.extend(tx, Outbox, row.id, "mine", now=NOON, lease=LEASE)


async def test_a_dead_letter_frees_its_key(db: Database) -> None:
    """A row that is given up is kept with its error, counted, never claimed again, and its group goes on."""
    await add(db, "a1", key="a")
    await add(db, "a2", key="a", due_at=NOON + SECOND)
    row = await took(db)
    async with db.write() as tx:
        await queue.bury(tx, Outbox, row.id, "mine", now=NOON, error="40003")
    assert (await took(db, at=NOON + SECOND)).key == "a2"
    async with db.read() as tx:
        assert await queue.counts(tx, Outbox) == [("open", 2, 1, NOON + SECOND), ("dead", 2, 1, NOON)]
        kept = await tx.get(Outbox, row.id)
    assert kept is not None
    assert (kept.state, kept.last_error, kept.finished_at) == ("dead", "40003", NOON)


async def test_next_due_is_when_something_can_be_claimed(db: Database) -> None:
    """Nothing can be claimed before the moment next_due names, and something can at it."""
    assert await earliest(db) is None
    await add(db, "a2", key="a", due_at=NOON + 5 * SECOND)
    await add(db, "a1", key="a", due_at=NOON + 2 * SECOND)
    assert await earliest(db) == NOON + 2 * SECOND
    row = await took(db, at=NOON + 2 * SECOND)
    await later(db, row, due_at=NOON + 60 * SECOND)
    assert await earliest(db) == NOON + 60 * SECOND, "a2 is due sooner, but held up"
    await done(db, await took(db, at=NOON + 60 * SECOND))
    assert await earliest(db) == NOON + 5 * SECOND


async def test_any_mix_keeps_the_order(db_url: str, seed: int, size: Callable[[int, int], int]) -> None:
    """Whatever fails, dies or comes late: a key's rows never run two at once, never overtake, and all are finished."""
    rng = random.Random(seed)
    machines = [await Database.open(db_url) for _ in range(2)]
    names = [f"{rng.choice('abcde')}{number:04d}" for number in range(size(60, 1000))]
    now = NOON
    begun: dict[str, str] = {}
    finished: dict[str, list[str]] = defaultdict(list)

    async def work(token: str, machine: Database) -> None:
        row = await take(machine, at=now, by=token)
        if row is None:
            return
        key = row.key[0]
        assert begun.setdefault(key, row.key) == row.key, "another row of this key is not finished yet"
        fate = rng.random()
        if fate < 0.2:
            await later(machine, row, due_at=now + timedelta(seconds=rng.randrange(1, 60)), by=token)
        elif fate < 0.9:
            await done(machine, row, by=token, at=now)
            finished[key].append(row.key)
            del begun[key]
        # else its worker dies: the lease runs out

    for step, name in enumerate(names):
        await add(machines[0], name, key=name[0], lane=rng.randrange(5), due_at=now, now=now)
        await asyncio.gather(*(work(f"{step}.{i}", machine) for i, machine in enumerate(machines)))
        now += timedelta(seconds=rng.randrange(3))
    step = len(names)
    while moment := await earliest(machines[0]):
        now = max(now, moment)
        step += 1
        await asyncio.gather(*(work(f"{step}.{i}", machine) for i, machine in enumerate(machines)))
    assert finished == {key: [name for name in names if name[0] == key] for key in {name[0] for name in names}}
    for machine in machines:
        await machine.close()
