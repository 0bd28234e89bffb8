"""A removal case moves on: its card is due, a button was pressed, or it is time to check, remind or escalate.

A button closes nothing but a release: it has the group read again, and the roster decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import cases
from handlers import roster as groups
from rules.actions import SendText
from rules.book import Book
from rules.decision import Decision
from rules.events import CardDue, CardPressed, CaseStep, CaseStepDue, GroupReadDue
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
            await _tell(tx, [event.userid], say_choose_first(), f"choose:{event.task_id}", now=now)
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
    if case is None or not _is_due(case, event.step, now):
        return decisions
    shown = {member.external_userid for member in seen.chat.members} if seen.chat else set()
    together = [each for each in await _on_the_same_card(tx, case) if _is_due(each, event.step, now)]
    for each in together:
        if each.external_userid not in shown:
            # The read lacks them but is not believed yet: nobody is bothered about what may be done.
            each.step_due_at = now + LOOK_AGAIN
    staying = [each for each in together if each.external_userid in shown]
    if staying:
        await _say(tx, book, event.step, staying, now=now)
    for each in staying:
        _move_on(book, each, event.step, now=now)
    return decisions


def _is_due(case: CaseRow, step: CaseStep, now: datetime) -> bool:
    """A press, or the step of somebody on the same card, may have moved the case on since the clock raised it."""
    return case.open_key is not None and case.step == step and (case.step_due_at is None or case.step_due_at <= now)


async def _on_the_same_card(tx: Tx, case: CaseRow) -> list[CaseRow]:
    """One message speaks about all who are on one card: nobody is told the same thing once per person."""
    return [case] if case.card_id is None else await removal.cases_on(tx, case.card_id)


async def _say(tx: Tx, book: Book, step: CaseStep, cases: list[CaseRow], *, now: datetime) -> None:
    first = cases[0]
    card = await removal.card(tx, first.card_id) if first.card_id is not None else None
    asked = card.recipients if card is not None else []
    who = await _who(tx, cases)
    group = await roster.group(tx, first.chat_id)
    place = group.name if group else first.chat_id
    waited = now - min(case.opened_at for case in cases)
    match step:
        case "check":
            for presser in dict.fromkeys(case.pressed_by for case in cases if case.pressed_by):
                theirs = await _who(tx, [case for case in cases if case.pressed_by == presser])
                await _tell(tx, [presser], say_still_there(theirs, place), f"still:{first.id}:{presser}", now=now)
        case "remind":
            await _tell(tx, asked, say_reminder(who, place, waited), f"remind:{first.id}", now=now)
        case "escalate":
            names = (await staff.names(tx, asked)).values()
            delivered = card is not None and card.state != "failed"
            text = say_escalation(who, place, tuple(names), waited, delivered=delivered)
            await _tell(tx, await _managers(tx, book), text, f"escalate:{first.id}", now=now)


def _move_on(book: Book, case: CaseRow, done: CaseStep, *, now: datetime) -> None:
    """Set the next step: one reminder, one escalation, then only the roster is watched."""
    case.pressed_by = None
    if done == "remind":
        case.reminded_at = now
    if done == "escalate":
        case.escalated_at = now
    if case.escalated_at is not None:
        case.step, case.step_due_at = None, None
    elif case.reminded_at is None:
        case.step, case.step_due_at = "remind", max(now, case.opened_at + book.removal.remind_after)
    else:
        case.step, case.step_due_at = "escalate", max(now, case.opened_at + book.removal.escalate_after)


async def _managers(tx: Tx, book: Book) -> list[str]:
    found, doubtful = await staff.find(tx, book.managers)
    if doubtful:
        logger.warning("managers whose name fits nobody, or several people, are not told: {}", "、".join(doubtful))
    if not found:
        logger.error("nobody is there to be told: the config names no manager who is known")
    return found


async def _who(tx: Tx, cases: list[CaseRow]) -> str:
    """ "#3「张三」、#4「李四」"."""
    members = [(case, await roster.member(tx, case.chat_id, case.external_userid)) for case in cases]
    return "、".join(
        f"#{case.id}「{(member.name if member else '') or case.external_userid}」" for case, member in members
    )


async def _tell(tx: Tx, to: Sequence[str], text: str, key: str, *, now: datetime) -> None:
    if not to:
        return
    await outbox.put(
        tx,
        SendText(to=tuple(to), text=text),
        key=f"{key}:{now.isoformat()}",
        lane=NORMAL,
        ordering_key=None,
        due_at=now,
        now=now,
    )
