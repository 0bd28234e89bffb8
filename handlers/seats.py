"""What the roster tells about seats: who came in, whether it is the one the seat is for, and who has left.

`look` is asked whenever a group was read. It compares who is inside with whose the group is, and may be asked any
number of times: what it has found before it does not find again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import cases, join_ways, matters, rooms
from handlers.reading import SETTLE
from rules.book import Book
from rules.decision import Decision
from rules.events import JoinerSeen
from rules.lanes import NORMAL
from rules.seats import say_close_door, say_guest, say_stranger, say_twice
from store import doors, identities, inbox, people, removal, roster, seats
from store import join_ways as ways
from store import matters as matter_rows
from store import rooms as room_rows
from store.database import Tx
from store.rooms import RoomRow
from store.roster import GroupRow, MemberRow
from store.seats import SeatRow

STRANGER = "stranger_in_seat"
"""What is written on a case about somebody who came by another customer's code."""

DOOR_SHUT = SETTLE + timedelta(minutes=1)
"""How long after the code is gone a read is believed to show everybody who came by it."""


async def look(tx: Tx, book: Book, group: GroupRow, new: Sequence[MemberRow], *, now: datetime) -> None:
    """The group was read. `new`: who came, as far as that is known from this read."""
    if not book.entrances:
        return
    room = await rooms.enrol(tx, book, group, now=now)
    if room is None:
        return
    if new and any(member.state for member in new):
        room.used_at = now  # its code lets people in
    if room.alone:
        await _look_at_own(tx, book, group, room, now=now)
    elif new:
        await _came_to_shared(tx, room, new, now=now)
    await tx.flush()


async def _came_to_shared(tx: Tx, room: RoomRow, new: Sequence[MemberRow], *, now: datetime) -> None:
    """Those of them who are known to have been on their way have arrived. Of each of the others who came by the room's
    code, one place that was promised is theirs, whosever it was: nobody is counted twice.
    """
    known = await identities.visitors_with(tx, "external_userid", [member.external_userid for member in new])
    theirs = {visitor: external_userid for external_userid, visitor in known.items()}
    recognised = set()
    for seat in await seats.shared_on(tx, room.chat_id, list(theirs)):
        if seat.state == "held":
            if not seat.settled:
                room.promised = max(0, room.promised - 1)
            seat.state, seat.taken_at, seat.due_at = "taken", now, None
            seat.external_userid, seat.bound, seat.settled = theirs[seat.visitor_id], "known", True
            recognised.add(seat.external_userid)
    unknown = [each for each in new if each.state and each.external_userid not in recognised]
    for seat in await seats.promised_on(tx, room.chat_id, at_most=len(unknown)):
        seat.settled = True
        room.promised = max(0, room.promised - 1)


# --- a group of one customer's own ------------------------------------------------------------------------------------


async def _look_at_own(tx: Tx, book: Book, group: GroupRow, room: RoomRow, *, now: datetime) -> None:
    everybody = await roster.present(tx, group.chat_id)
    present = {who: each for who, each in everybody.items() if each.detailed}  # of others we know no more than the id
    seat = await seats.on_group(tx, group.chat_id)
    if seat is None:
        revived = room.state in ("free", "gone") and await _revive(tx, book, group, room, present, now=now)
        if present and room.state == "free" and not revived:
            await rooms.occupied(tx, book, room, group, now=now)
        return
    has_left = seat.external_userid not in everybody if seat.external_userid else not everybody
    if seat.state == "taken" and has_left:
        await _left(tx, book, room, seat, now=now)
    elif seat.state != "taken":
        await who_came(tx, book, group, room, seat, present, now=now)
    if seat.state == "taken":
        await guests(tx, book, group, room, seat, present, now=now)


async def who_came(
    tx: Tx,
    book: Book,
    group: GroupRow,
    room: RoomRow,
    seat: SeatRow,
    present: Mapping[str, MemberRow],
    *,
    now: datetime,
) -> None:
    """The seat waits for its holder; somebody is inside."""
    holder = await identities.external_of(tx, seat.visitor_id) or seat.external_userid
    if holder in present:
        await take(tx, book, group, room, seat, who=holder, bound="known", now=now)
        return
    for each in present.values():
        if not await _is_by_code(tx, seat, each):
            await _guest(tx, book, group, seat, each, now=now)
        elif holder is not None and await _is_certain(tx, seat, holder):
            await stranger(tx, book, group, each, now=now)
        else:
            await _ask_who(tx, seat, each.external_userid, now=now)


async def _is_certain(tx: Tx, seat: SeatRow, holder: str) -> bool:
    """Whether the platform says that the holder is called so: what was inferred proves nobody a stranger."""
    rows = await identities.proofs_of(tx, seat.visitor_id)
    theirs = next((row for row in rows if row.value == holder), None)
    if theirs is None:
        return True  # who took this seat before, and left
    ties = await identities.ties_about(tx, [theirs.id])
    in_force = [tie.link().told for tie in ties if tie.undone_at is None]
    return not in_force or any(in_force)


async def undecided(tx: Tx, seat: SeatRow, present: Mapping[str, MemberRow]) -> list[MemberRow]:
    """Who came by the seat's code and is not known to be a stranger."""
    by_code = [each for each in present.values() if await _is_by_code(tx, seat, each)]
    return [each for each in by_code if not await _is_known_stranger(tx, each)]


async def _is_known_stranger(tx: Tx, member: MemberRow) -> bool:
    who = member.external_userid
    if (await people.released(tx, [who], [])).of(who, "").get(STRANGER):
        return True
    return await removal.was_asked(tx, member.chat_id, who, STRANGER, since=member.joined_at or member.seen_at)


async def _is_by_code(tx: Tx, seat: SeatRow, member: MemberRow) -> bool:
    """Whether they came by a code that was shown for this seat."""
    if not member.state:
        return False
    way = await ways.of_state(tx, member.state)
    if way is None or way.chat_id != seat.chat_id:
        return False
    return way.id == seat.way_id or way.ordered_at >= seat.reserved_at  # replaced meanwhile, or lost


async def _ask_who(tx: Tx, seat: SeatRow, external_userid: str, *, now: datetime) -> None:
    """One person came by the code, and nobody knows what the roster calls the holder: the platform may tell. Once; but
    whoever keeps a seat from ending is looked at again and again.
    """
    again = f":{now.isoformat()}" if seat.state == "ending" else ""
    await inbox.put(
        tx,
        source="timer",
        key=f"joiner:{seat.id}:{external_userid}:{seat.reserved_at.isoformat()}{again}",
        event=JoinerSeen(at=now, chat_id=seat.chat_id, external_userid=external_userid, seat_id=seat.id),
        lane=NORMAL,
        ordering_key=f"group:{seat.chat_id}",
        due_at=now,
        now=now,
    )


async def take(
    tx: Tx, book: Book, group: GroupRow, room: RoomRow, seat: SeatRow, *, who: str | None, bound: str, now: datetime
) -> None:
    """The customer is in: the door closes behind them."""
    seat.state, seat.external_userid, seat.bound = "taken", who, bound
    seat.taken_at, seat.settled, seat.due_at = now, False, now + DOOR_SHUT
    room.used_at = now
    room_rows.change(room, "used", now=now)
    await join_ways.close(tx, room.way_id, now=now)
    room.way_id, room.bare = None, True
    logger.info("seat {} is taken: group {} is {}'s ({})", seat.id, seat.chat_id, who or "?", bound)
    entrance = book.entrance(seat.entrance)
    if entrance is not None and entrance.ask_to_close:
        member = await roster.member(tx, seat.chat_id, who) if who else None
        title, text = say_close_door(group.name, member.name if member else "")
        key = f"close-door:{seat.chat_id}:{seat.id}"
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)
    await tx.flush()


async def twice(
    tx: Tx,
    book: Book,
    group: GroupRow,
    room: RoomRow,
    seat: SeatRow,
    by_code: Sequence[MemberRow],
    *,
    now: datetime,
) -> None:
    """Several people came by one code: one of them is the customer, and nobody can tell which. Nobody is removed."""
    await take(tx, book, group, room, seat, who=None, bound="twice", now=now)
    await _say_twice(tx, book, group, seat, by_code, now=now)


async def _say_twice(
    tx: Tx, book: Book, group: GroupRow, seat: SeatRow, by_code: Sequence[MemberRow], *, now: datetime
) -> None:
    title, text = say_twice(group.name, [f"「{each.name or each.external_userid}」" for each in by_code])
    key = f"seat-twice:{seat.chat_id}:{seat.id}"
    if await matter_rows.last(tx, key) is None:
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)


async def guests(
    tx: Tx,
    book: Book,
    group: GroupRow,
    room: RoomRow,
    seat: SeatRow,
    present: Mapping[str, MemberRow],
    *,
    now: datetime,
) -> None:
    """The customer is in; who else is?"""
    by_code = await undecided(tx, seat, present)
    others = [each for each in present.values() if each.external_userid != seat.external_userid]
    if (
        seat.bound == "state" and len(by_code) > 1
    ):  # also long after: who came first was inferred, and may be the wrong one
        seat.external_userid, seat.bound = None, "twice"
        seat.settled, seat.due_at = False, now + DOOR_SHUT
    if seat.bound == "twice":
        await _say_twice(tx, book, group, seat, by_code, now=now)
        others = [each for each in others if each not in by_code]
    for each in others:
        if each in by_code:
            await stranger(tx, book, group, each, now=now)
        elif not await _is_by_code(tx, seat, each):
            await _guest(tx, book, group, seat, each, now=now)


async def _guest(tx: Tx, book: Book, group: GroupRow, seat: SeatRow, member: MemberRow, *, now: datetime) -> None:
    """Somebody came without our code. Whom our own staff invite is welcome; of anybody else the owner is told, once."""
    if member.invited_by or not member.detailed:
        return
    came = member.joined_at.isoformat() if member.joined_at else ""
    key = f"seat-guest:{group.chat_id}:{member.external_userid}:{came}"
    if await matter_rows.last(tx, key) is None:
        title, text = say_guest(group.name, f"「{member.name or member.external_userid}」")
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)


async def stranger(tx: Tx, book: Book, group: GroupRow, member: MemberRow, *, now: datetime) -> None:
    """Somebody who is certainly not the holder came by the holder's code: they are to be taken out, once asked."""
    who = member.external_userid
    if await _is_known_stranger(tx, member):
        return
    because = say_stranger(group.name, f"「{member.name or who}」")
    answer = Decision(
        rule=STRANGER, verdict="hit", because=because, subject=who, chat_id=group.chat_id, came_to="remove"
    )
    await cases.settle(tx, book, group, member, [answer], listed=False, now=now)


async def _left(tx: Tx, book: Book, room: RoomRow, seat: SeatRow, *, now: datetime) -> None:
    """The customer has left: kept for them for a while, or not, as the entrance says."""
    entrance = book.entrance(seat.entrance)
    if entrance is not None and entrance.when_left == "keep":
        seat.state, seat.due_at = "left", now + entrance.keep_left
        await tx.flush()
        return
    seats.end(seat, "left", now=now)
    await tx.flush()
    await rooms.to_be_checked(tx, book, room, seat, now=now)


async def _revive(
    tx: Tx, book: Book, group: GroupRow, room: RoomRow, present: Mapping[str, MemberRow], *, now: datetime
) -> bool:
    """Somebody came by a code that was shown for a seat which is over: late, or through a join way that was lost. If
    nobody else was given the group meanwhile, it is theirs.
    """
    came = [(each, way) for each in present.values() if each.state and (way := await ways.of_state(tx, each.state))]
    if len(came) != 1 or len(present) != 1:
        return False
    member, way = came[0]
    earlier = await seats.of_way(tx, way.id)
    if earlier is None or earlier.visitor_key is not None or earlier.chat_id != group.chat_id:
        return False
    theirs = await doors.of_visitor(tx, earlier.visitor_id)
    holder = await identities.external_of(tx, earlier.visitor_id)
    if any(kind == earlier.kind for kind in theirs) or holder not in (None, member.external_userid):
        return False
    earlier.room_key, earlier.visitor_key = group.chat_id, seats.visitor_key(earlier.visitor_id, earlier.kind)
    earlier.outcome, earlier.over_at = "", None
    bound = "known" if holder else "state"
    await take(tx, book, group, room, earlier, who=member.external_userid, bound=bound, now=now)
    return True
