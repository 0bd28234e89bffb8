"""A red packet is sent, or asked about: one call. Whatever came of it is an answer, also that nobody knows.

The provider knows a packet by its number, so a call that is made twice, by whichever worker, pays once.
"""

from datetime import datetime

from loguru import logger

from bot.actions.action import Hands
from handlers.payout_answers import answered
from rules.actions import Pay
from rules.payouts import PayAnswer
from store import payouts
from store.database import Tx
from wecom.errors import PlatformError

REPEATABLE = True


async def is_wanted(deed: Pay, tx: Tx) -> bool:
    """Only the latest call of a payout that is not over, and only with the parameters that were written down for it."""
    row = await payouts.payout(tx, deed.payout_id)
    if row is None or row.is_over or row.calls != deed.call:
        return False
    if row.packet != deed.packet.model_dump():
        logger.error("payout {}: the call does not say what was written down for it; it is not made", row.number)
        return False
    return True


async def carry_out(deed: Pay, hands: Hands) -> PayAnswer:
    """Raises nothing."""
    if hands.wxpay is None:
        return PayAnswer(finding="setup", code="NO_SETTINGS")
    call = hands.wxpay.send if deed.what == "send" else hands.wxpay.query
    answer = await call(deed.packet)
    logger.info("payout {}: {} came to {} ({})", deed.packet.mch_billno, deed.what, answer.finding, answer.code)
    return answer


async def record(deed: Pay, result: PayAnswer, tx: Tx, now: datetime) -> None:
    await answered(tx, deed, result, now=now)


async def give_up(deed: Pay, error: PlatformError, tx: Tx, now: datetime) -> None:
    """Never: `carry_out` raises nothing. If it did, nobody would know what became of the call."""
    await answered(tx, deed, PayAnswer(finding="unknown", code=str(error.errcode)), now=now)
