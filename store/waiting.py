"""The waiting line: who came when everything was full, in order. One place a person and kind."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, not_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from rules.entrances import Target
from store.built import once
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one
from store.seats import visitor_key

Outcome = Literal["served", "gone", "merged"]


class WaitingRow(SQLModel, table=True):
    """One place. `place_key`: filled while they wait; a person waits once for a kind. `outcome`: served, gone
    (the entrance is), or merged.
    """

    __tablename__ = "waiting"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    entrance: str
    kind: str = Field(index=True)
    shop: str = ""
    visitor_id: int = Field(index=True, sa_type=BigId)
    channel: str = ""
    place_key: str | None = Field(default=None, unique=True)
    since: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    outcome: str = ""

    @property
    def target(self) -> Target:
        """What they wait for."""
        return Target(kind=self.kind, shop=self.shop)


_WAITING = table_of(WaitingRow)


async def stand(tx: Tx, *, entrance: str, target: Target, visitor_id: int, channel: str, now: datetime) -> bool:
    """Takes the last place in the line. False: they stand in it already."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {
        "entrance": entrance,
        "kind": target.kind,
        "shop": target.shop,
        "visitor_id": visitor_id,
        "channel": channel,
        "place_key": visitor_key(visitor_id, target.kind),
        "since": now,
        "outcome": "",
    }
    return (await connection.execute(insert(_WAITING).on_conflict_do_nothing(), row)).rowcount == 1


class Place(NamedTuple):
    """A place in the line. `ahead`: how many stand before them for the same."""

    id: int
    entrance: str
    kind: str
    shop: str
    ahead: int


async def of_visitor(tx: Tx, visitor_id: int) -> list[Place]:
    """Where this visitor stands in line."""
    rows = await (await tx.connection()).execute(_OF_VISITOR, {"visitor": visitor_id})
    return [Place._make(row) for row in rows]


_OTHERS = _WAITING.alias("others")
_AHEAD = (
    select(func.count())
    .where(
        _OTHERS.c.place_key.is_not(None),
        _OTHERS.c.kind == _WAITING.c.kind,
        _OTHERS.c.shop == _WAITING.c.shop,
        _OTHERS.c.id < _WAITING.c.id,
    )
    .scalar_subquery()
)
_OF_VISITOR = once(
    select(_WAITING.c.id, _WAITING.c.entrance, _WAITING.c.kind, _WAITING.c.shop, _AHEAD).where(
        _WAITING.c.visitor_id == bindparam("visitor"), _WAITING.c.place_key.is_not(None)
    )
)


async def line(tx: Tx, *, without: Collection[tuple[str, Target]] = (), at_most: int = 100) -> list[WaitingRow]:
    """Who waits, the first first. `without`: those who wait at this entrance for this, for whom nothing is left."""
    query = select_rows(WaitingRow).where(col(WaitingRow.place_key).is_not(None))
    for entrance, target in without:
        same = (_WAITING.c.kind == target.kind, _WAITING.c.shop == target.shop, _WAITING.c.entrance == entrance)
        query = query.where(not_(and_(*same)))
    query = query.order_by(col(WaitingRow.id)).limit(at_most).with_for_update()
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


def close(row: WaitingRow, outcome: Outcome, *, now: datetime) -> None:
    """They do not wait any more."""
    row.place_key, row.outcome, row.closed_at = None, outcome, now


async def move(tx: Tx, row: WaitingRow, target: Target) -> bool:
    """They wait for something else from now on, at the same place. False: they have a place for that already."""
    key = visitor_key(row.visitor_id, target.kind)
    if key != row.place_key and await one(tx, select(_WAITING.c.id).where(_WAITING.c.place_key == key)) is not None:
        return False
    row.kind, row.shop, row.place_key = target.kind, target.shop, key
    await tx.flush()
    return True


async def leave(tx: Tx, visitor_id: int, entrance: str, *, now: datetime) -> None:
    """Whoever was let in does not wait at this entrance any more."""
    query = select_rows(WaitingRow).where(
        WaitingRow.visitor_id == visitor_id, WaitingRow.entrance == entrance, col(WaitingRow.place_key).is_not(None)
    )
    for row in (await tx.exec(query.with_for_update())).all():
        close(row, "served", now=now)
    await tx.flush()


async def lengths(tx: Tx) -> dict[tuple[str, str], int]:
    """How many wait, by kind and shop."""
    statement = (
        select(_WAITING.c.kind, _WAITING.c.shop, func.count())
        .where(_WAITING.c.place_key.is_not(None))
        .group_by(_WAITING.c.kind, _WAITING.c.shop)
    )
    return {(kind, shop): number for kind, shop, number in await (await tx.connection()).execute(statement)}


KEPT = timedelta(days=180)
"""How long it is remembered who stood in line."""


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget places that were given up that long ago. Answers how many: call it again until that is 0."""
    old = select(_WAITING.c.id).where(_WAITING.c.place_key.is_(None), _WAITING.c.closed_at < now - KEPT)
    ids = list((await (await tx.connection()).execute(old.limit(at_most))).scalars())
    return (await (await tx.connection()).execute(delete(_WAITING).where(_WAITING.c.id.in_(ids)))).rowcount


class Merged:
    """What a merge of two visitors does to their places in the line (handlers/identity.py)."""

    name = "waiting"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[int]:
        """All places are `kept`'s; of two for one kind the earlier one stays."""
        mine = {row.kind: row for row in await _places(tx, kept)}
        rows = list((await tx.exec(select_rows(WaitingRow).where(WaitingRow.visitor_id == gone))).all())
        for row in rows:
            row.visitor_id = kept
            other = mine.get(row.kind) if row.place_key is not None else None
            if other is not None:
                later, earlier = (row, other) if other.id < row.id else (other, row)
                close(later, "merged", now=now)
                await tx.flush()
                earlier.place_key = visitor_key(kept, row.kind)
            elif row.place_key is not None:
                row.place_key = visitor_key(kept, row.kind)
        await tx.flush()
        return [row.id for row in rows]

    async def part(self, tx: Tx, keys: Sequence[int], *, kept: int, gone: int, now: datetime) -> None:
        """Those places are `gone`'s again."""
        del now
        query = select_rows(WaitingRow).where(col(WaitingRow.id).in_(list(keys)), WaitingRow.visitor_id == kept)
        for row in (await tx.exec(query.with_for_update())).all():
            row.visitor_id = gone
            if row.place_key is not None:
                row.place_key = visitor_key(gone, row.kind)
        await tx.flush()


async def _places(tx: Tx, visitor_id: int) -> list[WaitingRow]:
    query = select_rows(WaitingRow).where(WaitingRow.visitor_id == visitor_id, col(WaitingRow.place_key).is_not(None))
    return list((await tx.exec(query.with_for_update())).all())
