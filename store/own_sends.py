"""What staff sent to groups with 群发助手 by themselves: it counts for what a group may get (page 92135)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.columns import table_of
from store.database import Tx, UtcTime, one


class OwnSendRow(SQLModel, table=True):
    """One group that got one 企业群发 of a member of staff's own."""

    __tablename__ = "own_sends"

    msgid: str = Field(primary_key=True)
    chat_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime, index=True)


class OwnSendsLookRow(SQLModel, table=True):
    """When they are counted next, and until when they have been (one row)."""

    __tablename__ = "own_sends_look"

    id: int = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcTime)
    until: datetime | None = Field(default=None, sa_type=UtcTime)


async def look(tx: Tx) -> OwnSendsLookRow | None:
    return await tx.get(OwnSendsLookRow, 1, with_for_update=True)


async def counted_until(tx: Tx) -> datetime | None:
    """Without a lock."""
    found: datetime | None = await one(tx, columns(table_of(OwnSendsLookRow).c.until))
    return found


async def next_look(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_LOOK)
    return found


_NEXT_LOOK = once(columns(table_of(OwnSendsLookRow).c.due_at))


async def note(tx: Tx, msgid: str, got: dict[str, datetime]) -> None:
    """Count it once for each group."""
    query = select(OwnSendRow.chat_id).where(OwnSendRow.msgid == msgid)
    known = set((await tx.exec(query)).all())
    tx.add_all([OwnSendRow(msgid=msgid, chat_id=each, at=at) for each, at in got.items() if each not in known])
    await tx.flush()


async def forget(tx: Tx, *, before: datetime) -> None:
    """What is older counts for no month any more."""
    await tx.exec(delete(OwnSendRow).where(col(OwnSendRow.at) < before))


async def since(tx: Tx, moment: datetime, chat_ids: Collection[str]) -> dict[str, int]:
    """chat_id → how many it got since then."""
    query = (
        select(OwnSendRow.chat_id, func.count())
        .where(col(OwnSendRow.at) >= moment, col(OwnSendRow.chat_id).in_(chat_ids))
        .group_by(OwnSendRow.chat_id)
    )
    return dict((await tx.exec(query)).all())
