"""The life of a removal case: opened by a rule, put on a card, closed by the roster or by somebody's word."""

from collections.abc import Iterable
from datetime import datetime

from loguru import logger

from rules.actions import SendCard, UpdateCard
from rules.book import Book
from rules.decision import Decision
from rules.lanes import REMOVAL
from rules.removal import Outcome, Suspect, say_closed, write_card
from store import outbox, people, removal, roster, staff
from store.database import Tx
from store.removal import CardRow, CaseRow
from store.roster import GroupRow, MemberRow


async def open_or_update(
    tx: Tx, book: Book, group: GroupRow, member: MemberRow, decision: Decision, doubt: str, *, now: datetime
) -> None:
    """Open a case and put it on the group's next card; an open one only learns the better evidence."""
    case = await removal.open_case_of(tx, group.chat_id, member.external_userid)
    if case is not None:
        case.evidence, case.because, case.doubt = decision.evidence, decision.because, doubt
        return
    case = await removal.open_case(
        tx,
        chat_id=group.chat_id,
        external_userid=member.external_userid,
        rule=decision.rule,
        evidence=decision.evidence,
        because=decision.because,
        doubt=doubt,
        now=now,
    )
    logger.info("case #{} opened: {} in {} ({})", case.id, case.external_userid, case.chat_id, case.evidence)
    settings = book.removal
    card = await removal.plan_card(
        tx, case, first_after=settings.wait_for_others, gap=settings.next_card_after, now=now
    )
    if card.state == "planned" and card.send_at <= now:
        await send_card(tx, book, card, now=now)


async def send_card(tx: Tx, book: Book, card: CardRow, *, now: datetime) -> None:
    """Write the card about those of its cases that are still open and hand it to the outbox."""
    cases = [case for case in await removal.cases_on(tx, card.number) if case.open_key]
    group = await roster.group(tx, card.chat_id)
    if not cases or group is None:
        card.state = "dropped"
        return
    card.recipients = list(group.can_remove())
    for case in cases:
        case.step = "remind" if card.recipients else "escalate"
        case.step_due_at = now + book.removal.remind_after if card.recipients else now
    if not card.recipients:
        card.state = "dropped"
        logger.warning("nobody can remove people from {}: no owner is known; managers are told", group.chat_id)
        return
    card.state = "sent"
    card.task_id = f"removal-{card.number}-{int(card.send_at.timestamp())}"
    deed = SendCard(
        task_id=card.task_id,
        to=tuple(card.recipients),
        card=write_card(group.name, tuple([await _suspect(tx, case) for case in cases])),
    )
    await outbox.put(
        tx,
        deed,
        key=f"card:{card.task_id}",
        lane=REMOVAL,
        ordering_key=f"card:{card.task_id}",
        due_at=now,
        now=now,
        about=f"card:{card.number}",
    )


async def _suspect(tx: Tx, case: CaseRow) -> Suspect:
    member = await roster.member(tx, case.chat_id, case.external_userid)
    person = await people.person(tx, case.external_userid)
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
        if case is not None:
            outcome = _how(case, quit_scenes.get(external_userid))
            await close(tx, case, outcome, by=case.pressed_by, now=now)


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
    """Close a case and, when it was the last on its card, show everybody who got the card that it is done."""
    if not await removal.close(tx, case.number, outcome=outcome, by=by, now=now):
        return
    await tx.refresh(case)
    logger.info("case #{} closed: {} after {}", case.id, outcome, now - case.opened_at)
    card = await removal.card(tx, case.card_id) if case.card_id is not None else None
    if card is None:
        return
    cases = await removal.cases_on(tx, card.number)
    if card.state == "sent" and not any(each.open_key for each in cases):
        card.state = "closed"
        await show_closed(tx, card, cases, now=now)


async def show_closed(tx: Tx, card: CardRow, cases: list[CaseRow], *, now: datetime) -> None:
    """Update a finished card for everybody who got it, where a response code is left to do it with."""
    code = card.take_code(now=now)
    if code is None or card.task_id is None:
        return
    outcomes = [case.outcome for case in cases]
    deed = UpdateCard(
        task_id=card.task_id, to=tuple(card.recipients), response_code=code, replace_with=say_closed(outcomes)
    )
    await outbox.put(
        tx,
        deed,
        key=f"closed:{card.task_id}",
        lane=REMOVAL,
        ordering_key=f"card:{card.task_id}",
        due_at=now,
        now=now,
        about=f"card:{card.number}",
    )
