"""Seats and time: nobody came, or the customer has left for good, or the door has been shut for a while.

A hold ends in an order that leaves no gap: the code is deleted, then the group is read, then it is somebody else's.
"""

from datetime import datetime, timedelta

from handlers import giving, identity, join_ways, rooms
from handlers.reading import SETTLE
from handlers.seats import DOOR_SHUT, who_came
from rules.book import Book
from rules.decision import Decision
from rules.events import SeatDue
from store import join_ways as ways
from store import rooms as room_rows
from store import roster, seats
from store.database import Database, Tx
from store.rooms import RoomRow
from store.seats import SeatRow
from wecom.gateway import Gateway

AGAIN = timedelta(minutes=10)
"""A seat that was raised as due is raised again after this, unless what follows says otherwise."""


async def look_up(event: SeatDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform here: the group is read through its own events."""


async def handle(event: SeatDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """What follows depends on how far the seat is."""
    await _due(tx, book, event, now=now)
    return []


async def _due(tx: Tx, book: Book, event: SeatDue, *, now: datetime) -> None:
    seat = await seats.seat(tx, event.seat_id)
    if seat is None or seat.state == "over" or seat.due_at != event.at + AGAIN:
        return  # over, or renewed since
    room = await room_rows.of_group(tx, seat.chat_id)
    if room is None:
        seats.end(seat, "group_gone", now=now)
    elif seat.shared:
        if seat.state in ("held", "ending"):
            if not seat.settled:
                room.promised = max(0, room.promised - 1)
            seats.end(seat, "expired", now=now)
            await tx.flush()
            await giving.serve_line(tx, book, now=now)
    elif seat.state == "held":
        await _too_late(tx, room, seat, now=now)
    elif seat.state == "ending":
        await _look_once_more(tx, book, room, seat, now=now)
    elif seat.state == "left":
        seats.end(seat, "left", now=now)
        await tx.flush()
        await rooms.to_be_checked(tx, book, room, seat, now=now)
    else:
        await _settle(tx, room, seat, now=now)


async def _too_late(tx: Tx, room: RoomRow, seat: SeatRow, *, now: datetime) -> None:
    """Nobody came: the door closes, and the group is read before somebody else gets it."""
    seat.state, seat.due_at = "ending", now + DOOR_SHUT
    if seat.shown_at is not None:
        await join_ways.close(tx, room.way_id, now=now)
    await tx.flush()
    group = await roster.group(tx, seat.chat_id)
    if group is not None:
        roster.read_soon(group, at=now + SETTLE)


async def _look_once_more(tx: Tx, book: Book, room: RoomRow, seat: SeatRow, *, now: datetime) -> None:
    """Free it, if the code is gone and a read since then shows nobody in it."""
    group = await roster.group(tx, seat.chat_id)
    way = await ways.way(tx, room.way_id) if room.way_id is not None else None
    shut_at = (way.gone_at if way is not None else None) or seat.reserved_at
    is_open = seat.shown_at is not None and way is not None and way.status not in ("gone", "orphaned", "failed")
    if group is None or is_open or group.read_at is None or group.read_at < shut_at + SETTLE:
        seat.due_at = now + timedelta(minutes=2)
        if is_open:
            await join_ways.close(tx, room.way_id, now=now)
        if group is not None:
            roster.read_soon(group, at=now)
        return
    present = await roster.present(tx, seat.chat_id)
    if present:
        await who_came(tx, book, group, room, seat, present, now=now)
        if seat.state == "ending":
            seat.due_at = now + AGAIN
        return
    seats.end(seat, "expired", now=now)
    if seat.shown_at is not None:
        room.way_id, room.bare = None, True
    await tx.flush()
    await rooms.free(tx, book, room, now=now)


async def _settle(tx: Tx, room: RoomRow, seat: SeatRow, *, now: datetime) -> None:
    """The door has been shut for a while: who came by the code is known now, and with it perhaps who the holder is."""
    group = await roster.group(tx, seat.chat_id)
    way = await ways.look_at(tx, seat.way_id) if seat.way_id is not None else None
    shut_at = way.gone_at if way is not None and way.gone_at is not None else seat.taken_at
    if way is not None and way.status in ("ready", "updating", "deleting", "unread"):
        await join_ways.close(tx, way.id, now=now)
        seat.due_at = now + DOOR_SHUT
        return
    if group is None or group.read_at is None or shut_at is None or group.read_at < shut_at:
        seat.due_at = now + timedelta(minutes=2)
        if group is not None:
            roster.read_soon(group, at=now)
        return
    seat.settled, seat.due_at = True, None
    if way is not None and seat.bound in ("state", "twice"):
        joiners = await room_rows.came_by(tx, seat.chat_id, way.state)
        await tx.flush()
        await identity.bind_by_state(tx, seat.visitor_id, way.state, joiners, now=now)
