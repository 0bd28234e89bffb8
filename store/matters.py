"""Matters: what somebody is to know or do that is not about removing anybody. They stand in 今日待办 until settled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import or_
from sqlmodel import Field, SQLModel, col, select

from store.database import BigId, Tx, UtcTime

Audience = Literal["owner", "managers", "person"]
Settled = Literal["done", "settled", "dismissed", "released", "upheld"]


class MatterRow(SQLModel, table=True):
    """`key` is what it is about, while open; then empty, so that it can come up again. `audience`: the group's owner,
    the managers, or one person (`userid`). `outcome`: done (somebody pressed 已办), settled (it is no longer so);
    of an appeal: released or upheld.
    """

    __tablename__ = "matters"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    key: str | None = Field(default=None, unique=True)
    about: str = Field(index=True)
    audience: str
    userid: str = ""
    chat_id: str | None = Field(default=None, foreign_key="groups.chat_id", index=True)
    title: str
    text: str
    opened_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    closed_by: str | None = None
    outcome: str | None = None


async def open_one(
    tx: Tx,
    key: str,
    *,
    audience: Audience,
    title: str,
    text: str,
    chat_id: str | None = None,
    userid: str = "",
    now: datetime,
) -> bool:
    """Open a matter, or bring the text of the open one up to date. True: it is new."""
    row = (await tx.exec(select(MatterRow).where(MatterRow.key == key))).first()
    if row is not None:
        row.title, row.text = title, text
        return False
    row = MatterRow(
        key=key, about=key, audience=audience, userid=userid, chat_id=chat_id, title=title, text=text, opened_at=now
    )
    tx.add(row)
    await tx.flush()
    return True


async def settle(tx: Tx, key: str, *, outcome: Settled, by: str | None = None, now: datetime) -> bool:
    """Close what is open under this key; False where nothing is."""
    row = (await tx.exec(select(MatterRow).where(MatterRow.key == key).with_for_update())).first()
    if row is None:
        return False
    row.key, row.outcome, row.closed_by, row.closed_at = None, outcome, by, now
    return True


async def last(tx: Tx, key: str) -> MatterRow | None:
    """What is open under this key, else what was last. Locks nothing."""
    query = select(MatterRow).where(MatterRow.about == key).order_by(col(MatterRow.id).desc()).limit(1)
    return (await tx.exec(query)).first()


async def some(tx: Tx, ids: Sequence[int]) -> list[MatterRow]:
    """These matters, where they are still open."""
    query = select(MatterRow).where(col(MatterRow.id).in_(ids), col(MatterRow.key).is_not(None))
    return list((await tx.exec(query.order_by(col(MatterRow.id)).with_for_update())).all())


async def open_for(tx: Tx, *, owned: Sequence[str], is_manager: bool, userid: str) -> list[MatterRow]:
    """What is open for somebody: about the groups they own, for managers, or for them alone. Oldest first."""
    theirs = [
        (col(MatterRow.audience) == "owner") & col(MatterRow.chat_id).in_(owned),
        (col(MatterRow.userid) == userid),
    ]
    if is_manager:
        theirs.append(col(MatterRow.audience) == "managers")
    query = select(MatterRow).where(col(MatterRow.key).is_not(None), or_(*theirs))
    return list((await tx.exec(query.order_by(col(MatterRow.id)))).all())


async def about(tx: Tx, chat_id: str) -> list[MatterRow]:
    """What is open about a group, oldest first."""
    query = select(MatterRow).where(MatterRow.chat_id == chat_id, col(MatterRow.key).is_not(None))
    return list((await tx.exec(query.order_by(col(MatterRow.id)))).all())


async def is_open(tx: Tx, key: str) -> bool:
    """Whether something is open under this key."""
    return (await tx.exec(select(MatterRow.id).where(MatterRow.key == key))).first() is not None


async def settle_but(tx: Tx, prefix: str, key: str, *, now: datetime) -> None:
    """Close all that is open under keys that begin so, except one."""
    begins = col(MatterRow.key).startswith(prefix, autoescape=True)
    for row in (await tx.exec(select(MatterRow).where(begins, MatterRow.key != key).with_for_update())).all():
        row.key, row.outcome, row.closed_at = None, "settled", now
    await tx.flush()


class Done(NamedTuple):
    """Somebody pressed 已办."""

    when: datetime
    by: str


async def last_done(tx: Tx, prefix: str) -> Done | None:
    """Who was the last to say 已办 about anything whose key began so."""
    query = (
        select(MatterRow)
        .where(col(MatterRow.about).startswith(prefix, autoescape=True), MatterRow.outcome == "done")
        .order_by(col(MatterRow.closed_at).desc())
        .limit(1)
    )
    row = (await tx.exec(query)).first()
    return Done(row.closed_at, row.closed_by or "") if row is not None and row.closed_at is not None else None
