"""The 群发助手 of whoever has not confirmed a 企业群发 rings again: at most 3 times in 24 hours (page 97610)."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import RemindSend
from store import sends
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = False  # whether it rang once or twice matters less than ringing all day


async def is_wanted(deed: RemindSend, tx: Tx) -> bool:
    """Not once it is confirmed, or over."""
    row = await sends.send(tx, deed.send_id)
    return row is not None and row.state == "made" and row.msgid == deed.msgid


async def carry_out(deed: RemindSend, hands: Hands) -> None:
    await commands.remind_send(hands.wecom, deed)


async def record(deed: RemindSend, result: None, tx: Tx, now: datetime) -> None:
    row = await sends.send(tx, deed.send_id)
    if row is not None:
        row.reminders += 1


async def give_up(deed: RemindSend, error: PlatformError, tx: Tx, now: datetime) -> None:
    """The next reminder, or a message of ours, comes in its time."""
    logger.warning("the sender of {} was not reminded: {}", deed.send_id, error)
