"""Payouts whose next step has come, a batch at a time; and pauses that managers have not heard of.

What is raised is due again a while later, so that nothing depends on the event being worked on.
"""

from datetime import datetime

from rules.events import PayoutsDue
from rules.lanes import NORMAL
from rules.payouts import PROBE_EVERY, WATCH
from store import inbox, payouts
from store.database import Tx

AT_ONCE = 200
"""Payouts in one event: one transaction of at most a second."""


async def sweep(tx: Tx, now: datetime) -> int:
    raised = 0
    pause = await payouts.paused(tx)
    due = await payouts.due(tx, now=now, limit=AT_ONCE)
    if due:
        raised += await _raise(tx, f"{due[0].id}:{due[0].calls}:{_text(due[0].due_at)}", [row.id for row in due], now)
    for row in due:
        if row.step == "send" and pause is not None and pause.probe_at is not None:
            pause.probe_at = now + PROBE_EVERY[pause.reason]
        row.due_at = now + WATCH
    for untold in await payouts.untold(tx, now=now):
        raised += await _raise(tx, f"pause:{untold.id}:{_text(untold.due_at)}", [], now)
        untold.due_at = now + WATCH
    return raised


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


async def _raise(tx: Tx, key: str, ids: list[int], now: datetime) -> int:
    return await inbox.put(
        tx,
        source="timer",
        key=f"payouts:{key}",
        event=PayoutsDue(at=now, payout_ids=tuple(ids)),
        lane=NORMAL,
        ordering_key="payouts",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    return await payouts.next_due(tx)
