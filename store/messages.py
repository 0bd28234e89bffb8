"""What people wrote lately, as little of it as rules need: when, how long, and the normalised text's fingerprint.

The text itself is never kept here: a hit's words stand in the trace.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import Field, Index, SQLModel, col, select

from rules.facts import Earlier
from rules.text import shape
from store.database import BigId, Tx, UtcTime, table_of

KEPT = timedelta(hours=24)
LOOKED_BACK = timedelta(hours=1)


class MessageRow(SQLModel, table=True):
    """`shape`: fingerprint of the normalised text. `advert`: a rule found an advert in it."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_sender", "chat_id", "sender", "at"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    msgid: str = Field(unique=True)
    chat_id: str
    sender: str
    at: datetime = Field(sa_type=UtcTime, index=True)
    shape: str
    length: int
    advert: bool = False


async def note(tx: Tx, *, msgid: str, chat_id: str, sender: str, plain: str, advert: bool, at: datetime) -> None:
    """Remember a message. `plain`: its normalised text."""
    row = MessageRow(
        msgid=msgid, chat_id=chat_id, sender=sender, at=at, shape=shape(plain), length=len(plain), advert=advert
    )
    tx.add(row)
    await tx.flush()


async def earlier(tx: Tx, chat_id: str, sender: str, *, before: datetime) -> tuple[Earlier, ...]:
    """What somebody wrote in a group within the hour before, the oldest first."""
    query = (
        select(MessageRow)
        .where(MessageRow.chat_id == chat_id, MessageRow.sender == sender)
        .where(col(MessageRow.at) <= before, col(MessageRow.at) > before - LOOKED_BACK)
        .order_by(col(MessageRow.at), col(MessageRow.id))
    )
    return tuple(Earlier(at=row.at, shape=row.shape, length=row.length) for row in (await tx.exec(query)).all())


async def last_advert(tx: Tx, chat_id: str, sender: str) -> datetime | None:
    """When somebody last advertised in a group, as far back as is remembered."""
    query = select(func.max(MessageRow.at)).where(
        MessageRow.chat_id == chat_id, MessageRow.sender == sender, col(MessageRow.advert).is_(True)
    )
    return (await tx.exec(query)).one()


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget what is older than KEPT. Answers how many: call it again until that is 0."""
    core = table_of(MessageRow)
    old = select(core.c.id).where(core.c.at < now - KEPT).limit(at_most)
    return (await (await tx.connection()).execute(delete(core).where(core.c.id.in_(old)))).rowcount
