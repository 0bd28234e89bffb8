"""Tags that are to be put on contacts, a batch at a time. What is raised is due again a while later."""

from datetime import datetime, timedelta

from rules.events import OwnTagsDue
from rules.lanes import STATISTICS
from store import inbox, own_tags
from store.database import Tx

AGAIN_AFTER = timedelta(minutes=10)


async def sweep(tx: Tx, now: datetime) -> int:
    due = await own_tags.due(tx, now=now)
    if not due:
        return 0
    ids = tuple(sorted(row.id for row in due))
    for row in due:
        row.due_at = now + AGAIN_AFTER
    return await inbox.put(
        tx,
        source="timer",
        key=f"own-tags:{ids[0]}:{len(ids)}:{now.isoformat()}",
        event=OwnTagsDue(at=now, row_ids=ids),
        lane=STATISTICS,
        ordering_key="own-tags",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await own_tags.next_due(tx)
