"""Rooms: the groups that entrances lead into. Prepared ones are given to one customer each, shared ones are filled.

A room is written down when its group is read and fits an entrance (handlers/rooms.py). `state`:

free      prepared, holds only staff, nobody's      used      one customer's (the seat says whose)
checking  the customer has left: staff look first   retired   never to be used again
open      shared, has room or will have again       aside     its code seems dead: somebody is asked to look
occupied  somebody got in whom we did not send      gone      dismissed, or out of sight
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Index, Select, bindparam, case, func, literal_column, select, text, update
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from rules.entrances import Target
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one
from store.roster import GroupRow, MemberRow
from store.seats import SeatRow

State = Literal["free", "used", "checking", "open", "aside", "occupied", "retired", "gone"]


class RoomRow(SQLModel, table=True):
    """One group. `alone`: for one customer. `size`: people in it, staff among them; `promised`: seats of a shared room
    whose holders have not come yet. `way_id`: the join way that leads into it now; `bare`: there is none that could be
    shown. `attempts`: how many join ways were made for it. `used_at`: when somebody last came in by a code.
    """

    __tablename__ = "rooms"
    __table_args__ = (
        Index(
            "ix_rooms_free",
            "kind",
            "bare",
            "id",
            sqlite_where=text("state = 'free'"),
            postgresql_where=text("state = 'free'"),
        ),
        Index("ix_rooms_kind", "kind", "state"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    chat_id: str = Field(unique=True, foreign_key="groups.chat_id")
    name: str
    kind: str
    shop: str = ""
    alone: bool
    state: str
    since: datetime = Field(sa_type=UtcTime)
    size: int = 0
    promised: int = 0
    way_id: int | None = Field(default=None, sa_type=BigId, index=True)
    bare: bool = True
    attempts: int = 0
    used_at: datetime | None = Field(default=None, sa_type=UtcTime)


_ROOMS = table_of(RoomRow)
_SEATS = table_of(SeatRow)
_GROUPS, _MEMBERS = table_of(GroupRow), table_of(MemberRow)


def literal(state: State) -> Any:
    """A state as it stands in a statement."""
    return literal_column(f"'{state}'")  # written out: the engines match a partial index with literals only


# --- one room ---------------------------------------------------------------------------------------------------------


async def of_group(tx: Tx, chat_id: str) -> RoomRow | None:
    """The group's room, locked: nobody else changes it before the transaction ends."""
    query = select_rows(RoomRow).where(RoomRow.chat_id == chat_id).with_for_update()
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def of_way(tx: Tx, way_id: int) -> RoomRow | None:
    """The room that this join way leads into now."""
    query = select_rows(RoomRow).where(RoomRow.way_id == way_id).with_for_update()
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def look_at(tx: Tx, chat_id: str) -> RoomRow | None:
    """The group's room, for reading."""
    return (await tx.exec(select_rows(RoomRow).where(RoomRow.chat_id == chat_id))).first()


def change(room: RoomRow, state: State, *, now: datetime) -> None:
    """The room is in another state from now on."""
    if room.state != state:
        room.state, room.since = state, now


async def next_attempt(tx: Tx, room_id: int) -> int:
    """One more join way is made for this room: the how manieth."""
    statement = update(_ROOMS).where(_ROOMS.c.id == room_id).values(attempts=_ROOMS.c.attempts + 1)
    found: int = (await (await tx.connection()).execute(statement.returning(_ROOMS.c.attempts))).scalar_one()
    return found


async def give_way(tx: Tx, room_id: int, way_id: int) -> None:
    """From now on this join way leads into the room."""
    room = await tx.get_one(RoomRow, room_id)
    room.way_id, room.bare = way_id, True
    await tx.flush()


async def came_by(tx: Tx, chat_id: str, state: str) -> list[str]:
    """Everybody who ever came into this group by a code with this `state`."""
    query = select(_MEMBERS.c.external_userid).where(_MEMBERS.c.chat_id == chat_id, _MEMBERS.c.state == state)
    return sorted((await (await tx.connection()).execute(query)).scalars())


async def external_members(tx: Tx, chat_id: str) -> int:
    """How many of those inside are not our staff."""
    found: int = await one(tx, _EXTERNAL, chat=chat_id)
    return found


_EXTERNAL = select(func.count()).where(_MEMBERS.c.chat_id == bindparam("chat"), _MEMBERS.c.left_at.is_(None))


async def not_enrolled(tx: Tx, kinds: Sequence[str], *, at_most: int = 2000) -> list[GroupRow]:
    """Groups of these kinds that could be rooms and are not written down as such, in the order of their ids."""
    known = select(_ROOMS.c.id).where(_ROOMS.c.chat_id == _GROUPS.c.chat_id).exists()
    query = (
        select_rows(GroupRow)
        .where(
            col(GroupRow.kind).in_(kinds),
            col(GroupRow.read_at).is_not(None),
            col(GroupRow.dismissed_at).is_(None),
            col(GroupRow.out_of_sight_at).is_(None),
            ~known,
        )
        .order_by(GroupRow.chat_id)
        .limit(at_most)
    )
    return list((await tx.exec(query)).all())


# --- many -------------------------------------------------------------------------------------------------------------


class Supply(NamedTuple):
    """The rooms of one kind and shop in one state: how many, how many people more they take, how many are ready."""

    kind: str
    shop: str
    state: str
    alone: bool
    rooms: int
    members: int
    ready: int


async def supplies(tx: Tx) -> list[Supply]:
    """Everything there is, summed up. `members`: people inside and on their way."""
    rows = await (await tx.connection()).execute(_SUPPLIES)
    return [Supply(*row) for row in rows]


_SUPPLIES: Select[Any] = select(
    _ROOMS.c.kind,
    _ROOMS.c.shop,
    _ROOMS.c.state,
    _ROOMS.c.alone,
    func.count(),
    func.coalesce(func.sum(_ROOMS.c.size + _ROOMS.c.promised), 0),
    func.coalesce(func.sum(case((_ROOMS.c.bare, 0), else_=1)), 0),
).group_by(_ROOMS.c.kind, _ROOMS.c.shop, _ROOMS.c.state, _ROOMS.c.alone)


async def with_room(tx: Tx, target: Target, *, room_for: int) -> list[RoomRow]:
    """The shared rooms that still take people, in order."""
    query = select_rows(RoomRow).where(
        RoomRow.state == "open",
        RoomRow.kind == target.kind,
        col(RoomRow.size) + col(RoomRow.promised) < room_for,
    )
    if target.shop:
        query = query.where(RoomRow.shop == target.shop)
    return list((await tx.exec(query.order_by(col(RoomRow.id)))).all())


async def last_open(tx: Tx, target: Target) -> RoomRow | None:
    """The newest shared room, full or not: where the platform makes others by itself, its code leads on to them."""
    query = select_rows(RoomRow).where(RoomRow.state == "open", RoomRow.kind == target.kind)
    if target.shop:
        query = query.where(RoomRow.shop == target.shop)
    return (await tx.exec(query.order_by(col(RoomRow.id).desc()).limit(1))).first()


async def unread_groups(tx: Tx) -> bool:
    """Whether there is a group of which nothing is known yet."""
    found = await one(
        tx,
        select(_GROUPS.c.chat_id)
        .where(_GROUPS.c.read_at.is_(None), _GROUPS.c.dismissed_at.is_(None), _GROUPS.c.out_of_sight_at.is_(None))
        .limit(1),
    )
    return found is not None


async def without_code(tx: Tx, kind: str, *, at_most: int) -> list[RoomRow]:
    """Prepared rooms of a kind for which no join way was ordered, in the order in which they will be given."""
    query = (
        select_rows(RoomRow)
        .where(RoomRow.state == "free", RoomRow.kind == kind, col(RoomRow.way_id).is_(None))
        .order_by(col(RoomRow.id))
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


async def with_code(tx: Tx, kind: str) -> int:
    """For how many prepared rooms of a kind a join way was ordered."""
    query = select(func.count()).where(
        _ROOMS.c.state == literal("free"), _ROOMS.c.kind == kind, _ROOMS.c.way_id.is_not(None)
    )
    found: int = await one(tx, query)
    return found


async def used_without_code(tx: Tx, *, at_most: int = 200) -> list[RoomRow]:
    """Prepared rooms held for somebody who is still outside, into which no code leads."""
    waits_outside = select(_SEATS.c.id).where(_SEATS.c.room_key == _ROOMS.c.chat_id, _SEATS.c.state == "held").exists()
    query = (
        select_rows(RoomRow)
        .where(RoomRow.state == "used", col(RoomRow.way_id).is_(None), waits_outside)
        .order_by(col(RoomRow.id))
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


async def count_free(tx: Tx, target: Target) -> int:
    """How many prepared rooms nobody has."""
    which = {"of_kind": target.kind, "of_shop": target.shop}
    found: int = await one(tx, _COUNT_FREE_OF_SHOP if target.shop else _COUNT_FREE, **which)
    return found


_OF_KIND = (_ROOMS.c.state == literal("free")) & (_ROOMS.c.kind == bindparam("of_kind"))
_COUNT_FREE = select(func.count()).where(_OF_KIND)
_COUNT_FREE_OF_SHOP = _COUNT_FREE.where(_ROOMS.c.shop == bindparam("of_shop"))


async def in_vain(tx: Tx, *, before: datetime) -> list[RoomRow]:
    """Rooms whose code was shown to two people before then, and let nobody in since."""
    shown = (
        select(_SEATS.c.chat_id)
        .join_from(_SEATS, _ROOMS, _ROOMS.c.chat_id == _SEATS.c.chat_id)
        .where(_ROOMS.c.state.in_(["free", "used", "open"]), _SEATS.c.shown_at <= before)
        .where(_ROOMS.c.used_at.is_(None) | (_SEATS.c.shown_at > _ROOMS.c.used_at))
        .group_by(_SEATS.c.chat_id)
        .having(func.count(func.distinct(_SEATS.c.visitor_id)) > 1)
    )
    query = select_rows(RoomRow).where(col(RoomRow.chat_id).in_(shown)).order_by(col(RoomRow.id))
    return list((await tx.exec(query.with_for_update().execution_options(populate_existing=True))).all())


async def everything(tx: Tx, states: Sequence[State]) -> list[RoomRow]:
    """The rooms in these states, in order."""
    query = select_rows(RoomRow).where(col(RoomRow.state).in_(states)).order_by(col(RoomRow.id))
    return list((await tx.exec(query)).all())
