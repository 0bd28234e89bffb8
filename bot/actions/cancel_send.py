"""A 企业群发 that nobody confirmed is stopped (page 97611): yesterday's news is not to go out today."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import CancelSend
from store import sends
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True  # stopping what is stopped changes nothing


async def is_wanted(deed: CancelSend, tx: Tx) -> bool:
    return True


async def carry_out(deed: CancelSend, hands: Hands) -> None:
    await commands.cancel_send(hands.wecom, deed.msgid)


async def record(deed: CancelSend, result: None, tx: Tx, now: datetime) -> None:
    """It may have been confirmed a moment before: one more look says so."""
    row = await sends.send(tx, deed.send_id)
    if row is not None:
        row.due_at = now


async def give_up(deed: CancelSend, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("the send {} could not be stopped: {}", deed.send_id, error)
    row = await sends.send(tx, deed.send_id)
    if row is not None:
        row.due_at = now
