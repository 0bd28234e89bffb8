"""The cards that ask about removal cases, who pressed what on them, and how many messages each person has had lately.

A card is planned, due, sent, and closed with its last case; or dropped before it was sent; or failed to be sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import JSON, Integer, bindparam, delete, func, insert
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from rules.removal import PEOPLE_A_CARD
from store.built import once
from store.database import Tx, UtcTime, by_key, keep_in_step, one, row_found, table_of
from store.removal import CaseRow
from store.rows import known as known_row
from store.rows import row_of

CODE_LIFE = timedelta(hours=72)  # page 94945
A_MINUTE = timedelta(minutes=1)
MAILINGS_KEPT = timedelta(days=1)

Kind = Literal["ask", "warn", "escalation", "held", "payout"]


class CardRow(SQLModel, table=True):
    """`kind`: ask and warn (those who can remove), escalation and held (managers), payout (an owner is to send a red
    packet; about no case). `codes`: unused response codes, the newest last, each as "code until" (one use, 72 hours:
    page 94945).
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
    """One message to one member of staff; kept for a day, for the platform's limits (page 90454) and our own."""

    __tablename__ = "mailings"

    id: int | None = Field(default=None, primary_key=True)
    userid: str = Field(index=True)
    at: datetime = Field(sa_type=UtcTime, index=True)


async def plan(tx: Tx, case: CaseRow, kind: Kind, *, first_at: datetime, gap: timedelta) -> CardRow:
    """Put the case on the group's planned card if there is room, else on a new one: at `first_at`, or `gap` after the
    group's last card, whichever is later. A planned card is locked: it is not sent while a case is put on it.
    """
    await tx.flush()  # a card of this very transaction may be planned no more
    connection, of_group = await tx.connection(), {"chat_id": case.chat_id, "kind": kind}
    for card_id in (await connection.execute(_PLANNED, of_group)).scalars().all():
        if len(await cases_on(tx, card_id)) < PEOPLE_A_CARD and (planned := await card(tx, card_id)):
            await put_on(tx, planned, [case])
            return planned
    last: datetime | None = (await connection.execute(_LAST_ASKED, of_group)).scalar_one()
    return await new(tx, kind, [case], send_at=max(first_at, last + gap) if last else first_at)


_CARDS = table_of(CardRow)
_ASKS = (_CARDS.c.chat_id == bindparam("chat_id")) & (_CARDS.c.kind == bindparam("kind"))
_PLANNED = once(columns(_CARDS.c.id).where(_ASKS, _CARDS.c.state == "planned").order_by(_CARDS.c.id).with_for_update())
_LAST_ASKED = once(columns(func.max(_CARDS.c.send_at)).where(_ASKS, _CARDS.c.state.in_(["due", "sent", "closed"])))


async def new(tx: Tx, kind: Kind, cases: list[CaseRow], *, send_at: datetime) -> CardRow:
    """A new card about these cases of one group."""
    row: dict[str, Any] = {"kind": kind, "chat_id": cases[0].chat_id, "state": "planned", "send_at": send_at}
    row |= {"task_id": None, "recipients": [], "codes": []}
    card_id = (await (await tx.connection()).execute(_NEW, row)).scalar_one()
    card = row_of(CardRow, {**row, "id": card_id})
    keep_in_step(tx, card)
    await put_on(tx, card, cases)
    return card


async def new_alone(tx: Tx, kind: Kind, chat_id: str, *, to: list[str], now: datetime) -> CardRow:
    """A new card that is about no case, on its way to these people."""
    card = CardRow(kind=kind, chat_id=chat_id, state="sent", send_at=now, recipients=to)
    tx.add(card)
    await tx.flush()
    card.task_id = f"{kind}-{card.number}-{int(now.timestamp())}"
    return card


async def put_on(tx: Tx, card: CardRow, cases: list[CaseRow]) -> None:
    """The card is about these cases, too."""
    rows = [{"card_id": card.number, "case_id": case.number} for case in cases]
    await (await tx.connection()).execute(_PUT_ON, rows)


_NEW = once(insert(_CARDS).returning(_CARDS.c.id))
_PUT_ON = once(insert(table_of(CardCaseRow)))


async def take_off(tx: Tx, card: CardRow, case: CaseRow) -> None:
    """A planned card is not about this case any more."""
    await tx.exec(delete(CardCaseRow).where(col(CardCaseRow.card_id) == card.id, col(CardCaseRow.case_id) == case.id))


async def card(tx: Tx, card_id: int) -> CardRow | None:
    return await tx.get(CardRow, card_id, with_for_update=True)


async def as_read(tx: Tx, card_id: int) -> CardRow | None:
    """The card, not locked: a reading transaction may ask."""
    return await by_key(tx, CardRow, card_id)


async def card_of_task(tx: Tx, task_id: str) -> CardRow | None:
    await tx.flush()
    return await row_found(tx, CardRow, _CARD_OF_TASK, task_id=task_id)


_CARD_OF_TASK = once(columns(_CARDS).where(_CARDS.c.task_id == bindparam("task_id")).with_for_update())


async def is_still_asked(tx: Tx, task_id: str) -> bool:
    """Whether this card asks for something that is not done. Locks nothing: a reading transaction may ask."""
    return (await tx.exec(select(CardRow.state).where(CardRow.task_id == task_id))).first() == "sent"


async def is_asked(tx: Tx, task_id: str) -> bool:
    """Whether the card still asks about something: it has been written and is not over. Takes no lock."""
    return (await (await tx.connection()).execute(_IS_ASKED, {"task_id": task_id})).first() is not None


_IS_ASKED = once(columns(_CARDS.c.id).where(_CARDS.c.task_id == bindparam("task_id"), _CARDS.c.state == "sent"))


async def cases_on(tx: Tx, card_id: int) -> list[CaseRow]:
    """The cases of a card, open or closed, oldest first."""
    numbers = (await (await tx.connection()).execute(_CASE_NUMBERS_ON, {"card_id": card_id})).scalars().all()
    known = [known_row(tx.sync_session, CaseRow, number) for number in numbers]
    if None not in known:
        return [case for case in known if case is not None]
    return list((await tx.exec(_CASES_ON, params={"card_id": card_id})).all())


_CASE_NUMBERS_ON = once(
    columns(col(CardCaseRow.case_id)).where(col(CardCaseRow.card_id) == bindparam("card_id")).order_by("case_id")
)
_CASES_ON = (
    select(CaseRow)
    .join(CardCaseRow, col(CardCaseRow.case_id) == col(CaseRow.id))
    .where(col(CardCaseRow.card_id) == bindparam("card_id"))
    .order_by(col(CaseRow.id))
)


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
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(columns(func.min(_CARDS.c.send_at)).where(_CARDS.c.state == "planned"))


async def held(tx: Tx, beginning: str) -> list[CardRow]:
    """The cards to managers about a rule that stopped itself whose task id begins so, in order."""
    query = select(CardRow).where(CardRow.kind == "held", col(CardRow.task_id).startswith(beginning, autoescape=True))
    return list((await tx.exec(query.order_by(col(CardRow.id)).with_for_update())).all())


async def last_press_on(tx: Tx, card: CardRow, buttons: Sequence[str]) -> PressRow | None:
    """The last press of one of these buttons about a case of this card."""
    query = (
        select(PressRow)
        .join(CardCaseRow, col(CardCaseRow.case_id) == col(PressRow.case_id))
        .where(CardCaseRow.card_id == card.id, col(PressRow.button).in_(buttons))
        .order_by(col(PressRow.id).desc())
    )
    return (await tx.exec(query)).first()


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
    """Count one message to each."""
    if userids:
        await (await tx.connection()).execute(_NOTE_MAILING, [{"userid": userid, "at": now} for userid in userids])


_MAILINGS = table_of(MailingRow)
_NOTE_MAILING = once(insert(_MAILINGS))


async def prune_mailings(tx: Tx, *, now: datetime) -> int:
    """Forget messages of more than a day ago; says how many."""
    old = delete(_MAILINGS).where(_MAILINGS.c.at < now - MAILINGS_KEPT)
    return (await (await tx.connection()).execute(old)).rowcount


async def often_mailed(tx: Tx, userids: list[str], *, times: int, since: datetime) -> set[str]:
    """Who among them has had, or is about to get, this many messages or more since then (a day ago at most)."""
    which = {"ids": userids, "since": since, "times": times}
    return set((await (await tx.connection()).execute(_OFTEN_MAILED, which)).scalars())


_TO_THEM = _MAILINGS.c.userid.in_(bindparam("ids", expanding=True))
_OFTEN_MAILED = once(
    columns(_MAILINGS.c.userid)
    .where(_TO_THEM, _MAILINGS.c.at > bindparam("since"))
    .group_by(_MAILINGS.c.userid)
    .having(func.count() >= bindparam("times", type_=Integer))
)


async def most_mailed_around(tx: Tx, userids: list[str], *, at: datetime) -> int:
    """How many messages the one among them with the most has in the minute before `at` and the minute after it,
    together: messages that wait are counted, too.
    """
    which = {"ids": userids, "after": at - A_MINUTE, "before": at + A_MINUTE}
    return max((await (await tx.connection()).execute(_MAILED_BETWEEN, which)).scalars(), default=0)


_MAILED_BETWEEN = once(
    columns(func.count())
    .where(_TO_THEM, _MAILINGS.c.at > bindparam("after"), _MAILINGS.c.at < bindparam("before"))
    .group_by(_MAILINGS.c.userid)
)
