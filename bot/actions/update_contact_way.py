"""A contact code leads to other members of staff from now on (page 92228); what is printed stays as it is."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import UpdateContactWay
from store import join_ways
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: UpdateContactWay, tx: Tx) -> bool:
    row = await join_ways.look_at(tx, deed.way_id)
    return row is not None and row.number == deed.number and row.config_id == deed.config_id


async def carry_out(deed: UpdateContactWay, hands: Hands) -> None:
    await commands.update_contact_way(hands.wecom, deed)


async def record(deed: UpdateContactWay, result: None, tx: Tx, now: datetime) -> None:
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        row.status, row.why = "ready", ""


async def give_up(deed: UpdateContactWay, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("a contact way was not changed: {}", error)
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        row.status, row.why = "ready", error.hint
