"""What rules may look at, gathered from the store: as much of it as the rules that are asked need."""

from collections.abc import Iterable, Sequence

from rules.book import Book
from rules.events import MessagePosted
from rules.facts import Block, MemberFacts, MessageFacts, Person
from rules.rule import AnyRuleOf
from rules.text import normalise
from store import blocks, messages, people, roster, staff, stays
from store.database import Tx
from store.people import Known
from store.roster import GroupRow, MemberRow


async def of_members(
    tx: Tx, book: Book, rules: Sequence[AnyRuleOf], group: GroupRow, members: Sequence[MemberRow]
) -> dict[str, MemberFacts]:
    """The facts about these members of one group, by external_userid."""
    ids = [member.external_userid for member in members]
    needed = frozenset[str]().union(*(rule.looks_at for rule in rules))
    known = await people.known(tx, ids)
    released = await people.released(tx, ids, [row.company for row in known.values() if row.company])
    gets_unionid = await roster.unionid_seen(tx)
    blocked = await _blocked(tx, members)
    for_cause = {rule.title for rule in book.in_force if rule.for_cause}
    removed = await stays.removed(tx, ids, for_cause) if "removed" in needed else {}
    places = await stays.stays(tx, ids) if "stays" in needed else {}
    inviters = await staff.names(tx, [member.invited_by for member in members if member.invited_by])
    adverts = {who: await messages.last_advert(tx, group.chat_id, who) for who in ids} if "adverts" in needed else {}
    facts_of_group = group.facts()
    found = {}
    for member in members:
        who = member.external_userid
        row = known.get(who)
        found[who] = MemberFacts(
            group=facts_of_group,
            subject=who,
            released=released.of(who, row.company if row else ""),
            member=member.facts(),
            person=_person(row, who),
            corp_gets_unionid=gets_unionid,
            stays=places.get(who, ()),
            blocked=blocked.get(who),
            removed=removed.get(who),
            inviter=inviters.get(member.invited_by or "", ""),
            last_advert_at=adverts.get(who),
        )
    return found


async def _blocked(tx: Tx, members: Sequence[MemberRow]) -> dict[str, Block]:
    """Who of them is on the blocklist, by id or by unionid."""
    whose: dict[str | None, str] = {member.unionid: member.external_userid for member in members if member.unionid}
    whose |= {member.external_userid: member.external_userid for member in members}
    unionids = [member.unionid for member in members if member.unionid]
    rows = await blocks.blocked(tx, [member.external_userid for member in members], unionids)
    return {whose.get(row.external_userid) or whose[row.unionid]: row.facts() for row in reversed(rows)}


def _person(row: Known | None, external_userid: str) -> Person:
    if row is None:
        return Person(external_userid=external_userid)
    return Person(
        external_userid=external_userid,
        account=people.account(row.account),
        company=row.company,
        company_full_name=row.company_full_name,
        checks=row.checks,
    )


async def of_message(tx: Tx, event: MessagePosted, group: GroupRow, member: MemberRow | None) -> MessageFacts:
    """The facts about a message of an external person."""
    released = await people.released(tx, [event.sender], [])
    return MessageFacts(
        group=group.facts(),
        subject=event.sender,
        is_staff=is_staff(event.sender, group.staff),
        released=released.of(event.sender, ""),
        text=event.text,
        plain=normalise(event.text),
        joined_at=member.joined_at if member else None,
        earlier=await messages.earlier(tx, event.chat_id, event.sender, before=event.at),
    )


def is_staff(sender: str, staff_of_group: Iterable[str]) -> bool:
    """Whether a sender is one of us: external ids begin with wm or wo (page 92323), ours are of our own making."""
    return sender in staff_of_group or not sender.startswith(("wm", "wo", "wb"))
