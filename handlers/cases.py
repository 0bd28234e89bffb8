"""The life of a removal case: opened by a rule, put on a card, closed by the roster or by somebody's word."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import held, one_to_one
from handlers.asking import FIRST_LIST_AFTER, expect_todo
from handlers.case_cards import ask_anew, close_card, is_blocked, plan_card, send_card, suspect
from rules.actions import CallRemover
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberSeen
from rules.lanes import REMOVAL
from rules.removal import Outcome, Reason, Webhook, say_closed
from store import cards, observations, outbox, removal, roster, strikes
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow

GUARDED_WAIT = timedelta(minutes=1)  # where WeCom's own 防骚扰 is seen to remove people, it gets this long
GUARD_IS_QUICK = timedelta(seconds=15)  # no person reads a card, opens a group and removes somebody within this


# --- open -------------------------------------------------------------------------------------------------------------


async def settle(
    tx: Tx,
    book: Book,
    group: GroupRow,
    member: MemberRow,
    answers: Sequence[Decision],
    *,
    listed: bool,
    now: datetime,
) -> None:
    """Bring the one case about this member to what the rules say now: open it, learn, ask for more, or withdraw it.

    A rule that misses takes its reason back; a rule that was not asked keeps it. `listed`: the case only stands in the
    daily list of those who can remove.
    """
    asking = [each for each in answers if each.came_to in _ASKS]
    missed = {each.rule for each in answers if each.verdict == "miss"}
    case = await removal.open_case_of(tx, group.chat_id, member.external_userid) if asking or missed else None
    if case is None:
        if asking:
            reasons = in_order(book, [_reason(each) for each in asking])
            await _open(tx, book, group, member, reasons, listed=listed, now=now)
        return
    kept = {each.rule: each for each in case.why() if each.rule not in missed}
    reasons = in_order(book, (kept | {each.rule: _reason(each) for each in asking}).values())
    if not reasons:
        await close(tx, case, "withdrawn", by=None, now=now)
    elif reasons != case.why():
        await _learn(tx, book, group, case, reasons, listed=listed, now=now)


_ASKS = {"warn", "remove", "block", "held"}


def _reason(answer: Decision) -> Reason:
    return Reason.model_validate(
        {
            "rule": answer.rule,
            "step": answer.came_to,
            "because": answer.because,
            "evidence": answer.evidence,
            "doubt": answer.doubt,
            "words": answer.words,
            "grace": answer.grace,
        }
    )


def in_order(book: Book, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """As the rules stand in the config; those of rules that are no longer in it come last."""
    places = {rule.title: place for place, rule in enumerate(book.in_force)}
    return tuple(sorted(reasons, key=lambda reason: places.get(reason.rule, len(places))))


async def _open(
    tx: Tx,
    book: Book,
    group: GroupRow,
    member: MemberRow,
    reasons: Sequence[Reason],
    *,
    listed: bool,
    now: datetime,
) -> None:
    case = await removal.open_case(
        tx, chat_id=group.chat_id, external_userid=member.external_userid, reasons=reasons, listed=listed, now=now
    )
    logger.bind(case=case.id).info(
        "case #{} opened: {} in {} ({}: {})", case.id, case.external_userid, case.chat_id, case.rule, case.evidence
    )
    await _ask_about(tx, book, group, case, now=now)


async def _learn(
    tx: Tx, book: Book, group: GroupRow, case: CaseRow, reasons: Sequence[Reason], *, listed: bool, now: datetime
) -> None:
    """An open case has other reasons than before. Where they demand something else, more or less, what was asked is
    taken back, and people are asked anew.
    """
    before = (case.demand, case.held, is_blocked(case))
    case.give(reasons, now=now)
    if (case.demand, case.held, is_blocked(case)) != before:
        await _take_back_cards(tx, case, now=now)
        case.step, case.step_due_at, case.listed = None, None, listed
        await _ask_about(tx, book, group, case, now=now)


async def _take_back_cards(tx: Tx, case: CaseRow, *, now: datetime) -> None:
    """What was asked about this case so far no longer holds; cards that are about nobody else are closed."""
    for card in await cards.cards_about(tx, case.number):
        others = [each for each in await cards.cases_on(tx, card.number) if each.open_key and each.id != case.id]
        if card.state == "sent" and not others:
            await close_card(tx, card, "有了新的处理", now=now)
        elif card.state == "planned":
            await cards.take_off(tx, card, case)


async def _ask_about(tx: Tx, book: Book, group: GroupRow, case: CaseRow, *, now: datetime) -> None:
    """Have somebody asked about a case that nobody was asked about yet."""
    if case.held:
        said = await held.ask_managers(tx, book, case, now=now)
        if said is not None and said.button == "go_on":
            await let_go_on(tx, book, case, now=now)
        elif said is not None:
            await close(tx, case, "withdrawn", by=said.userid, now=now)
        return
    if case.listed:
        await expect_todo(tx, book, group.can_remove(), first_at=now + FIRST_LIST_AFTER, now=now)
        return
    not_before = _after_quiet_hours(book, case, now=now)
    guarded = case.demand == "remove" and await observations.is_seen(tx, observations.NATIVE_GUARD)
    if book.removal.webhook is not None and case.demand == "remove" and case.grace_until is None:
        at = max(not_before, now + GUARDED_WAIT) if guarded else not_before
        await _call_remover(tx, book.removal.webhook, group, case, at=at, now=now)
        return
    wait = max(book.removal.wait_for_others, GUARDED_WAIT) if guarded else book.removal.wait_for_others
    card = await plan_card(tx, book, group, case, first_at=max(not_before, now + wait), now=now)
    if card.state == "planned" and card.send_at <= now:
        await send_card(tx, book, card, now=now)


def _after_quiet_hours(book: Book, case: CaseRow, *, now: datetime) -> datetime:
    """When the quiet hours of all its rules are over; a rule that has none asks now."""
    hours = {rule.title: rule.quiet_hours for rule in book.in_force}
    quiet = [hours.get(reason.rule) for reason in case.why()]
    return (
        max((each.ends_after(now) for each in quiet if each and each.covers(now)), default=now) if all(quiet) else now
    )


async def _call_remover(
    tx: Tx, webhook: Webhook, group: GroupRow, case: CaseRow, *, at: datetime, now: datetime
) -> None:
    """Ask the company's own program. If the roster still shows the person after its `wait`, people are asked."""
    person = await suspect(tx, case)
    deed = CallRemover(
        url=webhook.url,
        case_id=case.number,
        chat_id=group.chat_id,
        group=group.name,
        external_userid=case.external_userid,
        name=person.name,
        requested_at=at,
    )
    case.step, case.step_due_at = "ask", at + webhook.wait
    key = f"call_remover:{case.number}"
    await outbox.put(tx, deed, key=key, lane=REMOVAL, ordering_key=key, due_at=at, now=now, about=f"case:{case.number}")


async def removers_changed(tx: Tx, book: Book, group: GroupRow, *, new_owner: bool, now: datetime) -> None:
    """Other people can remove now. Where none of those who were asked still can, what is open is asked of the new; and
    a new owner who was not asked is asked about what those before left to the managers.
    """
    stranded, left_to_owner = [], []
    open_cases = await removal.open_cases_in(tx, [group.chat_id])
    if any(case.listed or case.escalated_at is not None for case in open_cases):
        await expect_todo(tx, book, group.can_remove(), now=now)
    for case in open_cases:
        about = [card for card in await cards.cards_about(tx, case.number) if card.kind in ("ask", "warn")]
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
    if case.demand == "warn":
        return  # it stands in the daily list until it is given, or lapses
    if await cards.cards_about(tx, case.number):
        case.step, case.step_due_at = "remind", at
    elif case.listed:
        case.step, case.step_due_at = None, None
    else:
        case.step, case.step_due_at = "ask", at


# --- close ------------------------------------------------------------------------------------------------------------


async def people_gone(
    tx: Tx, chat_id: str, people_ids: Iterable[str], quit_scenes: dict[str, int | None], *, now: datetime
) -> list[str]:
    """The roster no longer shows these people: the evidence on which their cases close. Returns who was removed."""
    removed = []
    for external_userid in people_ids:
        case = await removal.open_case_of(tx, chat_id, external_userid)
        if case is None:
            continue
        outcome = _how(case, quit_scenes.get(external_userid))
        if outcome == "removed" and now - case.opened_at < GUARD_IS_QUICK and await _nobody_was_asked(tx, case):
            await observations.note(tx, observations.NATIVE_GUARD, now=now)
        await close(tx, case, outcome, by=case.pressed_by, now=now)
        if outcome == "removed":
            removed.append(external_userid)
    return removed


async def _nobody_was_asked(tx: Tx, case: CaseRow) -> bool:
    """No card about them has been written, and no webhook called: whoever removed them did so unasked."""
    asked = any(card.state in {"sent", "closed"} for card in await cards.cards_about(tx, case.number))
    return not (asked or case.listed or case.pressed_by or case.step == "ask")


async def take_back(tx: Tx, book: Book, case: CaseRow, rules: Iterable[str], *, by: str, now: datetime) -> None:
    """These rules ask about this person no more; the case goes on with the reasons of the others, if there are any."""
    kept = in_order(book, [reason for reason in case.why() if reason.rule not in set(rules)])
    group = await roster.group(tx, case.chat_id)
    if not kept or group is None:
        await close(tx, case, "released", by=by, now=now)
    else:
        await _learn(tx, book, group, case, kept, listed=case.listed, now=now)


async def let_go_on(tx: Tx, book: Book, case: CaseRow, *, now: datetime) -> None:
    """A manager has looked at what a rule asked for beyond its cap of the day: it is asked for now."""
    group = await roster.group(tx, case.chat_id)
    await strikes.go_on(tx, case.external_userid, [each.rule for each in case.why() if each.step == "held"])
    case.give(
        [each.model_copy(update={"step": "remove"}) if each.step == "held" else each for each in case.why()], now=now
    )
    if group is not None:
        await _ask_about(tx, book, group, case, now=now)


async def dismissed(tx: Tx, chat_id: str, external_userid: str, *, now: datetime) -> None:
    """The group is no more, and with it every question about who is in it."""
    case = await removal.open_case_of(tx, chat_id, external_userid)
    if case is not None:
        await close(tx, case, "dismissed", by=None, now=now)


async def warned(tx: Tx, book: Book, case: CaseRow, by: str, *, now: datetime) -> None:
    """The person was told. Where that is not the last step, and it may stay as it is, it is looked at again."""
    await close(tx, case, "warned", by=by, now=now)
    reasons = {each.rule for each in case.why()}
    for rule in book.about(MemberSeen):
        if rule.title in reasons and rule.escalates:
            await strikes.look_again(tx, case.external_userid, rule.title, at=now + rule.again_after)


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
    if outcome in ("warned", "lapsed") or (outcome == "withdrawn" and by):
        await strikes.over(tx, case.external_userid, [each.rule for each in case.why()], now=now)
    if case.demand == "warn":
        await one_to_one.take_back(tx, case, now=now)
    for card in about:
        cases = await cards.cases_on(tx, card.number)
        if card.state == "sent" and not any(each.open_key for each in cases):
            await close_card(tx, card, say_closed(each.outcome for each in cases), now=now)
