"""What happened to a group → the roster. Every group event is a hint: the group is read, and what is news is judged.

Three things keep a lagging read (page 96338) from being taken for news: versions that the group has left behind are
recognised; a person who came or went within SETTLE is not taken for gone or back on the word of one read; and a read
that does not yet show what a callback told is repeated.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from handlers import cases, verdicts
from rules.book import Book
from rules.decision import Decision
from rules.events import GroupCreated, GroupDismissed, GroupEvent, MembersJoined, MembersLeft, RosterEvent
from rules.facts import Member
from store import people, roster, staff
from store.database import Database, Tx
from store.roster import RETRY_READS, GroupRow, MemberRow
from wecom import lookups
from wecom.errors import GroupGone, PlatformError
from wecom.gateway import Gateway
from wecom.lookups import Contact, GroupChat

SETTLE = timedelta(minutes=2)
ONE_READ_A = timedelta(seconds=1)
LOOKED_UP_AT_ONCE = 5  # contacts asked for with one read; whoever is beyond that is asked about a little later


@dataclass(frozen=True)
class Seen:
    """What the platform answered. `began`: when the reading began. `contacts`: None for 84061, "not a contact"."""

    began: datetime
    chat: GroupChat | None = None
    missing: bool = False
    contacts: dict[str, Contact | None] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Applied:
    """What a read changed: who is to be judged, who is gone, and whose absence is not believed yet."""

    judged: list[MemberRow] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)


async def look_up(event: GroupEvent, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Read the group, unless the event can be applied without, and ask who the strangers in it are."""
    async with store.read() as tx:
        group = await roster.group(tx, event.chat_id)
        known = {i for i, row in (await roster.present(tx, event.chat_id)).items() if row.detailed}
    if isinstance(event, GroupDismissed) or not _is_to_be_read(event, group, now):
        return Seen(began=now)
    try:
        chat = await lookups.read_group(wecom, event.chat_id)
    except GroupGone:
        return Seen(began=now, missing=True)
    new = [member for member in chat.members if member.external_userid not in known]
    async with store.read() as tx:
        strangers = await _strangers(tx, chat, new)
        inviters = [member.invited_by for member in new if member.invited_by]
        nameless = await staff.nameless(tx, [chat.owner, *chat.admins, *inviters])
    return Seen(
        began=now,
        chat=chat,
        contacts=await _contacts(wecom, strangers[:LOOKED_UP_AT_ONCE]),
        names={userid: await name_or_none(wecom, userid) for userid in nameless if userid},
    )


async def _contacts(wecom: Gateway, strangers: list[str]) -> dict[str, Contact | None]:
    """The records of these people. What a missing permission hides is left out: the rules go by what is known."""
    found: dict[str, Contact | None] = {}
    for who in strangers:
        try:
            found[who] = await lookups.read_contact(wecom, who)
        except PlatformError as error:
            if error.treatment not in {"alert", "refused"}:
                raise
            logger.error("who {} is cannot be asked: {}", who, error)
    return found


async def name_or_none(wecom: Gateway, userid: str) -> str | None:
    """What a member of staff is called, if the platform says so: for want of a name nothing is held up."""
    try:
        return await lookups.staff_name(wecom, userid)
    except PlatformError as error:
        logger.warning("the name of {} is not known yet: {}", userid, error)
        return None


def _is_to_be_read(event: GroupEvent, group: GroupRow | None, now: datetime) -> bool:
    if group is None or not isinstance(event, RosterEvent) or event.version is None:
        return True
    if event.version == group.version or group.is_old(event.version):
        return False  # late or doubled: the roster has been there
    if isinstance(event, MembersLeft):
        return event.last_version != group.version or event.members is None
    return group.read_at is None or now - group.read_at >= ONE_READ_A


async def _strangers(tx: Tx, chat: GroupChat, new: list[Member]) -> list[str]:
    """Who among the new may not be a WeChat user: only they are worth a call each."""
    gets_unionid = any(member.unionid for member in chat.members) or await roster.unionid_seen(tx)
    doubtful = [
        member.external_userid
        for member in new
        if not member.unionid and (gets_unionid or not member.external_userid.startswith("wm"))
    ]
    known = await people.known(tx, doubtful)
    return [who for who in doubtful if who not in known or known[who].account == "unknown"]


async def handle(event: GroupEvent, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Bring the roster up to what the event and the read say; judge who is new; close the cases of who is gone."""
    if isinstance(event, GroupDismissed) or seen.missing:
        await _dismiss(tx, event.chat_id, now=now)
        return []
    group = await roster.known_or_new(tx, event.chat_id, now=now)
    if isinstance(event, GroupCreated):
        group.watched_since = min(group.watched_since, event.at)  # told from its first moment, however late we read it
    owner, could_remove = group.owner, set(group.can_remove()) if group.read_at else None
    quits = await _apply_event(tx, group, event, seen, now=now)
    applied = await apply_read(tx, group, seen, book, quits, now=now)
    await cases.people_gone(tx, group.chat_id, applied.gone, quits, now=now)
    for member in applied.judged:
        if isinstance(event, MembersJoined) and member.external_userid in (event.members or ()):
            member.announced = True
    if could_remove is not None and could_remove != set(group.can_remove()):
        await cases.removers_changed(tx, book, group, new_owner=group.owner != owner, now=now)
    return await verdicts.ask_rules(tx, book, group, applied.judged, now=now)


async def _dismiss(tx: Tx, chat_id: str, *, now: datetime) -> None:
    group = await roster.group(tx, chat_id)
    if group is None or group.dismissed_at is not None:
        return
    group.dismissed_at, group.read_due_at = now, None
    for external_userid in await roster.mark_left(
        tx, chat_id, await roster.present(tx, chat_id), quit_scene=None, now=now
    ):
        await cases.dismissed(tx, chat_id, external_userid, now=now)


async def _apply_event(
    tx: Tx, group: GroupRow, event: GroupEvent, seen: Seen, *, now: datetime
) -> dict[str, int | None]:
    """Apply what the callback itself tells. Returns who it says has left, and how (QuitScene)."""
    if not isinstance(event, RosterEvent):
        return {}
    follows = event.version is not None and event.last_version == group.version
    news = not (event.version == group.version or group.is_old(event.version))
    if event.last_version != group.version:
        group.leave_behind(event.last_version)
    if not news and event.version is not None:
        if isinstance(event, MembersLeft):
            await _confirm_leave(tx, group, event, now=now)
        return {}
    if isinstance(event, MembersJoined):
        if follows and event.members:
            await _note_presence(tx, group, event.members, now=now)
            group.move_to(event.version)
        _await_version(group, event.version, seen, now=now)
        return {}
    scene = event.quit_scene if isinstance(event, MembersLeft) else None
    quits: dict[str, int | None] = dict.fromkeys(event.members or (), scene)
    if follows and event.members is not None:
        gone = await roster.mark_left(tx, group.chat_id, quits, quit_scene=scene, now=now)
        group.move_to(event.version)
        await cases.people_gone(tx, group.chat_id, gone, quits, now=now)
        return quits
    _await_version(group, event.version, seen, now=now)
    return quits


async def _confirm_leave(tx: Tx, group: GroupRow, event: MembersLeft, *, now: datetime) -> None:
    """A leave that a read was quicker to show. Whom it names and who is still on the roster was in doubt, on the word
    of one read; this is the second witness, unless they came back since.
    """
    present = await roster.present(tx, group.chat_id)
    left = [
        who
        for who in event.members or ()
        if (row := present.get(who)) is not None
        and (event.version == group.version or (row.joined_at is not None and row.joined_at < event.at))
    ]
    gone = await roster.mark_left(tx, group.chat_id, left, quit_scene=event.quit_scene, now=now)
    await cases.people_gone(tx, group.chat_id, gone, dict.fromkeys(gone, event.quit_scene), now=now)


async def _note_presence(tx: Tx, group: GroupRow, ids: tuple[str, ...], *, now: datetime) -> None:
    """A callback names who joined; the read that follows knows the rest. Our own staff have no such prefix."""
    for external_userid in ids:
        if not external_userid.startswith(("wm", "wo")):
            continue
        row = await roster.member(tx, group.chat_id, external_userid)
        if row is None:
            tx.add(MemberRow(chat_id=group.chat_id, external_userid=external_userid, announced=True, seen_at=now))
        elif row.left_at is not None:
            row.left_at, row.quit_scene = None, None
            row.detailed, row.announced, row.joined_at, row.seen_at = False, True, None, now
    await tx.flush()


def _await_version(group: GroupRow, version: str | None, seen: Seen, *, now: datetime) -> None:
    """A read has to show this version (or one after it); one that was just made may have to be made again."""
    group.awaited_version, group.read_tries = version, 0
    if seen.chat is None:
        roster.read_soon(group, at=(group.read_at or now) + ONE_READ_A)


async def apply_read(
    tx: Tx, group: GroupRow, seen: Seen, book: Book, quits: dict[str, int | None], *, now: datetime
) -> Applied:
    """Bring the roster to what the platform answered, as far as the answer can be believed."""
    applied = Applied()
    chat = seen.chat
    if chat is None:
        return applied
    await _remember_people(tx, seen, now=now)
    if group.is_old(chat.version or None):
        _read_again(group, now=now)
        return applied
    await _note_group(tx, group, chat, book, now=now)
    rows = await roster.present(tx, group.chat_id)
    for shown in chat.members:
        row = rows.pop(shown.external_userid, None) or await roster.member(tx, group.chat_id, shown.external_userid)
        if row is not None and _left_just_now(row, shown, seen.began):
            applied.doubtful.add(shown.external_userid)
        elif row is None or not row.detailed or row.left_at is not None or row.joined_at != shown.joined_at:
            applied.judged.append(_write_member(tx, row, group, shown, now=now))
    young = {who for who, row in rows.items() if who not in quits and _came_just_now(row, seen.began)}
    applied.doubtful |= young
    gone = sorted(set(rows) - young)
    for who in gone:
        await roster.mark_left(tx, group.chat_id, [who], quit_scene=quits.get(who), now=now)
    applied.gone = gone
    group.move_to(chat.version or None)
    if not chat.version:
        group.awaited_version = None  # a platform that gives no versions cannot show the one awaited
    group.read_at = seen.began
    _settle(group, doubtful=bool(applied.doubtful), now=now)
    await tx.flush()
    return applied


def _left_just_now(row: MemberRow, shown: Member, began: datetime) -> bool:
    """A read shows somebody who left a moment ago, and not because they came back since."""
    if row.left_at is None or began - row.left_at >= SETTLE:
        return False
    return shown.joined_at is None or shown.joined_at <= row.left_at


def _came_just_now(row: MemberRow, began: datetime) -> bool:
    """A read lacks somebody who came a moment ago: it may answer an older state."""
    return began - (row.joined_at or row.seen_at) < SETTLE


def _settle(group: GroupRow, *, doubtful: bool, now: datetime) -> None:
    """Decide whether the group has to be read once more, after a read that was applied."""
    awaited = group.awaited_version
    reached = awaited is None or awaited == group.version or group.is_old(awaited)
    if reached and not doubtful:
        group.awaited_version, group.read_tries, group.read_due_at = None, 0, None
        return
    _read_again(group, now=now)


def _read_again(group: GroupRow, *, now: datetime) -> None:
    """Have the group read once more, unless that is planned: reads that others cause meanwhile use up no try."""
    if group.read_due_at is not None and group.read_due_at > now and group.read_tries:
        return
    group.read_due_at = None
    if group.read_tries >= len(RETRY_READS):
        logger.warning("group {} still does not show what was announced; left to the next full read", group.chat_id)
        group.awaited_version, group.read_tries = None, 0
        return
    roster.read_soon(group, at=now + RETRY_READS[group.read_tries])
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
    group.dismissed_at = None


def _write_member(tx: Tx, row: MemberRow | None, group: GroupRow, shown: Member, *, now: datetime) -> MemberRow:
    if row is None:
        row = MemberRow(chat_id=group.chat_id, external_userid=shown.external_userid, seen_at=now)
        tx.add(row)
    if row.left_at is not None or row.joined_at != shown.joined_at:
        row.seen_at = now
    row.name, row.unionid, row.joined_at = shown.name, shown.unionid, shown.joined_at
    row.join_scene, row.invited_by, row.state = shown.join_scene, shown.invited_by, shown.state
    row.detailed, row.left_at, row.quit_scene = True, None, None
    return row


async def _remember_people(tx: Tx, seen: Seen, *, now: datetime) -> None:
    for userid, name in seen.names.items():
        await staff.remember(tx, userid, name or "", now=now)
    for external_userid, contact in seen.contacts.items():
        await remember_contact(tx, external_userid, contact, now=now)


async def remember_contact(tx: Tx, external_userid: str, contact: Contact | None, *, now: datetime) -> None:
    """Keep what the platform says of a person; None (84061) says nothing, and is counted."""
    person = await people.known_or_new(tx, external_userid)
    person.checked_at, person.check_due_at = now, None
    if contact is None:
        person.checks += 1
        return
    person.account, person.name, person.checks = contact.account, contact.name, 0
    person.company, person.company_full_name = contact.corp_name, contact.corp_full_name
    await tx.flush()
