"""The ledger: every fen that is held back, paid or given free again. Entries are only ever added, never changed.

A month has a budget. `reserve` moves fen from the month into a purse (`draw:17`), `settle` says that part of what the
purse holds was paid, `unsettle` that paid money came back into it, `release` returns what is not needed to the month.
Beside the entries stand their sums, one row a month and one a purse: they are what two workers at once agree on. Each
move is one UPDATE that only fits where there is enough, and the database refuses a sum below zero whatever is written.

Every move has a key and is made once: the same key again changes nothing and answers as it did the first time; with
another purse or amount it is a mistake of ours (KeyError). All amounts are fen, above zero.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import CheckConstraint, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from store.built import once
from store.columns import BigId, UtcTime, table_of
from store.database import Tx

Kind = Literal["fund", "reserve", "settle", "unsettle", "release"]


class Overdrawn(Exception):  # noqa: N818  # says what happened
    """More was to be settled, unsettled or released than the purse holds: nothing was written."""


class LedgerRow(SQLModel, table=True):
    """One entry. `amount`: fen; only "fund" (the month's budget was set, higher or lower) may be below zero."""

    __tablename__ = "ledger"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    kind: str
    month: str = Field(index=True)
    purse: str = Field(index=True)
    amount: int = Field(sa_type=BigId)
    why: str
    key: str = Field(unique=True)
    at: datetime = Field(sa_type=UtcTime)


class MonthRow(SQLModel, table=True):
    """The sums of a month. `budget`: what was put in; `free`: what no purse has taken."""

    __tablename__ = "ledger_months"
    __table_args__ = (CheckConstraint("free >= 0", name="free_is_not_below_zero"),)

    month: str = Field(primary_key=True)
    budget: int = Field(sa_type=BigId)
    free: int = Field(sa_type=BigId)


class PurseRow(SQLModel, table=True):
    """The sums of a purse, of one month's money. `held`: reserved and neither paid nor released; `paid`: settled."""

    __tablename__ = "ledger_purses"
    __table_args__ = (
        CheckConstraint("held >= 0", name="held_is_not_below_zero"),
        CheckConstraint("paid >= 0", name="paid_is_not_below_zero"),
    )

    purse: str = Field(primary_key=True)
    month: str = Field(index=True)
    held: int = Field(default=0, sa_type=BigId)
    paid: int = Field(default=0, sa_type=BigId)


_LEDGER, _MONTHS, _PURSES = (table_of(each) for each in (LedgerRow, MonthRow, PurseRow))


class Purse(NamedTuple):
    """What one purse holds and has paid, in fen."""

    month: str
    held: int
    paid: int


class Month(NamedTuple):
    """A month in fen: budget = free + held + paid."""

    budget: int
    free: int
    held: int
    paid: int


# --- moves ------------------------------------------------------------------------------------------------------------


async def fund(tx: Tx, month: str, budget: int, *, now: datetime) -> int:
    """The month (`2026-11`) has this budget, as the config says now; answers what of it is free.

    It can be lowered no further than to what is held and paid already.
    """
    connection = await tx.connection()
    await connection.execute(
        _insert(connection.dialect.name, _MONTHS).values(month=month, budget=0, free=0).on_conflict_do_nothing()
    )
    query = select_rows(MonthRow).where(MonthRow.month == month).with_for_update()
    row = (await tx.exec(query.execution_options(populate_existing=True))).one()
    change = max(budget - row.budget, -row.free)
    if change:
        count = select(func.count()).where(_LEDGER.c.month == month, _LEDGER.c.kind == "fund")
        number = (await connection.execute(count)).scalar_one() + 1
        row.budget, row.free = row.budget + change, row.free + change
        key = f"fund:{month}:{number}"
        tx.add(LedgerRow(kind="fund", month=month, purse="", amount=change, why="预算", key=key, at=now))
        await tx.flush()
    return row.free


async def reserve(tx: Tx, purse: str, amount: int, *, month: str, key: str, why: str, now: datetime) -> bool:
    """Hold back `amount` of the month's free budget for this purse. False: there is not enough, nothing was held back.

    A purse takes its money from one month only: ValueError where it has some of another.
    """
    move = _Move("reserve", purse, _above_zero(amount), key, why, now)
    if await _done(tx, move):
        return True
    if not await _take(tx, month, amount):
        return await _done(tx, move)  # another worker may have taken it for the same key
    if not await _write(tx, month, move):
        await _give_back(tx, month, amount)
        return True
    connection = await tx.connection()
    fresh = _insert(connection.dialect.name, _PURSES).values(purse=purse, month=month, held=0, paid=0)
    await connection.execute(fresh.on_conflict_do_nothing())
    mine = (_PURSES.c.purse == purse) & (_PURSES.c.month == month)
    held = await connection.execute(update(_PURSES).where(mine).values(held=_PURSES.c.held + amount))
    if not held.rowcount:
        raise ValueError(f"purse {purse} holds money of another month than {month}")
    return True


async def settle(tx: Tx, purse: str, amount: int, *, key: str, why: str, now: datetime) -> bool:
    """`amount` of what the purse holds was paid. False: written before. Overdrawn: the purse does not hold as much."""
    return await _make(tx, _Move("settle", purse, _above_zero(amount), key, why, now))


async def unsettle(tx: Tx, purse: str, amount: int, *, key: str, why: str, now: datetime) -> bool:
    """Paid money came back (refunded): the purse holds it again. False: written before. Overdrawn: it never paid it."""
    return await _make(tx, _Move("unsettle", purse, _above_zero(amount), key, why, now))


async def release(tx: Tx, purse: str, amount: int, *, key: str, why: str, now: datetime) -> bool:
    """`amount` is not needed and goes back to the month. False: written before. Overdrawn: it does not hold as much."""
    return await _make(tx, _Move("release", purse, _above_zero(amount), key, why, now))


async def release_rest(tx: Tx, purse: str, *, key: str, why: str, now: datetime) -> int:
    """All that the purse still holds goes back to the month; answers how much: 0 where nothing was left."""
    await _lock_month_of(tx, purse)
    query = select(_PURSES.c.held).where(_PURSES.c.purse == purse).with_for_update()
    held: int = (await (await tx.connection()).execute(query)).scalar_one_or_none() or 0
    if held and await release(tx, purse, held, key=key, why=why, now=now):
        return held
    return 0


# --- looking ----------------------------------------------------------------------------------------------------------


async def purse(tx: Tx, name: str) -> Purse | None:
    """What a purse holds and has paid; None: nothing was ever reserved for it."""
    query = select(_PURSES.c.month, _PURSES.c.held, _PURSES.c.paid).where(_PURSES.c.purse == name)
    found = (await (await tx.connection()).execute(query)).one_or_none()
    return Purse._make(found) if found else None


async def month(tx: Tx, name: str) -> Month:
    """How a month stands; all zero where it was never funded."""
    connection = await tx.connection()
    query = select(_MONTHS.c.budget, _MONTHS.c.free).where(_MONTHS.c.month == name)
    budget, free = (await connection.execute(query)).one_or_none() or (0, 0)
    sums = select(func.coalesce(func.sum(_PURSES.c.held), 0), func.coalesce(func.sum(_PURSES.c.paid), 0))
    held, paid = (await connection.execute(sums.where(_PURSES.c.month == name))).one()
    return Month(budget, free, int(held), int(paid))


async def entries(tx: Tx, *, purse: str = "", month: str = "") -> Sequence[LedgerRow]:
    """The entries of a purse, of a month, or all, in the order they were written."""
    query = select_rows(LedgerRow).order_by(col(LedgerRow.id))
    if purse:
        query = query.where(LedgerRow.purse == purse)
    if month:
        query = query.where(LedgerRow.month == month)
    return (await tx.exec(query)).all()


async def out_of_step(tx: Tx) -> list[str]:
    """The months and purses whose sums are not those of their entries: always none, or something wrote past us."""
    connection = await tx.connection()
    query = select(_LEDGER.c.month, _LEDGER.c.purse, _LEDGER.c.kind, func.sum(_LEDGER.c.amount))
    rows = await connection.execute(query.group_by(_LEDGER.c.month, _LEDGER.c.purse, _LEDGER.c.kind))
    months: dict[str, list[int]] = {}
    purses: dict[str, list[int]] = {}
    for name, holder, kind, amount in rows:
        for sums, key, signs in ((months, name, _OF_MONTH), (purses, holder, _OF_PURSE)):
            if kind in signs:
                sums.setdefault(key, [0, 0])
                for place, sign in enumerate(signs[kind]):
                    sums[key][place] += sign * int(amount)
    found = {key: [budget, free] for key, budget, free in await connection.execute(select(_MONTHS))}
    stand = {key: [held, paid] for key, _, held, paid in await connection.execute(select(_PURSES))}
    wrong = [key for key, sums in found.items() if sums != months.get(key, [0, 0])]
    wrong += [key for key, sums in stand.items() if sums != purses.get(key, [0, 0])]
    return sorted({*wrong, *(months.keys() - found.keys()), *(purses.keys() - stand.keys())})


_OF_MONTH: dict[str, tuple[int, int]] = {"fund": (1, 1), "reserve": (0, -1), "release": (0, 1)}
_OF_PURSE: dict[str, tuple[int, int]] = {"reserve": (1, 0), "release": (-1, 0), "settle": (-1, 1), "unsettle": (1, -1)}


# --- how --------------------------------------------------------------------------------------------------------------


class _Move(NamedTuple):
    kind: Kind
    purse: str
    amount: int
    key: str
    why: str
    now: datetime


async def _make(tx: Tx, move: _Move) -> bool:
    """A move of what a purse holds or has paid."""
    if await _done(tx, move):
        return False
    if move.kind in ("release", "unsettle"):  # what is unsettled is mostly released next, in the same transaction
        await _lock_month_of(tx, move.purse)  # months before purses, always: two workers cannot lock each other out
    month = await _shift(tx, move, 1)
    if month is None:
        if await _done(tx, move):  # another worker was faster
            return False
        raise Overdrawn(f"{move.kind} {move.amount} of {move.purse}")
    if not await _write(tx, month, move):
        await _shift(tx, move, -1)
        return False
    if move.kind == "release":
        await _give_back(tx, month, move.amount)
    return True


async def _shift(tx: Tx, move: _Move, sign: int) -> str | None:
    """The sums of the purse change by this move, or (-1) back again. None where they would fall below zero."""
    held, paid = (sign * each * move.amount for each in _OF_PURSE[move.kind])
    values = {"name": move.purse, "more_held": held, "more_paid": paid}
    found: str | None = (await (await tx.connection()).execute(_SHIFT, values)).scalar_one_or_none()
    return found


_MORE_HELD, _MORE_PAID = _PURSES.c.held + bindparam("more_held"), _PURSES.c.paid + bindparam("more_paid")
_ENOUGH = (_PURSES.c.purse == bindparam("name")) & (_MORE_HELD >= 0) & (_MORE_PAID >= 0)
_SHIFT = once(update(_PURSES).where(_ENOUGH).values(held=_MORE_HELD, paid=_MORE_PAID).returning(_PURSES.c.month))


async def _take(tx: Tx, month: str, amount: int) -> bool:
    enough = (_MONTHS.c.month == month) & (_MONTHS.c.free >= amount)
    taken = update(_MONTHS).where(enough).values(free=_MONTHS.c.free - amount)
    return (await (await tx.connection()).execute(taken)).rowcount == 1


async def _give_back(tx: Tx, month: str, amount: int) -> None:
    statement = update(_MONTHS).where(_MONTHS.c.month == month).values(free=_MONTHS.c.free + amount)
    await (await tx.connection()).execute(statement)


async def _lock_month_of(tx: Tx, purse: str) -> None:
    mine = select(_PURSES.c.month).where(_PURSES.c.purse == purse).scalar_subquery()
    await (await tx.connection()).execute(select(_MONTHS.c.month).where(_MONTHS.c.month == mine).with_for_update())


async def _done(tx: Tx, move: _Move) -> bool:
    """Whether this move was made before. KeyError: under this key stands another one."""
    found = (await (await tx.connection()).execute(_UNDER_KEY, {"key": move.key})).one_or_none()
    if found is not None and tuple(found) != move[:3]:
        raise KeyError(f"{move.key} is {tuple(found)}, not {move[:3]}")
    return found is not None


_UNDER_KEY = once(select(_LEDGER.c.kind, _LEDGER.c.purse, _LEDGER.c.amount).where(_LEDGER.c.key == bindparam("key")))


async def _write(tx: Tx, month: str, move: _Move) -> bool:
    """False: another worker wrote it a moment ago. KeyError: it wrote something else under this key."""
    kind, purse, amount, key, why, now = move
    row = {"kind": kind, "month": month, "purse": purse, "amount": amount, "key": key, "why": why, "at": now}
    connection = await tx.connection()
    if (await connection.execute(_entry(connection.dialect.name), row)).first() is not None:
        return True
    await _done(tx, move)
    return False


@cache
def _entry(dialect: str) -> ReturningInsert[Any]:
    """Writes an entry, and answers with its id; with nothing where its key is there already."""
    names = ("kind", "month", "purse", "amount", "key", "why", "at")
    new = _insert(dialect, _LEDGER).values({name: bindparam(name) for name in names})
    return cast(
        "ReturningInsert[Any]", once(new.on_conflict_do_nothing(index_elements=["key"]).returning(_LEDGER.c.id))
    )


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _above_zero(amount: int) -> int:
    if amount <= 0:
        raise ValueError(f"an amount is above zero, not {amount}")
    return amount
