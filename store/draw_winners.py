"""Who has won what, and the shares there are. A share is given by one UPDATE that only fits while it is free; a person
has one per draw, and where the rules say so one a month: unique columns see to it, whatever runs at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col
from sqlmodel import select as select_rows

from rules.draw_proof import ShareOf
from store.built import once
from store.columns import table_of
from store.database import Tx, one
from store.draws import ShareRow, WinnerRow

LIVE = ("won", "claimed", "paid")
_FIRST = ("paid", "claimed", "won", "lapsed", "dropped")
_SHARES, _WINNERS = table_of(ShareRow), table_of(WinnerRow)


# --- shares -----------------------------------------------------------------------------------------------------------


async def put_shares(tx: Tx, draw_id: int, shares: Iterable[ShareOf]) -> None:
    """All shares of a draw, in place of what there was: only before anybody has one."""
    connection = await tx.connection()
    await connection.execute(delete(_SHARES).where(_SHARES.c.draw_id == draw_id, _SHARES.c.taken_by.is_(None)))
    rows = [{"draw_id": draw_id, **share._asdict()} for share in shares]
    for first in range(0, len(rows), 500):
        await connection.execute(_SHARES.insert(), rows[first : first + 500])


async def shares(tx: Tx, draw_id: int) -> list[ShareRow]:
    """In the order of their numbers."""
    query = select_rows(ShareRow).where(ShareRow.draw_id == draw_id).order_by(col(ShareRow.number))
    return list((await tx.exec(query)).all())


async def free_shares(tx: Tx, draw_id: int) -> int:
    """How many nobody has."""
    free = (_SHARES.c.draw_id == draw_id) & _SHARES.c.taken_by.is_(None)
    return int((await (await tx.connection()).execute(select(func.count()).where(free))).scalar_one())


async def is_any_free(tx: Tx, draw_id: int) -> bool:
    return await one(tx, _FREE, draw=draw_id) is not None


_FREE = once(
    select(_SHARES.c.id)
    .where(_SHARES.c.draw_id == bindparam("draw"), _SHARES.c.taken_by.is_(None))
    .limit(literal_column("1"))
)


async def take_share(tx: Tx, draw_id: int, person: str, *, now: datetime) -> ShareOf | None:
    """The first free share is this person's, who has none yet. None: there is none left."""
    connection = await tx.connection()
    wanted = {"draw": draw_id, "person": person, "now": now}
    if connection.dialect.name == "postgresql" and (found := await _taken(tx, _TAKE_UNLOCKED, wanted)):
        return found
    # What another transaction is about to take may yet come back: wait for it before saying that nothing is left.
    for _ in range(3):
        if found := await _taken(tx, _TAKE, wanted):
            return found
        if not await is_any_free(tx, draw_id):
            return None
    return None


async def _taken(tx: Tx, statement: Any, wanted: Mapping[str, Any]) -> ShareOf | None:
    row = (await (await tx.connection()).execute(statement, wanted)).one_or_none()
    return ShareOf._make(row) if row else None


def _take(*, skip_locked: bool) -> Any:
    first = select(_SHARES.c.id).where(_SHARES.c.draw_id == bindparam("draw"), _SHARES.c.taken_by.is_(None))
    first = first.order_by(_SHARES.c.number).limit(literal_column("1")).with_for_update(skip_locked=skip_locked)
    this = (_SHARES.c.id == first.scalar_subquery()) & _SHARES.c.taken_by.is_(None)
    taken = update(_SHARES).where(this).values(taken_by=bindparam("person"), taken_at=bindparam("now"))
    return once(taken.returning(_SHARES.c.number, _SHARES.c.prize, _SHARES.c.amount))


_TAKE, _TAKE_UNLOCKED = _take(skip_locked=False), _take(skip_locked=True)


async def note_taken(tx: Tx, draw_id: int, number: int, person: str, *, now: datetime) -> None:
    """Whoever has a share by the pick."""
    this = (_SHARES.c.draw_id == draw_id) & (_SHARES.c.number == number)
    await (await tx.connection()).execute(update(_SHARES).where(this).values(taken_by=person, taken_at=now))


async def give_back_share(tx: Tx, draw_id: int, number: int) -> None:
    """Nobody has it."""
    this = (_SHARES.c.draw_id == draw_id) & (_SHARES.c.number == number)
    await (await tx.connection()).execute(update(_SHARES).where(this).values(taken_by=None, taken_at=None))


# --- winners ----------------------------------------------------------------------------------------------------------


async def win(tx: Tx, row: Mapping[str, Any]) -> bool:
    """One winner, by the columns of the row. False: they have won in this draw, or in this month, before."""
    connection = await tx.connection()
    return int((await connection.execute(_win(connection.dialect.name), {**_BLANK, **row})).rowcount) == 1


_BLANK: Mapping[str, Any] = {
    "visitor_id": None,
    "external_userid": None,
    "month_key": None,
    "claimed_at": None,
    "paid_at": None,
    "ended_at": None,
    "because": "",
}


@cache
def _win(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return once(insert(_WINNERS).on_conflict_do_nothing())


async def winner(tx: Tx, winner_id: int, *, lock: bool = False) -> WinnerRow | None:
    return await tx.get(WinnerRow, winner_id, with_for_update=lock, populate_existing=lock)


async def of_draw(tx: Tx, draw_id: int, *, lock: bool = False) -> list[WinnerRow]:
    """Everybody who has or had a prize of this draw, in the order of their ranks."""
    query = select_rows(WinnerRow).where(WinnerRow.draw_id == draw_id).order_by(col(WinnerRow.rank), col(WinnerRow.id))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list((await tx.exec(query)).all())


async def wins_of(tx: Tx, draw_id: int, visitor_id: int, external_userid: str | None) -> list[WinnerRow]:
    """What somebody has won in this draw, by whichever of their two names; first what is on its way or theirs to claim.

    More than one: they turned out to be one person after the draw, or lost one and came into another.
    """
    query = select_rows(WinnerRow).where(WinnerRow.draw_id == draw_id, _theirs(visitor_id, external_userid))
    rows = (await tx.exec(query.order_by(col(WinnerRow.id)).execution_options(populate_existing=True))).all()
    return sorted(rows, key=lambda row: (_FIRST.index(row.state), row.person != external_userid))


async def win_of(tx: Tx, draw_id: int, visitor_id: int, external_userid: str | None) -> WinnerRow | None:
    """The first of them."""
    return next(iter(await wins_of(tx, draw_id, visitor_id, external_userid)), None)


async def wins_in_month(tx: Tx, month: str, people: Collection[str]) -> set[str]:
    """Who of these (as `person`) has a prize of this month."""
    wanted, found = list(people), set[str]()
    for first in range(0, len(wanted), 500):
        some = _WINNERS.c.person.in_(wanted[first : first + 500])
        query = select(_WINNERS.c.person).where(_WINNERS.c.month == month, _WINNERS.c.state.in_(LIVE), some)
        found |= set((await (await tx.connection()).execute(query)).scalars())
    return found


async def has_won(tx: Tx, month: str, visitor_id: int, external_userid: str | None, *, but: int = 0) -> bool:
    """Whether somebody has a prize of this month, by whichever name; the draw `but` does not count."""
    which = {"month": month, "but": but, "visitor": visitor_id, "who": external_userid}
    return await one(tx, _HAS_WON, **which) is not None


_HAS_WON = once(
    select(_WINNERS.c.id)
    .where(
        _WINNERS.c.month == bindparam("month"),
        _WINNERS.c.state.in_([literal_column(f"'{state}'") for state in LIVE]),
        _WINNERS.c.draw_id != bindparam("but"),
        or_(_WINNERS.c.visitor_id == bindparam("visitor"), _WINNERS.c.external_userid == bindparam("who")),
    )
    .limit(literal_column("1"))
)


def _theirs(visitor_id: int, external_userid: str | None) -> Any:
    theirs = col(WinnerRow.visitor_id) == visitor_id
    return or_(theirs, col(WinnerRow.external_userid) == external_userid) if external_userid else theirs


async def key_is_taken(tx: Tx, month_key: str, *, but: int) -> bool:
    """Whether another winner has this person's prize of the month."""
    query = select(_WINNERS.c.id).where(_WINNERS.c.month_key == month_key, _WINNERS.c.id != but)
    return await one(tx, query.limit(1)) is not None


async def has_in_draw(tx: Tx, draw_id: int, person: str, *, but: int) -> bool:
    """Whether another winner of this draw is this person."""
    others = (_WINNERS.c.draw_id == draw_id) & (_WINNERS.c.person == person) & (_WINNERS.c.id != but)
    return await one(tx, select(_WINNERS.c.id).where(others).limit(1)) is not None


async def unclaimed(tx: Tx, draw_id: int) -> int:
    """Fen that winners of this draw may yet claim."""
    theirs = (_WINNERS.c.draw_id == draw_id) & (_WINNERS.c.state == "won")
    query = select(func.coalesce(func.sum(_WINNERS.c.amount), 0)).where(theirs)
    return int((await (await tx.connection()).execute(query)).scalar_one())


async def next_lapse(tx: Tx, draw_id: int) -> datetime | None:
    """When the next prize of this draw lapses; None where everything is claimed, or gone."""
    query = select(func.min(_WINNERS.c.claim_until)).where(_WINNERS.c.draw_id == draw_id, _WINNERS.c.state == "won")
    found: datetime | None = await one(tx, query)
    return found


async def counts(tx: Tx, draw_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """How many winners of each draw are in which state."""
    query = (
        select(_WINNERS.c.draw_id, _WINNERS.c.state, func.count())
        .where(_WINNERS.c.draw_id.in_(list(draw_ids)))
        .group_by(_WINNERS.c.draw_id, _WINNERS.c.state)
    )
    return {(draw_id, state): number for draw_id, state, number in await (await tx.connection()).execute(query)}


def is_over(row: WinnerRow, state: str, because: str) -> None:
    """The prize is not theirs any more (lapsed, dropped); they may win again this month."""
    row.state, row.because, row.month_key, row.claim_until = state, because, None, None
