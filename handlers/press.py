"""Somebody pressed a button, on a card or on a page. A button closes nothing but a release: it has the group read
again, and the roster decides.
"""

from collections.abc import Sequence
from datetime import datetime

from loguru import logger

from handlers import asking, blocklist, case_cards, cases, owner_payouts, stock
from rules.actions import TransferGroup
from rules.book import Book
from rules.decision import Decision
from rules.events import CardPressed, CasesPressed, GroupReadDue
from rules.lanes import REMOVAL
from rules.removal import EVERYBODY, Demand, say_cannot_remove, say_choose_first, say_closed, say_too_many_transfers
from store import cards, inbox, people, removal, roster, staff, strikes, transfers
from store.cards import CardRow
from store.database import Database, Tx
from store.removal import CaseRow
from wecom.gateway import Gateway


async def look_up(event: CardPressed | CasesPressed, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform before a press is taken."""


async def handle(event: CardPressed | CasesPressed, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Take the press."""
    if isinstance(event, CasesPressed):
        await _page_pressed(tx, book, event, now=now)
        return []
    if event.task_id.startswith(stock.TASK):
        await stock.pressed(tx, event, now=now)
        return []
    card = await cards.card_of_task(tx, event.task_id)
    if card is None or event.userid not in card.recipients:
        logger.warning("a press on {} by somebody who was not asked is ignored", event.task_id)
        return []
    if event.response_code:
        card.keep_code(event.response_code, now=now)
    if card.kind == "payout":
        await owner_payouts.pressed(tx, book, card, event, now=now)
    elif card.state == "closed":
        on_card = await cards.cases_on(tx, card.number)
        await cards.note_press(tx, on_card, userid=event.userid, button=event.button, now=now)
        await case_cards.show_closed(tx, card, now=now)
    elif card.kind == "held":
        await _held_pressed(tx, book, card, event, now=now)
    elif card.kind == "escalation":
        await _manager_pressed(tx, book, card, event, now=now)
    else:
        await _asked_pressed(tx, book, card, event, now=now)
    return []


async def _page_pressed(tx: Tx, book: Book, event: CasesPressed, *, now: datetime) -> None:
    """A page shows what is open for one person; what has closed since, or was never theirs, is left alone."""
    await _take(tx, book, await open_for_presser(tx, event), event.userid, event.button, now=now)


async def open_for_presser(tx: Tx, event: CasesPressed) -> list[CaseRow]:
    """Those of the cases that are still open, in groups where the presser can remove."""
    theirs = []
    for case in await removal.cases(tx, list(event.case_ids)):
        group = await roster.group(tx, case.chat_id)
        if case.open_key and group is not None and event.userid in group.can_remove():
            theirs.append(case)
    return theirs


async def _asked_pressed(tx: Tx, book: Book, card: CardRow, event: CardPressed, *, now: datetime) -> None:
    chosen = _chosen([case for case in await cards.cases_on(tx, card.number) if case.open_key], event)
    if chosen:
        await _take(tx, book, chosen, event.userid, event.button, now=now)
    else:
        await asking.tell(tx, [event.userid], say_choose_first(), f"choose:{event.task_id}", now=now)


def _chosen(open_cases: list[CaseRow], event: CardPressed) -> list[CaseRow]:
    """Which of the open cases the press is about. A release of several people has to be chosen, never assumed."""
    picked = event.selected.get("choice", ())
    if not picked:
        return open_cases if len(open_cases) == 1 or event.button != "release" else []
    return open_cases if EVERYBODY in picked else [case for case in open_cases if str(case.id) in picked]


_MEANS: dict[str, Demand] = {"removed": "remove", "warned": "warn"}


async def _take(tx: Tx, book: Book, chosen: Sequence[CaseRow], userid: str, button: str, *, now: datetime) -> None:
    """已移出, 已提醒, 误判放行 or 稍后 about these open cases. The first two only mean those who were to be
    removed, or to be told something.
    """
    meant = _MEANS.get(button)
    chosen = [case for case in chosen if meant in (None, case.demand)]
    await cards.note_press(tx, chosen, userid=userid, button=button, now=now)
    match button:
        case "removed":
            await _says_removed(tx, book, chosen, userid, now=now)
        case "warned":
            for case in chosen:
                await cases.warned(tx, book, case, userid, now=now)
        case "release":
            for case in chosen:
                await release(tx, book, case, userid, now=now)
        case "release_company":
            for case in chosen:
                await release(tx, book, case, userid, with_company=True, now=now)
        case "later":
            for case in chosen:
                case.pressed_by = None
                await cases.go_on_at(tx, case, now + book.removal.later)


async def _says_removed(tx: Tx, book: Book, chosen: Sequence[CaseRow], userid: str, *, now: datetime) -> None:
    """Somebody says it is done: look at the roster now, and once more when they have had time to be mistaken."""
    for case in chosen:
        case.pressed_by, case.step, case.step_due_at = userid, "check", now + book.removal.check_after
    for chat_id in dict.fromkeys(case.chat_id for case in chosen):
        await read_now(tx, chat_id, f"pressed:{userid}", now=now)


async def read_now(tx: Tx, chat_id: str, why: str, *, now: datetime) -> None:
    """Have a group read at once."""
    await inbox.put(
        tx,
        source="timer",
        key=f"{why}:{chat_id}:{now.isoformat()}",
        event=GroupReadDue(at=now, chat_id=chat_id),
        lane=REMOVAL,
        ordering_key=f"group:{chat_id}",
        due_at=now,
        now=now,
    )


async def release(tx: Tx, book: Book, case: CaseRow, by: str, *, with_company: bool = False, now: datetime) -> None:
    """A false positive: the rules that asked do not ask about this person again, nor, `with_company`, about anybody of
    their company. What they asked elsewhere is taken back, and what they hold against the person is forgiven.
    """
    name = (await staff.names(tx, [by]))[by]
    rules = [reason.rule for reason in case.why()]
    person = await people.person(tx, case.external_userid)
    company = person.company if person and with_company else ""
    for rule in rules:
        await people.release(tx, case.external_userid, rule, released_by=name, case_id=case.id, now=now)
        if company:
            await people.release(tx, people.company(company), rule, released_by=name, case_id=case.id, now=now)
    if {*rules} & {*blocklist.titles(book)} or any(reason.step == "block" for reason in case.why()):
        member = await roster.member(tx, case.chat_id, case.external_userid)
        await blocklist.lift(
            tx, book, case.external_userid, unionid=member.unionid if member else None, by=name, now=now
        )
        rules += blocklist.titles(book)  # what the list alone asked for in other groups
    colleagues = await people.of_company(tx, company) if company else []
    released = [case.external_userid, *(each for each in colleagues if each != case.external_userid)]
    await strikes.forgive(tx, released, rules, now=now)
    for external_userid in released:
        for each in await removal.open_cases_about(tx, external_userid):
            await cases.take_back(tx, book, each, rules, by=by, now=now)


# --- managers ---------------------------------------------------------------------------------------------------------


async def _manager_pressed(tx: Tx, book: Book, card: CardRow, event: CardPressed, *, now: datetime) -> None:
    open_cases = [case for case in await cards.cases_on(tx, card.number) if case.open_key]
    chosen = next(iter(event.selected.get("choice", ())), "")
    await cards.note_press(tx, open_cases, userid=event.userid, button=event.button, choice=chosen, now=now)
    if event.button == "seen" or not open_cases:
        await case_cards.close_card(tx, card, say_closed(["seen"]), now=now)
    elif not chosen:
        await asking.tell(tx, [event.userid], say_choose_first(), f"choose:{event.task_id}", now=now)
    elif event.button == "reassign":
        await _reassign(tx, book, card, open_cases, chosen, event.userid, now=now)
    elif event.button == "transfer":
        await _transfer(tx, card, chosen, event.userid, now=now)


async def _held_pressed(tx: Tx, book: Book, card: CardRow, event: CardPressed, *, now: datetime) -> None:
    """A rule that stopped itself may go on, or everything it asked for beyond its cap is called off."""
    held = [case for case in await cards.cases_on(tx, card.number) if case.open_key and case.held]
    await cards.note_press(tx, held, userid=event.userid, button=event.button, now=now)
    if event.button == "go_on":
        for case in held:
            await cases.let_go_on(tx, book, case, now=now)
        await case_cards.close_card(tx, card, "已继续请人移出", now=now)
    elif event.button == "call_off":
        for case in held:
            await cases.close(tx, case, "withdrawn", by=event.userid, now=now)
        await case_cards.close_card(tx, card, "已全部作罢", now=now)


async def _reassign(
    tx: Tx, book: Book, card: CardRow, open_cases: list[CaseRow], chosen: str, by: str, *, now: datetime
) -> None:
    group = await roster.group(tx, card.chat_id)
    name = (await staff.names(tx, [chosen]))[chosen]
    if group is None or chosen not in group.can_remove():
        await asking.tell(tx, [by], say_cannot_remove(name), f"cannot:{card.task_id}", now=now)
        return
    await case_cards.close_card(tx, card, f"已改派给{name}", now=now)
    await case_cards.ask_anew(tx, book, group, open_cases, assigned_to=chosen, now=now)


async def _transfer(tx: Tx, card: CardRow, chosen: str, by: str, *, now: datetime) -> None:
    group = await roster.group(tx, card.chat_id)
    if group is None or group.owner == chosen:
        await case_cards.close_card(tx, card, "已经是群主", now=now)
        return
    if not await transfers.allowed(tx, group.chat_id, group.owner, now=now):
        await asking.tell(tx, [by], say_too_many_transfers(group.name), f"transfers:{card.task_id}", now=now)
        return
    await transfers.note(tx, group.chat_id, old_owner=group.owner, new_owner=chosen, asked_by=by, now=now)
    deed = TransferGroup(chat_id=group.chat_id, old_owner=group.owner, new_owner=chosen, asked_by=by)
    key = f"transfer:{group.chat_id}:{chosen}:{now.isoformat()}"
    await asking.post(tx, deed, key, lane=REMOVAL, ordering_key=f"transfer:{group.chat_id}", now=now)
    name = (await staff.names(tx, [chosen]))[chosen]
    await case_cards.close_card(tx, card, f"正在转让给{name}", now=now)
