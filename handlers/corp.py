"""All groups are listed again: at start, and to find what no callback told. Each is then read on its own."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from loguru import logger

from handlers.roster import name_or_none
from rules.book import Book
from rules.decision import Decision
from rules.events import RosterReadDue
from store import roster, staff
from store.database import Database, Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

NAMES_AT_ONCE = 200  # staff whose names are asked for with one listing; the next one asks for the rest


@dataclass(frozen=True)
class Seen:
    """The ids of the customer groups whose owners this app may see, and names of staff that were not known yet."""

    chat_ids: tuple[str, ...]
    names: dict[str, str | None] = field(default_factory=dict)


async def look_up(event: RosterReadDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """List the groups, and learn the names of staff: the config may call them by name."""
    chat_ids = await lookups.all_group_ids(wecom)
    try:
        userids = await lookups.follow_users(wecom)
    except PlatformError as error:
        logger.warning("the staff with 客户联系 are not known yet: {}", error)
        userids = ()
    async with store.read() as tx:
        nameless = await staff.nameless(tx, userids)
    names: dict[str, str | None] = {}
    for few in batched(nameless[:NAMES_AT_ONCE], 10):
        asked = await asyncio.gather(*(name_or_none(wecom, userid) for userid in few))
        names.update(zip(few, asked, strict=True))
    return Seen(chat_ids=chat_ids, names=names)


def batched(items: list[str], size: int) -> list[list[str]]:
    """The items in lists of at most `size`."""
    return [items[first : first + size] for first in range(0, len(items), size)]


async def handle(event: RosterReadDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Have every group that was listed, and every one that we know and was not, read again now."""
    for userid, name in seen.names.items():
        await staff.remember(tx, userid, name or "", now=now)
    known = {group.chat_id for group in await roster.groups(tx)}
    for chat_id in sorted(known | set(seen.chat_ids)):
        roster.read_soon(await roster.known_or_new(tx, chat_id, now=now), at=now)
    return []
