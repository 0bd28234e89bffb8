"""A card to those who can remove somebody."""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers import case_cards
from rules.actions import SendCard
from store import cards, entrances
from store.database import Tx
from wecom import commands
from wecom.commands import Sent
from wecom.errors import PlatformError

REPEATABLE = True
TASK_ID_TAKEN = 42014


async def is_wanted(deed: SendCard, tx: Tx) -> bool:
    """Not about things that are already done."""
    return await cards.is_asked(tx, deed.task_id) or await entrances.is_card_out(tx, deed.task_id)


async def carry_out(deed: SendCard, hands: Hands) -> Sent:
    """A task_id that is taken was taken by this very card: an earlier try arrived, though its answer did not."""
    try:
        return await commands.send_card(hands.wecom, deed)
    except PlatformError as error:
        if error.errcode != TASK_ID_TAKEN:
            raise
        return Sent(msgid="", invalid_users=(), response_code=None)


async def record(deed: SendCard, result: Sent, tx: Tx, now: datetime) -> None:
    """Keep the code that updates the card; where all was done while it was on its way, update it at once."""
    stock = await entrances.stock_of_task(tx, deed.task_id)
    if stock is not None and result.response_code:
        stock.keep_code(result.response_code, now=now)
    card = await cards.card_of_task(tx, deed.task_id)
    if card is None:
        return
    if result.invalid_users:
        logger.warning("card {} did not reach {}", deed.task_id, ", ".join(result.invalid_users))
    if result.response_code:
        card.keep_code(result.response_code, now=now)
    if card.state == "closed":
        await case_cards.show_closed(tx, card, now=now)


async def give_up(deed: SendCard, error: PlatformError, tx: Tx, now: datetime) -> None:
    """Nobody who can remove has been asked: the managers are told now rather than in an hour."""
    logger.error("card {} was not sent: {}", deed.task_id, error)
    card = await cards.card_of_task(tx, deed.task_id)
    if card is None:
        return
    card.state = "failed"
    for case in await cards.cases_on(tx, card.number):
        if case.open_key and card.kind == "ask":
            case.step, case.step_due_at = "escalate", now
