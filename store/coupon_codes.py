"""The codes of coupons that somebody else made, out of a sheet: each is given once, in the order of the sheet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, UniqueConstraint

from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one


class CouponCodeRow(SQLModel, table=True):
    """One code of one sheet (its path as the config names it). `payout_id`: whose it is; None: nobody's yet."""

    __tablename__ = "coupon_codes"
    __table_args__ = (UniqueConstraint("sheet", "code"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    sheet: str = Field(index=True)
    code: str
    payout_id: int | None = Field(default=None, index=True, sa_type=BigId)
    added_at: datetime = Field(sa_type=UtcTime)
    taken_at: datetime | None = Field(default=None, sa_type=UtcTime)


_CODES = table_of(CouponCodeRow)


async def add(tx: Tx, sheet: str, codes: Sequence[str], *, now: datetime) -> int:
    """Codes that are there already, taken or not, are left alone. Answers how many are new."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = insert(_CODES).on_conflict_do_nothing(index_elements=["sheet", "code"])
    added = 0
    for code in codes:
        added += (await connection.execute(new, {"sheet": sheet, "code": code, "added_at": now})).rowcount
    return added


async def take(tx: Tx, sheet: str, payout_id: int, *, now: datetime) -> str | None:
    """The next code of the sheet for this payout; None: there is none left. Two at once get two."""
    free = (_CODES.c.sheet == sheet) & _CODES.c.payout_id.is_(None)
    first = columns(_CODES.c.id).where(free).order_by(_CODES.c.id).limit(1).with_for_update(skip_locked=True)
    chosen = first.cte("chosen")
    taken = (
        update(_CODES)
        .where(_CODES.c.id.in_(columns(chosen.c.id)))
        .values(payout_id=payout_id, taken_at=now)
        .returning(_CODES.c.code)
    )
    code: str | None = (await (await tx.connection()).execute(taken)).scalar_one_or_none()
    return code


async def all_left(tx: Tx) -> dict[str, int]:
    """Sheet → how many of its codes nobody has, of every sheet that was ever put in."""
    free = func.sum(case((_CODES.c.payout_id.is_(None), 1), else_=0))
    rows = await (await tx.connection()).execute(columns(_CODES.c.sheet, free).group_by(_CODES.c.sheet))
    return {sheet: int(number) for sheet, number in rows}


async def left(tx: Tx, sheet: str) -> int:
    """How many codes of a sheet nobody has."""
    free = (_CODES.c.sheet == sheet) & _CODES.c.payout_id.is_(None)
    found: int = await one(tx, columns(func.count()).where(free))
    return found
