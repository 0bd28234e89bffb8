"""The cards that ask about removal cases, who pressed what on them, and how many messages each person has had lately.

A card is planned, due, sent, and closed with its last case; or dropped before it was sent; or failed to be sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import JSON, delete, func
from sqlmodel import Field, SQLModel, col, select

from rules.removal import PEOPLE_A_CARD
from store.database import Tx, UtcTime
from store.removal import CaseRow

CODE_LIFE = timedelta(hours=72)  # page 94945
A_MINUTE = timedelta(minutes=1)

Kind = Literal["ask", "escalation"]


class CardRow(SQLModel, table=True):
    """`kind`: ask (those who can remove) or escalation (managers). `codes`: unused response codes, newest last, each
    as "code until" (one use, 72 hours: page 94945).
    """

    __tablename__ = "cards"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = "ask"
    chat_id: str = Field(foreign_key="groups.chat_id", index=True)
    task_id: str | None = Field(default=None, unique=True)
    state: str = Field(default="planned", index=True)
    send_at: datetime = Field(sa_type=UtcTime)
    recipients: list[str] = Field(default_factory=list, sa_type=JSON)
    codes: list[str] = Field(default_factory=list, sa_type=JSON)

    @property
    def number(self) -> int:
        if self.id is None:
            raise ValueError("a card has no number before it is written")
        return self.id

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


class CardCaseRow(SQLModel, table=True):
    """A card is about a case. A case may be on several cards: reassigned, escalated, asked of a new owner."""

    __tablename__ = "card_cases"

    card_id: int = Field(primary_key=True, foreign_key="cards.id")
    case_id: int = Field(primary_key=True, foreign_key="cases.id", index=True)


class PressRow(SQLModel, table=True):
    """Somebody pressed a button about a case, on a card or on a page. Written once, for `explain`."""

    __tablename__ = "presses"

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True)
    userid: str
    button: str
    choice: str = ""
    at: datetime = Field(sa_type=UtcTime)


class MailingRow(SQLModel, table=True):
    """One message to one member of staff; kept for an hour, to stay below the platform's limits (page 90454)."""

    __tablename__ = "mailings"

    id: int | None = Field(default=None, primary_key=True)
    userid: str = Field(index=True)
    at: datetime = Field(sa_type=UtcTime, index=True)


async def plan(tx: Tx, case: CaseRow, *, first_at: datetime, gap: timedelta) -> CardRow:
    """Put the case on the group's planned card if there is room, else on a new one: at `first_at`, or `gap` after the
    group's last card, whichever is later. A planned card is locked: it is not sent while a case is put on it.
    """
    planned = select(CardRow).where(CardRow.chat_id == case.chat_id, CardRow.state == "planned", CardRow.kind == "ask")
    for card in (await tx.exec(planned.order_by(col(CardRow.id)).with_for_update())).all():
        if len(await cases_on(tx, card.number)) < PEOPLE_A_CARD:
            await _put_on(tx, card, [case])
            return card
    sent = col(CardRow.state).in_(["due", "sent", "closed"])
    query = select(func.max(CardRow.send_at)).where(CardRow.chat_id == case.chat_id, CardRow.kind == "ask", sent)
    last = (await tx.exec(query)).one()
    return await new(tx, "ask", [case], send_at=max(first_at, last + gap) if last else first_at)


async def new(tx: Tx, kind: Kind, cases: list[CaseRow], *, send_at: datetime) -> CardRow:
    """A new card about these cases of one group."""
    card = CardRow(kind=kind, chat_id=cases[0].chat_id, send_at=send_at)
    tx.add(card)
    await tx.flush()
    await _put_on(tx, card, cases)
    return card


async def _put_on(tx: Tx, card: CardRow, cases: list[CaseRow]) -> None:
    for case in cases:
        tx.add(CardCaseRow(card_id=card.number, case_id=case.number))
    await tx.flush()


async def card(tx: Tx, card_id: int) -> CardRow | None:
    return await tx.get(CardRow, card_id, with_for_update=True)


async def card_of_task(tx: Tx, task_id: str) -> CardRow | None:
    return (await tx.exec(select(CardRow).where(CardRow.task_id == task_id).with_for_update())).first()


async def is_still_asked(tx: Tx, task_id: str) -> bool:
    """Whether this card asks for something that is not done. Locks nothing: a reading transaction may ask."""
    return (await tx.exec(select(CardRow.state).where(CardRow.task_id == task_id))).first() == "sent"


async def is_asked(tx: Tx, task_id: str) -> bool:
    """Whether the card still asks about something: it has been written and is not over. Takes no lock."""
    query = select(CardRow.id).where(CardRow.task_id == task_id, CardRow.state == "sent")
    return (await tx.exec(query)).first() is not None


async def cases_on(tx: Tx, card_id: int) -> list[CaseRow]:
    """The cases of a card, open or closed, oldest first."""
    query = (
        select(CaseRow)
        .join(CardCaseRow, col(CardCaseRow.case_id) == col(CaseRow.id))
        .where(CardCaseRow.card_id == card_id)
        .order_by(col(CaseRow.id))
    )
    return list((await tx.exec(query)).all())


async def cards_about(tx: Tx, case_id: int) -> list[CardRow]:
    """The cards that a case is on, oldest first."""
    query = (
        select(CardRow)
        .join(CardCaseRow, col(CardCaseRow.card_id) == col(CardRow.id))
        .where(CardCaseRow.case_id == case_id)
        .order_by(col(CardRow.id))
        .with_for_update(of=CardRow)
    )
    return list((await tx.exec(query)).all())


async def due(tx: Tx, *, now: datetime) -> list[CardRow]:
    """Planned cards that have waited long enough; those that another process is raising are left to it."""
    query = select(CardRow).where(CardRow.state == "planned", CardRow.send_at <= now).order_by(col(CardRow.id))
    return list((await tx.exec(query.with_for_update(skip_locked=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    return (await tx.exec(select(func.min(CardRow.send_at)).where(CardRow.state == "planned"))).one()


async def note_press(
    tx: Tx, cases: Sequence[CaseRow], *, userid: str, button: str, choice: str = "", now: datetime
) -> None:
    """Write down who pressed what about these cases."""
    tx.add_all([PressRow(case_id=case.number, userid=userid, button=button, choice=choice, at=now) for case in cases])


async def presses(tx: Tx, case_id: int) -> list[PressRow]:
    """What was pressed about a case, in order."""
    query = select(PressRow).where(PressRow.case_id == case_id).order_by(col(PressRow.at), col(PressRow.id))
    return list((await tx.exec(query)).all())


async def note_mailing(tx: Tx, userids: list[str], *, now: datetime) -> None:
    """Count one message to each; forget what is older than an hour."""
    tx.add_all([MailingRow(userid=userid, at=now) for userid in userids])
    await tx.exec(delete(MailingRow).where(col(MailingRow.at) < now - timedelta(hours=1)))


async def most_mailed(tx: Tx, userids: list[str], *, now: datetime) -> int:
    """How many messages the one among them with the most has had within the last minute, or is about to get."""
    return await _most_mailed(tx, userids, after=now - A_MINUTE)


async def most_mailed_around(tx: Tx, userids: list[str], *, at: datetime) -> int:
    """Likewise in the minute before `at` or the minute after it, together: messages that wait are counted, too."""
    return await _most_mailed(tx, userids, after=at - A_MINUTE, before=at + A_MINUTE)


async def _most_mailed(tx: Tx, userids: list[str], *, after: datetime, before: datetime | None = None) -> int:
    query = (
        select(func.count())
        .where(col(MailingRow.userid).in_(userids), col(MailingRow.at) > after)
        .group_by(MailingRow.userid)
    )
    if before is not None:
        query = query.where(col(MailingRow.at) < before)
    return max((await tx.exec(query)).all(), default=0)
