"""Rows as a queue: claim, lease, order, retry, dead letter: all of it is here, for inbox and outbox alike.

A row is open until it is finished. Whoever claims it holds it for the length of a lease, under a token of their own
making; where they die, the lease ends and somebody else may claim it. `attempts` counts claims.

Order: by lane (0 first), then `due_at`, then `id`. Rows with the same `ordering_key` go one at a time, oldest first:
- a row that was begun (attempts > 0) and is still open, leased or in back-off, holds up its key until it is finished;
- rows not begun wait for each other by (due_at, id), so a timer for tomorrow holds up nobody today.
A unique index over begun rows keeps this true on PostgreSQL even where two claims cannot see each other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Index,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Field, SQLModel

from store.built import once
from store.columns import BigId, UtcTime, table_of
from store.database import Tx
from store.rows import row_of

State = Literal["open", "done", "ignored", "dead", "pruned"]
Settled = Literal["done", "ignored", "dead"]


class LeaseLost(Exception):  # noqa: N818  # says what happened
    """The row is no longer held under this token: another took it over, or it is finished. Undo, and leave it."""


class QueueRow(SQLModel):
    """The columns that every queue has. A table adds its own and `__table_args__ = (*queue_indexes(name), …)`."""

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    lane: int
    ordering_key: str | None = None
    due_at: datetime = Field(sa_type=UtcTime)
    state: str = "open"
    attempts: int = 0
    lease_token: str | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcTime)
    last_error: str | None = None


Row = TypeVar("Row", bound=QueueRow)


def queue_indexes(name: str) -> tuple[Index, ...]:
    """The indexes of a queue: all but the last hold open rows only, however many are done."""

    def index(suffix: str, *columns: str, where: str, unique: bool = False) -> Index:
        held = text(where)
        return Index(f"ix_{name}_{suffix}", *columns, unique=unique, sqlite_where=held, postgresql_where=held)

    return (
        index("next", "lane", "due_at", "id", where="state = 'open'"),
        index("turn", "ordering_key", "due_at", "id", where="state = 'open' AND ordering_key IS NOT NULL"),
        index("begun", "ordering_key", where="state = 'open' AND attempts > 0", unique=True),
        index("finished", "state", "finished_at", where="finished_at IS NOT NULL"),
    )


async def put(tx: Tx, table: type[QueueRow], *, unique: str, values: dict[str, Any]) -> bool:
    """Adds a row unless one with the same `unique` column is there. True: added."""
    connection = await tx.connection()
    row = {"state": "open", "attempts": 0} | values
    return (await connection.execute(_put(table, unique, connection.dialect.name), row)).first() is not None


async def claim(  # which row, under which lease, and what to do with it
    tx: Tx, table: type[Row], *, now: datetime, lease: timedelta, token: str, lanes: Sequence[int] | None = None
) -> Row | None:
    """Takes the next row that may be worked on, until `now + lease`. None: nothing is due, or all of it is held up.

    Call it first in a transaction and commit at once. The row is a copy: change it through the functions below.
    """
    some = await claim_some(tx, table, now=now, lease=lease, token=token, at_most=1, lanes=lanes)
    return some[0] if some else None


async def claim_some(  # likewise
    tx: Tx,
    table: type[Row],
    *,
    now: datetime,
    lease: timedelta,
    token: str,
    at_most: int,
    lanes: Sequence[int] | None = None,
) -> list[Row]:
    """Takes the next rows that may be worked on, in their order and all under one token. As `claim` otherwise."""
    parameters: dict[str, Any] = {"now": now, "token": token, "until": now + lease, "at_most": at_most}
    if lanes is not None:
        parameters["lanes"] = list(lanes)
    statement = _claim(table, some_lanes=lanes is not None)
    for _ in range(5):
        try:
            found = (await (await tx.connection()).execute(statement, parameters)).all()
        except IntegrityError:  # another machine has just begun a row of such a key: look again
            await tx.rollback()
            continue
        rows = [row_of(table, row._mapping) for row in found]
        return sorted(rows, key=lambda row: (row.lane, row.due_at, row.id))
    return []


async def still_mine(tx: Tx, table: type[QueueRow], row_id: int, token: str, *, now: datetime) -> bool:
    """Whether the lease still holds at `now`. For the moment before a call that must not happen twice."""
    parameters = {"row_id": row_id, "mine": token, "now": now}
    return (await (await tx.connection()).execute(_still_mine(table), parameters)).first() is not None


async def extend(  # likewise
    tx: Tx, table: type[QueueRow], row_id: int, token: str, *, now: datetime, lease: timedelta
) -> None:
    """Holds the row until `now + lease`. LeaseLost."""
    await _change(tx, table, row_id, token, {"leased_until": now + lease})


async def finish(  # likewise
    tx: Tx, table: type[QueueRow], row_id: int, token: str, state: Settled, *, now: datetime, **values: Any
) -> None:
    """Ends the row; `values` sets columns of the table's own. LeaseLost: roll everything back."""
    await _change(tx, table, row_id, token, _UNLEASED | {"state": state, "finished_at": now} | values)


async def note(tx: Tx, table: type[QueueRow], row_id: int, token: str, **values: Any) -> None:  # likewise
    """Sets columns of the table's own while the row is held. LeaseLost."""
    await _change(tx, table, row_id, token, values)


async def retry_later(  # likewise
    tx: Tx, table: type[QueueRow], row_id: int, token: str, *, due_at: datetime, error: str, **values: Any
) -> None:
    """Puts the row back until `due_at`; it holds up its ordering key meanwhile. LeaseLost."""
    await _change(tx, table, row_id, token, _UNLEASED | {"due_at": due_at, "last_error": error} | values)


async def bury(  # likewise
    tx: Tx, table: type[QueueRow], row_id: int, token: str, *, now: datetime, error: str
) -> None:
    """Gives the row up: it is kept as dead, and its ordering key goes on. LeaseLost."""
    await _change(tx, table, row_id, token, _UNLEASED | {"state": "dead", "finished_at": now, "last_error": error})


async def next_due(tx: Tx, table: type[QueueRow]) -> datetime | None:
    """The earliest moment at which something can be claimed (it may be past); None where nothing is open."""
    moment: datetime | None = (await (await tx.connection()).execute(_next_due(table))).scalar_one()
    return moment


class Depth(NamedTuple):
    """How many rows of a lane are open or dead, and the earliest `due_at` among them."""

    state: str
    lane: int
    rows: int
    oldest_due_at: datetime


async def counts(tx: Tx, table: type[QueueRow]) -> list[Depth]:
    """Open and dead rows by state and lane. Finished rows are not counted: there may be millions."""
    core = table_of(table)
    depths: list[Depth] = []
    for state in ("open", "dead"):
        statement = (
            select(core.c.lane, func.count(), func.min(core.c.due_at, type_=UtcTime()))
            .where(
                core.c.state == literal_column(f"'{state}'"), *([core.c.finished_at.is_not(None)] * (state == "dead"))
            )
            .group_by(core.c.lane)
            .order_by(core.c.lane)
        )
        rows = await (await tx.connection()).execute(statement)
        depths += [Depth(state, lane, number, oldest) for lane, number, oldest in rows]
    return depths


# --- dead letters -----------------------------------------------------------------------------------------------------


async def dead(tx: Tx, table: type[Row], *, at_most: int) -> list[Row]:
    """The rows that were given up, the latest first. Copies, like a claimed row."""
    core = table_of(table)
    buried = core.c.state == literal_column("'dead'")
    statement = select(core).where(buried, core.c.finished_at.is_not(None)).order_by(core.c.finished_at.desc())
    rows = await (await tx.connection()).execute(statement.limit(at_most))
    return [table(**row._mapping) for row in rows]


async def revive(tx: Tx, table: type[QueueRow], row_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Opens dead rows again, due now, as if they had never been tried. Answers which of them were dead."""
    values = {"state": "open", "attempts": 0, "due_at": now, "finished_at": None}
    return await _change_dead(tx, table, row_ids, values)


async def drop(tx: Tx, table: type[QueueRow], row_ids: Sequence[int]) -> list[int]:
    """Lets dead rows be: nobody is shown them any more. Answers which of them were dead."""
    return await _change_dead(tx, table, row_ids, {"state": "ignored"})


async def _change_dead(tx: Tx, table: type[QueueRow], row_ids: Sequence[int], values: dict[str, Any]) -> list[int]:
    core = table_of(table)
    these = core.c.id.in_(list(row_ids)) & (core.c.state == "dead")
    changed = await (await tx.connection()).execute(update(core).where(these).values(values).returning(core.c.id))
    return sorted(changed.scalars().all())


# --- the statements, each built once per table ------------------------------------------------------------------------

_OPEN: ColumnElement[str] = literal_column(
    "'open'"
)  # written out: the engines match a partial index with literals only
_NONE: ColumnElement[int] = literal_column("0")
_UNLEASED: dict[str, Any] = {"lease_token": None, "leased_until": None}


def _not_held_up(table: type[QueueRow], row: FromClause) -> ColumnElement[bool]:
    """No other row of the same key goes first. Says nothing about time. A key of NULL equals nothing."""
    begun, older = table_of(table).alias("begun"), table_of(table).alias("older")
    one_is_begun = exists(
        select(begun.c.id).where(
            begun.c.state == _OPEN,
            begun.c.attempts > _NONE,
            begun.c.ordering_key == row.c.ordering_key,
            begun.c.id != row.c.id,
        )
    )
    one_is_older = exists(
        select(older.c.id).where(
            older.c.state == _OPEN,
            older.c.ordering_key == row.c.ordering_key,
            tuple_(older.c.due_at, older.c.id) < tuple_(row.c.due_at, row.c.id),
        )
    )
    return and_(~one_is_begun, or_(row.c.attempts > _NONE, ~one_is_older))


@cache
def _claim(table: type[QueueRow], *, some_lanes: bool) -> Update:
    core = table_of(table)
    row = core.alias("row_")
    now = bindparam("now", type_=UtcTime())
    chosen: Select[Any] = select(row.c.id).where(
        row.c.state == _OPEN,
        row.c.due_at <= now,
        or_(row.c.leased_until.is_(None), row.c.leased_until <= now),
        _not_held_up(table, row),
    )
    if some_lanes:
        chosen = chosen.where(row.c.lane.in_(bindparam("lanes", expanding=True)))
    chosen = chosen.order_by(row.c.lane, row.c.due_at, row.c.id).limit(bindparam("at_most"))
    # A CTE, because PostgreSQL may run a plain subquery with a limit more than once, and claim more than was asked for.
    ids = chosen.with_for_update(of=row, skip_locked=True).cte("chosen")
    return once(
        update(core)
        .where(core.c.id.in_(select(ids.c.id)))
        .values(lease_token=bindparam("token"), leased_until=bindparam("until"), attempts=core.c.attempts + 1)
        .returning(*core.c)
    )


@cache
def _put(table: type[QueueRow], unique: str, dialect: str) -> ReturningInsert[tuple[int]]:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    core = table_of(table)
    return once(insert(core).on_conflict_do_nothing(index_elements=[unique]).returning(core.c.id))


@cache
def _still_mine(table: type[QueueRow]) -> Select[Any]:
    row = table_of(table).c
    mine = (row.id == bindparam("row_id")) & (row.lease_token == bindparam("mine"))
    return once(select(row.id).where(mine, row.leased_until > bindparam("now")))


@cache
def _next_due(table: type[QueueRow]) -> Select[Any]:
    row = table_of(table).alias("row_")
    free_at = func.coalesce(row.c.leased_until, row.c.due_at, type_=UtcTime())
    return once(select(func.min(free_at, type_=UtcTime())).where(row.c.state == _OPEN, _not_held_up(table, row)))


@cache
def _settle(table: type[QueueRow], columns: tuple[str, ...]) -> Update:
    core = table_of(table)
    return once(
        update(core)
        .where(core.c.id == bindparam("row_id"), core.c.lease_token == bindparam("mine"), core.c.state == _OPEN)
        .values({column: bindparam(f"new_{column}") for column in columns})
    )


async def _change(tx: Tx, table: type[QueueRow], row_id: int, token: str, values: dict[str, Any]) -> None:
    statement = _settle(table, tuple(sorted(values)))
    parameters = {f"new_{column}": value for column, value in values.items()} | {"row_id": row_id, "mine": token}
    if (await (await tx.connection()).execute(statement, parameters)).rowcount != 1:
        raise LeaseLost(f"{table_of(table).name} {row_id}")
