"""Monday, four in the morning in Beijing: the week that is over is rewarded.

Late: done as soon as the bot runs again, for every week that was missed, the oldest first.
"""

from datetime import datetime

from rules.events import RewardsDue
from rules.lanes import STATISTICS
from rules.rewards import WEEK, next_giving, week_before
from store import inbox, reconcile
from store.database import Tx
from store.reconcile import RoundRow

NAME = "rewards"


async def sweep(tx: Tx, now: datetime) -> int:
    row = (await reconcile.rounds(tx)).get(NAME)
    if row is None:
        tx.add(RoundRow(name=NAME, due_at=next_giving(now)))
        await tx.flush()
        return 0
    raised = 0
    while row.due_at <= now:
        week, row.due_at = week_before(row.due_at), row.due_at + WEEK
        raised += await inbox.put(
            tx,
            source="timer",
            key=f"{NAME}:{week.isoformat()}",
            event=RewardsDue(at=now, week=week),
            lane=STATISTICS,
            ordering_key=NAME,
            due_at=now,
            now=now,
        )
    return raised


async def next_due(tx: Tx) -> datetime | None:
    return await reconcile.round_due(tx, NAME)
