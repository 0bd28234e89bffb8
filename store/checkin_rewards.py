"""What people have earned by checking in: each milestone once a person, with stock; and how far each is on its way.

`person_key` says who has what of which check-in, while it counts: two rows of one person cannot both. Money is fen; a
reward in money holds it in a purse of its own (store/ledger.py).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import func, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select

from rules.checkin_rewards import SAME_PERSON
from store import ledger
from store.checkins import JourneyRow
from store.columns import BigId, UtcTime, table_of
from store.database import Tx

State = Literal["owed", "handed", "paid", "none", "void"]


class CheckinRewardRow(SQLModel, table=True):
    """One milestone of one person. `reward`: coupon, ticket, money, points; `amount`: fen, of a coupon its value.

    `state`: owed (theirs, and `why` it is not handed over yet), handed, paid (money that has arrived), none (there
    was nothing left, `why`), void (`why`). `due_at`: when to try again, None = when more is known of them.
    `code`: of a coupon. `payout_id`: store/payouts.py.
    """

    __tablename__ = "checkin_rewards"
    __table_args__ = ({"sqlite_autoincrement": True},)  # a purse is named by the number: none is ever used again

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    journey_id: int = Field(index=True, sa_type=BigId)
    visitor_id: int = Field(index=True, sa_type=BigId)
    checkin: str = Field(index=True)
    milestone: int
    person_key: str | None = Field(default=None, unique=True)
    reward: str
    what: str = ""
    amount: int = Field(default=0, sa_type=BigId)
    points: int = 0
    state: str = "owed"
    why: str = ""
    month: str = ""
    code: str = ""
    payout_id: int | None = Field(default=None, sa_type=BigId)
    granted_at: datetime = Field(sa_type=UtcTime)
    handed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime)

    @property
    def purse(self) -> str:
        """What the ledger calls this reward's money."""
        return f"checkin-reward:{self.id}"


class CheckinStockRow(SQLModel, table=True):
    """How many of one milestone's rewards were given."""

    __tablename__ = "checkin_stock"

    checkin: str = Field(primary_key=True)
    milestone: int = Field(primary_key=True)
    given: int = 0


_REWARDS, _STOCK, _JOURNEYS = (table_of(each) for each in (CheckinRewardRow, CheckinStockRow, JourneyRow))


def person_key(checkin: str, milestone: int, visitor_id: int) -> str:
    return f"{checkin}:{milestone}:{visitor_id}"


async def grant(tx: Tx, row: CheckinRewardRow) -> bool:
    """This is theirs; False where they have it already. The row is in the session afterwards, with its number."""
    key = person_key(row.checkin, row.milestone, row.visitor_id)
    if (await tx.exec(select(CheckinRewardRow.id).where(CheckinRewardRow.person_key == key))).first() is not None:
        return False
    row.person_key = key
    tx.add(row)
    await tx.flush()
    return True


async def take(tx: Tx, checkin: str, milestone: int, stock: int | None) -> bool:
    """One of the stock is given; False where all are. Two at once never get the last one twice."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    this = {"checkin": checkin, "milestone": milestone}
    await connection.execute(insert(_STOCK).values(**this, given=0).on_conflict_do_nothing())
    mine = (_STOCK.c.checkin == checkin) & (_STOCK.c.milestone == milestone)
    if stock is not None:
        mine &= _STOCK.c.given < stock
    return (await connection.execute(update(_STOCK).where(mine).values(given=_STOCK.c.given + 1))).rowcount == 1


async def put_back(tx: Tx, checkin: str, milestone: int) -> None:
    """One that was given is there again."""
    mine = (_STOCK.c.checkin == checkin) & (_STOCK.c.milestone == milestone) & (_STOCK.c.given > 0)
    await (await tx.connection()).execute(update(_STOCK).where(mine).values(given=_STOCK.c.given - 1))


async def of_person(tx: Tx, checkin: str, visitor_id: int) -> list[CheckinRewardRow]:
    """What somebody has of a check-in, by milestone; what is void too."""
    query = select(CheckinRewardRow).where(
        CheckinRewardRow.checkin == checkin, CheckinRewardRow.visitor_id == visitor_id
    )
    return list((await tx.exec(query.order_by(col(CheckinRewardRow.milestone), col(CheckinRewardRow.id)))).all())


async def of_visitor(tx: Tx, visitor_id: int) -> list[CheckinRewardRow]:
    """What somebody has of all check-ins, the oldest first."""
    query = select(CheckinRewardRow).where(CheckinRewardRow.visitor_id == visitor_id)
    return list((await tx.exec(query.order_by(col(CheckinRewardRow.id)))).all())


async def of_people(tx: Tx, visitor_ids: Collection[int]) -> dict[int, list[CheckinRewardRow]]:
    """Likewise of many, by visitor; without those who have nothing."""
    found: dict[int, list[CheckinRewardRow]] = {}
    wanted = list(visitor_ids)
    for first in range(0, len(wanted), 500):
        query = select(CheckinRewardRow).where(col(CheckinRewardRow.visitor_id).in_(wanted[first : first + 500]))
        for row in (await tx.exec(query.order_by(col(CheckinRewardRow.id)))).all():
            found.setdefault(row.visitor_id, []).append(row)
    return found


class Given(NamedTuple):
    """How many of one milestone's rewards stand so, and what they are worth together, in fen."""

    milestone: int
    reward: str
    state: str
    number: int
    amount: int


async def counted(tx: Tx, checkin: str) -> list[Given]:
    """All rewards of a check-in, by milestone and state."""
    by = (_REWARDS.c.milestone, _REWARDS.c.reward, _REWARDS.c.state)
    sums = columns(*by, func.count().label("count"), func.coalesce(func.sum(_REWARDS.c.amount), 0).label("amount"))
    rows = await (await tx.connection()).execute(sums.where(_REWARDS.c.checkin == checkin).group_by(*by).order_by(*by))
    return [Given(row.milestone, row.reward, row.state, int(row[3]), int(row[4])) for row in rows]


# --- merges -----------------------------------------------------------------------------------------------------------

_FURTHEST = ("paid", "handed", "owed", "none")


class Merged:
    """Two visitors are one: of two equal rewards one counts, the one that is further on its way."""

    name = "checkin_rewards"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> list[int]:
        mine = {(row.checkin, row.milestone): row for row in await of_visitor(tx, kept) if row.person_key}
        came = await of_visitor(tx, gone)
        for row in came:
            other = mine.get((row.checkin, row.milestone)) if row.person_key else None
            if other is not None:
                less = max((row, other), key=lambda each: (_FURTHEST.index(each.state), each.id))
                await _give_way(tx, less, now=now)
        await tx.flush()  # whoever gives way has no key any more when the other takes it
        for row in [*mine.values(), *came]:
            row.visitor_id = kept
            if row.person_key:
                row.person_key = person_key(row.checkin, row.milestone, kept)
            if row.state == "owed":
                row.due_at = now
        await tx.flush()
        await _wake(tx, kept, now=now)
        return [row.id for row in came]

    async def part(self, tx: Tx, keys: Sequence[Any], *, kept: int, gone: int, now: datetime) -> None:
        """Each has what was theirs; what was void because they were one is earned anew (handlers/leading.py)."""
        rows = await of_visitor(tx, kept)
        for row in rows:
            if row.state == "void" and row.why == SAME_PERSON:
                await tx.delete(row)
            elif row.id in keys:
                row.visitor_id = gone
                row.person_key = person_key(row.checkin, row.milestone, gone) if row.person_key else None
        await tx.flush()
        for visitor_id in (kept, gone):
            await _wake(tx, visitor_id, now=now)


async def _give_way(tx: Tx, row: CheckinRewardRow, *, now: datetime) -> None:
    """It does not count any more, and what was held for it is given back. What was handed over stays what it is."""
    row.person_key = None
    if row.state in ("handed", "paid"):
        return
    if row.state == "owed":
        await put_back(tx, row.checkin, row.milestone)
        if row.reward == "money":
            await ledger.release_rest(tx, row.purse, key=f"{row.purse}:same", why=SAME_PERSON, now=now)
    row.state, row.why, row.due_at = "void", SAME_PERSON, None


async def _wake(tx: Tx, visitor_id: int, *, now: datetime) -> None:
    """More is known of this person: their journeys are gone over."""
    theirs = (_JOURNEYS.c.visitor_id == visitor_id) & (_JOURNEYS.c.state != "merged")
    await (await tx.connection()).execute(update(_JOURNEYS).where(theirs).values(next_at=now))
