"""Points: a ledger per person. What somebody has is the sum of their rows; nothing is ever changed or taken out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from store.columns import BigId, UtcTime, table_of
from store.database import Tx
from store.people import PersonRow
from store.removal import CaseRow
from store.roster import MemberRow
from store.strikes import StrikeRow


class PointRow(SQLModel, table=True):
    """One entry. `points`: given, or, below zero, spent; `why` in Chinese; `key` makes it this one: written once."""

    __tablename__ = "points"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    external_userid: str = Field(index=True)
    points: int
    why: str
    key: str = Field(unique=True)
    at: datetime = Field(sa_type=UtcTime)


_POINTS = table_of(PointRow)
_MEMBERS, _PEOPLE, _STRIKES, _CASES = (table_of(each) for each in (MemberRow, PersonRow, StrikeRow, CaseRow))


async def give(tx: Tx, external_userid: str, points: int, *, why: str, key: str, now: datetime) -> bool:
    """Write an entry, once; False where it was written before."""
    row = {"external_userid": external_userid, "points": points, "why": why, "key": key, "at": now}
    connection = await tx.connection()
    once = _insert(connection.dialect.name).values(row).on_conflict_do_nothing(index_elements=["key"])
    return (await connection.execute(once)).rowcount == 1


async def written(tx: Tx, keys: Iterable[str]) -> set[str]:
    """For which of these (some hundred at most) there is an entry."""
    some = list(keys)
    if not some:
        return set()
    return set((await (await tx.connection()).execute(select(_POINTS.c.key).where(_POINTS.c.key.in_(some)))).scalars())


async def give_clean_week(
    tx: Tx, points: int, *, start: datetime, end: datetime, why: str, key: str, now: datetime
) -> int:
    """Give to everybody who used WeChat, was in some group from `start` until now, has no strike of the time before
    `end` that still counts, and no open case. One entry each, `key` and their id, however many groups they are in.

    Answers how many were given: 0 where it was done before.
    """
    members, people, strikes, cases = _MEMBERS.c, _PEOPLE.c, _STRIKES.c, _CASES.c
    who = members.external_userid
    is_wechat = func.coalesce(people.account, "unknown") != "wecom"
    is_wechat &= (people.account == "wechat") | members.unionid.is_not(None) | who.startswith("wm")
    struck = select(strikes.id).where(
        strikes.subject == who, strikes.at >= start, strikes.at < end, strikes.forgiven_at.is_(None)
    )
    asked_about = select(cases.id).where(cases.external_userid == who, cases.open_key.is_not(None))
    deserving = (
        select(who, literal(points), literal(why), literal(f"{key}:").concat(who), literal(now, _POINTS.c.at.type))
        .select_from(_MEMBERS.outerjoin(_PEOPLE, people.external_userid == who))
        .where(members.left_at.is_(None), func.coalesce(members.joined_at, members.seen_at) <= start, is_wechat)
        .where(~struck.exists(), ~asked_about.exists())
        .group_by(who)
    )
    connection = await tx.connection()
    columns = ["external_userid", "points", "why", "key", "at"]
    once = _insert(connection.dialect.name).from_select(columns, deserving)
    return (await connection.execute(once.on_conflict_do_nothing(index_elements=["key"]))).rowcount


def _insert(dialect: str) -> Any:
    return postgresql.insert(_POINTS) if dialect == "postgresql" else sqlite.insert(_POINTS)


async def balance(tx: Tx, external_userid: str) -> int:
    """How many points somebody has."""
    total = select(func.coalesce(func.sum(_POINTS.c.points), 0)).where(_POINTS.c.external_userid == external_userid)
    return int((await (await tx.connection()).execute(total)).scalar_one())


async def entries(tx: Tx, external_userid: str, *, newest: int) -> Sequence[PointRow]:
    """The newest entries of somebody, the newest first."""
    query = select_rows(PointRow).where(PointRow.external_userid == external_userid)
    return (await tx.exec(query.order_by(col(PointRow.id).desc()).limit(newest))).all()
