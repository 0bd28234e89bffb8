"""Groups that were given a new owner through us: the platform allows few (page 95703)."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Field, SQLModel, col, select

from store.database import Tx, UtcTime

PER_GROUP, PER_GROUP_WITHIN = 2, timedelta(days=90)
PER_OWNER, PER_OWNER_WITHIN = 300, timedelta(days=1)


class TransferRow(SQLModel, table=True):
    """One transfer that was asked for."""

    __tablename__ = "transfers"

    id: int | None = Field(default=None, primary_key=True)
    chat_id: str = Field(index=True)
    old_owner: str = Field(index=True)
    new_owner: str
    asked_by: str
    at: datetime = Field(sa_type=UtcTime)


async def allowed(tx: Tx, chat_id: str, old_owner: str, *, now: datetime) -> bool:
    """Whether the platform would still take a transfer of this group from this owner."""
    of_group = select(func.count()).where(TransferRow.chat_id == chat_id, col(TransferRow.at) > now - PER_GROUP_WITHIN)
    of_owner = select(func.count()).where(
        TransferRow.old_owner == old_owner, col(TransferRow.at) > now - PER_OWNER_WITHIN
    )
    return (await tx.exec(of_group)).one() < PER_GROUP and (await tx.exec(of_owner)).one() < PER_OWNER


async def note(tx: Tx, chat_id: str, *, old_owner: str, new_owner: str, asked_by: str, now: datetime) -> None:
    tx.add(TransferRow(chat_id=chat_id, old_owner=old_owner, new_owner=new_owner, asked_by=asked_by, at=now))
    await tx.flush()
