"""The calendar is gone over hourly, and when a config comes into force; posts and sends that are due are raised.

Aligned to the clock, so that several processes name the same moment. What was missed is found by the next look.
"""

from datetime import datetime, timedelta

from rules.events import CalendarDue, OwnSendsDue, PostDue, SendDue
from rules.lanes import POSTS, STATISTICS
from scheduler.reconcile import Round
from store import configs, inbox, own_sends, posts, sends
from store.database import Tx
from store.own_sends import OwnSendsLookRow
from store.posts import CalendarRow
from store.reconcile import NEVER

CALENDAR = Round(every=timedelta(hours=1), at=timedelta(minutes=7))
OWN_SENDS = Round(every=timedelta(hours=24), at=timedelta(hours=3, minutes=40))


async def sweep(tx: Tx, now: datetime) -> int:
    return (
        await _calendar(tx, now=now) + await _posts(tx, now=now) + await _sends(tx, now=now) + await _own(tx, now=now)
    )


async def _calendar(tx: Tx, *, now: datetime) -> int:
    row, newest = await posts.calendar(tx), await configs.newest_id(tx) or 0
    if row is None:
        row = CalendarRow(id=1, due_at=now, config_id=newest)
        tx.add(row)
    elif row.due_at > now and row.config_id == newest:
        return 0
    if row.config_id != newest:
        row.looked_at = None  # a post that is new has missed nothing
    when, row.due_at, row.config_id = row.due_at, CALENDAR.after(now), newest
    await tx.flush()
    return await inbox.put(
        tx,
        source="timer",
        key=f"calendar:{when.isoformat()}:{newest}",
        event=CalendarDue(at=now),
        lane=POSTS,
        ordering_key="calendar",
        due_at=now,
        now=now,
    )


async def _posts(tx: Tx, *, now: datetime) -> int:
    due = await posts.due(tx, now=now)
    for row in due:
        row.due_at, row.raised = None, row.raised + 1
        await inbox.put(
            tx,
            source="timer",
            key=f"{row.key}:step {row.raised}",
            event=PostDue(at=now, post_id=row.id),
            lane=POSTS,
            ordering_key=row.about,
            due_at=now,
            now=now,
        )
    return len(due)


async def _sends(tx: Tx, *, now: datetime) -> int:
    due = await sends.due(tx, now=now)
    for row in due:
        when, row.due_at = row.due_at, None
        await inbox.put(
            tx,
            source="timer",
            key=f"send:{row.id}:{row.state}:{row.looks}:{when.isoformat() if when else ''}",
            event=SendDue(at=now, send_id=row.id),
            lane=POSTS,
            ordering_key=f"send:{row.id}",
            due_at=now,
            now=now,
        )
    return len(due)


async def _own(tx: Tx, *, now: datetime) -> int:
    """Once there is a calendar to share out among groups."""
    calendar = await posts.written_until(tx)
    if calendar is None:
        return 0
    row = await own_sends.look(tx)
    if row is None:
        row = OwnSendsLookRow(id=1, due_at=now)
        tx.add(row)
    elif row.due_at > now:
        return 0
    when, row.due_at = row.due_at, OWN_SENDS.after(now)
    await tx.flush()
    return await inbox.put(
        tx,
        source="timer",
        key=f"own-sends:{when.isoformat()}",
        event=OwnSendsDue(at=now),
        lane=STATISTICS,
        ordering_key="own-sends",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    moments = [
        await posts.next_calendar(tx, await configs.newest_id(tx) or 0) or NEVER,  # that is: at once
        await posts.next_due(tx),
        await sends.next_due(tx),
    ]
    if await posts.written_until(tx) is not None:
        moments.append(await own_sends.next_look(tx) or NEVER)
    return min(moment for moment in moments if moment is not None)
