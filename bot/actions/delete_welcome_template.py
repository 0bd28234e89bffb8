"""A group welcome that the config does not have any more goes, to leave room for others (100 a corp)."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import DeleteWelcomeTemplate
from store import welcome
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True  # what is gone is refused, and that is taken for done


async def is_wanted(deed: DeleteWelcomeTemplate, tx: Tx) -> bool:
    row = await welcome.template(tx, deed.title)
    return row is not None and row.number == deed.number and row.template_id == deed.template_id


async def carry_out(deed: DeleteWelcomeTemplate, hands: Hands) -> None:
    await commands.delete_welcome_template(hands.wecom, deed)


async def record(deed: DeleteWelcomeTemplate, result: None, tx: Tx, now: datetime) -> None:
    row = await welcome.template(tx, deed.title)
    if row is not None and row.number == deed.number:
        row.state, row.template_id, row.hash, row.changed_at = "gone", None, "", now


async def give_up(deed: DeleteWelcomeTemplate, error: PlatformError, tx: Tx, now: datetime) -> None:
    """Gone already, or never to be removed: nobody waits for it either way."""
    logger.warning("the welcome template {!r} was not deleted: {}", deed.title, error)
    row = await welcome.template(tx, deed.title)
    if row is not None and row.number == deed.number:
        row.state, row.template_id, row.hash, row.changed_at = "gone", None, "", now
        row.orphans += 1
