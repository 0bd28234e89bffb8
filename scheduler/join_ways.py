"""Live join ways are read back, each once an hour: they cannot be listed, and somebody else may have changed them."""

from datetime import datetime, timedelta

from rules.events import JoinWaysReadDue
from rules.lanes import RECONCILE
from store import inbox, join_ways
from store.database import Tx

EVERY = timedelta(hours=1)
AT_ONCE = 10  # of one event: it may call the platform for 20 seconds


async def sweep(tx: Tx, now: datetime) -> int:
    due = await join_ways.raise_checks(tx, now=now, again=EVERY)
    raised = 0
    for first in range(0, len(due), AT_ONCE):
        some = tuple(due[first : first + AT_ONCE])
        raised += await inbox.put(
            tx,
            source="timer",
            key=f"join-ways:{some[0]}:{now.isoformat()}",
            event=JoinWaysReadDue(at=now, way_ids=some),
            lane=RECONCILE,
            ordering_key=None,
            due_at=now,
            now=now,
        )
    return raised


async def next_due(tx: Tx) -> datetime | None:
    return await join_ways.next_check(tx)
