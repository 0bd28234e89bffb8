"""Our own tags of a person are put on their contact where a colleague has added them, at once or whenever one does.

Tags that the corp does not have are made first. What cannot be put there stays ours, with the reason.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from handlers import contacts
from handlers.contacts import Asked
from rules.actions import AddCorpTags, MarkTag
from rules.book import Book
from rules.decision import Decision
from rules.events import OwnTagsDue
from rules.lanes import STATISTICS
from rules.own_tags import read_tag
from store import identities, outbox, own_tags, people
from store.database import Database, Tx
from store.own_tags import OwnTagRow
from wecom.errors import PlatformError
from wecom.gateway import Gateway

TAGS_TAKE = timedelta(minutes=10)
"""How long a tag may take to be made before it is asked for again."""

A_MOMENT = timedelta(seconds=1)
MOST_TRIES = 5
NO_SUCH_TAG, NOT_THEIR_CONTACT = 40068, (84061, 84084)


async def look_up(event: OwnTagsDue, wecom: Gateway, store: Database, now: datetime) -> Asked:
    """Who has added these people, where that is not known."""
    async with store.read() as tx:
        visitors = {row.visitor_id for row in await own_tags.some(tx, event.row_ids) if row.state == "own"}
        known_as = [await identities.external_of(tx, each) for each in sorted(visitors)]
    return await contacts.ask(wecom, store, [each for each in known_as if each], now=now)


async def handle(event: OwnTagsDue, seen: Asked, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Order what can be put on contacts; what nobody can put there waits for somebody to add them."""
    await contacts.remember(tx, seen, now=now)
    of_visitor = defaultdict[int, list[OwnTagRow]](list)
    for row in await own_tags.some(tx, event.row_ids, lock=True):
        if row.state == "own":
            of_visitor[row.visitor_id].append(row)
    ids = await own_tags.ids_of(tx, {row.tag for rows in of_visitor.values() for row in rows})
    missing = set[str]()
    for visitor_id, rows in of_visitor.items():
        who, userid = await _added_by(tx, visitor_id)
        if not userid:
            for row in rows:
                row.due_at = None
            continue
        there = [row for row in rows if row.tag in ids]
        missing |= {row.tag for row in rows if row.tag not in ids}
        for row in rows:
            row.due_at = now + TAGS_TAKE
        if there:
            await _mark(tx, who, userid, there, ids, now=now)
    await _make(tx, missing, now=now)
    await tx.flush()
    return []


async def _added_by(tx: Tx, visitor_id: int) -> tuple[str, str]:
    """What the roster calls a visitor, and a colleague who has added them; "" where there is none."""
    who = await identities.external_of(tx, visitor_id) or ""
    return who, min(await contacts.followers(tx, who), default="")


async def _mark(
    tx: Tx, who: str, userid: str, rows: Sequence[OwnTagRow], ids: Mapping[str, str], *, now: datetime
) -> None:
    for row in rows:
        row.state, row.number, row.due_at = "ordered", row.number + 1, None
    numbers = tuple(row.id for row in rows)
    deed = MarkTag(userid=userid, external_userid=who, tag_ids=tuple(ids[row.tag] for row in rows), own_tags=numbers)
    key = f"mark-tag:{userid}:{','.join(f'{row.id}.{row.number}' for row in rows)}:{now.isoformat()}"
    await outbox.put(tx, deed, key=key, lane=STATISTICS, ordering_key=f"tags:{who}", due_at=now, now=now)


async def _make(tx: Tx, tags: set[str], *, now: datetime) -> None:
    """The corp does not have these, or we do not know it."""
    groups = defaultdict[tuple[str, bool], list[str]](list)
    for meant in sorted(map(read_tag, tags)):
        groups[meant.home, not meant.group].append(meant.name)
    for (group, anywhere), names in groups.items():
        deed = AddCorpTags(group=group, names=tuple(names), anywhere=anywhere)
        key = f"corp-tags:{group}:{'、'.join(names)}:{now.replace(second=0, microsecond=0).isoformat()}"
        await outbox.put(tx, deed, key=key, lane=STATISTICS, ordering_key="corp-tags", due_at=now, now=now)


# --- what came of it --------------------------------------------------------------------------------------------------


async def tags_there(tx: Tx, deed: AddCorpTags, found: Mapping[str, Mapping[str, str]], *, now: datetime) -> None:
    """The tags are there; `found`: group → name → id. Whoever waits for them is looked at."""
    for group, tags in found.items():
        if theirs := {name: tag_id for name, tag_id in tags.items() if name in deed.names}:
            await own_tags.note_corp_tags(tx, group, theirs)
    await own_tags.waiting_for(tx, _written(deed), now=now + A_MOMENT)


async def tags_not_made(tx: Tx, deed: AddCorpTags, error: PlatformError, *, now: datetime) -> None:
    """They stay ours; tomorrow it is tried again, for who waits then."""
    await own_tags.put_off(tx, _written(deed), why=error.hint, until=now + timedelta(days=1))


def _written(deed: AddCorpTags) -> set[str]:
    """How the config may write them."""
    return {f"{deed.group}/{name}" for name in deed.names} | (set(deed.names) if deed.anywhere else set())


async def not_marked(tx: Tx, deed: MarkTag, error: PlatformError, *, now: datetime) -> None:
    """A tag that is gone is made anew; a colleague who has not added them (any more) is no way to them."""
    if error.errcode == NO_SUCH_TAG:
        await own_tags.forget_corp_tags(tx, deed.tag_ids)
    person = await people.person(tx, deed.external_userid)
    if error.errcode in NOT_THEIR_CONTACT and person is not None:
        person.followers = [each for each in person.followers if each != deed.userid]
    again = error.errcode == NO_SUCH_TAG or bool(person and person.followers and error.errcode in NOT_THEIR_CONTACT)
    for row in await own_tags.some(tx, deed.own_tags, lock=True):
        row.state, row.why_not = "own", error.hint
        row.due_at = now + A_MOMENT if again and row.number < MOST_TRIES else None


# --- somebody is added ------------------------------------------------------------------------------------------------


async def contact_added(tx: Tx, external_userid: str, userid: str, *, now: datetime) -> None:
    """A colleague has added somebody: where they are a visitor of ours, that is remembered, and their tags follow."""
    visitor_id = await identities.visitor_with(tx, "external_userid", external_userid)
    if visitor_id is None:
        return
    person = await people.known_or_new(tx, external_userid)
    if userid not in person.followers:
        person.followers = [*person.followers, userid]
    await own_tags.wake(tx, visitor_id, now=now)
