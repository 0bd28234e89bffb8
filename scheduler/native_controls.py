"""Once a month, in its first working hours, the managers are asked to look at the native switches.

Late: asked as soon as the bot runs again, once for the month that it is then.
"""

from datetime import datetime

from rules.events import ControlsCheckDue
from rules.lanes import NORMAL
from rules.native_controls import month_of, next_check
from store import inbox, reconcile
from store.database import Tx
from store.reconcile import RoundRow

NAME = "native-controls"


async def sweep(tx: Tx, now: datetime) -> int:
    row = (await reconcile.rounds(tx)).get(NAME)
    if row is None:
        tx.add(RoundRow(name=NAME, due_at=next_check(now)))
        await tx.flush()
        return 0
    if row.due_at > now:
        return 0
    row.due_at = next_check(now)
    return await inbox.put(
        tx,
        source="timer",
        key=f"{NAME}:{month_of(now)}",
        event=ControlsCheckDue(at=now),
        lane=NORMAL,
        ordering_key=NAME,
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await reconcile.round_due(tx, NAME)
