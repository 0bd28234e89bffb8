"""People who were warned some time ago of what may still be so."""

from datetime import datetime

from rules.events import PersonCheckDue
from rules.lanes import NORMAL
from store import inbox, strikes
from store.database import Tx


async def sweep(tx: Tx, now: datetime) -> int:
    due = await strikes.renew(tx, now=now)
    for row in due:
        await inbox.put(
            tx,
            source="timer",
            key=f"again:{row.key}",
            event=PersonCheckDue(at=now, external_userid=row.subject),
            lane=NORMAL,
            ordering_key=f"person:{row.subject}",
            due_at=now,
            now=now,
        )
    return len(due)


async def next_due(tx: Tx) -> datetime | None:
    return await strikes.next_renewal(tx)
