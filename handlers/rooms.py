"""Which groups entrances lead into: enrolled by themselves when they are read, freed, set aside, and let go.

A prepared group is enrolled when its name fits a kind that an entrance gives away and it holds only staff. (A group
that staff started among colleagues is internal for ever: the platform never shows it to us.)
"""

from datetime import datetime, timedelta

from loguru import logger

from handlers import giving, join_ways, matters
from handlers.reading import SETTLE
from rules.book import Book
from rules.entrances import MOST_MEMBERS, Entrance
from rules.seats import say_aside, say_dirty, say_occupied
from store import join_ways as ways
from store import matters as matter_rows
from store import rooms, roster, seats
from store.database import Tx
from store.rooms import RoomRow
from store.roster import GroupRow
from store.seats import SeatRow

LOOK_AGAIN = timedelta(minutes=2)
"""How soon a group is read again into which an old code may still lead."""

DEAD_AFTER = timedelta(hours=1)
"""A code that was shown to two people lets somebody in within this time, or it is taken for dead."""


def entrance_of(book: Book, kind: str) -> Entrance | None:
    """The first entrance that leads to groups of this kind."""
    return next((each for each in book.entrances if kind in each.kinds), None)


def kind_by_base_name(book: Book, name: str) -> str:
    """The kind of a group that the platform made by itself: named by an entrance's base name and a number."""
    for each in book.entrances:
        number = name.removeprefix(each.room_base_name).strip() if name.startswith(each.room_base_name) else ""
        if each.auto_create_room and number.isdigit():
            return each.groups
    return ""


async def enrol(tx: Tx, book: Book, group: GroupRow, *, now: datetime) -> RoomRow | None:
    """Write the group down as a room, or bring its room up to date. None: no entrance leads into it."""
    room = await rooms.of_group(tx, group.chat_id)
    if entrance_of(book, group.kind) is None and (made := kind_by_base_name(book, group.name)):
        group.kind = made
    if room is None:
        return await _enrol_new(tx, book, group, now=now)
    external = await rooms.external_members(tx, group.chat_id)
    size = len(group.staff) + external
    if not room.alone and size != room.size:
        await giving.look_soon(tx, now=now)  # it may be full now, or have room again
    renamed = room.name != group.name
    room.name, room.shop, room.size = group.name, book.shop_name_of(group.name), size
    if room.state == "free" and renamed:
        await _renamed(tx, book, group, room, now=now)
    elif room.state == "gone":
        await _back_again(tx, book, group, room, external, now=now)
    elif room.state == "occupied" and not external:
        await matter_rows.settle(tx, occupied_key(room.chat_id), outcome="settled", now=now)
        await free(tx, book, room, now=now)
    await tx.flush()
    return room


async def _enrol_new(tx: Tx, book: Book, group: GroupRow, *, now: datetime) -> RoomRow | None:
    await _named_later(tx, book, group)
    if await _new(tx, book, group, now=now) is None:
        return None
    logger.info("group {} ({!r}) is enrolled: entrances may lead into it", group.chat_id, group.name)
    await giving.look_soon(tx, now=now)
    await giving.serve_line(tx, book, now=now)
    return await rooms.of_group(tx, group.chat_id)


async def _back_again(tx: Tx, book: Book, group: GroupRow, room: RoomRow, external: int, *, now: datetime) -> None:
    """A group is in sight again, or has a name again that fits. A prepared one with a customer in it stays as it is."""
    if not room.alone:
        rooms.change(room, "open", now=now)
        await giving.look_soon(tx, now=now)
    elif external or book.kind_of(group.name) != room.kind or await seats.on_group(tx, group.chat_id) is not None:
        return
    elif group.read_at is not None and await ways.are_shut(tx, group.chat_id, before=group.read_at - SETTLE):
        await free(tx, book, room, now=now)
    else:  # somebody may still come by the code of before
        roster.read_soon(group, at=now + LOOK_AGAIN)


async def _named_later(tx: Tx, book: Book, group: GroupRow) -> None:
    """A group is created first and named then: while it holds only staff it is of the kind that its name says."""
    kind = book.kind_of(group.name)
    if kind == group.kind or entrance_of(book, kind) is None or await rooms.external_members(tx, group.chat_id):
        return
    logger.info("group {} is called {!r} now: it is of kind {}", group.chat_id, group.name, kind)
    group.kind = kind


async def _renamed(tx: Tx, book: Book, group: GroupRow, room: RoomRow, *, now: datetime) -> None:
    """A prepared group that is nobody's has another name. It is of the kind that this says; where no entrance gives
    such groups away, staff want it for something else.
    """
    kind = book.kind_of(group.name)
    entrance = entrance_of(book, kind)
    if entrance is not None and entrance.one_customer_per_group:
        room.kind = group.kind = kind
        await giving.look_soon(tx, now=now)
        return
    logger.warning("prepared group {} is called {!r} now: nobody is given it any more", room.chat_id, room.name)
    await group_gone(tx, room.chat_id, now=now)


async def _new(tx: Tx, book: Book, group: GroupRow, *, now: datetime) -> RoomRow | None:
    entrance = entrance_of(book, group.kind)
    external = await rooms.external_members(tx, group.chat_id)
    if entrance is None or (entrance.one_customer_per_group and external):
        return None
    room = RoomRow(
        chat_id=group.chat_id,
        name=group.name,
        kind=group.kind,
        shop=book.shop_name_of(group.name),
        alone=entrance.one_customer_per_group,
        state="free" if entrance.one_customer_per_group else "open",
        since=now,
        size=len(group.staff) + external,
    )
    tx.add(room)
    await tx.flush()
    return room


async def enrol_all(tx: Tx, book: Book, *, now: datetime) -> int:
    """Groups that were known before the config had an entrance for them. Says how many."""
    kinds = sorted({kind for each in book.entrances for kind in each.kinds})
    new = 0
    for group in await rooms.not_enrolled(tx, kinds) if kinds else []:
        new += await _new(tx, book, group, now=now) is not None
    if new:
        logger.info("{} groups are enrolled: entrances may lead into them", new)
        await giving.serve_line(tx, book, now=now)
    return new


# --- what becomes of them ---------------------------------------------------------------------------------------------


async def free(tx: Tx, book: Book, room: RoomRow, *, now: datetime) -> None:
    """A prepared group is nobody's again: who waits gets it first."""
    rooms.change(room, "free", now=now)
    await tx.flush()
    await giving.look_soon(tx, now=now)
    await giving.serve_line(tx, book, now=now)


async def group_gone(tx: Tx, chat_id: str, *, now: datetime) -> None:
    """The group is dismissed, renamed, or out of sight: whoever had a seat in it gets another with the next scan."""
    room = await rooms.of_group(tx, chat_id)
    if room is None or room.state == "gone":
        return
    for seat in await seats.live_on(tx, chat_id):
        seats.end(seat, "group_gone", now=now)
    await join_ways.close(tx, room.way_id, now=now)
    room.way_id, room.bare, room.promised = None, True, 0
    rooms.change(room, "gone", now=now)
    await tx.flush()
    await giving.look_soon(tx, now=now)


async def set_aside(tx: Tx, book: Book, room: RoomRow, *, now: datetime) -> None:
    """Its code was shown to several people and let nobody in: 群聊邀请确认 may be on, which no API shows."""
    logger.warning("room {} ({!r}) is set aside: its code lets nobody in", room.chat_id, room.name)
    for seat in await seats.live_on(tx, room.chat_id):
        if seat.state == "held":
            seats.end(seat, "dead_code", now=now)
    await join_ways.close(tx, room.way_id, now=now)
    room.way_id, room.bare, room.promised = None, True, 0
    room.used_at = now
    rooms.change(room, "aside", now=now)
    await tx.flush()
    group = await roster.group(tx, room.chat_id)
    if group is not None:
        title, text = say_aside(room.name)
        key = f"{aside_key(room.chat_id)}:{now.isoformat()}"
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)
    await giving.look_soon(tx, now=now)


async def occupied(tx: Tx, book: Book, room: RoomRow, group: GroupRow, *, now: datetime) -> None:
    """Somebody whom we did not send is in a prepared group: nobody is given it meanwhile."""
    await join_ways.close(tx, room.way_id, now=now)
    room.way_id, room.bare = None, True
    rooms.change(room, "occupied", now=now)
    title, text = say_occupied(room.name)
    await matters.raise_one(
        tx, book, occupied_key(room.chat_id), audience="owner", group=group, title=title, text=text, now=now
    )
    await giving.look_soon(tx, now=now)


async def to_be_checked(tx: Tx, book: Book, room: RoomRow, seat: SeatRow, *, now: datetime) -> None:
    """A customer has left for good: staff look whether the group is clean before somebody else gets it."""
    entrance = book.entrance(seat.entrance)
    await join_ways.close(tx, room.way_id, now=now)
    room.way_id, room.bare = None, True
    if entrance is not None and entrance.when_left == "retire":
        rooms.change(room, "retired", now=now)
        return
    rooms.change(room, "checking", now=now)
    group = await roster.group(tx, room.chat_id)
    if group is not None:
        title, text = say_dirty(room.name)
        key = f"{checking_key(room.chat_id)}:{seat.id}"
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)


async def what_staff_said(tx: Tx, book: Book, *, now: datetime) -> None:
    """Rooms about which somebody has said 已办 since: they are used again, if only staff are in them."""
    for room in await rooms.everything(tx, ["checking", "aside"]):
        prefix = checking_key(room.chat_id) if room.state == "checking" else aside_key(room.chat_id)
        done = await matter_rows.last_done(tx, f"{prefix}:")
        if done is None or done.when <= room.since:
            continue
        locked = await rooms.of_group(tx, room.chat_id)
        external = await rooms.external_members(tx, room.chat_id)
        if locked is None or (locked.alone and external) or locked.size >= MOST_MEMBERS:
            continue
        if locked.alone:
            await free(tx, book, locked, now=now)
        else:
            rooms.change(locked, "open", now=now)
            await giving.look_soon(tx, now=now)


async def doubts(tx: Tx, book: Book, *, now: datetime) -> None:
    """Set aside those whose time to let somebody in is over."""
    for room in await rooms.in_vain(tx, before=now - DEAD_AFTER):
        await set_aside(tx, book, room, now=now)


def occupied_key(chat_id: str) -> str:
    return f"room-occupied:{chat_id}"


def aside_key(chat_id: str) -> str:
    return f"room-aside:{chat_id}"


def checking_key(chat_id: str) -> str:
    return f"room-check:{chat_id}"
