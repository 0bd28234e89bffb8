"""Asks the rules about members and carries their answers into the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers import asking, cases
from rules.actions import AnyAction, AskForRemoval, CheckAgain, SendText, WarnStaff
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.removal import say_warning
from store import people, removal, roster
from store.database import Tx
from store.people import Known
from store.roster import GroupRow, MemberRow

JUST_BEFORE_US = timedelta(minutes=5)
"""Whoever joined this shortly before we began to watch is treated as a newcomer."""


async def ask_rules(
    tx: Tx, book: Book, group: GroupRow, members: Sequence[MemberRow], *, now: datetime, checked: bool = False
) -> list[Decision]:
    """Every rule's answer about every member, carried out. `checked`: asked because more became known of them."""
    if not members or not book.rules:
        return []
    ids = [member.external_userid for member in members]
    known = await people.known(tx, ids)
    released = await people.released(tx, ids)
    gets_unionid = await roster.unionid_seen(tx)
    asked_about = await removal.asked_about(tx, group.chat_id)
    facts_of_group = group.facts()
    decisions = []
    for member in members:
        stay = Stay(group, member, known.get(member.external_userid))
        event = MemberSeen(
            at=now,
            chat_id=group.chat_id,
            external_userid=member.external_userid,
            occasion="checked" if checked else "inside" if stay.began_before_us else "joined",
        )
        for rule in book.rules:
            facts = MemberFacts(
                group=facts_of_group,
                member=member.facts(),
                person=people.facts(stay.person, member.external_userid, released, rule.title),
                corp_gets_unionid=gets_unionid,
            )
            decision = rule.decide(event, facts).model_copy(update={"chat_id": group.chat_id})
            decisions.append(decision)
            if decision.verdict == "miss" and member.external_userid in asked_about:
                await cases.withdraw(tx, group, member, decision.rule, now=now)
            for action in decision.actions:
                await _carry_out(tx, book, stay, decision, action, asked_about, now=now)
    return decisions


@dataclass(frozen=True)
class Stay:
    """One member's stay in one group, and what is known of the person."""

    group: GroupRow
    member: MemberRow
    person: Known | None

    @property
    def began_before_us(self) -> bool:
        """Whether they were there before we watched the group."""
        joined_at = self.member.joined_at
        if self.member.announced:
            return False
        return joined_at is not None and joined_at < self.group.watched_since - JUST_BEFORE_US


async def _carry_out(
    tx: Tx, book: Book, stay: Stay, decision: Decision, action: AnyAction, asked_about: set[str], *, now: datetime
) -> None:
    """`asked_about`: who in the group has an open case."""
    match action:
        case CheckAgain(external_userid=external_userid):
            await people.ask_again(tx, external_userid, stay.person.checks if stay.person else 0, now=now)
        case AskForRemoval(external_userid=external_userid, doubt=doubt) if external_userid in asked_about:
            await cases.update(tx, stay.group.chat_id, external_userid, decision, doubt)
        case AskForRemoval(external_userid=external_userid, doubt=doubt):
            asked_about.add(external_userid)
            await cases.open_case(
                tx, book, stay.group, stay.member, decision, doubt, listed=stay.began_before_us, now=now
            )
        case WarnStaff() if not stay.began_before_us:
            await _warn(tx, stay, decision, now=now)


async def _warn(tx: Tx, stay: Stay, decision: Decision, *, now: datetime) -> None:
    group, member = stay.group, stay.member
    who = member.name or member.external_userid
    joined = member.joined_at.isoformat() if member.joined_at else ""
    text = say_warning(who, stay.person.company if stay.person else "", group.name, decision.because)
    deed = SendText(to=(group.owner,), text=text)
    key = f"warn:{decision.rule}:{group.chat_id}:{member.external_userid}:{joined}"
    await asking.post(tx, deed, key, about=f"group:{group.chat_id}", now=now)
