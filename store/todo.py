"""Who is to get a 今日待办 list, and when: one row a person, while they have something open."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.cards import CardCaseRow, CardRow
from store.database import Tx, UtcTime, one, table_of
from store.people import PersonRow
from store.removal import CaseRow
from store.roster import MemberRow


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


def expect(row: TodoRow, *, at: datetime) -> None:
    """Have the person get a list at `at`, unless they get one earlier anyhow."""
    if row.due_at is None or at < row.due_at:
        row.due_at = at


async def due(tx: Tx, *, now: datetime) -> list[TodoRow]:
    """Whose list is due; those that another process is raising are left to it."""
    query = select(TodoRow).where(col(TodoRow.due_at) <= now).order_by(TodoRow.userid)
    return list((await tx.exec(query.with_for_update(skip_locked=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(columns(func.min(table_of(TodoRow).c.due_at)))


class OpenRow(NamedTuple):
    """One open case with all that a list says about it. `asked_at`: when the last card about it was sent."""

    case: CaseRow
    member: MemberRow | None
    person: PersonRow | None
    asked_at: datetime | None


async def open_rows(tx: Tx, chat_ids: list[str]) -> list[OpenRow]:
    """What is open in these groups, by group, oldest first. Locks nothing."""
    asked = (
        select(CardCaseRow.case_id, func.max(CardRow.send_at).label("asked_at"))
        .join(CardRow, col(CardRow.id) == col(CardCaseRow.card_id))
        .where(col(CardRow.kind).in_(["ask", "warn"]), col(CardRow.state).in_(["sent", "closed"]))
        .group_by(col(CardCaseRow.case_id))
        .subquery()
    )
    query = (
        select(CaseRow, MemberRow, PersonRow, asked.c.asked_at)
        .join(
            MemberRow,
            (col(MemberRow.chat_id) == CaseRow.chat_id) & (col(MemberRow.external_userid) == CaseRow.external_userid),
            isouter=True,
        )
        .join(PersonRow, col(PersonRow.external_userid) == CaseRow.external_userid, isouter=True)
        .join(asked, asked.c.case_id == CaseRow.id, isouter=True)
        .where(col(CaseRow.chat_id).in_(chat_ids), col(CaseRow.open_key).is_not(None))
        .order_by(CaseRow.chat_id, col(CaseRow.id))
    )
    return [OpenRow(*row) for row in (await tx.exec(query)).all()]
