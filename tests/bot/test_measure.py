"""Measuring: each removal once, gauges as they are, calls into the database; readiness; forgetting."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import health
from bot.clocks import VirtualClock
from bot.health import Pulse
from bot.measure import Measure
from bot.metrics import Metrics
from bot.prune import prune
from bot.worker import Rules
from rules.book import Book
from rules.events import RosterReadDue
from rules.removal import Outcome, Reason
from store import api_calls, inbox, queue, removal, roster
from store.database import Database, StoreUnavailable
from store.inbox import Inbox

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)


class Bench:
    """A database, a clock, and what measures them."""

    def __init__(self, store: Database) -> None:
        self.store, self.clock, self.metrics = store, VirtualClock(START), Metrics()
        self.measure = Measure(store, self.metrics, self.clock)

    async def case_closes(self, who: str, outcome: Outcome, *, open_for: timedelta) -> None:
        """Somebody's case closes now."""
        now = self.clock.now()
        async with self.store.write() as tx:
            await roster.known_or_new(tx, "wr1", now=now)
            case = await removal.open_case(
                tx,
                chat_id="wr1",
                external_userid=who,
                reasons=[Reason(rule="r", step="remove", evidence="strong", because="b")],
                listed=False,
                now=now - open_for,
            )
            await removal.close(tx, case.number, outcome=outcome, by=None, now=now)

    def shown(self, name: str) -> float:
        [line] = [line for line in self.metrics.text().decode().splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[1])


@pytest.fixture
def bench(sqlite_db: Database) -> Bench:
    return Bench(sqlite_db)


async def test_each_removal_is_timed_once(bench: Bench) -> None:
    """However often it is measured, and only what was removed: not who left or was released."""
    bench.clock.advance(10 * SECONDS)
    await bench.case_closes("a", "removed", open_for=5 * MINUTES)
    await bench.case_closes("b", "left", open_for=MINUTES)
    await bench.case_closes("c", "released", open_for=MINUTES)
    for _ in range(30):
        await bench.measure.take()
        bench.clock.advance(10 * SECONDS)
    assert bench.shown("steward_removal_seconds_count") == 1
    assert bench.shown("steward_removal_seconds_sum") == 300


async def test_a_removal_that_is_seen_late_is_timed_still(bench: Bench) -> None:
    """Its transaction began before the last measuring and ended after it."""
    bench.clock.advance(10 * SECONDS)
    await bench.measure.take()
    at = bench.clock.now() - 5 * SECONDS
    async with bench.store.write() as tx:
        await roster.known_or_new(tx, "wr1", now=at)
        case = await removal.open_case(
            tx,
            chat_id="wr1",
            external_userid="a",
            reasons=[Reason(rule="r", step="remove", evidence="", because="")],
            listed=False,
            now=at - MINUTES,
        )
        await removal.close(tx, case.number, outcome="removed", by=None, now=at)
    bench.clock.advance(10 * SECONDS)
    await bench.measure.take()
    assert bench.shown("steward_removal_seconds_count") == 1


async def test_what_was_removed_before_this_process_began_is_not_counted_again(sqlite_db: Database) -> None:
    """A restart does not repeat the last minutes."""
    before = Bench(sqlite_db)
    before.clock.advance(10 * SECONDS)
    await before.case_closes("a", "removed", open_for=MINUTES)
    after = Bench(sqlite_db)
    after.clock.set(START + MINUTES)
    after.measure = Measure(sqlite_db, after.metrics, after.clock)
    await after.measure.take()
    assert after.shown("steward_removal_seconds_count") == 0


async def test_calls_end_up_in_the_database_and_in_the_metrics(bench: Bench) -> None:
    """Each call is counted once in either."""
    for _ in range(3):
        bench.measure.api_call("gettoken", 0)
    await bench.measure.take()
    bench.measure.api_call("gettoken", 40001)
    await bench.measure.take()
    await bench.measure.take()
    async with bench.store.read() as tx:
        rows = await api_calls.since(tx, START - timedelta(days=1))
    assert {(row.errcode, row.calls) for row in rows} == {(0, 3), (40001, 1)}
    assert bench.shown('steward_api_calls_total{endpoint="gettoken",errcode="0"}') == 3


async def test_no_call_is_lost_while_the_database_is_away(sqlite_url: str) -> None:
    """What could not be written is written with the next measuring."""
    store = await Database.open(sqlite_url)
    bench = Bench(store)
    await bench.measure.take()
    bench.measure.api_call("gettoken", 0)
    await store.close()
    hide(sqlite_url)
    with pytest.raises(StoreUnavailable):
        await bench.measure.take()
    bring_back(sqlite_url)
    await bench.measure.take()
    async with store.read() as tx:
        assert [row.calls for row in await api_calls.since(tx, START - timedelta(days=1))] == [1]
    await store.close()


def hide(url: str) -> None:
    """Take a closed database away, and put something in its place that is none."""
    path = Path(url.removeprefix("sqlite:///"))
    path.rename(path.with_suffix(".away"))
    path.mkdir()


def bring_back(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    path.rmdir()
    path.with_suffix(".away").rename(path)


async def test_a_dead_letter_is_let_be_when_its_group_has_been_read(bench: Bench) -> None:
    """It is counted for as long as somebody may have to look at it, and no longer."""
    async with bench.store.write() as tx:
        moments: dict[str, Any] = {"due_at": START, "created_at": START, "received_at": START, "finished_at": START}
        dead = Inbox(source="callback", digest="d", payload="<xml/>", lane=1, state="dead", **moments)
        dead.ordering_key = "group:wr1"
        tx.add(dead)
        await roster.known_or_new(tx, "wr1", now=START)
    await bench.measure.take()
    assert bench.shown('steward_dead_letters{queue="inbox"}') == 1
    async with bench.store.write() as tx:
        (await roster.known_or_new(tx, "wr1", now=START)).read_at = START + SECONDS
    await bench.measure.take()
    assert bench.shown('steward_dead_letters{queue="inbox"}') == 0
    async with bench.store.read() as tx:
        assert await queue.dead(tx, Inbox, at_most=5) == []


# --- readiness --------------------------------------------------------------------------------------------------------


async def test_a_worker_that_has_stopped_sweeping_is_not_ready(bench: Bench) -> None:
    """Half a minute without a sweep is noticed; a process that does not work is not asked for one."""
    pulse = Pulse()
    worker = health.checks(bench.store, pulse, bench.clock, Rules(Book()))["worker"]
    assert await worker() == (True, "not in this process")
    pulse.beat(bench.clock.now())
    bench.clock.advance(10 * SECONDS)
    assert (await worker())[0]
    bench.clock.advance(30 * SECONDS)
    assert not (await worker())[0]


async def test_why_a_config_was_refused_is_for_the_log(bench: Bench) -> None:
    """The page is public: it says that a newer config was refused, and nothing of what stands in it."""
    rules = Rules(Book(), config="0123456789")
    config = health.checks(bench.store, Pulse(), bench.clock, rules)["config"]
    assert await config() == (True, "01234567 in force")
    rules.refused = "/home/lihua/config.yaml on disk is refused: 1 problem(s), the first in line 3"
    assert await config() == (True, "01234567 in force; a newer one is refused, see the log")


async def test_a_backlog_and_dead_letters_are_told_and_do_not_turn_callbacks_away(bench: Bench) -> None:
    """They are for people: a process that is not ready would get no callbacks, and those would be lost."""
    async with bench.store.write() as tx:
        for key in ("one", "two"):
            event = RosterReadDue(at=START)
            await inbox.put(
                tx, source="timer", key=key, event=event, lane=2, ordering_key=None, due_at=START, now=START
            )
    async with bench.store.write() as tx:
        row = await queue.claim(tx, Inbox, now=START, lease=MINUTES, token="t")
    assert row is not None
    async with bench.store.write() as tx:
        await queue.bury(tx, Inbox, row.id, "t", now=START, error="boom")
    bench.clock.advance(20 * MINUTES)
    checks = health.checks(bench.store, Pulse(), bench.clock, Rules(Book()))
    assert await checks["backlog"]() == (
        True,
        "inbox 1 open, oldest due 1200.0 s ago; outbox 0 open, oldest due 0.0 s ago",
    )
    assert await checks["dead_letters"]() == (True, "inbox 1, outbox 0")


# --- forgetting -------------------------------------------------------------------------------------------------------


async def test_forgetting_goes_on_until_nothing_old_is_left(sqlite_db: Database) -> None:
    """All that is old goes in one night, however much there is; what is young stays."""
    async with sqlite_db.write() as tx:
        for number in range(2500):
            await inbox.put(
                tx,
                source="timer",
                key=str(number),
                event=RosterReadDue(at=START),
                lane=2,
                ordering_key=None,
                due_at=START,
                now=START,
            )
        await (await tx.connection()).exec_driver_sql(
            "UPDATE inbox SET state = 'done', finished_at = received_at WHERE id <= 2400"
        )
    assert await prune(sqlite_db, START + timedelta(days=20)) == 4800  # emptied, then forgotten
    async with sqlite_db.read() as tx:
        assert [depth.rows for depth in await queue.counts(tx, Inbox)] == [100]
        assert (await (await tx.connection()).exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 100
