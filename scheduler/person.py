"""People who were unknown when they were last asked about."""

from datetime import datetime

from rules.events import PersonCheckDue
from rules.lanes import NORMAL
from store import inbox, people
from store.database import Tx


async def sweep(tx: Tx, now: datetime) -> int:
    due = await people.checks_due(tx, now=now)
    for person in due:
        when, person.check_due_at = person.check_due_at, None
        await inbox.put(
            tx,
            source="timer",
            key=f"check:{person.external_userid}:{when.isoformat() if when else ''}",
            event=PersonCheckDue(at=now, external_userid=person.external_userid),
            lane=NORMAL,
            ordering_key=f"person:{person.external_userid}",
            due_at=now,
            now=now,
        )
    return len(due)


async def next_due(tx: Tx) -> datetime | None:
    return await people.next_check(tx)
