"""A code that makes its scanner a contact of our staff is made, once per entrance (page 92228). Not idempotent."""

from datetime import datetime, timedelta

from loguru import logger

from bot.actions.action import Hands
from bot.actions.add_join_way import Made
from handlers import join_ways as ways
from rules.actions import AddContactWay
from store import join_ways
from store.database import Database, Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = False
SHOWN_WITHIN = timedelta(0)


async def is_wanted(deed: AddContactWay, tx: Tx) -> bool:
    row = await join_ways.look_at(tx, deed.way_id)
    return row is not None and row.number == deed.number and row.status == "adding"


async def carry_out(deed: AddContactWay, hands: Hands) -> Made:
    try:
        return Made(*await commands.add_contact_way(hands.wecom, deed))
    except PlatformError as error:
        if error.treatment != "unknown_outcome":
            raise
        return Made()


async def resolve(deed: AddContactWay, since: datetime, hands: Hands, store: Database) -> Made:
    """An earlier call, of which nobody knows what came: what it made, if anything, cannot be found."""
    return Made()


async def record(deed: AddContactWay, result: Made, tx: Tx, now: datetime) -> None:
    row = await join_ways.way(tx, deed.way_id)
    if row is None:
        logger.error("a contact way was made for nothing: nobody remembers {}", deed.way_id)
    elif not result.config_id:
        await ways.lost(tx, row, now=now)
    else:
        await ways.made(tx, row, result.config_id, result.qr_code, now=now)


async def give_up(deed: AddContactWay, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("a contact way was not made: {}", error)
    row = await join_ways.way(tx, deed.way_id)
    if row is not None and row.number == deed.number:
        await ways.failed(tx, row, error.hint, now=now)
