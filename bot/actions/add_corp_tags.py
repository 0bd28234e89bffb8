"""Tags of the corp are to be there: those that are missing are made, and their group with them (page 96320).

Read, made where missing, read again: what another call has made a moment ago is found.
"""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import own_tags as handler
from rules.actions import AddCorpTags
from store.database import Tx
from wecom import commands, tags
from wecom.errors import PlatformError

REPEATABLE = True

THERE_ALREADY = 40071

Found = dict[str, dict[str, str]]
"""group → name → id."""


async def is_wanted(deed: AddCorpTags, tx: Tx) -> bool:
    return bool(deed.names)


async def carry_out(deed: AddCorpTags, hands: Hands) -> Found:
    """What there is afterwards. Raises PlatformError."""
    found = await _read(hands)
    missing = [name for name in deed.names if not _is_there(found, deed, name)]
    if not missing:
        return found
    try:
        await commands.add_corp_tags(hands.wecom, deed.group, missing)
    except PlatformError as error:
        if error.errcode != THERE_ALREADY:
            raise
    return await _read(hands)


def _is_there(found: Found, deed: AddCorpTags, name: str) -> bool:
    places = found.values() if deed.anywhere else [found.get(deed.group, {})]
    return any(name in each for each in places)


async def _read(hands: Hands) -> Found:
    return {group.name: dict(group.tags) for group in await tags.corp_tags(hands.wecom)}


async def record(deed: AddCorpTags, result: Found, tx: Tx, now: datetime) -> None:
    await handler.tags_there(tx, deed, result, now=now)


async def give_up(deed: AddCorpTags, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("the tags {} were not made: {}", "、".join(deed.names), error)
    await handler.tags_not_made(tx, deed, error, now=now)
