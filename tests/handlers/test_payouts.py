"""One payout, call by call: what is written down before a call, and whose answers count."""

from datetime import UTC, datetime, timedelta

from bot.actions import pay
from handlers import payouts
from handlers.payouts import Order
from rules.actions import Pay
from rules.book import Book
from rules.budget import amounts
from rules.events import PayoutsDue
from rules.payouts import PayAnswer, words
from scheduler import payouts as sweep
from store import inbox, ledger, outbox, queue
from store import payouts as rows
from store.database import Database, Tx
from store.inbox import Inbox
from store.outbox import Outbox
from store.payouts import PayoutRow

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
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
        await rows.note_account(tx, "1900000109", "wx0123456789abcdef", now=NOW)
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


async def test_parameters_are_written_before_the_call_and_never_change(sqlite_db: Database) -> None:
    """What the first call says stands in the payout's row, and every later call says the same, whatever has changed in
    the settings meanwhile; a call that says anything else is not made."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        row = await the_row(tx)
        assert (row.state, row.packet) == ("sending", first.packet.model_dump())
        assert first.packet.total_amount == 400  # the winner bears the tax
        assert await pay.is_wanted(first, tx)
        other = first.packet.model_copy(update={"total_amount": 401})
        assert not await pay.is_wanted(first.model_copy(update={"packet": other}), tx)
        await payouts.answered(tx, first, UNKNOWN, now=NOW)
        await rows.note_account(tx, "1900000110", "wxother", now=NOW)
        second = await next_call(tx, NOW + 2 * A_MINUTE)
        assert (second.what, second.packet) == ("query", first.packet)
        assert not await pay.is_wanted(first, tx)


async def test_a_late_answer_counts_only_where_it_is_definite(sqlite_db: Database) -> None:
    """The answer of an earlier call that nobody waits for any more is ignored where it says that nobody knows, and
    taken where it says that the money went."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payouts.answered(tx, first, UNKNOWN, now=NOW)
        await next_call(tx, NOW + 2 * A_MINUTE)
        before = (await the_row(tx)).tries
        await payouts.answered(tx, first, UNKNOWN, now=NOW + 3 * A_MINUTE)
        assert (await the_row(tx)).tries == before
        await payouts.answered(tx, first, ACCEPTED, now=NOW + 3 * A_MINUTE)
        assert (await the_row(tx)).state == "sent"
        assert (await ledger.purse(tx, "draw:1")) == ("2026-11", 4_600, 400)
        await payouts.answered(tx, first, ACCEPTED, now=NOW + 4 * A_MINUTE)
        assert (await ledger.purse(tx, "draw:1")) == ("2026-11", 4_600, 400)


async def test_no_word_is_unknown(sqlite_db: Database) -> None:
    """A call that was ordered and never answered is asked about; it is not made anew under another number."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        again = await next_call(tx, NOW + 11 * A_MINUTE)
        assert (again.what, again.packet) == ("query", first.packet)
        assert (await the_row(tx)).state == "unknown"


async def test_a_failure_after_the_money_was_booked_unbooks_it(sqlite_db: Database) -> None:
    """Accepted, and FAILED later: the ledger takes it back, and the prize goes out under the next number."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payouts.answered(tx, first, ACCEPTED, now=NOW)
        query = await next_call(tx, NOW + A_DAY)
        assert query.what == "query"
        await payouts.answered(tx, query, FAILED, now=NOW + A_DAY)
        assert (await ledger.purse(tx, "draw:1")) == ("2026-11", 5_000, 0)
        old, new = await rows.of_draw(tx, 1)
        assert (old.state, new.state, new.attempt) == ("failed", "planned", 2)
        assert old.number != new.number
        await payouts.answered(tx, query, FAILED, now=NOW + A_DAY)
        assert len(await rows.of_draw(tx, 1)) == 2


async def test_a_number_with_other_parameters_stops_everything_for_good(sqlite_db: Database) -> None:
    """FATAL_ERROR is a mistake of ours: nothing goes out until a person says so, not even when another is accepted."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        first, second = await next_call(tx, NOW), await next_call(tx, NOW)
        await payouts.answered(tx, first, CONFLICT, now=NOW)
        await payouts.answered(tx, second, ACCEPTED, now=NOW)
        pause = await rows.paused(tx)
        assert pause is not None
        assert (pause.reason, pause.probe_at) == ("conflict", None)
        await payouts.plan(tx, order("3"), now=NOW)
        await work(tx, NOW + A_MINUTE)
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None
        assert await rows.resume(tx, now=NOW + 2 * A_MINUTE)
        assert (await next_call(tx, NOW + 2 * A_MINUTE)).packet.re_openid == "oWinner3"


async def test_what_was_given_up_and_is_paid_after_all_stops_everything(sqlite_db: Database) -> None:
    """Somebody said that a packet was not sent, and its call comes back and says that it was: that is not hushed up."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payouts.answered(tx, first, UNKNOWN, now=NOW)
        await payouts.by_hand(tx, await the_row(tx), "failed", now=NOW)
        assert [row.state for row in await rows.of_draw(tx, 1)] == ["failed", "planned"]
        await payouts.answered(tx, first, ACCEPTED, now=NOW + A_MINUTE)
        pause = await rows.paused(tx)
        assert pause is not None
        assert (pause.reason, pause.code) == ("conflict", "PAID_AFTER_ALL")


async def test_what_waits_for_somebody_raises_nothing(sqlite_db: Database) -> None:
    """A payout that stopped for a person to look at is shown once, and is due no more by itself."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payouts.answered(tx, first, PayAnswer(finding="setup", code="PARAM_ERROR"), now=NOW)
        await work(tx, NOW + A_MINUTE)
        row = await the_row(tx)
        assert (row.state, row.shown, row.due_at) == ("planned", True, None)
        await payouts.by_hand(tx, row, "again", now=NOW + 2 * A_MINUTE)
        await rows.resume(tx, now=NOW + 2 * A_MINUTE)
        assert (await next_call(tx, NOW + 2 * A_MINUTE)).packet == first.packet


async def test_more_than_the_purse_holds_is_never_booked(sqlite_db: Database) -> None:
    """Where the purse does not hold what was paid, that is shown and everything stops: the ledger is not overdrawn."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await ledger.release_rest(tx, "draw:1", key="rest", why="x", now=NOW)
        await payouts.answered(tx, first, ACCEPTED, now=NOW)
        row = await the_row(tx)
        assert (row.state, row.settled, row.shown) == ("sent", False, True)
        pause = await rows.paused(tx)
        assert pause is not None
        assert pause.code == "OVERDRAWN"
        assert await ledger.out_of_step(tx) == []
