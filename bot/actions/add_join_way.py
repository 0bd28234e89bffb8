"""A code that leads into groups is made. The call is not idempotent and join ways cannot be listed (page 99547).

So where nobody knows whether it was carried out, what it may have made is given up as orphaned, and another is made
under another `state`. It may not even be tried again under the same one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger

from bot.actions.action import Hands
from handlers import join_ways as ways
from rules.actions import AddJoinWay
from store import join_ways
from store.database import Database, Tx
from wecom import codes, commands
from wecom.errors import PlatformError

REPEATABLE = False
SHOWN_WITHIN = timedelta(0)


@dataclass(frozen=True)
class Made:
    """`config_id` "": perhaps it was made, and it is lost. `qr_code` "": made, and its picture is read later."""

    config_id: str = ""
    qr_code: str = ""

    def __str__(self) -> str:
        return self.config_id


async def is_wanted(deed: AddJoinWay, tx: Tx) -> bool:
    row = await join_ways.look_at(tx, deed.way_id)
    return row is not None and row.number == deed.number and row.status == "adding"


async def carry_out(deed: AddJoinWay, hands: Hands) -> Made:
    try:
        config_id = await commands.add_join_way(hands.wecom, deed)
    except PlatformError as error:
        if error.treatment != "unknown_outcome":
            raise
        return Made()
    try:
        way = await codes.read_join_way(hands.wecom, config_id)
    except PlatformError as error:
        logger.warning("the picture of a new join way is read later: {}", error)
        return Made(config_id)
    return Made(config_id, way.qr_code if way else "")


async def resolve(deed: AddJoinWay, since: datetime, hands: Hands, store: Database) -> Made:
    """An earlier call, of which nobody knows what came: what it made, if anything, cannot be found."""
    return Made()


async def record(deed: AddJoinWay, result: Made, tx: Tx, now: datetime) -> None:
    row = await join_ways.way(tx, deed.way_id)
    if row is None:
        logger.error("a join way was made for nothing: nobody remembers {}", deed.way_id)
    elif not result.config_id:
        await ways.lost(tx, row, now=now)
    else:
        await ways.made(tx, row, result.config_id, result.qr_code, now=now)


async def give_up(deed: AddJoinWay, error: PlatformError, tx: Tx, now: datetime) -> None:
    """The managers hear of it at the next look at the stock."""
    logger.error("a join way was not made: {}", error)
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        await ways.failed(tx, row, error.hint, now=now)
