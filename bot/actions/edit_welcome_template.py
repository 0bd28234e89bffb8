"""A group welcome gets a new text; the groups that it is attached to keep it."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import EditWelcomeTemplate
from rules.welcome import text_hash
from store import welcome
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True  # it sets the whole text


async def is_wanted(deed: EditWelcomeTemplate, tx: Tx) -> bool:
    row = await welcome.template(tx, deed.title)
    return row is not None and row.number == deed.number and row.template_id == deed.template_id


async def carry_out(deed: EditWelcomeTemplate, hands: Hands) -> None:
    await commands.edit_welcome_template(hands.wecom, deed)


async def record(deed: EditWelcomeTemplate, result: None, tx: Tx, now: datetime) -> None:
    row = await welcome.template(tx, deed.title)
    if row is not None and row.number == deed.number:
        row.state, row.hash, row.why, row.changed_at = "made", text_hash(deed.text), "", now


async def give_up(deed: EditWelcomeTemplate, error: PlatformError, tx: Tx, now: datetime) -> None:
    """The old text stays; the managers hear of it at the next look at the welcomes."""
    logger.error("the welcome template {!r} still has its old text: {}", deed.title, error)
    row = await welcome.template(tx, deed.title)
    if row is not None and row.number == deed.number:
        row.state, row.why, row.changed_at = "made", error.hint, now
        await welcome.look_soon(tx, now=now)
