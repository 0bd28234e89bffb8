"""The ledger says of a payout's money what its state says: every fen that went out, and every one that came back."""

from datetime import datetime

from loguru import logger

from rules.payouts import PAID
from store import ledger, payouts
from store.database import Tx
from store.payouts import PayoutRow

UNBOOKED = "OVERDRAWN"


async def book_it(tx: Tx, row: PayoutRow, *, now: datetime) -> bool:
    """Whether the ledger agrees. It does not where money went out that neither the purse nor its month has: that is
    shown, and everything stops. What is not this winner's after all stays in the purse for whoever is next; where there
    was no draw, nobody is, and it is free.
    """
    why = f"{row.way}：{row.what or row.number}"
    try:
        if not row.settled and row.state in (*PAID, "refunded"):
            await _settle(tx, row, why, now=now)
            row.settled = True
        if row.settled and row.state in ("failed", "refunded"):
            await ledger.unsettle(tx, row.purse, row.amount, key=f"pay:{row.number}:unsettle", why=why, now=now)
            row.settled = False
        if row.step == "alternate" and row.winner_id is None:
            await ledger.release(tx, row.purse, row.amount, key=f"pay:{row.number}:release", why=why, now=now)
    except ledger.Overdrawn as error:
        logger.error("the ledger and payout {} do not agree: {}", row.number, error)
        row.shown, row.why = True, UNBOOKED
        await payouts.pause(tx, "conflict", UNBOOKED, probe_at=None, now=now)
        return False
    return True


async def _settle(tx: Tx, row: PayoutRow, why: str, *, now: datetime) -> None:
    """It was paid. Where its purse does not hold it, for whatever reason, it is taken from the month, if that can."""
    key = f"pay:{row.number}:settle"
    try:
        await ledger.settle(tx, row.purse, row.amount, key=key, why=why, now=now)
    except ledger.Overdrawn:
        logger.error("payout {} was paid, and purse {} does not hold it", row.number, row.purse)
        late, purse = f"pay:{row.number}:late", await ledger.purse(tx, row.purse)
        if purse is None or not await ledger.reserve(
            tx, row.purse, row.amount, month=purse.month, key=late, why=f"{why}，补记", now=now
        ):
            raise
        await ledger.settle(tx, row.purse, row.amount, key=key, why=why, now=now)


async def book_the_rest(tx: Tx, *, now: datetime) -> int:
    """What was paid and could not be booked is tried again; answers how many still cannot."""
    left = 0
    for row in await payouts.unbooked(tx):
        if await book_it(tx, row, now=now):
            row.shown = False
        else:
            left += 1
    return left
