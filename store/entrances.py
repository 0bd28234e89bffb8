"""What entrances remember beside seats: who came from where (attribution), and what was said about their stock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, literal_column, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from rules.entrances import Target
from store.built import once
from store.cards import CODE_LIFE
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, one
from store.identities import ProofRow
from store.waiting import WaitingRow


class VisitRow(SQLModel, table=True):
    """One visitor at one entrance. `channel`: where they came from the first time."""

    __tablename__ = "visits"

    entrance: str = Field(primary_key=True)
    visitor_id: int = Field(primary_key=True, index=True, sa_type=BigId)
    channel: str = Field(default="", index=True)
    first_at: datetime = Field(sa_type=UtcTime)
    last_at: datetime = Field(sa_type=UtcTime)
    scans: int = 1


_VISITS = table_of(VisitRow)


async def note_visit(tx: Tx, entrance: str, visitor_id: int, channel: str, *, now: datetime) -> bool:
    """Count a scan. True: it is their first here."""
    connection = await tx.connection()
    row = {
        "entrance": entrance,
        "visitor_id": visitor_id,
        "channel": channel,
        "first_at": now,
        "last_at": now,
        "scans": 1,
    }
    scans: int = (await connection.execute(_NOTE[connection.dialect.name], row)).scalar_one()
    return scans == 1


def _note(insert: Any) -> Any:
    new = insert(_VISITS)
    return once(
        new.on_conflict_do_update(
            index_elements=["entrance", "visitor_id"],
            set_={"scans": _VISITS.c.scans + literal_column("1"), "last_at": new.excluded.last_at},
        ).returning(_VISITS.c.scans)
    )


_NOTE = {"postgresql": _note(postgresql.insert), "sqlite": _note(sqlite.insert)}


async def visits(tx: Tx) -> dict[str, tuple[int, int]]:
    """Entrance → how many people, and how many scans."""
    statement = select(_VISITS.c.entrance, func.count(), func.sum(_VISITS.c.scans)).group_by(_VISITS.c.entrance)
    rows = await (await tx.connection()).execute(statement)
    return {entrance: (people, scans) for entrance, people, scans in rows}


async def channels(tx: Tx, entrance: str) -> dict[str, int]:
    """Channel → how many people came by it first."""
    statement = (
        select(_VISITS.c.channel, func.count()).where(_VISITS.c.entrance == entrance).group_by(_VISITS.c.channel)
    )
    rows = await (await tx.connection()).execute(statement)
    return {channel: people for channel, people in rows}  # noqa: C416 - rows are no pairs to mypy


VISITS_KEPT = timedelta(days=730)
"""How long somebody who was never seen again counts among those who came by a channel."""


async def prune_visits(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget who has not scanned that long. Answers how many: call it again until that is 0."""
    row = _VISITS.c
    old = select(row.entrance, row.visitor_id).where(row.last_at < now - VISITS_KEPT).limit(at_most)
    keys = [tuple(each) for each in await (await tx.connection()).execute(old)]
    gone = delete(_VISITS).where(tuple_(row.entrance, row.visitor_id).in_(keys))
    return (await (await tx.connection()).execute(gone)).rowcount if keys else 0


class MergedVisits:
    """What a merge of two visitors does to their visits: those of both are counted as one person's."""

    name = "visits"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[str]:
        """`kept` was at every entrance where `gone` was. The rows that came over, by entrance."""
        del now
        mine = {row.entrance: row for row in await _visits_of(tx, kept)}
        moved = []
        for row in await _visits_of(tx, gone):
            other = mine.get(row.entrance)
            if other is None:
                tx.add(VisitRow(**row.model_dump(exclude={"visitor_id"}), visitor_id=kept))
                moved.append(row.entrance)
            else:
                other.scans += row.scans
            await tx.delete(row)
        await tx.flush()
        return moved

    async def part(self, tx: Tx, keys: Sequence[str], *, kept: int, gone: int, now: datetime) -> None:
        """The visits that came over are `gone`'s again."""
        del now
        for row in await _visits_of(tx, kept):
            if row.entrance in keys:
                tx.add(VisitRow(**row.model_dump(exclude={"visitor_id"}), visitor_id=gone))
                await tx.delete(row)
        await tx.flush()


async def _visits_of(tx: Tx, visitor_id: int) -> list[VisitRow]:
    return list((await tx.exec(select_rows(VisitRow).where(VisitRow.visitor_id == visitor_id))).all())


# --- stock ------------------------------------------------------------------------------------------------------------


class StockLookRow(SQLModel, table=True):
    """When the newest seat was given that was there when the stock was last looked at (one row)."""

    __tablename__ = "stock_looks"

    id: int = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=UtcTime)


async def seen_until(tx: Tx) -> datetime:
    """All seats given so far are counted in the stock; long ago, where nobody ever looked."""
    found: datetime | None = await one(tx, _SEEN_UNTIL)
    return found or NEVER


_SEEN_UNTIL = once(select(table_of(StockLookRow).c.seen_at))


async def note_look(tx: Tx, *, seen_at: datetime) -> None:
    """The stock is being looked at."""
    row = await tx.get(StockLookRow, 1)
    if row is None:
        tx.add(StockLookRow(id=1, seen_at=seen_at))
    else:
        row.seen_at = seen_at
    await tx.flush()


NEVER = datetime.min.replace(year=1970, tzinfo=UTC)


class StockRow(SQLModel, table=True):
    """How an entrance stands with the groups it leads to (of one kind, and of one shop where that is given).

    `crossings`: how many notices there were. `task_id`, `recipients`, `codes`: of the card that is out, as of other
    cards; "" where none is. `escalate_at`: when the managers hear of it.
    """

    __tablename__ = "stocks"

    key: str = Field(primary_key=True)
    entrance: str
    kind: str
    shop: str = ""
    level: str = "well"
    since: datetime = Field(sa_type=UtcTime)
    crossings: int = 0
    task_id: str = Field(default="", index=True)
    recipients: list[str] = Field(default_factory=list, sa_type=Json)
    codes: list[str] = Field(default_factory=list, sa_type=Json)
    escalate_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)

    def keep_code(self, code: str, *, now: datetime) -> None:
        """Remember a response code that may be used once."""
        self.codes = [*self.codes, f"{code} {(now + CODE_LIFE).isoformat()}"]

    def take_code(self, *, now: datetime) -> str | None:
        """Use up the newest response code that still lives."""
        while self.codes:
            code, _, until = self.codes[-1].rpartition(" ")
            self.codes = self.codes[:-1]
            if datetime.fromisoformat(until) > now:
                return code
        return None


_STOCKS = table_of(StockRow)


def stock_key(entrance: str, target: Target) -> str:
    return f"{entrance}|{target.kind}|{target.shop}"


class Glance(NamedTuple):
    """What has to be known before a group is given: what the roster calls the visitor, how the stock stands, and
    whether anybody waits for the same.
    """

    external_userid: str | None
    level: str | None
    line: int | None


async def glance(tx: Tx, visitor_id: int, *, stock_key: str, kind: str, shop: str) -> Glance:
    """All of it in one question."""
    which = {"visitor": visitor_id, "stock": stock_key, "of_kind": kind, "of_shop": shop}
    found = (await (await tx.connection()).execute(_GLANCE, which)).one()
    return Glance._make(found)


_PROOFS, _WAITING = table_of(ProofRow), table_of(WaitingRow)
_GLANCE = once(
    select(
        select(_PROOFS.c.value)
        .where(_PROOFS.c.visitor_id == bindparam("visitor"), _PROOFS.c.kind == literal_column("'external_userid'"))
        .limit(literal_column("1"))
        .scalar_subquery(),
        select(_STOCKS.c.level).where(_STOCKS.c.key == bindparam("stock")).scalar_subquery(),
        select(_WAITING.c.id)
        .where(
            _WAITING.c.place_key.is_not(None),
            _WAITING.c.kind == bindparam("of_kind"),
            _WAITING.c.shop == bindparam("of_shop"),
        )
        .limit(literal_column("1"))
        .scalar_subquery(),
    )
)


async def stocks(tx: Tx) -> dict[str, StockRow]:
    """All there are, by key; nobody else changes them before the transaction ends."""
    query = select_rows(StockRow).order_by(StockRow.key).with_for_update()
    return {row.key: row for row in (await tx.exec(query.execution_options(populate_existing=True))).all()}


async def levels(tx: Tx) -> dict[str, str]:
    """How each stands, as was last looked, by key."""
    rows = await (await tx.connection()).execute(select(_STOCKS.c.key, _STOCKS.c.level))
    return {key: level for key, level in rows}  # noqa: C416 - rows are no pairs to mypy


async def are_any(tx: Tx) -> bool:
    """Whether a config has ever had an entrance."""
    return await one(tx, select(_STOCKS.c.key).limit(1)) is not None


async def is_low(tx: Tx, entrance: str) -> bool:
    """Whether anything that the entrance leads to is low or empty."""
    found = await one(
        tx, select(_STOCKS.c.key).where(_STOCKS.c.entrance == entrance, _STOCKS.c.level != "well").limit(1)
    )
    return found is not None


async def stock_of_task(tx: Tx, task_id: str) -> StockRow | None:
    """What this card is about, locked."""
    if not await is_card_out(tx, task_id):  # nearly always: most cards are about people
        return None
    query = select_rows(StockRow).where(col(StockRow.task_id) == task_id).with_for_update()
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def is_card_out(tx: Tx, task_id: str) -> bool:
    """Whether this card still says how things stand. Locks nothing."""
    return await one(tx, _IS_CARD_OUT, task_id=task_id) is not None


_IS_CARD_OUT = once(select(_STOCKS.c.key).where(_STOCKS.c.task_id == bindparam("task_id")))
