"""Join ways: ordered ahead, replaced where their fate is unknown, deleted behind a customer, and read back by turns.

A way that leads into a room is that room's `way_id` while it is the current one. Whatever comes of a way that no room
goes by any more leads to its deletion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from rules.actions import AddContactWay, AddJoinWay, DeleteJoinWay, UpdateContactWay, UpdateJoinWay
from rules.book import Book
from rules.decision import Decision
from rules.entrances import GROUPS_A_WAY, WAYS_A_CORP, Entrance
from rules.events import JoinWaysReadDue
from rules.lanes import NORMAL
from rules.seats import say_drift
from store import join_ways, outbox, rooms, seats
from store.database import Database, Tx
from store.join_ways import LIVE, JoinWayRow, Purpose
from wecom import codes
from wecom.codes import JoinWay
from wecom.errors import PlatformError
from wecom.gateway import Gateway

READ_BACK_AFTER = timedelta(minutes=10)
FAILED_AGAIN = timedelta(minutes=10)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _stamp(moment: datetime) -> str:
    """The moment in few characters: a `state` is never used twice, not even by a database that began anew."""
    left, text = int(moment.timestamp()), ""
    while left:
        left, digit = divmod(left, 36)
        text = _DIGITS[digit] + text
    return text


# --- ordering ---------------------------------------------------------------------------------------------------------


async def order_for_room(
    tx: Tx, room_id: int, chat_id: str, name: str, *, alone: bool, auto: Entrance | None = None, now: datetime
) -> JoinWayRow:
    """A code into this one group. `auto`: where it is full, the platform makes another as this entrance says."""
    attempt = await rooms.next_attempt(tx, room_id)
    row = JoinWayRow(
        state=f"s{room_id}-{attempt}-{_stamp(now)}",
        purpose="seat" if alone else "shared",
        chat_id=chat_id,
        chat_ids=[chat_id],
        ordered_at=now,
    )
    _let_grow(row, auto)
    await _add(tx, row, name, now=now)
    await rooms.give_way(tx, room_id, row.id)
    await seats.note_way(tx, chat_id, row.id)
    return row


async def order_for_entrance(tx: Tx, entrance: Entrance, chat_ids: Sequence[str], *, now: datetime) -> None:
    """An entrance's own code, into up to five groups."""
    row = JoinWayRow(
        state=await _own_state(tx, "native", now=now),
        purpose="native",
        entrance=entrance.name,
        chat_ids=list(chat_ids[:GROUPS_A_WAY]),
        ordered_at=now,
    )
    _let_grow(row, entrance)
    await _add(tx, row, entrance.name, now=now)


async def order_contact(tx: Tx, entrance: Entrance, userids: Sequence[str], *, now: datetime) -> None:
    """The code that adds somebody of the entrance's staff."""
    row = JoinWayRow(
        state=await _own_state(tx, "contact", now=now),
        purpose="contact",
        entrance=entrance.name,
        chat_ids=list(userids),
        ordered_at=now,
    )
    await _add(tx, row, entrance.name, now=now)


async def _own_state(tx: Tx, purpose: Purpose, *, now: datetime) -> str:
    """Such as "n2-tox8k0": the second native one. Whose it is, is written down."""
    return f"{purpose[0]}{await join_ways.next_number(tx, purpose)}-{_stamp(now)}"


def _let_grow(row: JoinWayRow, auto: Entrance | None) -> None:
    if auto is not None and auto.auto_create_room:
        row.auto_create_room, row.room_base_name = True, auto.room_base_name


async def _add(tx: Tx, row: JoinWayRow, name: str, *, now: datetime) -> None:
    tx.add(row)
    await tx.flush()
    deed: AddJoinWay | AddContactWay
    if row.purpose == "contact":
        deed = AddContactWay(
            way_id=row.id, number=row.number, state=row.state, userids=tuple(row.chat_ids), remark=_remark(name)
        )
    else:
        deed = AddJoinWay(
            way_id=row.id,
            number=row.number,
            state=row.state,
            chat_ids=tuple(row.chat_ids),
            remark=_remark(name),
            auto_create_room=row.auto_create_room,
            room_base_name=row.room_base_name,
            room_base_id=row.room_base_id,
        )
    await _order(tx, row, deed, now=now)


async def change(
    tx: Tx, row: JoinWayRow, *, chat_ids: Sequence[str], auto: bool, base_name: str, now: datetime
) -> None:
    """Have it lead into these groups. While another deed about it is open, that one comes first (see `keep`)."""
    row.chat_ids, row.auto_create_room, row.room_base_name = list(chat_ids), auto, base_name
    if row.status not in LIVE or row.config_id is None:
        return
    row.status, row.number = "updating", row.number + 1
    deed = UpdateJoinWay(
        way_id=row.id,
        number=row.number,
        config_id=row.config_id,
        state=row.state,
        chat_ids=tuple(row.chat_ids),
        remark=_remark(row.entrance or row.chat_id),
        auto_create_room=auto,
        room_base_name=base_name,
        room_base_id=row.room_base_id,
    )
    await _order(tx, row, deed, now=now)


async def change_contact(tx: Tx, row: JoinWayRow, userids: Sequence[str], *, now: datetime) -> None:
    """Have it add others of our staff."""
    if row.config_id is None or row.status not in LIVE:
        return
    row.chat_ids, row.status, row.number = list(userids), "updating", row.number + 1
    deed = UpdateContactWay(
        way_id=row.id,
        number=row.number,
        config_id=row.config_id,
        state=row.state,
        userids=tuple(userids),
        remark=_remark(row.entrance),
    )
    await _order(tx, row, deed, now=now)


async def close(tx: Tx, way_id: int | None, *, now: datetime) -> None:
    """The door closes. What is not made yet is deleted when it is; what is lost cannot be."""
    row = await join_ways.way(tx, way_id) if way_id is not None else None
    if row is None or row.status not in LIVE or row.config_id is None:
        return
    row.status, row.number, row.check_at = "deleting", row.number + 1, None
    await _order(tx, row, DeleteJoinWay(way_id=row.id, number=row.number, config_id=row.config_id), now=now)


async def _order(
    tx: Tx,
    row: JoinWayRow,
    deed: AddJoinWay | UpdateJoinWay | DeleteJoinWay | AddContactWay | UpdateContactWay,
    *,
    now: datetime,
) -> None:
    key = join_ways.deed_key(row.id, row.number)
    await tx.flush()
    await outbox.put(tx, deed, key=key, lane=NORMAL, ordering_key=f"join-way:{row.id}", due_at=now, now=now)


def _remark(name: str) -> str:
    return f"群管家 {name}"


# --- what came of it --------------------------------------------------------------------------------------------------


async def made(tx: Tx, row: JoinWayRow, config_id: str, qr_code: str, *, now: datetime) -> None:
    """The platform has made it. Where nobody wants it any more, it goes again."""
    row.config_id, row.qr_code, row.made_at, row.why = config_id, qr_code, now, ""
    row.status = "ready" if qr_code else "unread"
    row.check_at = None if row.purpose == "contact" else now + (READ_BACK_AFTER if qr_code else timedelta(seconds=1))
    await tx.flush()
    if row.purpose in ("seat", "shared"):
        room = await rooms.of_way(tx, row.id)
        if room is None:
            await close(tx, row.id, now=now)
        else:
            room.bare = not qr_code


async def lost(tx: Tx, row: JoinWayRow, *, now: datetime) -> None:
    """It was perhaps made, and nobody knows under which config_id: another takes its place, under another `state`."""
    if row.status != "adding":
        return
    row.status, row.check_at = "orphaned", None
    logger.warning("join way {} may have been made and cannot be found again: another is made", row.state)
    await tx.flush()
    await _replace(tx, row, now=now)


async def _replace(tx: Tx, row: JoinWayRow, *, now: datetime) -> None:
    """What is gone or lost is made anew, if it is still needed."""
    if row.purpose in ("native", "contact"):
        state = await _own_state(tx, "native" if row.purpose == "native" else "contact", now=now)
        again = row.model_dump(include={"purpose", "entrance", "chat_ids", "auto_create_room", "room_base_name"})
        await _add(tx, JoinWayRow(**again, state=state, ordered_at=now, why=row.why), row.entrance, now=now)
        return
    room = await rooms.of_way(tx, row.id)
    if room is None:
        return
    room.way_id, room.bare = None, True
    await tx.flush()
    if room.state in ("free", "used", "open"):
        new = await order_for_room(tx, room.id, room.chat_id, room.name, alone=room.alone, now=now)
        new.why = row.why  # what was refused is wrong until it is made


async def failed(tx: Tx, row: JoinWayRow, why: str, *, now: datetime) -> None:
    """The platform refused it. It is tried again after a while, with the next look at the stock."""
    row.status, row.why, row.check_at, row.gone_at = "failed", why, None, now
    await tx.flush()


def deleted(row: JoinWayRow, *, now: datetime) -> None:
    """The platform has it no more."""
    row.status, row.gone_at, row.check_at, row.qr_code = "gone", now, None, ""


# --- made ahead -------------------------------------------------------------------------------------------------------


async def top_up(tx: Tx, book: Book, *, now: datetime) -> None:
    """Have `ready` codes made ahead for each kind of prepared groups; order anew what was refused."""
    await _try_failed_again(tx, now=now)
    if await join_ways.counted(tx) >= WAYS_A_CORP * 0.98:
        logger.error("the corp has nearly all the codes that it may have: none is made ahead")
        return
    wanted: dict[str, int] = {}
    for entrance in book.entrances:
        if entrance.one_customer_per_group:
            wanted |= {kind: max(wanted.get(kind, 0), entrance.ready) for kind in entrance.kinds}
    for kind, number in wanted.items():
        there = await rooms.with_code(tx, kind)
        for room in await rooms.without_code(tx, kind, at_most=max(0, number - there)):
            await order_for_room(tx, room.id, room.chat_id, room.name, alone=True, now=now)
    for room in await rooms.used_without_code(tx):
        await order_for_room(tx, room.id, room.chat_id, room.name, alone=True, now=now)


async def _try_failed_again(tx: Tx, *, now: datetime) -> None:
    for row in await join_ways.failed_before(tx, now - FAILED_AGAIN):
        row.status = "gone"
        await _replace(tx, row, now=now)


# --- read back --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What the platform has, by way id; None: it has none such."""

    ways: Mapping[int, JoinWay | None] = field(default_factory=dict)


async def look_up(event: JoinWaysReadDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Read them. One that cannot be read now is read at its next turn."""
    async with store.read() as tx:
        rows = [row for row in await join_ways.some(tx, event.way_ids) if row.status in LIVE and row.config_id]
    found: dict[int, JoinWay | None] = {}
    for row in rows:
        try:
            found[row.id] = await codes.read_join_way(wecom, row.config_id or "")
        except PlatformError as error:
            logger.warning("join way {} is read back later: {}", row.state, error)
    return Seen(found)


async def handle(event: JoinWaysReadDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Note what is otherwise than it was ordered, and have it put right."""
    for way_id, way in seen.ways.items():
        row = await join_ways.way(tx, way_id)
        if row is None or row.status not in ("unread", "ready"):
            continue  # something is being done about it
        row.checked_at = now
        if way is None:
            await _vanished(tx, row, now=now)
        else:
            await _compare(tx, row, way, now=now)
    return []


async def _vanished(tx: Tx, row: JoinWayRow, *, now: datetime) -> None:
    """Somebody deleted it: another takes its place, and a printed one cannot be had back."""
    logger.error("join way {} is not there any more though we never deleted it", row.state)
    deleted(row, now=now)
    row.drift = say_drift(missing=True)
    await tx.flush()
    await _replace(tx, row, now=now)


async def _compare(tx: Tx, row: JoinWayRow, way: JoinWay, *, now: datetime) -> None:
    """`update_join_way` overwrites: somebody else's update may have lost half of ours."""
    if way.qr_code:
        row.qr_code, row.status = way.qr_code, "ready"
        room = await rooms.of_way(tx, row.id)
        if room is not None:
            room.bare = False
    extra = [each for each in way.chat_ids if each not in row.chat_ids]
    lacking = [each for each in row.chat_ids if each not in way.chat_ids]
    grown = row.auto_create_room and not lacking  # the platform adds what it made by itself, perhaps
    same = not lacking and (not extra or grown)
    same = same and way.auto_create_room == row.auto_create_room and way.state == row.state
    row.drift = (
        "" if same else say_drift(lacking=lacking, extra=extra, state=way.state if way.state != row.state else "")
    )
    if not same:
        logger.warning("join way {} is not as it was ordered ({}): it is written again", row.state, row.drift)
        await change(tx, row, chat_ids=row.chat_ids, auto=row.auto_create_room, base_name=row.room_base_name, now=now)
