"""A code leads to other groups from now on. The whole of it is sent: an update overwrites (page 99547)."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import join_ways as ways
from rules.actions import UpdateJoinWay
from store import join_ways
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: UpdateJoinWay, tx: Tx) -> bool:
    row = await join_ways.look_at(tx, deed.way_id)
    return row is not None and row.number == deed.number and row.config_id == deed.config_id


async def carry_out(deed: UpdateJoinWay, hands: Hands) -> None:
    await commands.update_join_way(hands.wecom, deed)


async def record(deed: UpdateJoinWay, result: None, tx: Tx, now: datetime) -> None:
    """It is read back soon: only that shows what the platform made of it."""
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        row.status, row.why, row.check_at = "ready", "", now + ways.READ_BACK_AFTER


async def give_up(deed: UpdateJoinWay, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("a join way was not changed: {}", error)
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        row.status, row.why, row.check_at = "ready", error.hint, now + ways.READ_BACK_AFTER
