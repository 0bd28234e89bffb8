"""Asks the rules, and carries what they answer into the store: strikes, cases, the blocklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers import cases, facts, matters
from rules.actions import BlockPerson, CheckAgain
from rules.answer import Record, answer, counts
from rules.blocklist import Blocklist
from rules.book import Book
from rules.decision import Decision
from rules.events import Event, GroupSeen, MemberGone, MemberSeen
from rules.facts import Facts, GroupFacts
from rules.rule import AnyRuleOf
from store import blocks, people, removal, roster, strikes
from store.database import Tx
from store.roster import GroupRow, MemberRow

JUST_BEFORE_US = timedelta(minutes=5)
"""Whoever joined this shortly before we began to watch is treated as a newcomer."""


@dataclass(frozen=True)
class Stay:
    """One member's stay in one group."""

    group: GroupRow
    member: MemberRow

    @property
    def began_before_us(self) -> bool:
        """Whether they were there before we watched the group."""
        joined_at = self.member.joined_at
        if self.member.announced:
            return False
        return joined_at is not None and joined_at < self.group.watched_since - JUST_BEFORE_US

    @property
    def key(self) -> str:
        """What makes this stay this one: somebody who leaves and comes back begins another."""
        joined_at = self.member.joined_at
        return f"{self.group.chat_id} {joined_at.isoformat() if joined_at else ''}"


async def ask_rules(
    tx: Tx, book: Book, group: GroupRow, members: Sequence[MemberRow], *, now: datetime, checked: bool = False
) -> list[Decision]:
    """Every rule's answer about every member, carried out. `checked`: asked because more became known of them."""
    rules = book.about(MemberSeen)
    if not members or not rules:
        return []
    known = await facts.of_members(tx, book, rules, group, members)
    has_case = await removal.asked_about(tx, group.chat_id)
    written = {rule.title for rule in book.rules}  # a list that nobody wrote down is only spoken of where it hits
    answers = []
    for member in members:
        stay = Stay(group, member)
        event = MemberSeen(
            at=now,
            chat_id=group.chat_id,
            external_userid=member.external_userid,
            occasion="inside" if stay.began_before_us else "checked" if checked else "joined",
        )
        theirs = await ask(tx, rules, event, known[member.external_userid], stay.key, now=now)
        answers += [each for each in theirs if each.verdict != "miss" or each.rule in written]
        who = known[member.external_userid].person
        for action in (action for each in theirs for action in each.actions):
            if isinstance(action, CheckAgain):
                await people.ask_again(tx, who.external_userid, who.checks, now=now)
        if who.external_userid in has_case or any(each.came_to for each in theirs):
            await cases.settle(tx, book, group, member, theirs, listed=stay.began_before_us, now=now)
        await _block(tx, book, member, theirs, now=now)
    return answers


async def ask_about_gone(
    tx: Tx, book: Book, group: GroupRow, members: Sequence[MemberRow], *, now: datetime
) -> list[Decision]:
    """The rules' answers about people who have left: a strike, or the blocklist. In the groups where they still are
    the rules are asked by themselves.
    """
    rules = book.about(MemberGone)
    if not members or not rules:
        return []
    known = await facts.of_members(tx, book, rules, group, members)
    answers = []
    for member in members:
        who = member.external_userid
        left_at = member.left_at or now
        event = MemberGone(at=left_at, chat_id=group.chat_id, external_userid=who, quit_scene=member.quit_scene)
        theirs = await ask(tx, rules, event, known[who], Stay(group, member).key, now=now)
        answers += theirs
        await _block(tx, book, member, theirs, now=now)
    return answers


async def ask_about_group(tx: Tx, book: Book, group: GroupRow, seen: GroupFacts, *, now: datetime) -> list[Decision]:
    """The rules' answers about a group as such. What they find is a matter for its owner, in the daily list."""
    rules = book.about(GroupSeen)
    answers = await ask(tx, rules, GroupSeen(at=now, chat_id=group.chat_id), seen, group.chat_id, now=now)
    for each in answers:
        await matters.of_group(tx, book, group, each, now=now)
    return answers


async def ask(
    tx: Tx, rules: Sequence[AnyRuleOf], event: Event, known: Facts, offence: str, *, now: datetime
) -> list[Decision]:
    """What each rule says and what it comes to; strikes are written down. `offence`: of a hit that names none."""
    answers = []
    for rule in rules:
        decision = rule.decide(event, known)
        if decision.verdict == "hit":
            decision = await _answered(tx, rule, decision, decision.offence or offence, now=now)
        answers.append(decision)
    return answers


async def _answered(tx: Tx, rule: AnyRuleOf, decision: Decision, offence: str, *, now: datetime) -> Decision:
    if not counts(rule):
        return answer(rule, decision, Record(), now)
    on_record = await strikes.record(tx, decision.subject, rule.title, offence, forget_after=rule.forget_after, now=now)
    answered = answer(rule, decision, on_record, now)
    if not on_record.same and answered.came_to != "repeat":
        await strikes.note(tx, answered, offence, now=now)
    return answered


async def carry_out_about(
    tx: Tx,
    book: Book,
    group: GroupRow,
    member: MemberRow | None,
    who: str,
    answers: Sequence[Decision],
    *,
    now: datetime,
) -> None:
    """What the rules want about something that somebody did, who may be no member of the group any more. That a later
    message is harmless takes back nothing.
    """
    answers = [each for each in answers if each.verdict == "hit"]
    if member is None or member.left_at is not None:
        await _block(tx, book, member or MemberRow(chat_id="", external_userid=who, seen_at=now), answers, now=now)
        return
    await cases.settle(tx, book, group, member, answers, listed=False, now=now)
    await _block(tx, book, member, answers, now=now)


async def _block(tx: Tx, book: Book, member: MemberRow, answers: Sequence[Decision], *, now: datetime) -> None:
    """Put somebody on the blocklist, and ask about them wherever they are."""
    wanted = [each for each in answers if any(isinstance(action, BlockPerson) for action in each.actions)]
    for each in wanted:
        new = await blocks.put(
            tx,
            external_userid=member.external_userid,
            unionid=member.unionid,
            name=member.name,
            because=each.because,
            by=each.rule,
            now=now,
        )
        if new:
            lists = [rule.title for rule in book.in_force if isinstance(rule, Blocklist)]
            await people.withdraw_release(tx, member.external_userid, lists)
            await ask_everywhere(tx, book, member.external_userid, besides=member.chat_id, now=now)


async def ask_everywhere(
    tx: Tx, book: Book, external_userid: str, *, besides: str = "", now: datetime
) -> list[Decision]:
    """The rules about somebody in every group they are in."""
    answers = []
    for group, member in await roster.groups_of(tx, external_userid):
        if group.chat_id != besides:
            answers += await ask_rules(tx, book, group, [member], now=now, checked=True)
    return answers
