"""The groups are listed: at start, every hour, and once a day with a look at each of them."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from handlers.roster import name_or_none
from rules.book import Book
from rules.decision import Decision
from rules.events import RosterReadDue
from store import reconcile, staff
from store.database import Database, Tx
from store.reconcile import Standing
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

NAMES_AT_ONCE = 200  # staff whose names are asked for with one listing; the next one asks for the rest

ONE_AFTER_ANOTHER = timedelta(milliseconds=50)
"""How far apart groups are read that have to be read by themselves: 1,200 a minute."""


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
    """Have the groups read of which the list tells something new; if the event says so, look over all others too."""
    for userid, name in seen.names.items():
        await staff.remember(tx, userid, name or "", now=now)
    stands, listed = await reconcile.standings(tx), set(seen.chat_ids)
    new = sorted(listed - stands.keys())
    await reconcile.add_groups(tx, new, now=now)
    news = [*new, *(chat_id for chat_id, stand in stands.items() if _is_news(stand, listed=chat_id in listed))]
    await reconcile.read_one_by_one(tx, news, gap=ONE_AFTER_ANOTHER, now=now)
    if event.whole:
        others = [chat_id for chat_id in stands.keys() - set(news) if stands[chat_id].dismissed_at is None]
        await reconcile.look_over(tx, sorted(others), key=f"whole:{event.at.isoformat()}", now=now)
    return []


def _is_news(stand: Standing, *, listed: bool) -> bool:
    """Whether the list says otherwise than what we have: then the group itself tells what is the case."""
    in_sight = stand.dismissed_at is None and stand.out_of_sight_at is None
    return in_sight is not listed or (in_sight and stand.read_at is None)
