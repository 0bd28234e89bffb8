"""Somebody's own tags are put on the contact, in the name of a colleague who has added them (page 92697).

The same twice changes nothing.
"""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import own_tags as handler
from rules.actions import MarkTag
from store import own_tags
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: MarkTag, tx: Tx) -> bool:
    return any(row.state == "ordered" for row in await own_tags.some(tx, deed.own_tags))


async def carry_out(deed: MarkTag, hands: Hands) -> None:
    await commands.mark_tag(hands.wecom, deed)


async def record(deed: MarkTag, result: None, tx: Tx, now: datetime) -> None:
    for row in await own_tags.some(tx, deed.own_tags, lock=True):
        row.state, row.userid, row.marked_at, row.due_at, row.why_not = "marked", deed.userid, now, None, ""


async def give_up(deed: MarkTag, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.warning("tags were not put on a contact: {}", error)
    await handler.not_marked(tx, deed, error, now=now)
