"""Who gets which group: a prepared one of their own, or a place in a shared one; and who waited gets it first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers import join_ways
from rules.book import Book
from rules.decision import Decision
from rules.entrances import Entrance, Target
from rules.events import StockDue
from rules.lanes import NORMAL
from store import claims, doors, identities, inbox, rooms, seats, trace, waiting
from store.claims import Claimed
from store.database import Tx
from store.seats import visitor_key
from store.waiting import WaitingRow

FLIGHT = timedelta(minutes=30)
"""How long a place in a shared group is kept for somebody who was shown its code."""

NO_END = 1_000_000
"""People in a room that grows."""

LOOK_EVERY = timedelta(seconds=20)
"""How close together the stock is looked at, however many come."""


def kept(entrance: Entrance, *, low: bool) -> timedelta:
    """How long a place is kept for whoever looks at the page now."""
    return entrance.seat_kept(low=low) if entrance.one_customer_per_group else FLIGHT


def way_on(book: Book, entrance: Entrance) -> Iterator[Entrance]:
    """The entrance, and those that it leads on to where it is full."""
    here: Entrance | None = entrance
    while here is not None:
        yield here
        here = book.entrance(here.if_full) if here.if_full else None


@dataclass(frozen=True)
class Comer:
    """Who wants a group. `scanned`: the entrance whose code they scanned, whichever lets them in. `looks`: whether they
    look at its page at this moment.
    """

    visitor_id: int
    scanned: str
    channel: str
    looks: bool


async def give(tx: Tx, entrance: Entrance, target: Target, who: Comer, *, keep: timedelta, now: datetime) -> str | None:
    """A group for this visitor: its chat_id. None: there is none left. Whether anybody goes first is for the caller to
    know. `keep`: for how long it is kept for them.

    Where another transaction gave them one at this moment, that one.
    """
    places = [target, *(Target(kind=kind) for kind in entrance.spare)]
    for place in places:
        claimed = await _claim(tx, entrance, place, target.kind, who.visitor_id, now=now)
        if claimed is not None:
            return await _reserve(tx, entrance, target, claimed, who, keep=keep, now=now)
    claimed = await _claim_growing(tx, entrance, target)
    if claimed is not None:
        return await _reserve(tx, entrance, target, claimed, who, keep=keep, now=now)
    return None


async def _claim(
    tx: Tx, entrance: Entrance, place: Target, kind: str, visitor_id: int, *, now: datetime
) -> Claimed | None:
    if entrance.one_customer_per_group:
        return await claims.claim_free(tx, place, now=now)
    rather = await seats.last_shared(tx, visitor_id, kind)
    evenly = entrance.fill == "evenly"
    return await claims.claim_shared(tx, place, room_for=entrance.room_for, evenly=evenly, rather=rather)


async def _claim_growing(tx: Tx, entrance: Entrance, target: Target) -> Claimed | None:
    """All are full: the code of the last one leads on to a group that the platform makes by itself."""
    if not entrance.auto_create_room or (last := await rooms.last_open(tx, target)) is None:
        return None
    return await claims.claim_shared(tx, target, room_for=NO_END, evenly=False, rather=last.chat_id)


async def _reserve(
    tx: Tx,
    entrance: Entrance,
    target: Target,
    claimed: Claimed,
    who: Comer,
    *,
    keep: timedelta,
    now: datetime,
) -> str | None:
    shared = not entrance.one_customer_per_group
    seat_id = await seats.reserve(
        tx,
        {
            "chat_id": claimed.chat_id,
            "kind": target.kind,
            "shop": target.shop,
            "entrance": entrance.name,
            "scanned": who.scanned,
            "channel": who.channel,
            "visitor_id": who.visitor_id,
            "room_key": None if shared else claimed.chat_id,
            "visitor_key": visitor_key(who.visitor_id, target.kind),
            "shared": shared,
            "spare": claimed.kind != target.kind,
            "state": "held",
            "reserved_at": now,
            "due_at": now + keep,
            "way_id": claimed.way_id,
            "shown_at": now if who.looks and not claimed.bare else None,  # the page shows it with this very answer
            "bound": "",
            "settled": False,
            "outcome": "",
        },
    )
    if seat_id is None:  # they scanned twice at once, and the other scan was quicker
        await (claims.take_promise_back(tx, claimed.chat_id) if shared else claims.give_back(tx, claimed.id))
        theirs = (await doors.of_visitor(tx, who.visitor_id)).get(target.kind)
        return theirs.chat_id if theirs else None
    if claimed.way_id is None:
        await order_code(tx, entrance, claimed.id, claimed.chat_id, now=now)
    return claimed.chat_id


async def order_code(tx: Tx, entrance: Entrance, room_id: int, chat_id: str, *, now: datetime) -> None:
    """Nobody has ordered a join way into this room yet, and somebody is waiting to see it."""
    room = await rooms.look_at(tx, chat_id)
    if room is not None:
        await join_ways.order_for_room(tx, room_id, chat_id, room.name, alone=entrance.one_customer_per_group, now=now)


async def look_soon(tx: Tx, *, now: datetime) -> None:
    """Have the stock looked at, with whatever else happens within these seconds."""
    at = next_look(now)
    await inbox.put(
        tx,
        source="timer",
        key=f"stock:{at.isoformat()}",
        event=StockDue(at=at),
        lane=NORMAL,
        ordering_key="stock",
        due_at=at,
        now=now,
    )


def next_look(moment: datetime) -> datetime:
    """Aligned to the clock, so that all who ask name the same one."""
    whole = moment.replace(second=0, microsecond=0)
    return whole + LOOK_EVERY * ((moment - whole) // LOOK_EVERY + 1)


async def serve_line(tx: Tx, book: Book, *, now: datetime) -> int:
    """Who waits gets what there is, the first first: at their own entrance, or at those that it leads on to. Says how
    many.
    """
    served, in_vain = 0, set[tuple[str, Target]]()
    while rows := await waiting.line(tx, without=in_vain):
        for row in rows:
            if (row.entrance, row.target) in in_vain:
                continue
            entrance = book.entrance(row.entrance)
            if entrance is None or not await _still_wanted(tx, entrance, row):
                waiting.close(row, "gone", now=now)
                continue
            because, chat_id = await _serve(tx, book, entrance, row, now=now)
            if not because:
                in_vain.add((row.entrance, row.target))
                continue
            waiting.close(row, "served", now=now)
            await _say_served(tx, row, because, chat_id, now=now)
            served += 1
        await tx.flush()
    return served


async def _still_wanted(tx: Tx, entrance: Entrance, row: WaitingRow) -> bool:
    """Whether they wait for what the entrance leads to; else they do from now on, at their place in the line. False:
    they stand in that line already.
    """
    if row.target in entrance.targets:
        return True
    return await waiting.move(tx, row, entrance.route(row.channel))


async def _serve(tx: Tx, book: Book, entrance: Entrance, row: WaitingRow, *, now: datetime) -> tuple[str, str]:
    """Why they need not wait any more, and into which group they go; "" where nothing is left."""
    who = Comer(row.visitor_id, entrance.name, row.channel, looks=False)
    external_userid = await identities.external_of(tx, row.visitor_id)
    inside = await doors.inside(tx, external_userid) if external_userid else []
    for each in way_on(book, entrance):
        if each.via == "native" or (each.via == "contact" and external_userid is None):
            return f"排队的时候，入口 {each.name} 有了自己的码，不用再等", ""
        target = row.target if each is entrance else each.route(row.channel)
        group = next((group for group in inside if group.kind == target.kind), None)
        if group is not None:
            return f"排队的时候已经进了「{group.name}」，不用再等", group.chat_id
        chat_id = await give(tx, each, target, who, keep=each.keep_seat, now=now)
        if chat_id is not None:
            return f"排队排到了，从入口 {each.name} 给了TA一个群", chat_id
    return "", ""


async def _say_served(tx: Tx, row: WaitingRow, because: str, chat_id: str, *, now: datetime) -> None:
    """For `explain`: nobody scanned at this moment, and whatever brought the group says nothing of it."""
    answer = Decision(
        rule=f"entrance:{row.entrance}",
        verdict="hit",
        because=because,
        subject=identities.subject_of(row.visitor_id),
        chat_id=chat_id,
    )
    await trace.write(tx, [answer], inbox_id=None, event="line_served", chat_id=None, config="", now=now)
