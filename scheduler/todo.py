"""People whose 今日待办 is due."""

from datetime import datetime

from rules.events import TodoDue
from rules.lanes import NORMAL
from store import inbox, todo
from store.database import Tx


async def sweep(tx: Tx, now: datetime) -> int:
    due = await todo.due(tx, now=now)
    for row in due:
        when, row.due_at = row.due_at, None
        await inbox.put(
            tx,
            source="timer",
            key=f"todo:{row.userid}:{when.isoformat() if when else ''}",
            event=TodoDue(at=now, userid=row.userid),
            lane=NORMAL,
            ordering_key=f"todo:{row.userid}",
            due_at=now,
            now=now,
        )
    return len(due)


async def next_due(tx: Tx) -> datetime | None:
    return await todo.next_due(tx)
