"""What really happened lately, gone through again with the rules of a config: whom it would have asked about, and why.

Nothing is written and nobody is asked. What the rules would have held against people is counted in memory, in the same
order and by the same functions (rules/answer.py) as when it happens. What is known of people is what is known now; what
came later than the moment (a removal, a block, another group) is left out of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from bot.prune import PAYLOADS_KEPT
from bot.rehearse.found import STRONGEST_FIRST, Line, Often, Rehearsal, RuleCount, Wrong
from bot.rehearse.memory import Memory
from handlers import facts
from handlers.verdicts import Stay as StayOf
from rules.actions import BlockPerson
from rules.advert_and_leave import AdvertAndLeave
from rules.answer import counts
from rules.book import Book
from rules.decision import Came, Decision
from rules.events import MemberGone, MemberSeen, MessagePosted
from rules.facts import Block, Earlier, Group, MemberFacts, MessageFacts
from rules.rule import AnyRuleOf
from rules.text import normalise, shape
from store import past, people, roster, staff
from store.database import Tx
from store.people import Released
from store.roster import GroupRow, MemberRow

REHEARSED = (MemberSeen, MemberGone, MessagePosted)


class Moment(NamedTuple):
    """Something that happened. `order` decides between what happened at the same time: came, wrote, left."""

    at: datetime
    order: int
    chat_id: str
    who: str
    event: MemberSeen | MessagePosted | MemberGone


@dataclass
class Known:
    """What is on record now, and is needed to go through it all again."""

    groups: Mapping[str, GroupRow]
    members: Mapping[tuple[str, str], MemberRow]
    facts: Mapping[tuple[str, str], MemberFacts]
    released: Released


async def rehearse(tx: Tx, book: Book, *, since: datetime, until: datetime) -> Rehearsal:
    """Everything on record between these moments, in the order of time. Reads only."""
    rows = await past.stays(tx, since=since, until=until)
    written = await past.messages(tx, since=since, until=until)
    groups = await past.groups(tx)
    moments = _moments(rows, groups, written, since=since, until=until)
    known = await _known(tx, book, groups, rows, written)
    memory = Memory()
    answers = [(moment, _replay(book, known, memory, moment)) for moment in moments]
    lines = [line for moment, each in answers if (line := _line(known, moment, each)) is not None]
    hits = [each for _, decisions in answers for each in decisions if each.verdict == "hit"]
    return Rehearsal(
        since=since,
        until=until,
        joins=sum(moment.order == 0 for moment in moments),
        leaves=sum(moment.order == 2 for moment in moments),
        messages=len(written),
        rules=tuple(_count(rule, hits) for rule in book.in_force if rule in book.rules or _of(rule, hits)),
        steps=_steps(hits),
        lines=tuple(lines),
        often=_often(lines),
        unknown=tuple(await _unknown(tx, book, written, since, until)),
        wrong=tuple(wrongly_asked(lines, {row.userid for row in await staff.everybody(tx)}, groups, known.released)),
    )


# --- what happened ----------------------------------------------------------------------------------------------------


def _moments(
    rows: Iterable[MemberRow],
    groups: Mapping[str, GroupRow],
    messages: Iterable[MessagePosted],
    *,
    since: datetime,
    until: datetime,
) -> list[Moment]:
    moments = [Moment(each.at, 1, each.chat_id, each.sender, each) for each in messages if each.chat_id in groups]
    for row in rows:
        chat_id, who = row.chat_id, row.external_userid
        came_at = next((at for at in (row.joined_at, row.seen_at) if at and since <= at <= until), None)
        if came_at is not None:
            before_us = StayOf(groups[chat_id], row).began_before_us
            occasion: Literal["inside", "joined"] = "inside" if before_us else "joined"
            seen = MemberSeen(at=came_at, chat_id=chat_id, external_userid=who, occasion=occasion)
            moments.append(Moment(came_at, 0, chat_id, who, seen))
        if row.left_at is not None and since <= row.left_at <= until:
            gone = MemberGone(at=row.left_at, chat_id=chat_id, external_userid=who, quit_scene=row.quit_scene)
            moments.append(Moment(row.left_at, 2, chat_id, who, gone))
    return sorted(moments, key=lambda moment: moment[:4])


async def _known(
    tx: Tx, book: Book, groups: Mapping[str, GroupRow], rows: Sequence[MemberRow], messages: Sequence[MessagePosted]
) -> Known:
    # Who advertised is found again on the way: to ask the store for it would be a query for each of them.
    rules = [each for each in (*book.about(MemberSeen), *book.about(MemberGone)) if "adverts" not in each.looks_at]
    by_group: dict[str, list[MemberRow]] = defaultdict(list)
    for row in rows:
        by_group[row.chat_id].append(row)
    found: dict[tuple[str, str], MemberFacts] = {}
    for chat_id, of_group in by_group.items():
        theirs = await facts.of_members(tx, book, rules, groups[chat_id], of_group)
        found |= {(chat_id, who): each for who, each in theirs.items()}
    members = {(row.chat_id, row.external_userid): row for row in rows}
    senders = {(each.chat_id, each.sender) for each in messages} - members.keys()
    everybody = sorted({who for _, who in (*members, *senders)})
    companies = {row.company for row in (await people.known(tx, everybody)).values() if row.company}
    return Known(
        groups,
        members | await past.member_of(tx, senders),
        found,
        await people.released(tx, everybody, sorted(companies)),
    )


# --- asking again -----------------------------------------------------------------------------------------------------


def _replay(book: Book, known: Known, memory: Memory, moment: Moment) -> list[Decision]:
    if isinstance(moment.event, MessagePosted):
        answers = _message(book, known, memory, moment.event)
    else:
        row = known.members[moment.chat_id, moment.who]
        seen = _as_of(known.facts[moment.chat_id, moment.who], book, memory, moment.at)
        offence = StayOf(known.groups[moment.chat_id], row).key
        answers = [memory.ask(rule, moment.event, seen, offence) for rule in book.about(type(moment.event))]
    for each in answers:
        if any(isinstance(action, BlockPerson) for action in each.actions):
            memory.blocked.setdefault(moment.who, Block(by=each.rule, at=moment.at, because=each.because))
    return answers


def _as_of(seen: MemberFacts, book: Book, memory: Memory, at: datetime) -> MemberFacts:
    """What is known now, without what came after `at`; groups are of the kinds that this config says."""
    stays = tuple(
        stay.model_copy(
            update={"group": _in_book(book, stay.group)}
            | ({"left_at": None, "quit_scene": None} if stay.left_at and stay.left_at > at else {})
        )
        for stay in seen.stays
        if stay.joined_at is None or stay.joined_at <= at
    )
    blocked = seen.blocked if seen.blocked and seen.blocked.at <= at else None
    return seen.model_copy(
        update={
            "group": _in_book(book, seen.group),
            "stays": stays,
            "removed": seen.removed if seen.removed and seen.removed.at <= at else None,
            "blocked": blocked or memory.blocked.get(seen.subject),
            "last_advert_at": memory.adverts.get((seen.group.chat_id, seen.subject)),
        }
    )


def _in_book(book: Book, group: Group) -> Group:
    return group.model_copy(update={"kind": book.kind_of(group.name)})


def _message(book: Book, known: Known, memory: Memory, event: MessagePosted) -> list[Decision]:
    """As handlers/message.py asks: a later rule knows what an earlier one found."""
    rules, group = book.about(MessagePosted), known.groups[event.chat_id]
    if facts.is_staff(event.sender, group.staff):
        return []
    member = known.members.get((event.chat_id, event.sender))
    came_at = member.joined_at if member and member.joined_at and member.joined_at <= event.at else None
    seen = MessageFacts(
        group=_in_book(book, group.facts()),
        subject=event.sender,
        released=known.released.of(event.sender, ""),
        text=event.text,
        plain=normalise(event.text),
        joined_at=came_at,
        earlier=memory.earlier(event),
    )
    found: dict[str, str] = {}
    answers = []
    for rule in rules:
        answers.append(memory.ask(rule, event, seen.model_copy(update={"found": dict(found)}), event.msgid))
        if answers[-1].verdict == "hit":
            found[answers[-1].rule] = answers[-1].because
    place = event.chat_id, event.sender
    if any(rule.advert_in(found) for rule in rules if isinstance(rule, AdvertAndLeave)):
        memory.adverts[place] = event.at
    memory.written[place].append(Earlier(at=event.at, shape=shape(seen.plain), length=len(seen.plain)))
    return answers


# --- what came of it --------------------------------------------------------------------------------------------------


def _line(known: Known, moment: Moment, answers: Sequence[Decision]) -> Line | None:
    """None where nobody would have been asked. Who is gone is not asked about, only put on the blocklist."""
    row = known.members.get((moment.chat_id, moment.who))
    gone = moment.order == 2 or row is None or (row.left_at is not None and row.left_at < moment.at)
    asking = [each for each in answers if each.came_to == "block" or (each.came_to in STRONGEST_FIRST and not gone)]
    if not asking:
        return None
    steps = {each.came_to for each in asking}
    return Line(
        at=moment.at,
        chat_id=moment.chat_id,
        group=known.groups[moment.chat_id].name or moment.chat_id,
        external_userid=moment.who,
        person=(row.name if row else "") or moment.who,
        step=next(step for step in STRONGEST_FIRST if step in steps),
        rules=tuple(each.rule for each in asking),
        because=tuple(each.because for each in asking),
        listed=isinstance(moment.event, MemberSeen) and moment.event.occasion == "inside",
        gone=gone,
    )


def _of(rule: AnyRuleOf, hits: Iterable[Decision]) -> list[Decision]:
    return [each for each in hits if each.rule == rule.title]


def _count(rule: AnyRuleOf, hits: Sequence[Decision]) -> RuleCount:
    mine = _of(rule, hits)
    rehearsed = any(family in REHEARSED for family in rule.about)
    subjects = {each.subject for each in mine}
    return RuleCount(rule=rule.title, rehearsed=rehearsed, hits=len(mine), people=len(subjects), steps=_steps(mine))


def _steps(hits: Iterable[Decision]) -> dict[Came, int]:
    return dict(Counter(each.came_to for each in hits))


def _often(lines: Iterable[Line]) -> tuple[Often, ...]:
    times = Counter(line.external_userid for line in lines)
    names = {line.external_userid: line.person for line in lines}
    return tuple(
        Often(external_userid=who, person=names[who], times=count) for who, count in times.most_common() if count > 1
    )


def wrongly_asked(
    lines: Iterable[Line], our_own: set[str], groups: Mapping[str, GroupRow], released: Released
) -> list[Wrong]:
    """A check on the rules themselves: nobody of ours is asked about, and nobody by a rule they were released from."""
    wrong = []
    by_themselves = {who for who, _ in released.by}
    for line in lines:
        who = line.external_userid
        if who in our_own or who in groups[line.chat_id].staff:
            wrong.append(Wrong(external_userid=who, person=line.person, why="是自己的同事"))
        elif who in by_themselves and (let_go := {*released.of(who, "")} & {*line.rules}):
            why = f"规则「{'、'.join(sorted(let_go))}」已放行此人"
            wrong.append(Wrong(external_userid=who, person=line.person, why=why))
    return list(dict.fromkeys(wrong))


async def _unknown(tx: Tx, book: Book, written: Sequence[MessagePosted], since: datetime, until: datetime) -> list[str]:
    said = [
        "每个人的资料（公司、昵称、放行）按现在知道的算；进出同一个群几次的，只看得到最后一次。同事会按什么按钮，也不知道。"
    ]
    watching = await roster.watching_since(tx)
    if watching is None or watching > since:
        said.append("机器人那时还没有全程看着：到岗以前进出的人，名单上没有的就不知道。")
    if any(counts(rule) for rule in book.rules):
        said.append("更早的违规次数不知道，都从零算起：真跑起来，有些人会更快走到下一步。")
    if book.about(MessagePosted) and not written:
        said.append("没有消息可看（没接消息来源，或者都忘了），查消息的规则等于没有问过。")
    elif book.about(MessagePosted) and since < until - timedelta(days=PAYLOADS_KEPT):
        said.append(f"消息的原文只留 {PAYLOADS_KEPT} 天，更早的看不到了。")
    others = [rule.title for rule in book.rules if not any(family in REHEARSED for family in rule.about)]
    if others:
        said.append(f"看举报、看群的样子的规则没有回看：{'、'.join(others)}。")
    if any("block" in rule.then for rule in book.rules):
        said.append("拉黑以后，此人在别的群里也会被请移出；这里只算后来再进的群。")
    return said
