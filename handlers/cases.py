"""The life of a removal case: opened by a rule, put on a card, closed by the roster or by somebody's word."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers.asking import AT_ONCE, CARDS_AT_ONCE, FIRST_LIST_AFTER, called, expect_todo, post, tell, who, whom
from rules.actions import CallRemover, Link, SendCard, UpdateCard
from rules.book import Book
from rules.decision import Decision
from rules.lanes import REMOVAL
from rules.removal import PEOPLE_A_CARD, Outcome, Suspect, Webhook, say_asked_by_text, say_closed, write_card
from store import cards, observations, outbox, people, removal, roster, staff, todo
from store.cards import CardRow
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow

GUARDED_WAIT = timedelta(minutes=1)  # where WeCom's own 防骚扰 is seen to remove people, it gets this long
OUT_OF_SIGHT_AGAIN = timedelta(hours=1)  # how often a question about a group that cannot be seen is taken up again
GUARD_IS_QUICK = timedelta(seconds=15)  # no person reads a card, opens a group and removes somebody within this


# --- open -------------------------------------------------------------------------------------------------------------


async def update(tx: Tx, chat_id: str, external_userid: str, decision: Decision, doubt: str) -> None:
    """An open case only learns the better evidence."""
    case = await removal.open_case_of(tx, chat_id, external_userid)
    if case is not None:
        case.evidence, case.because, case.doubt = decision.evidence, decision.because, doubt


async def open_case(
    tx: Tx,
    book: Book,
    group: GroupRow,
    member: MemberRow,
    decision: Decision,
    doubt: str,
    *,
    listed: bool,
    now: datetime,
) -> None:
    """Open a case and have the person removed: by the company's own program where there is one, else by a card.

    There must be none open. `listed`: it only stands in the daily list of those who can remove.
    """
    case = await removal.open_case(
        tx,
        chat_id=group.chat_id,
        external_userid=member.external_userid,
        rule=decision.rule,
        evidence=decision.evidence,
        because=decision.because,
        doubt=doubt,
        listed=listed,
        now=now,
    )
    logger.bind(case=case.id).info(
        "case #{} opened: {} in {} ({})", case.id, case.external_userid, case.chat_id, case.evidence
    )
    if listed:
        await expect_todo(tx, book, group.can_remove(), first_at=now + FIRST_LIST_AFTER, now=now)
        return
    guarded = await observations.is_seen(tx, observations.NATIVE_GUARD)
    if book.removal.webhook is not None:
        await _call_remover(tx, book.removal.webhook, group, case, at=now + GUARDED_WAIT if guarded else now, now=now)
        return
    wait = max(book.removal.wait_for_others, GUARDED_WAIT) if guarded else book.removal.wait_for_others
    card = await plan_card(tx, book, group, case, first_at=now + wait, now=now)
    if card.state == "planned" and card.send_at <= now:
        await send_card(tx, book, card, now=now)


async def plan_card(
    tx: Tx, book: Book, group: GroupRow, case: CaseRow, *, first_at: datetime, now: datetime
) -> CardRow:
    """Put a case on the group's next card: not before `first_at`, nor before those who can remove may be asked."""
    not_before = (await whom(tx, book, group, now=now)).not_before
    return await cards.plan(tx, case, first_at=max(first_at, not_before), gap=book.removal.next_card_after)


async def _call_remover(
    tx: Tx, webhook: Webhook, group: GroupRow, case: CaseRow, *, at: datetime, now: datetime
) -> None:
    """Ask the company's own program. If the roster still shows the person after its `wait`, people are asked."""
    suspect = await _suspect(tx, case)
    deed = CallRemover(
        url=webhook.url,
        case_id=case.number,
        chat_id=group.chat_id,
        group=group.name,
        external_userid=case.external_userid,
        name=suspect.name,
        requested_at=at,
    )
    case.step, case.step_due_at = "ask", at + webhook.wait
    key = f"call_remover:{case.number}"
    await outbox.put(tx, deed, key=key, lane=REMOVAL, ordering_key=key, due_at=at, now=now, about=f"case:{case.number}")


# --- ask --------------------------------------------------------------------------------------------------------------


async def send_card(tx: Tx, book: Book, card: CardRow, *, now: datetime) -> None:
    """Write the card about those of its cases that are still open, and hand it to the outbox."""
    group = await roster.group(tx, card.chat_id)
    cases = [case for case in await cards.cases_on(tx, card.number) if case.open_key]
    if not cases or group is None:
        card.state = "dropped"
        return
    if group.out_of_sight_at is not None:
        card.state, card.send_at = "planned", now + OUT_OF_SIGHT_AGAIN
        return
    asking = await whom(tx, book, group, now=now)
    assigned = cases[0].assigned_to
    if assigned is None and asking.not_before > now:
        card.state, card.send_at = "planned", asking.not_before
        return
    to = [assigned] if assigned else list(asking.to)
    busy = await cards.often_mailed(tx, to, times=CARDS_AT_ONCE, since=now - AT_ONCE)
    card.recipients = [userid for userid in to if userid not in busy] or to
    if not to:
        await _nobody_to_ask(group, card, cases, now=now)
    elif len(busy) < len(to):
        await _ask(tx, book, group, card, cases, now=now)
    else:
        _leave_to_the_list(book, card, cases, now=now)
    for userid in sorted(busy):
        row = await todo.todo(tx, userid)
        todo.expect(row, at=max(now + timedelta(minutes=1), row.sent_at + AT_ONCE if row.sent_at else now))


async def _nobody_to_ask(group: GroupRow, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    logger.warning("nobody can remove people from {}: no owner is known; managers are told", group.chat_id)
    card.state = "dropped"
    for case in cases:
        case.step, case.step_due_at = "escalate", now


def _leave_to_the_list(book: Book, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    """Everybody who could be asked has had many cards just now: this one would only be in their way."""
    card.state = "dropped"
    for case in cases:
        case.listed, case.step, case.step_due_at = True, "escalate", now + book.removal.escalate_after


async def _ask(tx: Tx, book: Book, group: GroupRow, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    card.state = "sent"
    card.task_id = f"removal-{card.number}-{int(card.send_at.timestamp())}"
    for case in cases:
        case.step, case.step_due_at = "remind", now + book.removal.remind_after
    by_text = set(await called(tx, book.removal.without_cards, "without_cards")) & set(card.recipients)
    by_card = [userid for userid in card.recipients if userid not in by_text]
    if by_card:
        words = write_card(group.name, tuple([await _suspect(tx, case) for case in cases]))
        await send(tx, card, SendCard(task_id=card.task_id, to=tuple(by_card), card=words), now=now)
    for userid in sorted(by_text):
        link = Link(page="todo", userid=userid, issued_at=now)
        text = say_asked_by_text(await who(tx, cases), group.name)
        await tell(tx, [userid], text, f"text:{card.task_id}:{userid}", link=link, about=f"card:{card.number}", now=now)


async def send(tx: Tx, card: CardRow, deed: SendCard | UpdateCard, *, now: datetime) -> None:
    """Order a deed about a card; those about one card go one after the other."""
    await post(
        tx,
        deed,
        f"{deed.kind}:{deed.task_id}",
        lane=REMOVAL,
        ordering_key=f"card:{deed.task_id}",
        about=f"card:{card.number}",
        now=now,
    )


async def _suspect(tx: Tx, case: CaseRow) -> Suspect:
    member = await roster.seen_as(tx, case.chat_id, case.external_userid)
    person = (await people.known(tx, [case.external_userid])).get(case.external_userid)
    inviter = member.invited_by if member else None
    return Suspect(
        case_id=case.number,
        external_userid=case.external_userid,
        name=(member.name if member else "") or (person.name if person else ""),
        company=person.company if person else "",
        joined_at=member.joined_at if member else None,
        join_scene=member.join_scene if member else None,
        invited_by=(await staff.names(tx, [inviter]))[inviter] if inviter else "",
        because=case.because,
        doubt=case.doubt,
        times=1 + await removal.times_removed(tx, case.chat_id, case.external_userid),
    )


async def ask_anew(
    tx: Tx, book: Book, group: GroupRow, cases: Sequence[CaseRow], *, assigned_to: str | None = None, now: datetime
) -> None:
    """Put open cases of a group on new cards at once: for a new owner, or for whom a manager has chosen."""
    for first in range(0, len(cases), PEOPLE_A_CARD):
        some = list(cases[first : first + PEOPLE_A_CARD])
        for case in some:
            case.assigned_to, case.listed = assigned_to, False
            case.reminded_at, case.escalated_at = None, None
        await send_card(tx, book, await cards.new(tx, "ask", some, send_at=now), now=now)


async def removers_changed(tx: Tx, book: Book, group: GroupRow, *, new_owner: bool, now: datetime) -> None:
    """Other people can remove now. Where none of those who were asked still can, what is open is asked of the new; and
    a new owner who was not asked is asked about what those before left to the managers.
    """
    stranded, left_to_owner = [], []
    open_cases = await removal.open_cases_in(tx, [group.chat_id])
    if any(case.listed or case.escalated_at is not None for case in open_cases):
        await expect_todo(tx, book, group.can_remove(), now=now)
    for case in open_cases:
        about = [card for card in await cards.cards_about(tx, case.number) if card.kind == "ask"]
        asked = {userid for card in about for userid in card.recipients}
        if asked and not asked & set(group.can_remove()):
            stranded.append(case)
        elif new_owner and group.owner not in asked and case.escalated_at is not None:
            left_to_owner.append(case)
    await ask_anew(tx, book, group, stranded, now=now)
    await ask_anew(tx, book, group, left_to_owner, assigned_to=group.owner, now=now)


async def go_on_at(tx: Tx, case: CaseRow, at: datetime) -> None:
    """A press led to nothing, or put the case off: at `at` it is reminded of, or asked about by a card for the first
    time; what stands in the daily list only is left to that.
    """
    if await cards.cards_about(tx, case.number):
        case.step, case.step_due_at = "remind", at
    elif case.listed:
        case.step, case.step_due_at = None, None
    else:
        case.step, case.step_due_at = "ask", at


# --- close ------------------------------------------------------------------------------------------------------------


async def withdraw(tx: Tx, group: GroupRow, member: MemberRow, rule: str, *, now: datetime) -> None:
    """What became known since makes the rule miss: nothing is asked of anybody any more."""
    case = await removal.open_case_of(tx, group.chat_id, member.external_userid)
    if case is not None and case.rule == rule:
        await close(tx, case, "withdrawn", by=None, now=now)


async def people_gone(
    tx: Tx, chat_id: str, people_ids: Iterable[str], quit_scenes: dict[str, int | None], *, now: datetime
) -> None:
    """The roster no longer shows these people: the evidence on which their cases close."""
    for external_userid in people_ids:
        case = await removal.open_case_of(tx, chat_id, external_userid)
        if case is None:
            continue
        outcome = _how(case, quit_scenes.get(external_userid))
        if outcome == "removed" and now - case.opened_at < GUARD_IS_QUICK and await _nobody_was_asked(tx, case):
            await observations.note(tx, observations.NATIVE_GUARD, now=now)
        await close(tx, case, outcome, by=case.pressed_by, now=now)


async def _nobody_was_asked(tx: Tx, case: CaseRow) -> bool:
    """No card about them has been written, and no webhook called: whoever removed them did so unasked."""
    asked = any(card.state in {"sent", "closed"} for card in await cards.cards_about(tx, case.number))
    return not (asked or case.listed or case.pressed_by or case.step == "ask")


async def dismissed(tx: Tx, chat_id: str, external_userid: str, *, now: datetime) -> None:
    """The group is no more, and with it every question about who is in it."""
    case = await removal.open_case_of(tx, chat_id, external_userid)
    if case is not None:
        await close(tx, case, "dismissed", by=None, now=now)


def _how(case: CaseRow, quit_scene: int | None) -> Outcome:
    """QuitScene 1 is a removal, 0 a leave (page 92130); untold, a press makes it a removal."""
    if quit_scene == 1 or (quit_scene is None and case.pressed_by):
        return "removed"
    return "left" if quit_scene == 0 else "gone"


async def close(tx: Tx, case: CaseRow, outcome: Outcome, *, by: str | None, now: datetime) -> None:
    """Close a case. Cards whose last open case it was show everybody who got them that they are done."""
    about = await cards.cards_about(tx, case.number)  # locked before the case, as a press does: else both would wait
    if not await removal.close(tx, case.number, outcome=outcome, by=by, now=now):
        return
    await tx.refresh(case)
    logger.bind(case=case.id).info("case #{} closed: {} after {}", case.id, outcome, now - case.opened_at)
    for card in about:
        cases = await cards.cases_on(tx, card.number)
        if card.state == "sent" and not any(each.open_key for each in cases):
            await close_card(tx, card, say_closed(each.outcome for each in cases), now=now)


async def close_card(tx: Tx, card: CardRow, words: str, *, now: datetime) -> None:
    """A card is over: it shows `words` in place of its buttons, if a response code is left (else when one comes)."""
    card.state = "closed"
    code = card.take_code(now=now)
    if code is not None and card.task_id is not None:
        deed = UpdateCard(task_id=card.task_id, to=tuple(card.recipients), response_code=code, replace_with=words)
        await send(tx, card, deed, now=now)


async def show_closed(tx: Tx, card: CardRow, *, now: datetime) -> None:
    """A response code has come for a card that is over already."""
    cases = await cards.cases_on(tx, card.number)
    await close_card(tx, card, say_closed(each.outcome for each in cases), now=now)
