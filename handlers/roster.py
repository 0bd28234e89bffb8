"""What happened to a group → the roster. Every group event is a hint: the group is read, and what is news is judged.

A callback is applied by itself where it tells exactly the next thing that happened; what a read shows is weighed in
handlers/reading.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from handlers import cases, identity, invites, journeys, rooms, seats, verdicts
from handlers.reading import SETTLE, Seen, apply_read, read_again
from rules.book import Book
from rules.decision import Decision
from rules.events import (
    GroupDismissed,
    GroupEvent,
    GroupReadDue,
    MemberSeen,
    MembersJoined,
    MembersLeft,
    RosterEvent,
)
from rules.facts import Member
from store import matters, people, removal, roster, staff
from store.database import Database, Tx
from store.roster import RETRY_READS, GroupRow, Inside, Stand
from wecom import lookups
from wecom.errors import GroupGone, GroupHidden, PlatformError
from wecom.gateway import Gateway
from wecom.lookups import Contact, GroupChat

__all__ = ["SETTLE", "Seen", "handle", "look_up", "name_or_none"]

ONE_READ_A = timedelta(seconds=1)
LOOKED_UP_AT_ONCE = 5  # contacts asked for with one read; whoever is beyond that is asked about a little later


async def look_up(event: GroupEvent, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Read the group, unless the event can be applied without, and ask who the strangers in it are."""
    async with store.read() as tx:
        group = await roster.stand(tx, event.chat_id)
        known = {i for i, member in (await roster.inside(tx, event.chat_id)).items() if member.detailed}
    if isinstance(event, GroupDismissed) or not _is_to_be_read(event, group, now):
        return Seen(began=now)
    try:
        chat = await lookups.read_group(wecom, event.chat_id)
    except GroupGone:
        return Seen(began=now, missing=True)
    except GroupHidden:
        return Seen(began=now, hidden=True)
    new = [member for member in chat.members if member.external_userid not in known]
    async with store.read() as tx:
        strangers = await _strangers(tx, chat, new)
        inviters = [member.invited_by for member in new if member.invited_by]
        nameless = await staff.nameless(tx, [chat.owner, *chat.admins, *inviters])
    return Seen(
        began=now,
        chat=chat,
        contacts=await contacts(wecom, strangers[:LOOKED_UP_AT_ONCE]),
        names={userid: await name_or_none(wecom, userid) for userid in nameless if userid},
    )


async def contacts(wecom: Gateway, ids: Sequence[str]) -> dict[str, Contact | None]:
    """The records of these people. What a missing permission hides is left out: the rules go by what is known."""
    found: dict[str, Contact | None] = {}
    for who in ids:
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


def _is_to_be_read(event: GroupEvent, group: Stand | None, now: datetime) -> bool:
    if group is None or not isinstance(event, RosterEvent) or not event.version:
        return True
    if event.version == group.version or group.is_old(event.version):
        return False  # late or doubled: the roster has been there
    if isinstance(event, MembersLeft):
        return not _follows(event, group) or _names_staff(event)
    return group.read_at is None or now - group.read_at >= ONE_READ_A


def _follows(event: RosterEvent, group: GroupRow | Stand) -> bool:
    """Whether the callback tells exactly the next thing that happened after what we have, and all of it."""
    in_step = bool(event.version) and bool(event.last_version) and event.last_version == group.version
    return in_step and _names_all(event) and not group.in_doubt


def _names_staff(event: RosterEvent) -> bool:
    """Whether one of ours came or went: rules about the group as such have to look at it again."""
    return any(not who.startswith(("wm", "wo")) for who in event.members or ())


def _names_all(event: RosterEvent) -> bool:
    return event.members is not None and (event.count is None or event.count <= len(event.members))


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
    if isinstance(event, GroupDismissed):
        await _dismiss(tx, event.chat_id, now=now)
        await rooms.group_gone(tx, event.chat_id, now=now)
        return []
    group = await roster.known_or_new(tx, event.chat_id, now=now)
    if group.read_at is None:  # we have been told of it since the first callback, however late that is worked on
        group.watched_since = min(group.watched_since, event.at)
    if not isinstance(event, GroupReadDue):
        group.settles_at = max(group.settles_at or event.at, event.at + SETTLE)
    if seen.missing or seen.hidden:
        await _not_seen(tx, group, seen, now=now)
        return []
    owner, could_remove = group.owner, set(group.can_remove()) if group.read_at else None
    was_hidden = group.out_of_sight_at is not None
    told = await _apply_event(tx, group, event, seen, now=now)
    announced = event.members or () if isinstance(event, MembersJoined) else ()
    applied = await apply_read(tx, group, seen, book, told.quits, announced=announced, now=now)
    await identity.members_seen(tx, [row.facts() for row in applied.judged], now=now)
    gone = [*told.gone, *applied.gone]
    removed = await cases.people_gone(tx, group.chat_id, gone, told.quits, now=now)
    if book.entrances and group.read_at is not None:
        await seats.look(tx, book, group, applied.judged, now=now)
    if book.checkins and group.read_at is not None:
        await journeys.people_came(tx, book, group, applied.judged, now=now)
    came_back = was_hidden and group.out_of_sight_at is None
    if could_remove is not None and (came_back or could_remove != set(group.can_remove())):
        await cases.removers_changed(tx, book, group, new_owner=group.owner != owner, now=now)
    decisions = await verdicts.ask_rules(tx, book, group, applied.judged, now=now)
    decisions += await _people_left(tx, book, group, gone, removed, now=now)
    if applied.about is not None:
        decisions += await verdicts.ask_about_group(tx, book, group, applied.about, now=now)
    elif gone and await matters.about(tx, group.chat_id):  # it may be put right by that
        roster.read_soon(group, at=now)
    return decisions


async def _people_left(
    tx: Tx, book: Book, group: GroupRow, gone: Sequence[str], removed: Sequence[str], *, now: datetime
) -> list[Decision]:
    """What follows from people having left: rules about leaving; and who was taken out for cause is asked about in
    every other group, as is whoever has an open case there; and whoever invited them is remembered.
    """
    if not gone:
        return []
    rows = await roster.members(tx, group.chat_id, gone)
    decisions = await verdicts.ask_about_gone(tx, book, group, rows, now=now)
    await invites.guests_removed(tx, book, group, [row for row in rows if row.external_userid in removed], now=now)
    # Rules that compare somebody's groups may have nothing left to say about another one.
    compared = any("stays" in rule.looks_at for rule in book.about(MemberSeen))
    elsewhere = await removal.have_open_cases(tx, gone) if compared else []
    for who in dict.fromkeys([*removed, *elsewhere]):
        decisions += await verdicts.ask_everywhere(tx, book, who, besides=group.chat_id, now=now)
    return decisions


@dataclass(frozen=True)
class _Told:
    """What the callback itself told: who left, and how (QuitScene); `gone`: whom it took off the roster."""

    quits: dict[str, int | None] = field(default_factory=dict)
    gone: Sequence[str] = ()


async def _not_seen(tx: Tx, group: GroupRow, seen: Seen, *, now: datetime) -> None:
    """There is no such group, or nobody may look at it."""
    if seen.missing:
        await _missing(tx, group, seen, now=now)
    else:
        _out_of_sight(group, now=now)
    if group.dismissed_at is not None or group.out_of_sight_at is not None:
        await rooms.group_gone(tx, group.chat_id, now=now)


async def _missing(tx: Tx, group: GroupRow, seen: Seen, *, now: datetime) -> None:
    """The platform knows no such group: it is dismissed, unless it is so new that the answer may be older than it."""
    born = group.created_at or (group.watched_since if group.read_at is None else None)
    if born is not None and seen.began - born < SETTLE and group.read_tries < len(RETRY_READS):
        read_again(group, now=now)
        return
    await _dismiss(tx, group.chat_id, now=now)


async def _dismiss(tx: Tx, chat_id: str, *, now: datetime) -> None:
    group = await roster.group(tx, chat_id)
    if group is None:
        return
    group.read_due_at, group.awaited_version, group.read_tries = None, None, 0
    group.out_of_sight_at = None
    if group.dismissed_at is not None:
        return
    group.dismissed_at = now
    inside = await roster.inside(tx, chat_id)
    for external_userid in await roster.mark_left(tx, chat_id, inside, quit_scene=None, at=now):
        await cases.dismissed(tx, chat_id, external_userid, now=now)


def _out_of_sight(group: GroupRow, *, now: datetime) -> None:
    """Its owner has left the app's visible range: what we know is kept until the group can be read again."""
    group.read_due_at, group.awaited_version, group.read_tries = None, None, 0
    group.in_doubt = True
    if group.out_of_sight_at is None:
        group.out_of_sight_at = now
        logger.warning(
            "group {} ({!r}) is out of sight: its owner {} is not in the app's visible range; nobody is asked about it",
            group.chat_id,
            group.name,
            group.owner,
        )


async def _apply_event(tx: Tx, group: GroupRow, event: GroupEvent, seen: Seen, *, now: datetime) -> _Told:
    """Apply what the callback itself tells."""
    if not isinstance(event, RosterEvent):
        return _Told()
    follows = _follows(event, group)
    news = not (event.version == group.version or group.is_old(event.version))
    if event.last_version != group.version:
        group.leave_behind(event.last_version)
    if not news and event.version:
        return await _confirm_leave(tx, group, event, now=now) if isinstance(event, MembersLeft) else _Told()
    if isinstance(event, MembersJoined):
        if follows and event.members:
            await _note_presence(tx, group, event.members, now=now)
            group.move_to(event.version)
        _await_version(group, event, seen, now=now)
        return _Told()
    scene = event.quit_scene if isinstance(event, MembersLeft) else None
    quits: dict[str, int | None] = dict.fromkeys(event.members or (), scene)
    if follows:
        gone = await roster.mark_left(tx, group.chat_id, quits, quit_scene=scene, at=event.at)
        group.staff = [userid for userid in group.staff if userid not in quits]
        group.admins = [userid for userid in group.admins if userid not in quits]
        group.move_to(event.version)
        return _Told(quits, gone)
    _await_version(group, event, seen, now=now)
    inside = await roster.inside_before(tx, group.chat_id, list(quits))
    return _Told({who: scene for who, scene in quits.items() if not _came_after(inside.get(who), event.at)})


async def _confirm_leave(tx: Tx, group: GroupRow, event: MembersLeft, *, now: datetime) -> _Told:
    """A leave that a read was quicker to show. Whom it names and who is still on the roster was in doubt, on the word
    of one read; this is the second witness, unless they came back since.
    """
    inside = await roster.inside(tx, group.chat_id)
    left = [
        who
        for who in event.members or ()
        if (member := inside.get(who)) is not None
        and (event.version == group.version or (member.joined_at is not None and member.joined_at < event.at))
    ]
    gone = await roster.mark_left(tx, group.chat_id, left, quit_scene=event.quit_scene, at=event.at)
    return _Told(dict.fromkeys(gone, event.quit_scene), gone)


def _came_after(member: Inside | None, moment: datetime) -> bool:
    """Somebody who left at this moment and is known to have come (back) since."""
    return member is not None and member.joined_at is not None and member.joined_at > moment


async def _note_presence(tx: Tx, group: GroupRow, ids: tuple[str, ...], *, now: datetime) -> None:
    """A callback names who joined; the read that follows knows the rest. Our own staff have no such prefix."""
    await roster.note_presence(tx, group.chat_id, [who for who in ids if who.startswith(("wm", "wo"))], now=now)


def _await_version(group: GroupRow, event: RosterEvent, seen: Seen, *, now: datetime) -> None:
    """A read has to show this version (or one after it); one that was just made may have to be made again."""
    if seen.chat is None:
        roster.read_soon(group, at=(group.read_at or now) + ONE_READ_A)
    elif seen.began - event.at >= SETTLE:
        return  # late: a read made now shows it, whatever version has come since
    group.awaited_version, group.read_tries = event.version or None, 0
    group.awaited_came_before = None
    if isinstance(event, MembersLeft) and not _names_all(event):
        group.awaited_came_before = _left_if_came_before(group, event, seen)


def _left_if_came_before(group: GroupRow, event: MembersLeft, seen: Seen) -> datetime:
    """No callback will say who left: whoever came before this moment and is not in the version it announces.

    In whole seconds: of who came within the same one, only a version that is next after ours tells that they left.
    """
    shown = seen.chat is not None and seen.chat.version == event.version
    is_next = bool(event.last_version) and event.last_version == group.version and not group.in_doubt
    return event.at + timedelta(seconds=1) if shown and is_next else event.at
