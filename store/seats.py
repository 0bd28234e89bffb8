"""Seats: who was given which group. Promise 6 is kept here, by the database: two unique columns, filled while a seat
lives. `room_key`: no prepared group is given to two people. `visitor_key`: nobody is given two groups of one kind.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Index, bindparam, delete, func, literal_column, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from store.built import once
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one

State = Literal["held", "ending", "taken", "left", "over"]
Outcome = Literal["expired", "left", "group_gone", "dead_code", "moved", "merged"]


class SeatRow(SQLModel, table=True):
    """One visitor's place in one group. `kind`: what they came for (a spare group is of another kind).

    `entrance`: the one that let them in; `scanned`: the one whose code they scanned.

    `state`: held (shown the code, not in yet), ending (too late: the door is closed, the group is read once more),
    taken, left (kept for them), over. `due_at`: when to look at it again. `way_id`: the join way that was made for
    them; `shown_at`: when they first saw its code. `external_userid`: who came in, as far as that is certain enough to
    say; `bound`: how we know (known, openid, state, twice: two came, so nobody knows). `settled`: looked at once more
    after the door was closed; in a
    shared group: the place is not counted as promised any more, for somebody has come by its code.
    """

    __tablename__ = "seats"
    __table_args__ = (
        Index(
            "ix_seats_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_seats_reserved", "reserved_at"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    chat_id: str = Field(index=True)
    kind: str
    shop: str = ""
    entrance: str
    scanned: str = ""
    channel: str = ""
    visitor_id: int = Field(index=True, sa_type=BigId)
    room_key: str | None = Field(default=None, unique=True)
    visitor_key: str | None = Field(default=None, unique=True)
    shared: bool = False
    spare: bool = False
    state: str = "held"
    reserved_at: datetime = Field(sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime)
    way_id: int | None = Field(default=None, sa_type=BigId, index=True)
    shown_at: datetime | None = Field(default=None, sa_type=UtcTime)
    external_userid: str | None = Field(default=None, index=True)
    bound: str = ""
    settled: bool = False
    taken_at: datetime | None = Field(default=None, sa_type=UtcTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcTime)
    outcome: str = ""


_SEATS = table_of(SeatRow)


def visitor_key(visitor_id: int, kind: str) -> str:
    """What may live once."""
    return f"{visitor_id}:{kind}"


async def reserve(tx: Tx, row: dict[str, Any]) -> int | None:
    """Writes a seat down, by the columns of its row. None: this visitor or this group has one already."""
    connection = await tx.connection()
    found: int | None = (await connection.execute(_RESERVE[connection.dialect.name], row)).scalar_one_or_none()
    return found


_RESERVE = {
    name: once(insert(_SEATS).on_conflict_do_nothing().returning(_SEATS.c.id))
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


async def last_shared(tx: Tx, visitor_id: int, kind: str) -> str | None:
    """The shared group of this kind that the visitor was shown last."""
    found: str | None = await one(tx, _LAST_SHARED, visitor=visitor_id, kind=kind)
    return found


_LAST_SHARED = once(
    select(_SEATS.c.chat_id)
    .where(
        _SEATS.c.visitor_id == bindparam("visitor"),
        _SEATS.c.kind == bindparam("kind"),
        _SEATS.c.shared,
        _SEATS.c.outcome.not_in(["group_gone", "dead_code"]),
    )
    .order_by(_SEATS.c.id.desc())
    .limit(1)
)


async def renew(tx: Tx, seat_id: int, *, until: datetime) -> None:
    """A held seat is kept longer."""
    await (await tx.connection()).execute(_RENEW, {"seat": seat_id, "until": until})


_RENEW = once(
    update(_SEATS)
    .where(_SEATS.c.id == bindparam("seat"), _SEATS.c.state == "held")
    .values(due_at=bindparam("until", type_=UtcTime()))
)


async def note_shown(tx: Tx, seat_id: int, *, now: datetime) -> bool:
    """The visitor sees the code. True: for the first time."""
    shown = await (await tx.connection()).execute(_NOTE_SHOWN, {"seat": seat_id, "now": now})
    return shown.rowcount == 1


_NOTE_SHOWN = once(
    update(_SEATS)
    .where(_SEATS.c.id == bindparam("seat"), _SEATS.c.shown_at.is_(None))
    .values(shown_at=bindparam("now", type_=UtcTime()))
)


async def note_way(tx: Tx, chat_id: str, way_id: int) -> None:
    """A join way was made for whoever holds this group."""
    await (await tx.connection()).execute(_NOTE_WAY, {"chat": chat_id, "way": way_id})


_NOTE_WAY = update(_SEATS).where(_SEATS.c.room_key == bindparam("chat")).values(way_id=bindparam("way"))


async def seat(tx: Tx, seat_id: int) -> SeatRow | None:
    """The seat, locked."""
    return await tx.get(SeatRow, seat_id, with_for_update=True, populate_existing=True)


async def on_group(tx: Tx, chat_id: str) -> SeatRow | None:
    """Whose prepared group this is, locked."""
    query = select_rows(SeatRow).where(SeatRow.room_key == chat_id).with_for_update()
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def shared_on(tx: Tx, chat_id: str, visitor_ids: Collection[int]) -> list[SeatRow]:
    """The live seats of these visitors in a shared group."""
    query = select_rows(SeatRow).where(
        SeatRow.chat_id == chat_id,
        col(SeatRow.visitor_id).in_(visitor_ids),
        col(SeatRow.visitor_key).is_not(None),
        SeatRow.shared,
    )
    return list((await tx.exec(query.with_for_update().execution_options(populate_existing=True))).all())


async def promised_on(tx: Tx, chat_id: str, *, at_most: int) -> list[SeatRow]:
    """The places in a shared group that wait for somebody who has been shown its code, the longest wait first."""
    query = select_rows(SeatRow).where(
        SeatRow.chat_id == chat_id,
        SeatRow.shared,
        SeatRow.state == "held",
        col(SeatRow.settled).is_(False),
        col(SeatRow.shown_at).is_not(None),
    )
    query = query.order_by(col(SeatRow.shown_at), col(SeatRow.id)).limit(at_most).with_for_update()
    return list((await tx.exec(query.execution_options(populate_existing=True))).all()) if at_most else []


async def live_on(tx: Tx, chat_id: str) -> list[SeatRow]:
    """Every live seat in a group, prepared or shared."""
    query = select_rows(SeatRow).where(SeatRow.chat_id == chat_id, col(SeatRow.visitor_key).is_not(None))
    return list((await tx.exec(query.with_for_update().execution_options(populate_existing=True))).all())


async def of_way(tx: Tx, way_id: int) -> SeatRow | None:
    """The last seat for which this join way was shown, live or over."""
    query = select_rows(SeatRow).where(SeatRow.way_id == way_id).order_by(col(SeatRow.id).desc()).limit(1)
    return (await tx.exec(query)).first()


def end(row: SeatRow, outcome: Outcome, *, now: datetime) -> None:
    """The seat is nobody's any more."""
    row.state, row.outcome, row.over_at, row.due_at = "over", outcome, now, None
    row.room_key, row.visitor_key = None, None


class Due(NamedTuple):
    """A seat to be looked at. `due_at` makes the look this one."""

    id: int
    chat_id: str
    due_at: datetime


async def raise_due(tx: Tx, *, now: datetime, again_at: datetime, at_most: int = 200) -> list[Due]:
    """The seats that are due; they will be again at `again_at`, unless what follows says otherwise."""
    query = (
        select_rows(SeatRow)
        .where(col(SeatRow.due_at) <= now)
        .order_by(col(SeatRow.due_at), col(SeatRow.id))
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    found = []
    for row in (await tx.exec(query.execution_options(populate_existing=True))).all():
        if row.due_at is not None:
            found.append(Due(row.id, row.chat_id, row.due_at))
            row.due_at = again_at
    await tx.flush()
    return found


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(select(func.min(_SEATS.c.due_at)).where(_SEATS.c.due_at.is_not(None)))


async def given(tx: Tx, *, since: datetime) -> dict[tuple[str, str], int]:
    """How many seats were given since then, by kind and shop; people who never came are not counted twice."""
    rows = await (await tx.connection()).execute(_GIVEN, {"since": since})
    return {(kind, shop): number for kind, shop, number in rows}


_GIVEN = (
    select(_SEATS.c.kind, _SEATS.c.shop, func.count())
    .where(_SEATS.c.reserved_at > bindparam("since"), _SEATS.c.outcome != literal_column("'expired'"))
    .group_by(_SEATS.c.kind, _SEATS.c.shop)
)


async def first_since(tx: Tx, moment: datetime) -> datetime | None:
    """When the first seat after this moment was given."""
    found: datetime | None = await one(tx, _FIRST_SINCE, since=moment)
    return found


async def last_given(tx: Tx) -> datetime | None:
    """When the newest seat was given."""
    found: datetime | None = await one(tx, select(func.max(_SEATS.c.reserved_at)))
    return found


_FIRST_SINCE = once(select(func.min(_SEATS.c.reserved_at)).where(_SEATS.c.reserved_at > bindparam("since")))


async def counts(tx: Tx) -> dict[tuple[str, str], int]:
    """Live seats by (entrance, state)."""
    statement = (
        select(_SEATS.c.entrance, _SEATS.c.state, func.count())
        .where(_SEATS.c.visitor_key.is_not(None))
        .group_by(_SEATS.c.entrance, _SEATS.c.state)
    )
    rows = await (await tx.connection()).execute(statement)
    return {(entrance, state): number for entrance, state, number in rows}


async def taken_by(tx: Tx, ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """Where these people have the seat that we gave them: (external_userid, chat_id) → the seat's kind."""
    query = select(_SEATS.c.external_userid, _SEATS.c.chat_id, _SEATS.c.kind).where(
        _SEATS.c.external_userid.in_(list(ids)), _SEATS.c.visitor_key.is_not(None)
    )
    rows = await (await tx.connection()).execute(query)
    return {(who, chat_id): kind for who, chat_id, kind in rows}


KEPT = timedelta(days=180)
"""How long it is remembered who had a seat that is over: until then somebody who comes late by its code is known."""


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget seats that are over that long; none that is anybody's. Answers how many: call it again until that is 0."""
    old = select(_SEATS.c.id).where(
        _SEATS.c.state == literal_column("'over'"),
        _SEATS.c.room_key.is_(None),
        _SEATS.c.visitor_key.is_(None),
        _SEATS.c.over_at < now - KEPT,
    )
    ids = list((await (await tx.connection()).execute(old.limit(at_most))).scalars())
    return (await (await tx.connection()).execute(delete(_SEATS).where(_SEATS.c.id.in_(ids)))).rowcount
