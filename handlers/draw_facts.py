"""What draws look at before they let somebody take part, or win: who it is, where they are, what they had already."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from loguru import logger

from handlers.facts import is_staff
from rules.budget import month_of
from rules.draw_rules import EntrantFacts, looks_at_tags
from rules.draws import Draw
from rules.identity import is_other_company
from store import blocks, draw_entrants, draw_winners, identities
from store.database import Database, Tx
from store.draws import DrawRow, EntrantRow
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

Tags = Mapping[str, tuple[str, ...]]
"""Of some people, by external_userid: the names of the corp's tags that they have; without those nobody knows."""


def settings_of(row: DrawRow) -> Draw:
    """The settings that a draw was announced with, and what became better since."""
    return _settings(json.dumps(row.draw))


@lru_cache(maxsize=200)  # every press asks, and reading them takes longer than most of what follows
def _settings(text: str) -> Draw:
    return Draw.model_validate(json.loads(text))


def person_of(visitor_id: int, external_userid: str | None) -> str:
    """What a person is called in a draw: the roster's name, or the visitor's number while that is not known."""
    return external_userid or f"v{visitor_id}"


async def as_of_now(tx: Tx, entries: Iterable[EntrantRow]) -> dict[str, dict[str, Any]]:
    """Entries by ticket, as plain columns, with `person` and `external_userid` as they are known by now: since the list
    was closed somebody may have shown who they are, or two have turned out to be one.
    """
    found = {entry.ticket: entry.model_dump() for entry in entries}
    unknown = {each["visitor_id"] for each in found.values() if each["visitor_id"] and not each["external_userid"]}
    names = await identities.externals_of(tx, unknown)
    for each in found.values():
        each["external_userid"] = each["external_userid"] or names.get(each["visitor_id"])
        each["person"] = person_of(each["visitor_id"] or 0, each["external_userid"])
    return found


async def tags_of(wecom: Gateway, draw: Draw, people: Collection[str]) -> Tags:
    """What the platform says of these people's tags, where the draw asks for them; of whom it does not say, nothing."""
    found = dict[str, tuple[str, ...]]()
    if not looks_at_tags(draw):
        return found
    for who in people:
        try:
            contact = await lookups.read_contact(wecom, who)
        except PlatformError as error:
            logger.warning("the tags of somebody in a draw are not known: {}", error)
            continue
        found[who] = contact.tags if contact else ()
    return found


async def tags_of_visitor(wecom: Gateway, store: Database, draw: Draw, visitor_id: int) -> Tags:
    """Likewise of one visitor."""
    if not looks_at_tags(draw):
        return {}
    async with store.read() as tx:
        external_userid = await identities.external_of(tx, visitor_id)
    return await tags_of(wecom, draw, [external_userid]) if external_userid else {}


async def of_visitor(tx: Tx, row: DrawRow, visitor_id: int, external_userid: str | None, tags: Tags) -> EntrantFacts:
    """The facts about one visitor."""
    won = await draw_winners.has_won(tx, row.month, visitor_id, external_userid, but=row.id)
    if external_userid is None:
        return EntrantFacts(known=False, won_this_month=won)
    places = await draw_entrants.places_of(tx, external_userid)
    groups = set(row.chat_ids)
    since = [each.since for each in places if each.chat_id in groups and each.left_at is None]
    blocked = await blocks.blocked(tx, [external_userid], list({each.unionid for each in places if each.unionid}))
    return EntrantFacts(
        known=True,
        is_staff=is_staff(external_userid, ()),
        other_company=is_other_company(external_userid),
        blocked=bool(blocked),
        member_since=min(since, default=None),
        tags=tags.get(external_userid),
        won_this_month=won,
    )


async def of_people(
    tx: Tx, row: DrawRow, people: Collection[str], tags: Tags, *, now: datetime
) -> dict[str, EntrantFacts]:
    """The facts about people on rosters, by external_userid."""
    since = await draw_entrants.members_since(tx, row.chat_ids, people)
    winners = await draw_winners.wins_in_month(tx, row.month or month_of(now), people)
    blocked = await blocked_among(tx, people)
    return {
        who: EntrantFacts(
            known=True,
            is_staff=is_staff(who, ()),
            other_company=is_other_company(who),
            blocked=who in blocked,
            member_since=since.get(who),
            tags=tags.get(who),
            won_this_month=who in winners,
        )
        for who in people
    }


async def blocked_among(tx: Tx, people: Collection[str]) -> set[str]:
    """Who of these is on the blocklist, by id or by unionid."""
    found, wanted = set[str](), list(people)
    for first in range(0, len(wanted), 500):
        some = wanted[first : first + 500]
        whose = await draw_entrants.unionids_of(tx, some)
        for entry in await blocks.blocked(tx, some, list(whose)):
            found |= whose.get(entry.unionid or "", set()) | {entry.external_userid or ""}
    return found & set(wanted)
