"""The welcomes are looked over: hourly, when a config comes into force, and soon after a template was made.

Aligned to the clock, so that several processes name the same moment. Late or missed: the next one does all of it.
"""

from datetime import datetime, timedelta

from rules.events import WelcomeDue
from rules.lanes import RECONCILE
from scheduler.reconcile import Round
from store import configs, inbox, welcome
from store.database import Tx
from store.reconcile import NEVER
from store.welcome import LookRow

EVERY = Round(every=timedelta(hours=1), at=timedelta(minutes=34))


async def sweep(tx: Tx, now: datetime) -> int:
    row, newest = await welcome.look(tx), await configs.newest_id(tx) or 0
    if row is None:
        row = LookRow(id=1, due_at=now, config_id=newest)
        tx.add(row)
    elif row.due_at > now and row.config_id == newest:
        return 0
    when, row.due_at, row.config_id = row.due_at, EVERY.after(now), newest
    await tx.flush()
    return await inbox.put(
        tx,
        source="timer",
        key=f"welcome:{when.isoformat()}:{newest}",
        event=WelcomeDue(at=now),
        lane=RECONCILE,
        ordering_key="welcome",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await welcome.next_look(tx, await configs.newest_id(tx) or 0) or NEVER  # that is: at once
