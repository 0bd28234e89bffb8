"""Somebody scans an entrance: who gets which group is decided here, in one transaction, and what their page shows.

Pages call `look_up` (no transaction), then `handle` and `door_for` in one writing transaction. A refresh calls
`door_for` alone: it renews the seat, and shows what has become of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from loguru import logger

from handlers import giving, join_ways
from handlers.giving import way_on
from rules.book import Book
from rules.decision import Decision
from rules.entrances import Door, Entrance
from rules.events import EntranceScanned
from store import doors, entrances, identities, rooms, seats, waiting
from store import join_ways as ways
from store.database import Database, Tx
from store.doors import Inside, Theirs
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway


@dataclass(frozen=True)
class Seen:
    """`tags`: names of the corp tags that the visitor has, where a route asks for them."""

    tags: tuple[str, ...] = ()


async def look_up(event: EntranceScanned, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """The visitor's tags, where the platform knows who it is. Nobody is kept waiting at the door for want of them.

    Only asked where `book.entrance(…).looks_at_tags`.
    """
    async with store.read() as tx:
        external_userid = await identities.external_of(tx, event.visitor_id)
    if external_userid is None:
        return Seen()
    try:
        contact = await lookups.read_contact(wecom, external_userid)
    except PlatformError as error:
        logger.warning("the tags of somebody at {} are not known: {}", event.entrance, error)
        return Seen()
    return Seen(contact.tags if contact else ())


async def handle(event: EntranceScanned, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Give the visitor a group, the one they have, or a place in the line. The same once more is not said again."""
    entrance = book.entrance(event.entrance)
    if entrance is None:
        return []
    first = await entrances.note_visit(tx, entrance.name, event.visitor_id, event.channel, now=now)
    answer = await _admit(_Scan(tx, book, entrance, event, seen, now))
    if not (first or answer.is_new):
        return []
    return [
        Decision(
            rule=f"entrance:{entrance.name}",
            verdict="hit" if answer.chat_id else "miss",
            because=answer.because,
            subject=identities.subject_of(event.visitor_id),
            chat_id=answer.chat_id,
            evidence=event.channel,
        )
    ]


@dataclass(frozen=True)
class _Scan:
    """One scan, and where it is looked into."""

    tx: Tx
    book: Book
    entrance: Entrance
    event: EntranceScanned
    seen: Seen
    now: datetime


class _Answer(NamedTuple):
    """Why, and into which group; "" where there is none. `is_new`: something has come of this scan."""

    because: str
    chat_id: str = ""
    is_new: bool = False


async def _admit(scan: _Scan) -> _Answer:
    """The entrance's own groups, its spare ones, then those of the entrance that it leads on to; else the line."""
    theirs = await doors.of_visitor(scan.tx, scan.event.visitor_id)
    if (answer := await _the_same_again(scan, theirs)) is not None:
        return answer
    for each in way_on(scan.book, scan.entrance):
        answer = await _try(scan, each, theirs)
        if answer is not None:
            if each is not scan.entrance:  # they may have waited for what is still full
                await waiting.leave(scan.tx, scan.event.visitor_id, scan.entrance.name, now=scan.now)
            return answer
    if not scan.entrance.wait_in_line:
        return _Answer("都满了，这个入口不排队")
    is_new = await waiting.stand(
        scan.tx,
        entrance=scan.entrance.name,
        target=scan.entrance.route(scan.event.channel, scan.seen.tags),
        visitor_id=scan.event.visitor_id,
        channel=scan.event.channel,
        now=scan.now,
    )
    return _Answer("都满了，请TA排队", is_new=is_new)


async def _the_same_again(scan: _Scan, theirs: Mapping[str, Theirs]) -> _Answer | None:
    """The group that they were given when they scanned this code before, also where it was another entrance's: that
    there is room again in the first gives nobody a second group.
    """
    for each in way_on(scan.book, scan.entrance) if theirs else ():
        for target in each.targets:
            seat = theirs.get(target.kind)
            if seat is not None and seat.scanned == scan.entrance.name and seat.state != "left":
                return await _come_back(scan.tx, each, seat, now=scan.now)
    return None


async def _try(scan: _Scan, each: Entrance, theirs: Mapping[str, Theirs]) -> _Answer | None:
    """What one entrance says to it; None where it is full."""
    tx, event = scan.tx, scan.event
    if each.via == "native":
        return _Answer(f"入口 {each.name} 用企业微信的群码，不经过我们")
    target = each.route(event.channel, scan.seen.tags)
    if (seat := theirs.get(target.kind)) is not None:
        return await _come_back(tx, each, seat, now=scan.now)
    key = entrances.stock_key(each.name, target)
    known = await entrances.glance(tx, event.visitor_id, stock_key=key, kind=target.kind, shop=target.shop)
    if each.via == "contact" and known.external_userid is None:
        return _Answer(f"入口 {each.name} 要先加导购")
    if known.external_userid is not None:
        group = _of_kind(await doors.inside(tx, known.external_userid), target.kind)
        if group is not None:
            return _Answer(f"TA已经在「{group.name}」里", group.chat_id)
    if known.line is not None:
        return None  # others go first
    low = known.level is not None and known.level != "well"
    who = giving.Comer(event.visitor_id, scan.entrance.name, event.channel, looks=True)
    chat_id = await giving.give(tx, each, target, who, keep=giving.kept(each, low=low), now=scan.now)
    return _Answer(f"从入口 {each.name} 给了TA一个群", chat_id, is_new=True) if chat_id else None


def _of_kind(inside: list[Inside], kind: str) -> Inside | None:
    return next((each for each in inside if each.kind == kind), None)


async def _come_back(tx: Tx, entrance: Entrance, seat: Theirs, *, now: datetime) -> _Answer:
    """They have a seat. Where it was about to end, or they had left the group, it is theirs again, with a new code."""
    same = _Answer("已经给过TA一个群，还是那个", seat.chat_id)
    if seat.state not in ("ending", "left"):
        return same
    row = await seats.seat(tx, seat.id)
    room = await rooms.of_group(tx, seat.chat_id)
    if row is None or room is None or row.state not in ("ending", "left"):
        return same
    row.state, row.shown_at, row.settled = "held", None, False
    row.due_at = now + entrance.seat_kept(low=False)
    await join_ways.close(tx, room.way_id, now=now)
    way = await join_ways.order_for_room(tx, room.id, room.chat_id, room.name, alone=True, now=now)
    row.way_id = way.id
    await tx.flush()
    return _Answer("给TA留着的群，TA又来了", seat.chat_id, is_new=True)


# --- what the page shows ----------------------------------------------------------------------------------------------


async def door_for(tx: Tx, book: Book, entrance: str, visitor_id: int, now: datetime) -> Door:
    """What to show this visitor now. Needs a writing transaction: it renews the seat. Gives nobody a group."""
    first = book.entrance(entrance)
    if first is None:
        return Door(show="closed")
    theirs = await doors.of_visitor(tx, visitor_id)
    for each in way_on(book, first) if theirs else ():
        for target in each.targets:
            if (seat := theirs.get(target.kind)) is not None:
                return await _door_of(tx, each, seat, now=now)
    return await _door_without_seat(tx, book, first, visitor_id)


async def _door_without_seat(tx: Tx, book: Book, first: Entrance, visitor_id: int) -> Door:
    external_userid = await identities.external_of(tx, visitor_id)
    inside = await doors.inside(tx, external_userid) if external_userid else []
    for each in way_on(book, first):
        for target in each.targets:
            if (group := _of_kind(inside, target.kind)) is not None:
                return Door(show="inside", group_name=group.name, entrance=each.name)
    kinds = {target.kind for target in first.targets}
    for place in await waiting.of_visitor(tx, visitor_id):
        if place.entrance == first.name or place.kind in kinds:  # one place a kind, wherever they took it
            return Door(show="waiting", place=place.ahead + 1, entrance=first.name)
    for each in way_on(book, first):
        if each.via == "native":
            return await _own_code(tx, each, "native")
        if each.via == "contact" and external_userid is None:
            return await _own_code(tx, each, "contact")
    return Door(show="full", entrance=first.name)


async def _door_of(tx: Tx, entrance: Entrance, seat: Theirs, *, now: datetime) -> Door:
    door = Door(show="preparing", group_name=seat.name, entrance=entrance.name, shared=seat.shared)
    if seat.state == "taken":
        return door.model_copy(update={"show": "inside"})
    if seat.state != "held":
        return door.model_copy(
            update={"show": "full"}
        )  # it is ending: a page that looks again scans again, and keeps it
    door = door.model_copy(update={"until": await _renew(tx, entrance, seat, now=now)})
    if seat.status not in ("ready", "updating") or not seat.qr_code:
        return door
    if seat.shown_at is None:
        await seats.note_shown(tx, seat.id, now=now)
    return door.model_copy(update={"show": "code", "qr_code": seat.qr_code})


async def _renew(tx: Tx, entrance: Entrance, seat: Theirs, *, now: datetime) -> datetime | None:
    """Whoever looks at the page still wants the seat. Written once in a while, not with every look."""
    if seat.due_at is not None and seat.due_at < now + giving.kept(entrance, low=False) * 0.9:
        low = not seat.shared and await entrances.is_low(tx, entrance.name)
        until = max(seat.due_at, now + giving.kept(entrance, low=low))
        await seats.renew(tx, seat.id, until=until)
        return until
    return seat.due_at


async def _own_code(tx: Tx, entrance: Entrance, purpose: Literal["native", "contact"]) -> Door:
    """The code that belongs to the entrance itself."""
    way = await ways.of_entrance(tx, entrance.name, purpose)
    if way is None or not way.qr_code:
        return Door(show="preparing", entrance=entrance.name, shared=True)
    if purpose == "contact":
        return Door(show="add_staff", add_staff=way.qr_code, entrance=entrance.name)
    return Door(show="code", qr_code=way.qr_code, entrance=entrance.name, shared=True)


async def native_code(tx: Tx, entrance: str) -> str:
    """Where the platform keeps the picture of a native entrance's code; "" while there is none."""
    way = await ways.of_entrance(tx, entrance, "native")
    return way.qr_code if way else ""
