"""Journeys through check-ins whose next step has come, a batch at a time. What is raised is due again a while later."""

from datetime import datetime, timedelta

from rules.events import JourneysDue
from rules.lanes import NORMAL
from store import inbox, leading
from store.database import Tx

AT_ONCE = 50
AGAIN_AFTER = timedelta(minutes=10)


async def sweep(tx: Tx, now: datetime) -> int:
    due = await leading.due(tx, now=now, limit=AT_ONCE)
    if not due:
        return 0
    moment = due[0].next_at
    for row in due:
        row.next_at = now + AGAIN_AFTER
    return await inbox.put(
        tx,
        source="timer",
        key=f"journeys:{due[0].id}:{due[-1].id}:{moment.isoformat() if moment else ''}:{now.isoformat()}",
        event=JourneysDue(at=now, journey_ids=tuple(sorted(row.id for row in due))),
        lane=NORMAL,
        ordering_key="journeys",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await leading.next_due(tx)
