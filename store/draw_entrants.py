"""Who takes part in a draw, one row each. A list of any length is gone through in order, some at a time."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col
from sqlmodel import select as select_rows

from rules.pick import Entrant
from store.built import once
from store.columns import UtcTime, table_of
from store.database import Database, Tx
from store.draws import DrawRow, EntrantRow, ShareRow
from store.identities import ProofRow
from store.roster import MemberRow

_ENTRANTS, _MEMBERS = table_of(EntrantRow), table_of(MemberRow)
DRAWS, SHARES, PROOFS = table_of(DrawRow), table_of(ShareRow), table_of(ProofRow)
AT_ONCE = 5_000


async def enter(tx: Tx, row: Mapping[str, Any]) -> bool:
    """One entry, by the columns of its row; False where this person has entered this draw before."""
    connection = await tx.connection()
    entry = {**_BLANK, **row}
    return int((await connection.execute(_enter(connection.dialect.name), entry)).rowcount) == 1


_BLANK: Mapping[str, Any] = {"visitor_id": None, "external_userid": None, "weight": 1, "out": ""}


@cache
def _enter(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return once(insert(_ENTRANTS).on_conflict_do_nothing(index_elements=["draw_id", "person"]))


async def enter_all(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many of these entries are new."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    written = 0
    for first in range(0, len(rows), 500):
        some = [{**_BLANK, **row} for row in rows[first:][:500]]
        statement = insert(_ENTRANTS).values(some).on_conflict_do_nothing(index_elements=["draw_id", "person"])
        written += (await connection.execute(statement)).rowcount
    return written


async def forget(tx: Tx, draw_id: int, person: str) -> None:
    """They have not entered after all."""
    this = (_ENTRANTS.c.draw_id == draw_id) & (_ENTRANTS.c.person == person)
    await (await tx.connection()).execute(delete(_ENTRANTS).where(this))


async def entry_of(tx: Tx, draw_id: int, visitor_id: int, external_userid: str | None) -> EntrantRow | None:
    """How somebody takes part, by whichever of their two names they did."""
    theirs = col(EntrantRow.visitor_id) == visitor_id
    if external_userid:
        theirs = or_(theirs, col(EntrantRow.external_userid) == external_userid)
    query = select_rows(EntrantRow).where(EntrantRow.draw_id == draw_id, theirs).order_by(col(EntrantRow.id))
    return (await tx.exec(query)).first()


class Glance(NamedTuple):
    """How one visitor stands to one draw, in one question. `any_free`: whether a share is free."""

    state: str
    open_at: datetime
    close_at: datetime
    any_free: bool
    entered: bool


async def glance(tx: Tx, draw_id: int, visitor_id: int) -> Glance | None:
    """None: there is no such draw."""
    which = {"draw": draw_id, "visitor": visitor_id}
    row = (await (await tx.connection()).execute(_GLANCE, which)).one_or_none()
    return Glance._make(row) if row else None


async def quick_glance(store: Database, draw_id: int, visitor_id: int) -> Glance | None:
    """Likewise, of whoever does not write."""
    row = (await store.ask(_GLANCE, draw=draw_id, visitor=visitor_id)).one_or_none()
    return Glance._make(row) if row else None


_CALLED = (
    select(PROOFS.c.value)
    .where(PROOFS.c.visitor_id == bindparam("visitor"), PROOFS.c.kind == literal_column("'external_userid'"))
    .scalar_subquery()
)
_FREE = (SHARES.c.draw_id == bindparam("draw")) & SHARES.c.taken_by.is_(None)
_MINE = (_ENTRANTS.c.draw_id == bindparam("draw")) & (
    (_ENTRANTS.c.visitor_id == bindparam("visitor")) | (_ENTRANTS.c.external_userid == _CALLED)
)
_GLANCE = once(
    select(
        DRAWS.c.state,
        DRAWS.c.open_at,
        DRAWS.c.close_at,
        exists(select(SHARES.c.id).where(_FREE)).label("any_free"),
        exists(select(_ENTRANTS.c.id).where(_MINE)).label("entered"),
    ).where(DRAWS.c.id == bindparam("draw"))
)


async def count(tx: Tx, draw_id: int) -> int:
    """How many have entered; those who turned out not to take part are not counted."""
    query = select(func.count()).where(_ENTRANTS.c.draw_id == draw_id, _ENTRANTS.c.out == "")
    return int((await (await tx.connection()).execute(query)).scalar_one())


async def in_order(tx: Tx, draw_id: int) -> AsyncIterator[list[Entrant]]:
    """Those who take part, in the order of their tickets, some at a time."""
    connection, last = await tx.connection(), ""
    query = (
        select(_ENTRANTS.c.ticket, _ENTRANTS.c.weight)
        .where(_ENTRANTS.c.draw_id == draw_id, _ENTRANTS.c.out == "")
        .order_by(_ENTRANTS.c.ticket)
        .limit(AT_ONCE)
    )
    while True:
        rows = (await connection.execute(query.where(_ENTRANTS.c.ticket > last))).all()
        if not rows:
            return
        yield [Entrant(ticket, weight) for ticket, weight in rows]
        last = rows[-1][0]


async def with_tickets(tx: Tx, draw_id: int, tickets: Collection[str]) -> dict[str, EntrantRow]:
    """These entries, by ticket."""
    found = dict[str, EntrantRow]()
    wanted = list(tickets)
    for first in range(0, len(wanted), 500):
        query = select_rows(EntrantRow).where(
            EntrantRow.draw_id == draw_id, col(EntrantRow.ticket).in_(wanted[first : first + 500])
        )
        found |= {row.ticket: row for row in (await tx.exec(query)).all()}
    return found


class Taking(NamedTuple):
    """One entry, as needed to look at all of them."""

    id: int
    person: str
    visitor_id: int | None
    external_userid: str | None


async def all_of(tx: Tx, draw_id: int) -> AsyncIterator[list[Taking]]:
    """Those who take part, in the order they entered, some at a time."""
    connection, last = await tx.connection(), 0
    query = (
        select(*(_ENTRANTS.c[name] for name in Taking._fields))
        .where(_ENTRANTS.c.draw_id == draw_id, _ENTRANTS.c.out == "")
        .order_by(_ENTRANTS.c.id)
        .limit(AT_ONCE)
    )
    while rows := (await connection.execute(query.where(_ENTRANTS.c.id > last))).all():
        yield [Taking._make(row) for row in rows]
        last = rows[-1][0]


async def take_out(tx: Tx, ids: Collection[int], because: str) -> None:
    """These do not take part after all."""
    wanted = list(ids)
    for first in range(0, len(wanted), 500):
        some = _ENTRANTS.c.id.in_(wanted[first : first + 500])
        await (await tx.connection()).execute(update(_ENTRANTS).where(some).values(out=because))


async def is_now(tx: Tx, entry_id: int, person: str, external_userid: str) -> None:
    """It is known by now who this is. The caller has seen to it that they have no other entry in the draw."""
    values = {"person": person, "external_userid": external_userid}
    await (await tx.connection()).execute(update(_ENTRANTS).where(_ENTRANTS.c.id == entry_id).values(values))


async def members_of(tx: Tx, chat_ids: Iterable[str]) -> AsyncIterator[list[tuple[str, datetime]]]:
    """Everybody in these groups once, with since when they are in one of them at the longest; some at a time."""
    connection, last, wanted = await tx.connection(), "", list(chat_ids)
    since = func.min(func.coalesce(_MEMBERS.c.joined_at, _MEMBERS.c.seen_at))
    query = (
        select(_MEMBERS.c.external_userid, since)
        .where(_MEMBERS.c.chat_id.in_(wanted), _MEMBERS.c.left_at.is_(None))
        .group_by(_MEMBERS.c.external_userid)
        .order_by(_MEMBERS.c.external_userid)
        .limit(AT_ONCE)
    )
    while rows := (await connection.execute(query.where(_MEMBERS.c.external_userid > last))).all():
        yield [(who, joined) for who, joined in rows]
        last = rows[-1][0]


async def members_since(tx: Tx, chat_ids: Iterable[str], people: Collection[str]) -> dict[str, datetime]:
    """Of these people those who are in one of these groups now, and since when at the longest."""
    found = dict[str, datetime]()
    wanted, groups = list(people), list(chat_ids)
    since = func.min(func.coalesce(_MEMBERS.c.joined_at, _MEMBERS.c.seen_at))
    for first in range(0, len(wanted), 500):
        query = (
            select(_MEMBERS.c.external_userid, since)
            .where(_MEMBERS.c.chat_id.in_(groups), _MEMBERS.c.left_at.is_(None))
            .where(_MEMBERS.c.external_userid.in_(wanted[first : first + 500]))
            .group_by(_MEMBERS.c.external_userid)
        )
        rows = (await (await tx.connection()).execute(query)).all()
        found |= {row[0]: row[1] for row in rows}
    return found


class Place(NamedTuple):
    """A group that somebody is or was in."""

    chat_id: str
    since: datetime
    left_at: datetime | None
    unionid: str | None


async def places_of(tx: Tx, external_userid: str) -> list[Place]:
    """Everywhere one person is or was."""
    rows = await (await tx.connection()).execute(_PLACES, {"who": external_userid})
    return [Place._make(row) for row in rows]


_PLACES = once(
    select(
        _MEMBERS.c.chat_id,
        func.coalesce(_MEMBERS.c.joined_at, _MEMBERS.c.seen_at, type_=UtcTime()),
        _MEMBERS.c.left_at,
        _MEMBERS.c.unionid,
    ).where(_MEMBERS.c.external_userid == bindparam("who"))
)


async def unionids_of(tx: Tx, people: Collection[str]) -> dict[str, set[str]]:
    """unionid → whose it is among these people (at most some hundred), as rosters show it."""
    query = select(_MEMBERS.c.unionid, _MEMBERS.c.external_userid).where(
        _MEMBERS.c.external_userid.in_(list(people)), _MEMBERS.c.unionid.is_not(None)
    )
    found = dict[str, set[str]]()
    for unionid, who in await (await tx.connection()).execute(query.distinct()):
        found.setdefault(unionid, set()).add(who)
    return found


async def names_of(tx: Tx, people: Collection[str]) -> dict[str, str]:
    """What these people (at most some hundred) are called on rosters; without those who have no name there."""
    query = select(_MEMBERS.c.external_userid, func.max(_MEMBERS.c.name)).where(
        _MEMBERS.c.external_userid.in_(list(people)), _MEMBERS.c.name != ""
    )
    rows = (await (await tx.connection()).execute(query.group_by(_MEMBERS.c.external_userid))).all()
    return {row[0]: row[1] for row in rows}
