"""Measuring: what is only seen in the database is brought to the metrics, and what is only seen here to the database.

Every process measures every ten seconds. Gauges and `steward_removal_seconds` are about the whole installation, so
they are the same in all of its processes; the counters are each process's own.
"""

from collections import Counter
from datetime import datetime, timedelta

from loguru import logger

from bot.metrics import Metrics, QueueSize
from rules.clock import Clock
from rules.lanes import NORMAL, POSTS, RECONCILE, REMOVAL, STATISTICS, WELCOME
from store import api_calls, dead_letters, payouts, queue, reconcile, removal
from store.database import Database, StoreUnavailable
from store.inbox import Inbox
from store.outbox import Outbox

LANES = {
    WELCOME: "welcome",
    REMOVAL: "removal",
    NORMAL: "normal",
    POSTS: "posts",
    STATISTICS: "statistics",
    RECONCILE: "reconcile",
}

LOOK_BACK = timedelta(minutes=2)
"""A case carries the time at which its transaction began and is seen when that has ended: a little later."""


class Measure:
    """Made once per process. `api_call` is told of every call; `take` measures."""

    def __init__(self, store: Database, metrics: Metrics, clock: Clock) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._calls: Counter[tuple[str, int]] = Counter()
        self._began = clock.now()
        self._removed: dict[int, datetime] = {}

    def api_call(self, endpoint: str, errcode: int) -> None:
        """WeCom was called and answered so (0 = fine), or did not (ours, below -1000)."""
        self._metrics.api_call(endpoint, errcode)
        self._calls[endpoint, errcode] += 1

    async def take(self) -> None:
        """Bring gauges, times to removal and the count of calls up to date. StoreUnavailable: nothing is lost."""
        now = self._clock.now()
        await self._let_be_what_was_made_good()
        async with self._store.read() as tx:
            depths = [("inbox", depth) for depth in await queue.counts(tx, Inbox)]
            depths += [("outbox", depth) for depth in await queue.counts(tx, Outbox)]
            census = await reconcile.census(tx)
            open_cases = len(await removal.open_cases(tx))
            unknown, paused = len(await payouts.unresolved(tx)), await payouts.paused(tx) is not None
            closed = await removal.closed_since(tx, max(self._began, now - LOOK_BACK))
        self._metrics.open_cases(open_cases)
        self._metrics.payouts(unknown, paused=paused)
        self._metrics.groups(
            {
                "settled": census.in_sight - census.in_doubt,
                "in_doubt": census.in_doubt,
                "out_of_sight": census.out_of_sight,
                "dismissed": census.dismissed,
            },
            _age(now, census.oldest_read) if census.oldest_read else 0.0,
        )
        self._metrics.queues(
            QueueSize(name, LANES.get(each.lane, str(each.lane)), each.state, each.rows, _age(now, each.oldest_due_at))
            for name, each in depths
        )
        for case in closed:
            if case.outcome == "removed" and case.closed_at and case.number not in self._removed:
                self._removed[case.number] = case.closed_at
                self._metrics.removed_after((case.closed_at - case.opened_at).total_seconds())
        self._removed = {number: at for number, at in self._removed.items() if at > now - LOOK_BACK}
        await self._write_calls(now)

    async def _let_be_what_was_made_good(self) -> None:
        """Only what somebody has to look at is counted as given up."""
        async with self._store.read() as tx:
            made_good = await dead_letters.made_good(tx)
        if made_good:
            async with self._store.write() as tx:
                dropped = await queue.drop(tx, Inbox, made_good)
            names = ", ".join(f"in{each}" for each in dropped)
            logger.info(
                "dead letters of groups that have been read since are let be: {}", names or "by another process"
            )

    async def _write_calls(self, now: datetime) -> None:
        calls, self._calls = self._calls, Counter()
        if not calls:
            return
        try:
            async with self._store.write() as tx:
                await api_calls.add(tx, calls, now=now)
        except StoreUnavailable:
            self._calls.update(calls)
            raise


def _age(now: datetime, due_at: datetime) -> float:
    return max(0.0, (now - due_at).total_seconds())
