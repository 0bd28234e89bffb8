"""A code is to lead nowhere any more: the door closes behind a customer, or before a seat is given to another."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import join_ways as ways
from rules.actions import DeleteJoinWay
from store import join_ways
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True  # what is gone is refused, and that is taken for done


async def is_wanted(deed: DeleteJoinWay, tx: Tx) -> bool:
    row = await join_ways.look_at(tx, deed.way_id)
    return row is not None and row.number == deed.number and row.status == "deleting"


async def carry_out(deed: DeleteJoinWay, hands: Hands) -> None:
    """Refused means that there is none such: gone already."""
    try:
        await commands.delete_join_way(hands.wecom, deed)
    except PlatformError as error:
        if error.treatment != "refused":
            raise


async def record(deed: DeleteJoinWay, result: None, tx: Tx, now: datetime) -> None:
    row = await join_ways.way(tx, deed.way_id)
    if row is not None:
        ways.deleted(row, now=now)


async def give_up(deed: DeleteJoinWay, error: PlatformError, tx: Tx, now: datetime) -> None:
    """It may still let people in: they are recognised by its `state`, and it goes on being counted."""
    logger.error("a join way was not deleted and stays open: {}", error)
    row = await join_ways.way(tx, deed.way_id)
    if row is not None:
        row.status, row.why = "orphaned", error.hint
