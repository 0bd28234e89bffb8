"""A text message to staff."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import SendText
from store.database import Tx
from wecom import commands
from wecom.commands import Sent
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: SendText, tx: Tx) -> bool:
    return bool(deed.to)


async def carry_out(deed: SendText, hands: Hands) -> Sent:
    return await commands.send_text(hands.wecom, deed, hands.links.url(deed.link) if deed.link else None)


async def record(deed: SendText, result: Sent, tx: Tx, now: datetime) -> None:
    if result.invalid_users:
        logger.warning("a message did not reach {}: not in the app's visible range?", ", ".join(result.invalid_users))


async def give_up(deed: SendText, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("a message to {} was not sent: {}", ", ".join(deed.to), error)
