"""A removal case moves on: its card is due, a button was pressed, or it is time to check, remind or escalate.

A button closes nothing but a release: it has the group read again, and the roster decides.
"""

from datetime import datetime, timedelta

from loguru import logger

from handlers import cases
from handlers import roster as groups
from rules.actions import SendText
from rules.book import Book
from rules.decision import Decision
from rules.events import CardDue, CardPressed, CaseStepDue, GroupReadDue
from rules.lanes import NORMAL, REMOVAL
from rules.removal import EVERYBODY, say_choose_first, say_escalation, say_reminder, say_still_there
from store import inbox, outbox, people, removal, roster, staff
from store.database import Database, Tx
from store.removal import CardRow, CaseRow
from wecom.gateway import Gateway

LOOK_AGAIN = timedelta(minutes=1)


async def look_up(
    event: CardDue | CardPressed | CaseStepDue, wecom: Gateway, store: Database, now: datetime
) -> groups.Seen:
    """Before anybody is reminded, the group is read: they may have done it already."""
    if isinstance(event, CaseStepDue):
        due = GroupReadDue(at=event.at, chat_id=event.chat_id)
        return await groups.look_up(due, wecom, store, now)
    return groups.Seen(began=now)


async def handle(
    event: CardDue | CardPressed | CaseStepDue, seen: groups.Seen, tx: Tx, book: Book, now: datetime
) -> list[Decision]:
    """Do what is due."""
    match event:
        case CardDue(card_id=card_id):
            card = await removal.card(tx, card_id)
            if card is not None and card.state == "due":
                await cases.send_card(tx, book, card, now=now)
            return []
        case CardPressed():
            await _press(tx, book, event, now=now)
            return []
        case CaseStepDue():
            return await _step(tx, book, event, seen, now=now)


# --- buttons ----------------------------------------------------------------------------------------------------------


async def _press(tx: Tx, book: Book, event: CardPressed, *, now: datetime) -> None:
    card = await removal.card_of_task(tx, event.task_id)
    if card is None or event.userid not in card.recipients:
        logger.warning("a press on {} by somebody who was not asked is ignored", event.task_id)
        return
    if event.response_code:
        card.keep_code(event.response_code, now=now)
    on_card = await removal.cases_on(tx, card.number)
    chosen = _chosen([case for case in on_card if case.open_key], event)
    if not chosen:
        if card.state == "closed":
            await cases.show_closed(tx, card, on_card, now=now)
        else:
            await _tell(tx, (event.userid,), say_choose_first(), key=f"choose:{event.task_id}:{now.isoformat()}", now=now)
        return
    match event.button:
        case "removed":
            await _says_removed(tx, book, card, chosen, event, now=now)
        case "release":
            for case in chosen:
                await _release(tx, case, event.userid, now=now)
        case "later":
            for case in chosen:
                case.pressed_by, case.step, case.step_due_at = None, "remind", now + book.removal.later


def _chosen(open_cases: list[CaseRow], event: CardPressed) -> list[CaseRow]:
    """Which of the open cases the press is about. A release of several people has to be chosen, never assumed."""
    picked = event.selected.get("choice", ())
    if not picked:
        return open_cases if len(open_cases) == 1 or event.button != "release" else []
    return open_cases if EVERYBODY in picked else [case for case in open_cases if str(case.id) in picked]


async def _says_removed(
    tx: Tx, book: Book, card: CardRow, chosen: list[CaseRow], event: CardPressed, *, now: datetime
) -> None:
    """Somebody says it is done: look at the roster now, and once more when they have had time to be mistaken."""
    for case in chosen:
        case.pressed_by, case.step, case.step_due_at = event.userid, "check", now + book.removal.check_after
    await inbox.put(
        tx,
        source="timer",
        key=f"pressed:{event.task_id}:{event.userid}:{event.at.isoformat()}:{event.response_code}",
        event=GroupReadDue(at=now, chat_id=card.chat_id),
        lane=REMOVAL,
        ordering_key=f"group:{card.chat_id}",
        due_at=now,
        now=now,
    )


async def _release(tx: Tx, case: CaseRow, by: str, *, now: datetime) -> None:
    """A false positive: the person is not asked about again, and what was asked elsewhere is taken back."""
    name = (await staff.names(tx, [by]))[by]
    await people.release(tx, case.external_userid, case.rule, released_by=name, case_id=case.id, now=now)
    for each in await removal.open_cases_about(tx, case.external_userid, case.rule):
        await cases.close(tx, each, "released", by=by, now=now)


# --- what is due ------------------------------------------------------------------------------------------------------


async def _step(tx: Tx, book: Book, event: CaseStepDue, seen: groups.Seen, *, now: datetime) -> list[Decision]:
    due = GroupReadDue(at=event.at, chat_id=event.chat_id)
    decisions = await groups.handle(due, seen, tx, book, now)
    case = await removal.case(tx, event.case_id)
    if case is None or not case.open_key:
        return decisions
    if await _may_be_gone(tx, case, seen):
        case.step, case.step_due_at = event.step, now + LOOK_AGAIN
        return decisions
    match event.step:
        case "check":
            await _check(tx, book, case, now=now)
        case "remind":
            await _remind(tx, book, case, now=now)
        case "escalate":
            await _escalate(tx, book, case, now=now)
    return decisions


async def _may_be_gone(tx: Tx, case: CaseRow, seen: groups.Seen) -> bool:
    """The read no longer shows the person, but is not believed yet: nobody is bothered meanwhile."""
    shown = {member.external_userid for member in seen.chat.members} if seen.chat else set()
    return case.external_userid not in shown


async def _check(tx: Tx, book: Book, case: CaseRow, *, now: datetime) -> None:
    """Somebody pressed 已移出 and the roster still shows the person: say so to them, once per press."""
    who, group_name = await _names(tx, case)
    if case.pressed_by:
        text = say_still_there(case.number, who, group_name)
        await _tell(tx, (case.pressed_by,), text, key=f"still:{case.id}:{now.isoformat()}", now=now)
    case.pressed_by = None
    _wait(book, case, now=now)


async def _remind(tx: Tx, book: Book, case: CaseRow, *, now: datetime) -> None:
    who, group_name = await _names(tx, case)
    card = await removal.card(tx, case.card_id) if case.card_id is not None else None
    if card is not None and card.recipients:
        text = say_reminder(case.number, who, group_name, now - case.opened_at)
        await _tell(tx, tuple(card.recipients), text, key=f"remind:{case.id}:{now.isoformat()}", now=now)
    case.reminded_at = now
    _wait(book, case, now=now)


async def _escalate(tx: Tx, book: Book, case: CaseRow, *, now: datetime) -> None:
    who, group_name = await _names(tx, case)
    card = await removal.card(tx, case.card_id) if case.card_id is not None else None
    asked = tuple((await staff.names(tx, card.recipients)).values()) if card is not None else ()
    managers, doubtful = await staff.find(tx, book.managers)
    if doubtful:
        logger.warning("managers that fit nobody, or several people, are not told: {}", "、".join(doubtful))
    if managers:
        text = say_escalation(case.number, who, group_name, asked, now - case.opened_at)
        await _tell(tx, tuple(managers), text, key=f"escalate:{case.id}:{now.isoformat()}", now=now)
    case.escalated_at = now
    _wait(book, case, now=now)


def _wait(book: Book, case: CaseRow, *, now: datetime) -> None:
    """Set the next step: one reminder, one escalation, then only the roster is watched."""
    settings = book.removal
    if case.escalated_at is not None:
        case.step, case.step_due_at = None, None
    elif case.reminded_at is None:
        case.step, case.step_due_at = "remind", max(now, case.opened_at + settings.remind_after)
    else:
        case.step, case.step_due_at = "escalate", max(now, case.opened_at + settings.escalate_after)


async def _names(tx: Tx, case: CaseRow) -> tuple[str, str]:
    member = await roster.member(tx, case.chat_id, case.external_userid)
    group = await roster.group(tx, case.chat_id)
    return (member.name if member else "") or case.external_userid, group.name if group else case.chat_id


async def _tell(tx: Tx, to: tuple[str, ...], text: str, *, key: str, now: datetime) -> None:
    await outbox.put(
        tx, SendText(to=to, text=text), key=key, lane=NORMAL, ordering_key=None, due_at=now, now=now
    )
