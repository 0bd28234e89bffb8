"""The calendar of draws is gone over when something is to be announced, hourly, and when a config comes into force; and
draws whose next step has come are raised. What is raised is due again a while later: nothing depends on the event.
"""

from datetime import datetime, timedelta

from rules.events import DrawsDue, DrawStepDue
from rules.lanes import NORMAL
from store import configs, draws, inbox
from store.database import Tx
from store.draws import DrawCalendarRow
from store.reconcile import NEVER

CALENDAR_EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=2)


async def sweep(tx: Tx, now: datetime) -> int:
    return await _calendar(tx, now=now) + await _steps(tx, now=now)


async def _calendar(tx: Tx, *, now: datetime) -> int:
    row, newest = await draws.calendar(tx), await configs.newest_id(tx) or 0
    if row is None:
        row = DrawCalendarRow(id=1, due_at=now, config_id=newest)
        tx.add(row)
    elif row.due_at > now and row.config_id == newest:
        return 0
    when, row.due_at, row.config_id = row.due_at, now + CALENDAR_EVERY, newest
    await tx.flush()
    return await inbox.put(
        tx,
        source="timer",
        key=f"draws:{when.isoformat()}:{newest}",
        event=DrawsDue(at=now),
        lane=NORMAL,
        ordering_key="draws",
        due_at=now,
        now=now,
    )


async def _steps(tx: Tx, *, now: datetime) -> int:
    due = await draws.raise_due(tx, now=now, again_at=now + AGAIN_AFTER)
    for each in due:
        await inbox.put(
            tx,
            source="timer",
            key=f"draw:{each.id}:{each.state}:{each.due_at.isoformat()}",
            event=DrawStepDue(at=now, draw_id=each.id),
            lane=NORMAL,
            ordering_key=f"draw:{each.id}",
            due_at=now,
            now=now,
        )
    return len(due)


async def next_due(tx: Tx) -> datetime | None:
    calendar = await draws.next_calendar(tx, await configs.newest_id(tx) or 0) or NEVER  # that is: at once
    step = await draws.next_due(tx)
    return calendar if step is None else min(calendar, step)
