"""A removal case moves on by the clock: its card is due, or it is time to check, remind or escalate."""

from datetime import datetime, timedelta

from handlers import asking, case_cards, cases, matters
from handlers import roster as groups
from handlers.reading import remember_contact
from rules.actions import SendCard
from rules.book import Book
from rules.decision import Decision
from rules.events import CardDue, CaseStep, CaseStepDue, GroupReadDue
from rules.removal import (
    CHOICES_A_CARD,
    Candidate,
    say_escalation,
    say_reminder,
    say_still_there,
    write_escalation,
)
from store import cards, removal, roster, staff
from store.database import Database, Tx
from store.removal import CaseRow
from store.roster import GroupRow
from wecom.gateway import Gateway
from wecom.lookups import Contact

LOOK_AGAIN = timedelta(minutes=1)


async def look_up(event: CardDue | CaseStepDue, wecom: Gateway, store: Database, now: datetime) -> groups.Seen:
    """Before anybody is reminded, the group is read: they may have done it already. Of those who are only to be told
    something it is asked who has added them.
    """
    if isinstance(event, CardDue):
        return groups.Seen(began=now, contacts=await _contacts(event, wecom, store))
    return await groups.look_up(GroupReadDue(at=event.at, chat_id=event.chat_id), wecom, store, now)


async def _contacts(event: CardDue, wecom: Gateway, store: Database) -> dict[str, Contact | None]:
    async with store.read() as tx:
        card = await cards.as_read(tx, event.card_id)
        cases = await cards.cases_on(tx, card.number) if card is not None and card.kind == "warn" else []
    return await groups.contacts(wecom, [case.external_userid for case in cases if case.open_key])


async def handle(event: CardDue | CaseStepDue, seen: groups.Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Do what is due."""
    if isinstance(event, CaseStepDue):
        return await _step(tx, book, event, seen, now=now)
    card = await cards.card(tx, event.card_id)
    for who, contact in seen.contacts.items():
        if contact is not None:
            await remember_contact(tx, who, contact, now=now)
    if card is not None and card.state == "due":
        await case_cards.send_card(tx, book, card, now=now)
    return []


async def _step(tx: Tx, book: Book, event: CaseStepDue, seen: groups.Seen, *, now: datetime) -> list[Decision]:
    due = GroupReadDue(at=event.at, chat_id=event.chat_id)
    decisions = await groups.handle(due, seen, tx, book, now)
    case = await removal.case(tx, event.case_id)
    group = await roster.group(tx, event.chat_id)
    if case is None or group is None or not _is_due(case, event.step, now):
        return decisions
    together = [each for each in await _told_together(tx, case, event.step) if _is_due(each, event.step, now)]
    wait_until = await _not_before(tx, book, group, event.step, now=now)
    shown = {member.external_userid for member in seen.chat.members} if seen.chat else set()
    staying = []
    for each in together:
        if wait_until > now:
            each.step_due_at = wait_until
        elif each.external_userid not in shown:
            # The read lacks them but is not believed yet, or nothing can be read: nobody is bothered about what may be.
            each.step_due_at = now + (case_cards.OUT_OF_SIGHT_AGAIN if seen.hidden else LOOK_AGAIN)
        else:
            staying.append(each)
    if staying:
        await _SAY[event.step](tx, book, group, staying, now=now)
        for each in staying:
            await _move_on(tx, book, group, each, event.step, now=now)
    return decisions


def _is_due(case: CaseRow, step: CaseStep, now: datetime) -> bool:
    """A press, or the step of somebody on the same card, may have moved the case on since the clock raised it."""
    return case.open_key is not None and case.step == step and (case.step_due_at is None or case.step_due_at <= now)


async def _told_together(tx: Tx, case: CaseRow, step: CaseStep) -> list[CaseRow]:
    """One message speaks about all who are on one card: nobody is told the same thing once per person.

    Who is to be asked about by a card is put on it together with the others of the group.
    """
    if step == "ask":
        return [each for each in await removal.open_cases_in(tx, [case.chat_id]) if each.step == step]
    about = await cards.cards_about(tx, case.number)
    return await cards.cases_on(tx, about[-1].number) if about else [case]


async def _not_before(tx: Tx, book: Book, group: GroupRow, step: CaseStep, *, now: datetime) -> datetime:
    """Nobody of the shop is reminded off duty, and nothing is escalated that nobody could have done."""
    return now if step in ("check", "ask", "lapse") else (await asking.whom(tx, book, group, now=now)).not_before


async def _ask(tx: Tx, book: Book, group: GroupRow, staying: list[CaseRow], *, now: datetime) -> None:
    """The company's own program was called, and they are still there: people are asked."""
    for case in staying:
        await case_cards.plan_card(tx, book, group, case, first_at=now, now=now)


async def _say_still_there(tx: Tx, book: Book, group: GroupRow, staying: list[CaseRow], *, now: datetime) -> None:
    """Somebody pressed 已移出 and the roster still shows the person: say so to them, once per press."""
    for presser in dict.fromkeys(case.pressed_by for case in staying if case.pressed_by):
        theirs = await asking.who(tx, [case for case in staying if case.pressed_by == presser])
        key = f"still:{staying[0].id}:{presser}"
        await asking.tell(tx, [presser], say_still_there(theirs, group.name), key, about=_about(staying), now=now)


async def _say_reminder(tx: Tx, book: Book, group: GroupRow, staying: list[CaseRow], *, now: datetime) -> None:
    """Those who were asked, and their deputies, who may know where they are."""
    asked = await _asked(tx, staying)
    to = list(dict.fromkeys([*asked, *await asking.deputies(tx, book, group)]))
    enough = await asking.had_enough(tx, book, to, now=now)
    to = [userid for userid in to if userid not in enough]
    waited = now - min(case.opened_at for case in staying)
    text = say_reminder(await asking.who(tx, staying), group.name, waited)
    await asking.tell(tx, to, text, f"remind:{staying[0].id}", about=_about(staying), now=now)


async def _escalate(tx: Tx, book: Book, group: GroupRow, staying: list[CaseRow], *, now: datetime) -> None:
    """Managers cannot remove anybody: they are offered what they can do, to reassign or to transfer the group."""
    to = await asking.managers(tx, book)
    if not to:
        return
    asked = await _asked(tx, staying) or list(group.can_remove())
    names = tuple((await staff.names(tx, asked)).values())
    about = await cards.cards_about(tx, staying[0].number)
    delivered = not about or about[-1].state != "failed"
    waited = now - min(case.opened_at for case in staying)
    text = say_escalation(await asking.who(tx, staying), group.name, names, waited, delivered=delivered)
    enough = await asking.had_enough(tx, book, to, now=now)
    if enough:
        title, key = f"没有人移出：「{group.name}」", f"unhandled:{group.chat_id}"
        await matters.raise_one(tx, book, key, audience="managers", title=title, text=text, now=now)
    to = [userid for userid in to if userid not in enough]
    if not to:
        return
    candidates = await _candidates(tx, book, group)
    if not candidates:
        await asking.tell(tx, to, text, f"escalate:{staying[0].id}", about=_about(staying), now=now)
        return
    card = await cards.new(tx, "escalation", staying, send_at=now)
    card.state, card.recipients = "sent", to
    card.task_id = f"escalation-{card.number}-{int(now.timestamp())}"
    deed = SendCard(task_id=card.task_id, to=tuple(to), card=write_escalation(text, candidates))
    await case_cards.send(tx, card, deed, now=now)


async def _candidates(tx: Tx, book: Book, group: GroupRow) -> tuple[Candidate, ...]:
    """Who could take it on: those who can remove, then the shop's deputies and staff."""
    shop = book.shop_of(group.name)
    others = await asking.called(tx, [*shop.deputies, *shop.staff], "staff of the shop") if shop else []
    userids = list(dict.fromkeys([*group.can_remove(), *others]))[:CHOICES_A_CARD]
    names = await staff.names(tx, userids)
    can_remove = set(group.can_remove())
    return tuple(Candidate(userid=each, name=names[each], can_remove=each in can_remove) for each in userids)


async def _asked(tx: Tx, staying: list[CaseRow]) -> list[str]:
    """Who got the newest card that asked about the first of these cases."""
    about = [card for card in await cards.cards_about(tx, staying[0].number) if card.kind == "ask"]
    return about[-1].recipients if about else []


async def _lapse(tx: Tx, book: Book, group: GroupRow, staying: list[CaseRow], *, now: datetime) -> None:
    """Nobody gave the warning in time; by now it would only puzzle the person."""
    for case in staying:
        await cases.close(tx, case, "lapsed", by=None, now=now)


_SAY = {"lapse": _lapse, "ask": _ask, "check": _say_still_there, "remind": _say_reminder, "escalate": _escalate}


async def _move_on(tx: Tx, book: Book, group: GroupRow, case: CaseRow, done: CaseStep, *, now: datetime) -> None:
    """Set the next step: one reminder, one escalation, then the daily list."""
    case.pressed_by = None
    if done == "lapse":
        return
    if done == "ask":  # the card sets what follows, when it is sent
        case.step, case.step_due_at = None, None
        return
    if done == "remind":
        case.reminded_at = now
    if done == "escalate":
        case.escalated_at = now
        await asking.expect_todo(tx, book, group.can_remove(), now=now)
    if case.escalated_at is not None:
        case.step, case.step_due_at = None, None
    elif case.reminded_at is None:
        await cases.go_on_at(tx, case, max(now, case.opened_at + book.removal.remind_after))
    else:
        case.step, case.step_due_at = "escalate", max(now, case.opened_at + book.removal.escalate_after)


def _about(cases_told: list[CaseRow]) -> str:
    return f"case:{cases_told[0].id}"
