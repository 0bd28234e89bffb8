"""A group welcome is made. The call is not idempotent and templates cannot be listed (page 92366).

So where nobody knows whether it was carried out, what it may have made is given up as an orphan, and another is made.
"""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from rules.actions import AddWelcomeTemplate
from rules.welcome import text_hash
from store import welcome
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = False
UNKNOWN = ""


async def is_wanted(deed: AddWelcomeTemplate, tx: Tx) -> bool:
    row = await welcome.template(tx, deed.title)
    return row is not None and row.number == deed.number and row.template_id is None


async def carry_out(deed: AddWelcomeTemplate, hands: Hands) -> str:
    """The template's id; UNKNOWN where it was perhaps made."""
    try:
        return await commands.add_welcome_template(hands.wecom, deed)
    except PlatformError as error:
        if error.treatment != "unknown_outcome":
            raise
        return UNKNOWN


async def record(deed: AddWelcomeTemplate, result: str, tx: Tx, now: datetime) -> None:
    """Without an id, the next look at the welcomes orders another."""
    row = await welcome.template(tx, deed.title)
    if row is None or row.number != deed.number:
        logger.error("the welcome template {!r} was made for nothing: it was ordered anew meanwhile", deed.title)
        return
    lost = (result == UNKNOWN) + await welcome.was_begun_before(tx, deed.title, deed.number)
    if lost:
        row.orphans += lost
        logger.warning("a welcome template {!r} may have been made and cannot be found again", deed.title)
    row.changed_at, row.why = now, ""
    await welcome.look_soon(tx, now=now)
    if result == UNKNOWN:
        row.state = "gone"
    else:
        row.state, row.template_id, row.hash = "made", result, text_hash(deed.text)


async def give_up(deed: AddWelcomeTemplate, error: PlatformError, tx: Tx, now: datetime) -> None:
    """The managers hear of it at the next look at the welcomes."""
    logger.error("the welcome template {!r} was not made: {}", deed.title, error)
    row = await welcome.template(tx, deed.title)
    if row is not None and row.number == deed.number:
        row.state, row.why, row.changed_at = "failed", error.hint, now
        await welcome.look_soon(tx, now=now)
