"""A read of a group → the roster, as far as the answer can be believed.

Three things keep a lagging read (page 96338) from being taken for news: versions that the group has left behind are
recognised; a person who came or went within SETTLE is not taken for gone or back on the word of one read, unless it
shows the very leave that a callback told without a name; and a read that does not yet show what a callback told is
repeated. What the platform still says after the last repetition, minutes later, is taken as it is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from rules.book import Book
from rules.events import GroupSeen, MemberSeen
from rules.facts import GroupFacts, Member
from store import people, roster, staff
from store.database import Tx
from store.roster import RETRY_READS, GroupRow, Inside, MemberRow
from wecom.lookups import Contact, GroupChat

SETTLE = timedelta(minutes=2)
MOST_READS = 12  # more than RETRY_READS: where reads pile up in the queue, several pass at once


@dataclass(frozen=True)
class Seen:
    """What the platform answered. `began`: when the reading began. `contacts`: None for 84061, "not a contact".

    `missing`: there is no such group; `hidden`: its owner is outside the app's visible range.
    """

    began: datetime
    chat: GroupChat | None = None
    missing: bool = False
    hidden: bool = False
    contacts: dict[str, Contact | None] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Applied:
    """What a read changed: who is to be judged, who is gone, and whose absence is not believed yet.

    `about`: what rules may know of the group as such, where the answer was believed.
    """

    judged: list[MemberRow] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    about: GroupFacts | None = None


async def apply_read(
    tx: Tx,
    group: GroupRow,
    seen: Seen,
    book: Book,
    quits: dict[str, int | None],
    *,
    announced: Collection[str],
    now: datetime,
) -> Applied:
    """Bring the roster to what the platform answered, as far as the answer can be believed.

    `quits`: who left, as a callback says, and how; `announced`: who joined.
    """
    applied = Applied()
    chat = seen.chat
    if chat is None:
        return applied
    await _remember_people(tx, seen, now=now)
    dismissed_just_now = group.dismissed_at is not None and seen.began - group.dismissed_at < SETTLE
    if group.read_tries < MOST_READS and (group.is_old(chat.version or None) or dismissed_just_now):
        read_again(group, now=now)
        return applied
    before = (group.owner, group.name) if group.read_at is not None else (chat.owner, chat.name)
    await _note_group(tx, group, chat, book, now=now)
    names_tell = any("name" in rule.looks_at for rule in book.about(MemberSeen))
    await _apply_members(tx, group, chat, seen, applied, quits, announced=announced, names_tell=names_tell, now=now)
    group.read_at = seen.began
    group.in_doubt = bool(applied.doubtful)
    if not group.in_doubt:
        group.move_to(chat.version or None)
    if not chat.version:
        group.awaited_version = None  # a platform that gives no versions cannot show the one awaited
    _settle(group, now=now)
    await tx.flush()
    if book.about(GroupSeen):
        applied.about = await _about(tx, group, chat, *before)
    return applied


async def _about(tx: Tx, group: GroupRow, chat: GroupChat, owner_before: str, name_before: str) -> GroupFacts:
    return GroupFacts(
        group=group.facts(),
        subject=group.chat_id,
        size=len(chat.members) + len(chat.staff),
        staff=chat.staff,
        names=await staff.names(tx, chat.staff),
        notice=chat.notice,
        owner_before=owner_before if owner_before != chat.owner else "",
        name_before=name_before if name_before != chat.name else "",
    )


async def _apply_members(
    tx: Tx,
    group: GroupRow,
    chat: GroupChat,
    seen: Seen,
    applied: Applied,
    quits: dict[str, int | None],
    *,
    announced: Collection[str],
    names_tell: bool,
    now: datetime,
) -> None:
    inside = await roster.inside(tx, group.chat_id)
    others = [shown.external_userid for shown in chat.members if shown.external_userid not in inside]
    known = inside | await roster.inside_before(tx, group.chat_id, others)
    changed: dict[str, Member] = {}
    for shown in chat.members:
        member = known.get(shown.external_userid)
        if member is not None and _is_older(member, shown, seen.began):
            applied.doubtful.add(shown.external_userid)
        elif member is None or _is_news(member, shown) or member.name != shown.name:
            changed[shown.external_userid] = shown
    news = [who for who, shown in changed.items() if who not in known or _is_news(known[who], shown)]
    told = set(announced).intersection(news)
    rows = await roster.write_members(tx, group.chat_id, changed.values(), announced=told, now=now)
    applied.judged = list(rows.values()) if names_tell else [rows[who] for who in news]
    missing = inside.keys() - {shown.external_userid for shown in chat.members}
    came_before = group.awaited_came_before if chat.version and chat.version == group.awaited_version else None
    young = {who for who in missing if who not in quits and _may_be_missed(inside[who], seen.began, came_before)}
    applied.doubtful |= young
    applied.gone = sorted(missing - young)
    for scene in {quits.get(who) for who in applied.gone}:
        theirs = [who for who in applied.gone if quits.get(who) == scene]
        await roster.mark_left(tx, group.chat_id, theirs, quit_scene=scene, at=now)


def _is_older(member: Inside, shown: Member, began: datetime) -> bool:
    """A read shows somebody who left a moment ago, or as they were before they came back a moment ago."""
    if member.left_at is None:
        came = member.joined_at
        return came is not None and shown.joined_at is not None and shown.joined_at < came and began - came < SETTLE
    if began - member.left_at >= SETTLE:
        return False
    return shown.joined_at is None or shown.joined_at <= member.left_at


def _is_news(member: Inside, shown: Member) -> bool:
    """Whether rules are to be asked about somebody who was known: they came again, or more is known of them."""
    came_again = member.left_at is not None or member.joined_at != shown.joined_at
    return came_again or not member.detailed or member.unionid != shown.unionid


def _may_be_missed(member: Inside, began: datetime, came_before: datetime | None) -> bool:
    """A read lacks somebody who came a moment ago: it may answer an older state, unless they came before a leave that
    named nobody, and its version is what the read shows (`came_before`).
    """
    came = member.joined_at
    if came is not None and came_before is not None and came < came_before:
        return False
    return began - (came or member.seen_at) < SETTLE


def _settle(group: GroupRow, *, now: datetime) -> None:
    """Decide whether the group has to be read once more, after a read that was applied."""
    awaited = group.awaited_version
    reached = awaited is None or awaited == group.version or group.is_old(awaited)
    if reached and not group.in_doubt:
        group.awaited_version, group.read_tries, group.read_due_at = None, 0, None
        return
    read_again(group, now=now)


def read_again(group: GroupRow, *, now: datetime) -> None:
    """Have the group read once more, unless that is planned: reads that others cause meanwhile use up no try.

    Doubt about people ends by itself (SETTLE), so it is waited for; an announcement may never be shown.
    """
    if group.read_due_at is not None and group.read_due_at > now and group.read_tries:
        return
    group.read_due_at = None
    if group.read_tries >= MOST_READS and not group.in_doubt:
        logger.warning("group {} still does not show what was announced; left to the next full read", group.chat_id)
        group.awaited_version, group.read_tries = None, 0
        return
    roster.read_soon(group, at=now + RETRY_READS[min(group.read_tries, len(RETRY_READS) - 1)])
    group.read_tries += 1


async def _note_group(tx: Tx, group: GroupRow, chat: GroupChat, book: Book, *, now: datetime) -> None:
    if group.read_at is None:
        group.kind = book.kind_of(chat.name)
        since = await roster.watching_since(tx)
        if since and chat.created_at and chat.created_at >= since:
            group.watched_since = min(group.watched_since, chat.created_at)
    elif chat.name != group.name and book.kind_of(chat.name) != group.kind:
        logger.warning("group {} is now called {!r}; it stays of kind {}", group.chat_id, chat.name, group.kind)
    group.name, group.owner, group.admins, group.staff = chat.name, chat.owner, list(chat.admins), list(chat.staff)
    group.created_at = chat.created_at
    group.dismissed_at, group.out_of_sight_at = None, None


async def _remember_people(tx: Tx, seen: Seen, *, now: datetime) -> None:
    for userid, name in seen.names.items():
        await staff.remember(tx, userid, name or "", now=now)
    for external_userid, contact in seen.contacts.items():
        await remember_contact(tx, external_userid, contact, now=now)


async def remember_contact(tx: Tx, external_userid: str, contact: Contact | None, *, now: datetime) -> None:
    """Keep what the platform says of a person; None (84061) says nothing, and is counted."""
    if contact is None:
        await people.note_no_contact(tx, external_userid, now=now)
        return
    await people.note_contact(
        tx,
        external_userid,
        account=contact.account,
        name=contact.name,
        company=contact.corp_name,
        company_full_name=contact.corp_full_name,
        followers=contact.followers,
        now=now,
    )
