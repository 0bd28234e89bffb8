"""What a call to WeChat Pay came to: every answer moves one payout, and the ledger moves with it.

It is recorded in the transaction that ends the call's row (bot/actions/pay.py). What a person has looked up counts in
the same way (handlers/payout_by_hand.py).
"""

from datetime import datetime

from loguru import logger

from handlers.payout_books import book_it
from rules.actions import Pay
from rules.payouts import (
    ONLY_THIS,
    PAID,
    PROBE_NO_MONEY,
    PROBE_OTHERS,
    PROBE_SETUP,
    Next,
    PayAnswer,
    Standing,
    follow,
    number,
)
from store import matters, payouts
from store.database import Tx
from store.payouts import PayoutRow

DEFINITE = ("accepted", "arrived", "received", "returning", "returned", "spent", "failed")
_WENT = ("accepted", "arrived", "received", "returning")
_SAME = (
    "draw_id",
    "winner_id",
    "winner",
    "way",
    "draw",
    "purse",
    "amount",
    "gross",
    "tax",
    "born_by",
    "person",
    "openid",
    "words",
)
"""What a new attempt has in common with the last one."""


async def answered(tx: Tx, deed: Pay, answer: PayAnswer, *, now: datetime) -> None:
    """One answer. What is definite counts whichever call it answers; else only the latest call is listened to."""
    row = await payouts.payout(tx, deed.payout_id, lock=True)
    if row is None or row.number != deed.packet.mch_billno:
        logger.error("an answer to {} belongs to no payout", deed.packet.mch_billno)
    elif row.is_final:
        await _too_late(tx, row, answer, now=now)
    elif row.calls == deed.call or answer.finding in DEFINITE:
        await come_to(tx, row, answer, now=now)


async def come_to(tx: Tx, row: PayoutRow, answer: PayAnswer, *, now: datetime) -> None:
    """What follows from an answer, for this payout, its money, its winner and all others. Only for what is not over."""
    standing = Standing.model_validate({name: getattr(row, name) for name in Standing.model_fields})
    came_to = follow(standing, answer, now)
    _take_over(row, came_to, now=now)
    if came_to.again:
        await _again(tx, row, now=now)
    is_booked = await book_it(tx, row, now=now)
    await _for_all(tx, came_to, answer, now=now)
    if row.winner_id is not None and row.state in PAID:
        await payouts.winner_is_paid(tx, row.winner_id, now=now)
    elif row.winner_id is not None and row.is_final:
        await payouts.winner_is_not_paid(tx, row.winner_id)
    if is_booked and not came_to.show and (row.is_final or row.state == "sent"):
        await no_more_doubt(tx, row, now=now)


async def no_more_doubt(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """Nobody has to look at it any more."""
    if row.shown:
        row.shown = False
        await matters.settle(tx, f"payout:{row.id}", outcome="settled", now=now)


def _take_over(row: PayoutRow, came_to: Next, *, now: datetime) -> None:
    for name, value in came_to.standing.model_dump(exclude={"attempt"}).items():
        setattr(row, name, value)
    row.due_at, row.why = came_to.due_at, came_to.why
    if came_to.show and not row.shown:
        row.shown, row.due_at = True, now  # the next look, which shows it, is at once
    if came_to.alternate:
        payouts.wait(row, "alternate", now)
    if row.is_final:
        row.ended_at = now
    if row.state in (*PAID, "refunded") and row.sent_at is None:
        row.sent_at = now


async def _again(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """The number is spent, and nothing was paid under it: another attempt under the next one. The purse's money is for
    it from this very moment.
    """
    attempt = row.attempt + 1
    same = row.model_dump(include=set(_SAME))
    fresh = PayoutRow(
        **same, attempt=attempt, number=number(row.draw, row.winner, attempt), due_at=now, since=now, planned_at=now
    )
    await payouts.add(tx, fresh)


async def _for_all(tx: Tx, came_to: Next, answer: PayAnswer, *, now: datetime) -> None:
    if came_to.pause is not None:
        setup = PROBE_OTHERS if answer.code in ONLY_THIS else PROBE_SETUP
        probe = {"no_money": now + PROBE_NO_MONEY, "setup": now + setup, "conflict": None}[came_to.pause]
        if await payouts.pause(tx, came_to.pause, answer.code, probe_at=probe, now=now):
            logger.error("payouts are paused: {} ({})", came_to.pause, answer.code)
    elif came_to.resumes:
        pause = await payouts.paused(tx)
        if pause is not None and pause.reason != "conflict":
            await payouts.resume(tx, now=now)


async def _too_late(tx: Tx, row: PayoutRow, answer: PayAnswer, *, now: datetime) -> None:
    """An answer about what is over tells nothing new; unless it says that what was given up was paid after all. That
    counts, and the attempt that was to follow is not made. Where it was made already, everything stops.
    """
    if row.state != "failed" or answer.finding not in _WENT:
        return
    logger.error("payout {} was given up ({}), and is paid after all", row.number, row.why)
    later = [each for each in await payouts.attempts(tx, row) if each.attempt > row.attempt]
    in_time = bool(later) and not any(each.calls for each in later)
    if row.why == "BY_HAND" and row.sent_at is None:
        for each in later if in_time else ():
            each.state, each.why, each.ended_at = "failed", "PAID_AFTER_ALL", now
            payouts.wait(each, "", None)
        row.state, row.ended_at = "unknown", None
        await come_to(tx, row, answer, now=now)
    else:
        in_time, row.why = False, "PAID_AFTER_ALL"
    if not in_time:
        row.shown = not row.is_final
        await payouts.pause(tx, "conflict", "PAID_AFTER_ALL", probe_at=None, now=now)
