"""Who is to get a 今日待办 list, and when: one row a person, while they have something open."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Field, SQLModel, col, select

from store.database import Tx, UtcTime


class TodoRow(SQLModel, table=True):
    """`due_at` is empty while nothing is open for the person, or while their list is being written."""

    __tablename__ = "todos"

    userid: str = Field(primary_key=True)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)


async def todo(tx: Tx, userid: str) -> TodoRow:
    """The person's row; a new one where there was none."""
    row = await tx.get(TodoRow, userid)
    if row is None:
        row = TodoRow(userid=userid)
        tx.add(row)
        await tx.flush()
    return row


async def expect(tx: Tx, userid: str, *, first_at: datetime, else_at: datetime) -> None:
    """Have the person get a list: at `first_at` where they never had one, else at `else_at`, if not earlier."""
    row = await todo(tx, userid)
    at = else_at if row.sent_at else first_at
    if row.due_at is None or at < row.due_at:
        row.due_at = at


async def due(tx: Tx, *, now: datetime) -> list[TodoRow]:
    """Whose list is due."""
    query = select(TodoRow).where(col(TodoRow.due_at) <= now).order_by(TodoRow.userid)
    return list((await tx.exec(query)).all())


async def next_due(tx: Tx) -> datetime | None:
    return (await tx.exec(select(func.min(TodoRow.due_at)))).one()
