"""Codes that stay: of shared rooms, one each; of native entrances, one with the groups swapped behind it; and those
that add a member of staff. None of these is ever deleted: they are printed.
"""

from collections.abc import Sequence
from datetime import datetime

from handlers import asking, join_ways
from rules.book import Book
from rules.entrances import GROUPS_A_WAY, Entrance, Target
from store import join_ways as ways
from store import rooms
from store.database import Tx
from store.rooms import RoomRow

AHEAD = 2
"""For how many shared rooms, besides those in use, codes are made before anybody needs them."""


async def keep(tx: Tx, book: Book, *, now: datetime) -> None:
    """Bring all of them in line with the config and with the room there is."""
    for entrance in book.entrances:
        if entrance.via == "contact":
            await _keep_contact(tx, book, entrance, now=now)
        if entrance.via == "native":
            await _keep_native(tx, entrance, now=now)
        elif not entrance.one_customer_per_group:
            for target in dict.fromkeys([*entrance.targets, *(Target(kind=kind) for kind in entrance.spare)]):
                await _keep_shared(tx, entrance, target, now=now)


async def _keep_shared(tx: Tx, entrance: Entrance, target: Target, *, now: datetime) -> None:
    """A code for the rooms that come next. Only the last one with room may have the platform make another."""
    open_rooms = await rooms.with_room(tx, target, room_for=entrance.room_for)
    if not open_rooms and entrance.auto_create_room and (last := await rooms.last_open(tx, target)) is not None:
        open_rooms = [last]
    wanted = open_rooms if entrance.fill == "evenly" else open_rooms[:AHEAD]
    grows = entrance.auto_create_room and len(open_rooms) == 1
    for room in wanted:
        if room.way_id is None:
            auto = entrance if grows else None
            await join_ways.order_for_room(tx, room.id, room.chat_id, room.name, alone=False, auto=auto, now=now)
            continue
        row = await ways.way(tx, room.way_id)
        if row is not None and row.status == "ready" and row.auto_create_room != grows:
            base = entrance.room_base_name if grows else ""
            await join_ways.change(tx, row, chat_ids=row.chat_ids, auto=grows, base_name=base, now=now)


async def _keep_native(tx: Tx, entrance: Entrance, *, now: datetime) -> None:
    """Up to five groups with room stand behind the code; one that is nearly full makes way for the next."""
    target = entrance.route()
    open_rooms = await rooms.with_room(tx, target, room_for=entrance.room_for)
    if entrance.fill == "evenly":
        open_rooms = sorted(open_rooms, key=lambda room: (room.size + room.promised, room.id))
    if not open_rooms and (last := await rooms.last_open(tx, target)) is not None:
        open_rooms = [last]  # nearly full is better than nothing
    if not open_rooms:
        return
    wanted = [room.chat_id for room in open_rooms[:GROUPS_A_WAY]]
    row = await ways.of_entrance(tx, entrance.name, "native")
    if row is None:
        await join_ways.order_for_entrance(tx, entrance, wanted, now=now)
        return
    same = set(row.chat_ids) == set(wanted) if entrance.fill == "evenly" else row.chat_ids == wanted
    same = same and row.auto_create_room == entrance.auto_create_room
    if row.status == "ready" and not (same or _still_good(entrance, row.chat_ids, open_rooms)):
        base = entrance.room_base_name if entrance.auto_create_room else ""
        await join_ways.change(tx, row, chat_ids=wanted, auto=entrance.auto_create_room, base_name=base, now=now)


def _still_good(entrance: Entrance, chat_ids: Sequence[str], open_rooms: Sequence[RoomRow]) -> bool:
    """Evenly: what stands behind the code changes only when one of them is nearly full, not with every person."""
    if entrance.fill != "evenly":
        return False
    there = {room.chat_id for room in open_rooms}
    return set(chat_ids) <= there and len(chat_ids) == min(GROUPS_A_WAY, len(there))


async def _keep_contact(tx: Tx, book: Book, entrance: Entrance, *, now: datetime) -> None:
    names = [name for each in entrance.staff for name in (book.shops[each].staff if each in book.shops else (each,))]
    userids = await asking.called(tx, names, f"staff of entrance {entrance.name}")
    if not userids:
        return
    row = await ways.of_entrance(tx, entrance.name, "contact")
    if row is None:
        await join_ways.order_contact(tx, entrance, userids, now=now)
    elif row.status == "ready" and row.chat_ids != userids:
        await join_ways.change_contact(tx, row, userids, now=now)
