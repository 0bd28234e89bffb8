"""Seats that have waited long enough: nobody came, or the group is to be read once more, or it was kept long enough.

Late: what was due is looked at as soon as the bot runs again; until then the seat is its holder's.
"""

from datetime import datetime, timedelta

from rules.events import SeatDue
from rules.lanes import NORMAL
from store import inbox, seats
from store.database import Tx

AGAIN = timedelta(minutes=10)  # as handlers/seats_due.py has it: what tells a seat that was renewed meanwhile


async def sweep(tx: Tx, now: datetime) -> int:
    raised = 0
    for due in await seats.raise_due(tx, now=now, again_at=now + AGAIN):
        raised += await inbox.put(
            tx,
            source="timer",
            key=f"seat:{due.id}:{due.due_at.isoformat()}",
            event=SeatDue(at=now, seat_id=due.id, chat_id=due.chat_id),
            lane=NORMAL,
            ordering_key=f"group:{due.chat_id}",
            due_at=now,
            now=now,
        )
    return raised


async def next_due(tx: Tx) -> datetime | None:
    return await seats.next_due(tx)
