"""Payouts of one draw, call by call: planned, swept, and handed out as the worker would get them."""

from datetime import UTC, datetime, timedelta

from handlers import payouts
from handlers.payouts import Order
from rules.actions import Pay
from rules.book import Book
from rules.budget import amounts
from rules.events import PayoutsDue
from rules.payouts import PayAnswer, words
from scheduler import payouts as sweep
from store import inbox, ledger, outbox, pay_accounts, queue
from store import payouts as rows
from store.database import Database, Tx
from store.inbox import Inbox
from store.outbox import Outbox
from store.payouts import PayoutRow

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 27, 16, 10, tzinfo=UTC)
A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
UNKNOWN = PayAnswer(finding="unknown", code="TIMEOUT")
ACCEPTED = PayAnswer(finding="accepted", code="SUCCESS")
FAILED = PayAnswer(finding="failed", code="FAILED")
CONFLICT = PayAnswer(finding="conflict", code="FATAL_ERROR")


def order(winner: str = "1") -> Order:
    return Order(
        draw_id=1,
        draw="friday",
        winner_id=None,
        winner=winner,
        purse="draw:1",
        amounts=amounts(500, "winner"),
        person="wmA",
        openid=f"oWinner{winner}",
        words=words("静安茶铺", "周五拼手气", "感谢您一直在群里"),
    )


async def planned(db: Database, *winners: str) -> None:
    async with db.write() as tx:
        await pay_accounts.note_account(tx, "1900000109", "wx0123456789abcdef", now=NOW)
        await ledger.fund(tx, "2026-11", 5_000, now=NOW)
        await ledger.reserve(tx, "draw:1", 5_000, month="2026-11", key="r", why="抽奖", now=NOW)
        for winner in winners or ("1",):
            await payouts.plan(tx, order(winner), now=NOW)


async def work(tx: Tx, now: datetime) -> None:
    """The sweep, and what it raises."""
    await sweep.sweep(tx, now)
    while (row := await queue.claim(tx, Inbox, now=now, lease=A_MINUTE, token="t")) is not None:
        event = inbox.event_of(row)
        assert isinstance(event, PayoutsDue)
        await payouts.handle(event, None, tx, Book(), now)
        await queue.finish(tx, Inbox, row.id, "t", "done", now=now)


async def next_call(tx: Tx, now: datetime) -> Pay:
    """The call that is ordered next, as the worker would get it."""
    await work(tx, now)
    row = await queue.claim(tx, Outbox, now=now + A_MINUTE, lease=A_MINUTE, token="t")
    assert row is not None
    deed = outbox.deed_of(row)
    assert isinstance(deed, Pay)
    await queue.finish(tx, Outbox, row.id, "t", "done", now=now)
    return deed


async def the_row(tx: Tx) -> PayoutRow:
    [row] = await rows.of_draw(tx, 1)
    return row
