"""What convert_to_openid has answered about people on the roster: read backwards, it says who opens a page.

The platform has no way from an openid to an external_userid; it has one back (page 92323), so it is asked about
everybody on WeChat who is in a group, a few at a time, whoever came through a join way of ours first.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col

from store.columns import UtcTime, table_of
from store.database import Tx, one
from store.identities import VisitorRow
from store.people import PersonRow
from store.reconcile import RoundRow
from store.roster import GroupRow, MemberRow

ROUND = "openids"
"""The name of the round that asks (store/reconcile.py)."""

ASK_AGAIN = timedelta(days=30)
"""After which somebody of whom the platform would not say is asked about again: staff may have added them."""


SOON = timedelta(seconds=5)


class OpenidRow(SQLModel, table=True):
    """One answer. `openid` "" where there was none: then `errcode` says what was answered instead."""

    __tablename__ = "openids"

    external_userid: str = Field(primary_key=True)
    openid: str = Field(default="", index=True)
    errcode: int = 0
    asked_at: datetime = Field(sa_type=UtcTime)


_OPENIDS, _MEMBERS, _GROUPS, _VISITORS, _PEOPLE = (
    table_of(each) for each in (OpenidRow, MemberRow, GroupRow, VisitorRow, PersonRow)
)


async def whose(tx: Tx, openid: str) -> str | None:
    """The external_userid that has this openid, where that was found out. Nobody where two were found: then neither."""
    found = columns(_OPENIDS.c.external_userid).where(_OPENIDS.c.openid == openid, _OPENIDS.c.openid != "").limit(2)
    people = list((await (await tx.connection()).execute(found)).scalars())
    return people[0] if len(people) == 1 else None


async def known(tx: Tx, external_userid: str) -> OpenidRow | None:
    """What was answered about somebody."""
    return await tx.get(OpenidRow, external_userid)


async def note(tx: Tx, external_userid: str, *, openid: str, errcode: int, now: datetime) -> None:
    """The platform answered. Not for rows that this transaction has loaded."""
    row = {"external_userid": external_userid, "openid": openid, "errcode": errcode, "asked_at": now}
    connection = await tx.connection()
    new: Any = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(_OPENIDS)
    told = {name: new.excluded[name] for name in ("openid", "errcode", "asked_at")}
    await connection.execute(new.on_conflict_do_update(index_elements=["external_userid"], set_=told), row)


async def forget(tx: Tx, external_userid: str) -> None:
    """Nothing is known of this person; while they are in a group of ours they will be asked about again."""
    await tx.exec(delete(OpenidRow).where(col(OpenidRow.external_userid) == external_userid))


async def to_ask(tx: Tx, *, now: datetime, limit: int) -> list[str]:
    """People in our groups about whom it is time to ask: those with a `state` first, then who came last.

    WeChat people only (`wm…`): of others the platform computes nothing (page 92323). Nobody, while no page of ours was
    ever opened: then nobody is waiting for it.
    """
    if await one(tx, columns(_VISITORS.c.id).limit(1)) is None:
        return []
    who = _MEMBERS.c.external_userid
    query = (
        columns(who)
        .select_from(
            _MEMBERS.join(_GROUPS, _GROUPS.c.chat_id == _MEMBERS.c.chat_id).outerjoin(
                _OPENIDS, _OPENIDS.c.external_userid == who
            )
        )
        .where(_MEMBERS.c.left_at.is_(None), _GROUPS.c.dismissed_at.is_(None), who.startswith("wm"))
        .where(_OPENIDS.c.asked_at.is_(None) | ((_OPENIDS.c.openid == "") & (_OPENIDS.c.asked_at < now - ASK_AGAIN)))
        .group_by(who)
        .order_by(
            func.max(case((_MEMBERS.c.state.is_not(None), 1), else_=0)).desc(), func.max(_MEMBERS.c.seen_at).desc(), who
        )
        .limit(limit)
    )
    return list((await (await tx.connection()).execute(query)).scalars())


async def ask_soon(tx: Tx, *, now: datetime) -> None:
    """Somebody has come of whom it matters who they are."""
    soon = update(RoundRow).where(col(RoundRow.name) == ROUND, col(RoundRow.due_at) > now + SOON)
    await tx.exec(soon.values(due_at=now + SOON))


async def answers(tx: Tx) -> dict[int, int]:
    """How many people got which errcode; 0: an openid."""
    query = columns(_OPENIDS.c.errcode, func.count().label("people")).group_by(_OPENIDS.c.errcode)
    return {row.errcode: row.people for row in await (await tx.connection()).execute(query)}


async def example(tx: Tx) -> str | None:
    """Somebody on WeChat in a group of ours whom, as far as we know, no staff has added: whom the doctor asks about."""
    who = _MEMBERS.c.external_userid
    query = (
        columns(who)
        .select_from(_MEMBERS.outerjoin(_PEOPLE, _PEOPLE.c.external_userid == who))
        .where(_MEMBERS.c.left_at.is_(None), who.startswith("wm"))
        .where(_PEOPLE.c.external_userid.is_(None) | (_PEOPLE.c.followers == []))
        .order_by(_MEMBERS.c.seen_at.desc())
        .limit(1)
    )
    found: str | None = await one(tx, query)
    return found
