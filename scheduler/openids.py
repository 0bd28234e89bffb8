"""Some more people on the rosters are asked about (convert_to_openid), round after round.

Late: done as soon as the bot runs again. A round says itself when the next one is (handlers/openids.py).
"""

from datetime import datetime, timedelta

from rules.events import OpenidsDue
from rules.lanes import STATISTICS
from store import inbox, openids, reconcile
from store.database import Tx
from store.reconcile import RoundRow

FIRST = timedelta(minutes=1)  # the rosters are read first
NEXT = timedelta(hours=1)  # where a round never ends: it says otherwise when it does


async def sweep(tx: Tx, now: datetime) -> int:
    row = (await reconcile.rounds(tx)).get(openids.ROUND)
    if row is None:
        tx.add(RoundRow(name=openids.ROUND, due_at=now + FIRST))
        await tx.flush()
        return 0
    if row.due_at > now:
        return 0
    when, row.due_at = row.due_at, now + NEXT
    return await inbox.put(
        tx,
        source="timer",
        key=f"{openids.ROUND}:{when.isoformat()}",
        event=OpenidsDue(at=now),
        lane=STATISTICS,
        ordering_key=openids.ROUND,
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await reconcile.round_due(tx, openids.ROUND)
