"""A card that was sent shows that it is done."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import UpdateCard
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = False  # a response code works once: whether it was used is not worth a second look


async def is_wanted(deed: UpdateCard, tx: Tx) -> bool:
    return bool(deed.to)


async def carry_out(deed: UpdateCard, hands: Hands) -> None:
    await commands.update_card(hands.wecom, deed)


async def record(deed: UpdateCard, result: None, tx: Tx, now: datetime) -> None:
    """Nothing follows."""


async def give_up(deed: UpdateCard, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.warning("card {} still shows its buttons: {}", deed.task_id, error)
