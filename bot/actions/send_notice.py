"""A card without buttons that opens a page."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import SendNotice
from store.database import Tx
from wecom import commands
from wecom.commands import Sent
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: SendNotice, tx: Tx) -> bool:
    return bool(deed.to)


async def carry_out(deed: SendNotice, hands: Hands) -> Sent:
    return await commands.send_notice(hands.wecom, deed, hands.links.url(deed.link))


async def record(deed: SendNotice, result: Sent, tx: Tx, now: datetime) -> None:
    if result.invalid_users:
        logger.warning("a notice did not reach {}: not in the app's visible range?", ", ".join(result.invalid_users))


async def give_up(deed: SendNotice, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("a notice to {} was not sent: {}", ", ".join(deed.to), error)
