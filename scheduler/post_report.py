"""Monday, ten in the morning in Beijing: the managers hear what became of last week's posts.

Late: one report on all weeks that were missed, as soon as the bot runs again.
"""

from datetime import datetime, timedelta

from rules.events import PostReportDue
from rules.lanes import STATISTICS
from rules.post_report import WEEK, monday_before, next_report
from store import inbox, reconcile
from store.database import Tx
from store.reconcile import RoundRow

NAME = "post-report"


async def sweep(tx: Tx, now: datetime) -> int:
    row = (await reconcile.rounds(tx)).get(NAME)
    if row is None:
        tx.add(RoundRow(name=NAME, due_at=next_report(now)))
        await tx.flush()
        return 0
    if row.due_at > now:
        return 0
    first, row.due_at = monday_before(row.due_at), next_report(now)
    last = monday_before(row.due_at - WEEK) + timedelta(days=6)
    return int(
        await inbox.put(
            tx,
            source="timer",
            key=f"{NAME}:{first.isoformat()}",
            event=PostReportDue(at=now, first=first, last=last),
            lane=STATISTICS,
            ordering_key=NAME,
            due_at=now,
            now=now,
        )
    )


async def next_due(tx: Tx) -> datetime | None:
    return await reconcile.round_due(tx, NAME)
