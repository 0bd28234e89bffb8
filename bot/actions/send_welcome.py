"""A new contact is greeted: once per code, within its 20 seconds, or not at all.

The platform knows a code that was used (41051), so an unknown outcome is tried again.
"""

import asyncio
from datetime import datetime
from typing import Literal

from loguru import logger

from bot.actions.action import Hands
from rules.actions import SendWelcome
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True
TOO_LATE, BEGUN = 41050, 41051

Greeted = Literal["sent", "too late", "already talking"]


async def is_wanted(deed: SendWelcome, tx: Tx) -> bool:
    return True  # whether there is still time is looked at right before the call


async def carry_out(deed: SendWelcome, hands: Hands) -> Greeted:
    """A call that is not through when the code ends is given up with it: by then people talk themselves."""
    left = (deed.expires_at - hands.clock.now()).total_seconds()
    if left <= 0:
        return "too late"
    try:
        async with asyncio.timeout(left):
            await commands.send_welcome(hands.wecom, deed, hands.links.url(deed.link) if deed.link else None)
    except TimeoutError:
        return "too late"
    except PlatformError as error:
        if error.errcode == TOO_LATE:
            return "too late"
        if error.errcode == BEGUN:
            return "already talking"
        raise
    return "sent"


async def record(deed: SendWelcome, result: Greeted, tx: Tx, now: datetime) -> None:
    if result != "sent":
        logger.info("a welcome was not sent: {}", result)


async def give_up(deed: SendWelcome, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.warning("a welcome was not sent: {}", error)
