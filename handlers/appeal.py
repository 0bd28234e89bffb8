"""A customer appeals: a matter for the managers, who let the person go, or uphold what was done. One appeal a case."""

from datetime import datetime
from typing import Literal

from handlers import blocklist, matters, press
from rules.book import Book
from rules.decision import Decision
from rules.events import AppealDecided, AppealMade
from rules.removal import OUTCOMES
from store import cards, history, removal, roster, staff
from store import matters as rows
from store.database import Database, Tx
from store.matters import MatterRow
from store.removal import CaseRow
from wecom.gateway import Gateway

State = Literal["open", "made", "released", "upheld", "over"]
"""How far an appeal is: not made yet, made, decided in one way or the other; `over`: nothing is left to appeal."""

MOST_WORDS = 300  # characters
_KEY = "appeal:"


def key(case: CaseRow) -> str:
    """Under which the appeal about a case is a matter."""
    return f"{_KEY}{case.number}"


def is_appeal(matter: MatterRow) -> bool:
    return matter.about.startswith(_KEY)


async def state(tx: Tx, case: CaseRow) -> State:
    """How far the appeal about a case is. Locks nothing."""
    row = await rows.last(tx, key(case))
    if row is None:
        return "over" if case.outcome in ("released", "withdrawn") else "open"
    if row.key is not None:
        return "made"
    return "released" if row.outcome == "released" else "upheld"


async def look_up(event: AppealMade | AppealDecided, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: AppealMade | AppealDecided, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Take the appeal, or what a manager says to it."""
    if isinstance(event, AppealMade):
        await _made(tx, book, event, now=now)
    else:
        await _decided(tx, book, event, now=now)
    return []


async def _made(tx: Tx, book: Book, event: AppealMade, *, now: datetime) -> None:
    case = await removal.case(tx, event.case_id)
    if case is None or case.external_userid != event.external_userid or await state(tx, case) != "open":
        return
    group, person = await history.names_of(tx, case)
    how = OUTCOMES.get(case.outcome, "") if case.closed_at else "还没处理"
    await matters.raise_one(
        tx,
        book,
        key(case),
        audience="managers",
        title=f"申诉 #{case.number}",
        text=f"「{person}」在群「{group}」（{how}）：{case.because}。TA说：{event.text}",
        group=await roster.group(tx, case.chat_id),
        now=now,
    )


async def _decided(tx: Tx, book: Book, event: AppealDecided, *, now: datetime) -> None:
    """What is decided already, or was never theirs to decide, is left alone."""
    theirs = [row for row in await matters.open_for(tx, book, event.userid) if row.id == event.matter_id]
    matter = next((row for row in theirs if is_appeal(row)), None)
    case = await removal.case(tx, int(matter.about.removeprefix(_KEY))) if matter else None
    if matter is None or case is None:
        return
    await cards.note_press(tx, [case], userid=event.userid, button=event.verdict, now=now)
    if event.verdict == "release":
        await _let_go(tx, book, case, event.userid, now=now)
    outcome: rows.Settled = "released" if event.verdict == "release" else "upheld"
    await rows.settle(tx, matter.about, outcome=outcome, by=event.userid, now=now)


async def _let_go(tx: Tx, book: Book, case: CaseRow, by: str, *, now: datetime) -> None:
    """As 误判，放行 on the card, also after the case is closed; and they are welcome back."""
    await press.release(tx, book, case, by, now=now)
    member = await roster.member(tx, case.chat_id, case.external_userid)
    name = (await staff.names(tx, [by]))[by]
    unionid = member.unionid if member else None
    await blocklist.lift(tx, book, case.external_userid, unionid=unionid, by=name, now=now)
    await blocklist.changed(tx, [case.external_userid], now=now)
