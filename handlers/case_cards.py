"""The cards about cases: planned together by group, written when they are due, updated when all is done."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import one_to_one
from handlers.asking import AT_ONCE, called, expect_todo, had_enough, post, tell, who, whom
from rules.actions import Link, SendCard, UpdateCard
from rules.blocklist import BLOCKED
from rules.book import Book
from rules.lanes import REMOVAL
from rules.other_company import OtherCompany
from rules.removal import PEOPLE_A_CARD, Demand, Suspect, say_asked_by_text, say_closed, write_card
from rules.warning import say_warn_by_text, write_warning
from store import cards, matters, people, removal, roster, staff, todo
from store.cards import CardRow
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow

OUT_OF_SIGHT_AGAIN = timedelta(hours=1)  # how often a question about a group that cannot be seen is taken up again
WARNING_LAPSES = timedelta(days=7)  # a warning that nobody gave by then is of no use any more


async def plan_card(
    tx: Tx, book: Book, group: GroupRow, case: CaseRow, *, first_at: datetime, now: datetime
) -> CardRow:
    """Put a case on the group's next card: not before `first_at`, nor before those who can remove may be asked."""
    not_before = (await whom(tx, book, group, now=now)).not_before
    kind: cards.Kind = "warn" if case.demand == "warn" else "ask"
    return await cards.plan(tx, case, kind, first_at=max(first_at, not_before), gap=book.removal.next_card_after)


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
    to = [assigned] if assigned else _whose_word(card, group, asking.to)
    enough = await had_enough(tx, book, to, now=now)
    busy = enough | await cards.often_mailed(tx, to, times=book.removal.most_cards_at_once, since=now - AT_ONCE)
    card.recipients = [userid for userid in to if userid not in busy] or to
    if not to:
        await _nobody_to_ask(group, card, cases, now=now)
    elif len(busy) < len(to):
        await _ask(tx, book, group, card, cases, now=now)
    else:
        _leave_to_the_list(book, card, cases, now=now)
    told = await had_enough(tx, book, sorted(enough), left=0, now=now) if enough else set()
    await expect_todo(tx, book, sorted(told), now=now)  # their last message today was the list
    for userid in sorted(busy - told):
        row = await todo.todo(tx, userid)
        todo.expect(row, at=max(now + timedelta(minutes=1), row.sent_at + AT_ONCE if row.sent_at else now))


def _whose_word(card: CardRow, group: GroupRow, can_be_asked: Sequence[str]) -> list[str]:
    """A warning is the owner's to give, where they may be asked; anybody who can may remove."""
    return [group.owner] if card.kind == "warn" and group.owner in can_be_asked else list(can_be_asked)


async def _nobody_to_ask(group: GroupRow, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    logger.warning("nobody can remove people from {}: no owner is known; managers are told", group.chat_id)
    card.state = "dropped"
    for case in cases:
        if case.demand == "remove":
            case.step, case.step_due_at = "escalate", now
        else:
            case.step, case.step_due_at = "lapse", case.opened_at + WARNING_LAPSES


def _leave_to_the_list(book: Book, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    """Everybody who could be asked has had many cards just now: this one would only be in their way."""
    card.state = "dropped"
    for case in cases:
        case.listed = True
        if case.demand == "remove":
            case.step, case.step_due_at = "escalate", now + book.removal.escalate_after
        else:
            case.step, case.step_due_at = "lapse", case.opened_at + WARNING_LAPSES


async def _ask(tx: Tx, book: Book, group: GroupRow, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    card.state = "sent"
    card.task_id = f"removal-{card.number}-{int(card.send_at.timestamp())}"
    for case in cases:
        await _what_follows(tx, book, group, case, now=now)
    by_text = set(await called(tx, book.removal.without_cards, "without_cards")) & set(card.recipients)
    by_card = [userid for userid in card.recipients if userid not in by_text]
    warns = card.kind == "warn"
    suspects = []
    for case in cases:
        told_by = await one_to_one.hand_over(tx, group, case, now=now) if warns else ""
        suspects.append(await suspect(tx, case, by_company=is_about_company(book, case), told_by=told_by))
    if by_card:
        words = (write_warning if warns else write_card)(group.name, suspects)
        await send(tx, card, SendCard(task_id=card.task_id, to=tuple(by_card), card=words), now=now)
    for userid in sorted(by_text):
        link = Link(page="todo", userid=userid, issued_at=now)
        text = say_warn_by_text(group.name, suspects) if warns else say_asked_by_text(await who(tx, cases), group.name)
        await tell(tx, [userid], text, f"text:{card.task_id}:{userid}", link=link, about=f"card:{card.number}", now=now)


async def _what_follows(tx: Tx, book: Book, group: GroupRow, case: CaseRow, *, now: datetime) -> None:
    """A removal is reminded of; a warning stays on the daily list until it is given, or lapses."""
    if case.demand == "remove":
        case.step, case.step_due_at = "remind", max(now + book.removal.remind_after, case.grace_until or now)
        return
    case.step, case.step_due_at = "lapse", case.opened_at + WARNING_LAPSES
    await expect_todo(tx, book, [group.owner], now=now)


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


def is_about_company(book: Book, case: CaseRow) -> bool:
    """Whether the company somebody is of is all that is asked about."""
    titles = {rule.title for rule in book.in_force if isinstance(rule, OtherCompany)}
    return all(reason.rule in titles for reason in case.why())


def is_blocked(case: CaseRow) -> bool:
    """Whether the person is on the blocklist, or is put on it by this: the card has one more thing to say."""
    return any(reason.step == "block" or reason.evidence == BLOCKED for reason in case.why())


async def suspect(tx: Tx, case: CaseRow, *, by_company: bool = False, told_by: str = "") -> Suspect:
    """A case as a card shows it."""
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
        words=next((reason.words for reason in case.why() if reason.words), ""),
        grace_until=case.grace_until,
        blocked=is_blocked(case),
        added_by=tuple((await staff.names(tx, person.followers)).values()) if person and person.followers else (),
        told_by=told_by,
        by_company=by_company,
    )


_KINDS: dict[cards.Kind, Demand] = {"ask": "remove", "warn": "warn"}


async def ask_anew(
    tx: Tx, book: Book, group: GroupRow, cases: Sequence[CaseRow], *, assigned_to: str | None = None, now: datetime
) -> None:
    """Put open cases of a group on new cards at once: for a new owner, or for whom a manager has chosen."""
    for case in cases:
        case.assigned_to, case.listed = assigned_to, False
        case.reminded_at, case.escalated_at = None, None
    for kind, demand in _KINDS.items():
        alike = [case for case in cases if case.demand == demand and not case.held]
        for first in range(0, len(alike), PEOPLE_A_CARD):
            card = await cards.new(tx, kind, alike[first : first + PEOPLE_A_CARD], send_at=now)
            await send_card(tx, book, card, now=now)


async def close_card(tx: Tx, card: CardRow, words: str, *, now: datetime) -> None:
    """A card is over: it shows `words` in place of its buttons, if a response code is left (else when one comes)."""
    card.state = "closed"
    if card.kind == "held" and card.task_id is not None:
        await matters.settle(tx, card.task_id, outcome="settled", now=now)
    code = card.take_code(now=now)
    if code is not None and card.task_id is not None:
        deed = UpdateCard(task_id=card.task_id, to=tuple(card.recipients), response_code=code, replace_with=words)
        await send(tx, card, deed, now=now)


async def show_closed(tx: Tx, card: CardRow, *, now: datetime) -> None:
    """A response code has come for a card that is over already."""
    cases = await cards.cases_on(tx, card.number)
    await close_card(tx, card, say_closed(each.outcome for each in cases), now=now)
