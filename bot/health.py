"""What `/readyz` looks at, by name. The store and this process's worker decide; the rest is told for people to read.

A backlog or dead letters never make a process "not ready": it would be taken out of the way of callbacks, which it can
still accept, and WeCom gives a callback up after three tries.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.server import Check
from bot.worker import Rules
from rules.clock import Clock
from store import queue, reconcile
from store.database import Database
from store.inbox import Inbox
from store.outbox import Outbox
from store.queue import Depth, QueueRow

SWEPT_WITHIN = timedelta(seconds=30)

QUEUES: Mapping[str, type[QueueRow]] = {"inbox": Inbox, "outbox": Outbox}


class Pulse:
    """When this process's clock last raised what was due. Expected only where the process works."""

    def __init__(self) -> None:
        self.last: datetime | None = None

    def beat(self, now: datetime) -> None:
        """A sweep came to its end (or the work begins: the first sweep is expected from now on)."""
        self.last = now


def checks(store: Database, pulse: Pulse, clock: Clock, rules: Rules) -> dict[str, Check]:
    """By the names that `/readyz` shows."""

    async def can_read() -> tuple[bool, str]:
        async with store.read() as tx:
            await queue.next_due(tx, Inbox)
        return True, store.dialect

    async def worker() -> tuple[bool, str]:
        if pulse.last is None:
            return True, "not in this process"
        ago = clock.now() - pulse.last
        return ago <= SWEPT_WITHIN, f"last sweep {ago.total_seconds():.1f} s ago"

    async def depths() -> dict[str, list[Depth]]:
        async with store.read() as tx:
            return {name: await queue.counts(tx, table) for name, table in QUEUES.items()}

    async def backlog() -> tuple[bool, str]:
        now = clock.now()
        return True, "; ".join(f"{name} {_backlog(rows, now)}" for name, rows in (await depths()).items())

    async def dead_letters() -> tuple[bool, str]:
        return True, ", ".join(f"{name} {_dead(rows)}" for name, rows in (await depths()).items())

    async def groups() -> tuple[bool, str]:
        async with store.read() as tx:
            census = await reconcile.census(tx)
        read = (
            f"oldest read {(clock.now() - census.oldest_read).total_seconds():.0f} s ago" if census.oldest_read else ""
        )
        counted = f"{census.in_sight} in sight, {census.in_doubt} in doubt, {census.out_of_sight} out of sight"
        return True, "; ".join(filter(None, (counted, read)))

    async def config() -> tuple[bool, str]:
        # Not why: the page is public, and the reasons name files and what stands in them.
        return True, f"{rules.config[:8]} in force{'; a newer one is refused, see the log' if rules.refused else ''}"

    return {
        "store": can_read,
        "worker": worker,
        "backlog": backlog,
        "dead_letters": dead_letters,
        "groups": groups,
        "config": config,
    }


def _backlog(depths: list[Depth], now: datetime) -> str:
    waiting = [depth for depth in depths if depth.state == "open"]
    oldest = max([now - depth.oldest_due_at for depth in waiting], default=timedelta(0))
    rows = sum(depth.rows for depth in waiting)
    return f"{rows} open, oldest due {max(oldest, timedelta(0)).total_seconds():.1f} s ago"


def _dead(depths: list[Depth]) -> int:
    return sum(depth.rows for depth in depths if depth.state == "dead")
