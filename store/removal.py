"""Removal cases and the cards that ask about them.

A case is one person in one group under one rule, open until the roster or somebody's word closes it. A card asks
about the cases that carry its id: planned, due, sent, and closed with its last case (or dropped before it was sent).
"""

from datetime import datetime, timedelta

from sqlalchemy import JSON, func, update
from sqlmodel import Field, SQLModel, col, select

from rules.removal import PEOPLE_A_CARD, Outcome
from store.database import Tx, UtcTime

CODE_LIFE = timedelta(hours=72)  # page 94945


class CaseRow(SQLModel, table=True):
    """`open_key` is "chat_id external_userid" while open, then empty: nobody has two open cases in one group.

    `step`: what is due at `step_due_at` (check, remind, escalate). `pressed_by`: who said 已移出 and is waited for.
    """

    __tablename__ = "cases"

    id: int | None = Field(default=None, primary_key=True)
    chat_id: str = Field(foreign_key="groups.chat_id", index=True)
    external_userid: str = Field(index=True)
    rule: str
    evidence: str
    because: str
    doubt: str = ""
    open_key: str | None = Field(default=None, unique=True)
    opened_at: datetime = Field(sa_type=UtcTime)
    card_id: int | None = Field(default=None, foreign_key="cards.id", index=True)
    step: str | None = None
    step_due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    pressed_by: str | None = None
    reminded_at: datetime | None = Field(default=None, sa_type=UtcTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcTime)
    outcome: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)

    @property
    def number(self) -> int:
        """The number that people see."""
        return _written(self.id)


class CardRow(SQLModel, table=True):
    """`codes`: unused response codes, newest last, as "code until" (one use, 72 hours: page 94945)."""

    __tablename__ = "cards"

    id: int | None = Field(default=None, primary_key=True)
    chat_id: str = Field(foreign_key="groups.chat_id", index=True)
    task_id: str | None = Field(default=None, unique=True)
    state: str = Field(default="planned", index=True)
    send_at: datetime = Field(sa_type=UtcTime)
    recipients: list[str] = Field(default_factory=list, sa_type=JSON)
    codes: list[str] = Field(default_factory=list, sa_type=JSON)

    @property
    def number(self) -> int:
        return _written(self.id)

    def keep_code(self, code: str, *, now: datetime) -> None:
        """Remember a response code that may be used once."""
        self.codes = [*self.codes, f"{code} {(now + CODE_LIFE).isoformat()}"]

    def take_code(self, *, now: datetime) -> str | None:
        """Use up the newest response code that still lives."""
        while self.codes:
            code, _, until = self.codes[-1].rpartition(" ")
            self.codes = self.codes[:-1]
            if datetime.fromisoformat(until) > now:
                return code
        return None


def _written(row_id: int | None) -> int:
    if row_id is None:
        raise ValueError("the row has no number before it is written")
    return row_id


def _open_key(chat_id: str, external_userid: str) -> str:
    return f"{chat_id} {external_userid}"


async def case(tx: Tx, case_id: int) -> CaseRow | None:
    return await tx.get(CaseRow, case_id, with_for_update=True)


async def open_case_of(tx: Tx, chat_id: str, external_userid: str) -> CaseRow | None:
    query = select(CaseRow).where(CaseRow.open_key == _open_key(chat_id, external_userid))
    return (await tx.exec(query)).first()


async def open_cases(tx: Tx) -> list[CaseRow]:
    """All open cases, oldest first."""
    query = select(CaseRow).where(col(CaseRow.open_key).is_not(None)).order_by(col(CaseRow.id))
    return list((await tx.exec(query)).all())


async def closed_since(tx: Tx, moment: datetime) -> list[CaseRow]:
    """Cases that were closed after this moment, in that order."""
    query = select(CaseRow).where(col(CaseRow.closed_at) > moment).order_by(col(CaseRow.closed_at), col(CaseRow.id))
    return list((await tx.exec(query)).all())


async def open_cases_about(tx: Tx, external_userid: str, rule: str) -> list[CaseRow]:
    """The open cases of one rule about one person, in any group."""
    query = (
        select(CaseRow)
        .where(CaseRow.external_userid == external_userid, CaseRow.rule == rule, col(CaseRow.open_key).is_not(None))
        .order_by(col(CaseRow.id))
    )
    return list((await tx.exec(query)).all())


async def open_case(
    tx: Tx, *, chat_id: str, external_userid: str, rule: str, evidence: str, because: str, doubt: str, now: datetime
) -> CaseRow:
    """Write a new case. Look for an open one first: there can be one per group and person."""
    row = CaseRow(
        chat_id=chat_id,
        external_userid=external_userid,
        rule=rule,
        evidence=evidence,
        because=because,
        doubt=doubt,
        open_key=_open_key(chat_id, external_userid),
        opened_at=now,
    )
    tx.add(row)
    await tx.flush()
    return row


async def times_removed(tx: Tx, chat_id: str, external_userid: str) -> int:
    """How often this person was removed from this group before."""
    query = (
        select(func.count())
        .select_from(CaseRow)
        .where(CaseRow.chat_id == chat_id, CaseRow.external_userid == external_userid, CaseRow.outcome == "removed")
    )
    return (await tx.exec(query)).one()


async def close(tx: Tx, case_id: int, *, outcome: Outcome, by: str | None, now: datetime) -> bool:
    """Close an open case; False where somebody else was first."""
    statement = (
        update(CaseRow)
        .where(col(CaseRow.id) == case_id, col(CaseRow.open_key).is_not(None))
        .values(open_key=None, outcome=outcome, closed_by=by, closed_at=now, step=None, step_due_at=None)
    )
    return (await tx.exec(statement)).rowcount == 1


async def plan_card(tx: Tx, row: CaseRow, *, first_after: timedelta, gap: timedelta, now: datetime) -> CardRow:
    """Put the case on the group's planned card if there is room, else on a new one: `first_after` from now, or
    `gap` after the group's last card, whichever is later.
    """
    planned = (
        select(CardRow).where(CardRow.chat_id == row.chat_id, CardRow.state == "planned").order_by(col(CardRow.id))
    )
    for card in (await tx.exec(planned)).all():
        if len(await cases_on(tx, card.number)) < PEOPLE_A_CARD:
            row.card_id = card.id
            return card
    last = (
        await tx.exec(
            select(func.max(CardRow.send_at)).where(
                CardRow.chat_id == row.chat_id, col(CardRow.state).in_(["due", "sent", "closed"])
            )
        )
    ).one()
    send_at = max(now + first_after, last + gap) if last else now + first_after
    card = CardRow(chat_id=row.chat_id, send_at=send_at)
    tx.add(card)
    await tx.flush()
    row.card_id = card.id
    return card


async def card(tx: Tx, card_id: int) -> CardRow | None:
    return await tx.get(CardRow, card_id, with_for_update=True)


async def card_of_task(tx: Tx, task_id: str) -> CardRow | None:
    return (await tx.exec(select(CardRow).where(CardRow.task_id == task_id).with_for_update())).first()


async def is_still_asked(tx: Tx, task_id: str) -> bool:
    """Whether this card asks for something that is not done. Locks nothing: a reading transaction may ask."""
    return (await tx.exec(select(CardRow.state).where(CardRow.task_id == task_id))).first() == "sent"


async def cases_on(tx: Tx, card_id: int) -> list[CaseRow]:
    """The cases of a card, open or closed, oldest first."""
    await tx.flush()
    return list((await tx.exec(select(CaseRow).where(CaseRow.card_id == card_id).order_by(col(CaseRow.id)))).all())


async def cards_due(tx: Tx, *, now: datetime) -> list[CardRow]:
    """Planned cards that have waited long enough."""
    query = select(CardRow).where(CardRow.state == "planned", CardRow.send_at <= now).order_by(col(CardRow.id))
    return list((await tx.exec(query)).all())


async def next_card(tx: Tx) -> datetime | None:
    return (await tx.exec(select(func.min(CardRow.send_at)).where(CardRow.state == "planned"))).one()


async def steps_due(tx: Tx, *, now: datetime, limit: int = 200) -> list[CaseRow]:
    """Open cases whose next step has come."""
    query = select(CaseRow).where(col(CaseRow.step_due_at) <= now).order_by(col(CaseRow.step_due_at), col(CaseRow.id))
    return list((await tx.exec(query.limit(limit))).all())


async def next_step(tx: Tx) -> datetime | None:
    return (await tx.exec(select(func.min(CaseRow.step_due_at)))).one()
