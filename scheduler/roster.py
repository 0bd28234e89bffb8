"""Groups whose time to be read again has come."""

from datetime import datetime

from rules.events import GroupReadDue
from rules.lanes import NORMAL, REMOVAL
from store import inbox, roster
from store.database import Tx


async def sweep(tx: Tx, now: datetime) -> int:
    due = await roster.reads_due(tx, now=now)
    for group in due:
        when, group.read_due_at = group.read_due_at, None
        await inbox.put(
            tx,
            source="timer",
            key=f"read:{group.chat_id}:{when.isoformat() if when else ''}",
            event=GroupReadDue(at=now, chat_id=group.chat_id),
            lane=REMOVAL if group.read_at else NORMAL,
            ordering_key=f"group:{group.chat_id}",
            due_at=now,
            now=now,
        )
    return len(due)


async def next_due(tx: Tx) -> datetime | None:
    return await roster.next_read(tx)
