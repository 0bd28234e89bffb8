"""A group gets a new owner, at a manager's wish. The API raises no callback, so the group is read afterwards."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import asking, press
from rules.actions import TransferGroup
from rules.removal import say_transfer_failed
from store import roster
from store.database import Tx
from wecom import commands
from wecom.errors import PlatformError

REPEATABLE = True  # to an owner who has it already it is refused as such, and that is taken for done
SAME_OWNER = 90504


async def is_wanted(deed: TransferGroup, tx: Tx) -> bool:
    group = await roster.group(tx, deed.chat_id)
    return group is not None and group.dismissed_at is None and group.owner != deed.new_owner


async def carry_out(deed: TransferGroup, hands: Hands) -> None:
    try:
        await commands.transfer_group(hands.wecom, deed)
    except PlatformError as error:
        if error.errcode != SAME_OWNER:
            raise


async def record(deed: TransferGroup, result: None, tx: Tx, now: datetime) -> None:
    """The roster decides whether it is so; the new owner is asked when it is."""
    await press.read_now(tx, deed.chat_id, "transferred", now=now)


async def give_up(deed: TransferGroup, error: PlatformError, tx: Tx, now: datetime) -> None:
    """The manager who wished it hears why it was not done."""
    logger.warning("group {} was not transferred: {}", deed.chat_id, error)
    group = await roster.group(tx, deed.chat_id)
    text = say_transfer_failed(group.name if group else deed.chat_id, error.hint)
    await asking.tell(tx, [deed.asked_by], text, f"transfer-failed:{deed.chat_id}", now=now)
