"""What no callback told is looked for, again and again: this table says how often.

Times are aligned to the clock, so that several processes name the same moment, and what they raise is one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.clock import BEIJING
from rules.events import RosterReadDue
from rules.lanes import RECONCILE
from store import inbox, reconcile
from store.database import Tx

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)

UNSETTLED, ASKED_ABOUT, REST = 4 * MINUTES, 10 * MINUTES, 1 * HOURS
"""How old the last read may be: of a group in doubt, of one with an open case, of any."""
GROUPS_A_ROUND = 500
"""So an hour reads 6,000 groups at most: of more than that, each is read less often than hourly."""


@dataclass(frozen=True)
class Round:
    """`every` divides a day; `at` is the moment of the day (Beijing) from which it is counted."""

    every: timedelta
    at: timedelta = timedelta(0)

    def after(self, moment: datetime) -> datetime:
        """The first time later than `moment`."""
        day = moment.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0) + self.at
        return day + self.every * ((moment - day) // self.every + 1)


ROUNDS = {
    "stale": Round(every=5 * MINUTES),
    "list": Round(every=1 * HOURS, at=17 * MINUTES),
    "whole": Round(every=24 * HOURS, at=4 * HOURS + 10 * MINUTES),
}


async def sweep(tx: Tx, now: datetime) -> int:
    rows, raised = await reconcile.rounds(tx), 0
    for name, plan in ROUNDS.items():
        row = rows.get(name)
        if row is None:
            await reconcile.plan_round(tx, name, due_at=plan.after(now))
        elif row.due_at <= now:
            raised += await _raise(tx, name, row.due_at, now=now)
            row.due_at = plan.after(now)
    await tx.flush()
    return raised


async def _raise(tx: Tx, name: str, due_at: datetime, *, now: datetime) -> int:
    key = f"{name}:{due_at.isoformat()}"
    if name != "stale":
        return await inbox.put(
            tx,
            source="reconcile",
            key=f"roster:{key}",
            event=RosterReadDue(at=now, whole=name == "whole"),
            lane=RECONCILE,
            ordering_key=reconcile.KEY,
            due_at=now,
            now=now,
        )
    if await reconcile.is_under_way(tx):
        return 0  # the round before is not done: more of the same helps nobody
    stale = await reconcile.stale(
        tx,
        now=now,
        unsettled=now - UNSETTLED,
        asked_about=now - ASKED_ABOUT,
        rest=now - REST,
        at_most=GROUPS_A_ROUND,
    )
    return await reconcile.look_over(tx, stale, key=key, now=now)


async def next_due(tx: Tx) -> datetime | None:
    return await reconcile.next_round(tx)
