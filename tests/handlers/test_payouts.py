"""One payout, call by call: what is written down before a call, and whose answers count."""

from bot.actions import pay
from handlers import payout_answers, payout_books, payouts
from rules.book import Book
from rules.events import PayoutsDue
from rules.payouts import PayAnswer, words
from scheduler import payouts as sweep
from store import inbox, ledger, matters, pay_accounts, queue
from store import payouts as rows
from store.database import Database
from store.inbox import Inbox
from store.outbox import Outbox
from store.payouts import PayoutRow
from tests.handlers.packets import (
    A_DAY,
    A_MINUTE,
    ACCEPTED,
    CONFLICT,
    FAILED,
    NOW,
    TOMORROW,
    UNKNOWN,
    next_call,
    order,
    planned,
    the_row,
    work,
)


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
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        row.words = words("别的店", "别的活动", "别的话").model_dump()
        second = await next_call(tx, NOW + 2 * A_MINUTE)
        assert (second.what, second.packet) == ("query", first.packet)
        assert not await pay.is_wanted(first, tx)


async def test_a_late_answer_counts_only_where_it_is_definite(sqlite_db: Database) -> None:
    """The answer of an earlier call that nobody waits for any more is ignored where it says that nobody knows, and
    taken where it says that the money went."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        await next_call(tx, NOW + 2 * A_MINUTE)
        before = (await the_row(tx)).tries
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW + 3 * A_MINUTE)
        assert (await the_row(tx)).tries == before
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW + 3 * A_MINUTE)
        assert (await the_row(tx)).state == "sent"
        assert (await ledger.purse(tx, "draw:1")) == ("2026-11", 4_600, 400)
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW + 4 * A_MINUTE)
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
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW)
        query = await next_call(tx, NOW + A_DAY)
        assert query.what == "query"
        await payout_answers.answered(tx, query, FAILED, now=NOW + A_DAY)
        assert (await ledger.purse(tx, "draw:1")) == ("2026-11", 5_000, 0)
        old, new = await rows.of_draw(tx, 1)
        assert (old.state, new.state, new.attempt) == ("failed", "planned", 2)
        assert old.number != new.number
        await payout_answers.answered(tx, query, FAILED, now=NOW + A_DAY)
        assert len(await rows.of_draw(tx, 1)) == 2


async def test_a_number_with_other_parameters_stops_everything_for_good(sqlite_db: Database) -> None:
    """FATAL_ERROR is a mistake of ours: nothing goes out until a person says so, not even when another is accepted."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        first, second = await next_call(tx, NOW), await next_call(tx, NOW)
        await payout_answers.answered(tx, first, CONFLICT, now=NOW)
        await payout_answers.answered(tx, second, ACCEPTED, now=NOW)
        pause = await rows.paused(tx)
        assert pause is not None
        assert (pause.reason, pause.probe_at) == ("conflict", None)
        await payouts.plan(tx, order("3"), now=NOW)
        await work(tx, NOW + A_MINUTE)
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None
        assert await rows.resume(tx, now=NOW + 2 * A_MINUTE)
        assert (await next_call(tx, NOW + 2 * A_MINUTE)).packet.re_openid == "oWinner3"


async def test_what_is_resolved_is_shown_no_more(sqlite_db: Database) -> None:
    """A payout that was shown as unknown and turns out to be sent is on nobody's list from then on."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        call, now = await next_call(tx, NOW), NOW
        for _ in range(12):
            await payout_answers.answered(tx, call, UNKNOWN, now=now)
            now += A_DAY
            call = await next_call(tx, now)
        row = await the_row(tx)
        assert row.shown
        assert await matters.is_open(tx, f"payout:{row.id}")
        await payout_answers.answered(tx, call, PayAnswer(finding="arrived", code="SENT"), now=now)
        assert await rows.unresolved(tx) == []
        assert not await matters.is_open(tx, f"payout:{row.id}")
        await next_call(tx, now + A_DAY)
        assert not await matters.is_open(tx, f"payout:{row.id}")


async def test_another_account_is_never_asked_about_ours(sqlite_db: Database) -> None:
    """What was begun with one merchant account waits while the settings name another: no call is made, and nothing
    stops for the rest. When the first account is back it goes on under the same number."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        first, second = await next_call(tx, NOW), await next_call(tx, NOW)
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        await payout_answers.answered(tx, second, PayAnswer(finding="tomorrow", code="SENDNUM_LIMIT"), now=NOW)
        await pay_accounts.note_account(tx, "1900000110", "wx0123456789abcdef", now=NOW)
        await payouts.plan(tx, order("3"), now=NOW)
        third = await next_call(tx, NOW + 2 * A_MINUTE)
        assert (third.packet.mch_id, third.packet.re_openid) == ("1900000110", "oWinner3")
        await payout_answers.answered(tx, third, ACCEPTED, now=NOW + 2 * A_MINUTE)
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None
        stands = (await rows.of_draw(tx, 1))[0]
        assert (stands.state, stands.why, stands.shown) == ("unknown", "OTHER_ACCOUNT", True)
        assert await rows.paused(tx) is None
        await pay_accounts.note_account(tx, "1900000109", "wx0123456789abcdef", now=NOW + A_DAY)
        again = await next_call(tx, NOW + A_DAY)
        assert (again.what, again.packet) == ("query", first.packet)


async def test_what_was_raised_before_everything_stopped_waits(sqlite_db: Database) -> None:
    """Numbers do not add up while an event with sendings is on its way: none of them goes out; two are still due when
    a person has said that it may go on."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        await sweep.sweep(tx, NOW)
        await rows.pause(tx, "conflict", "FATAL_ERROR", probe_at=None, now=NOW)
        await work(tx, NOW + A_MINUTE)
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None
        await rows.resume(tx, now=NOW + 2 * A_MINUTE)
        sent = [(await next_call(tx, NOW + 2 * A_MINUTE)).packet.re_openid for _ in range(2)]
        assert sent == ["oWinner1", "oWinner2"]


async def test_one_that_cannot_go_on_holds_up_nobody(sqlite_db: Database) -> None:
    """A payout whose row makes no sense is put aside and shown; what is due with it goes out."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        broken = (await rows.of_draw(tx, 1))[0]
        broken.words = {}
        call = await next_call(tx, NOW)
        assert call.packet.re_openid == "oWinner2"
        assert (broken.shown, broken.why, broken.due_at) == (True, "OURS", None)


async def test_an_event_that_comes_twice_does_nothing_twice(sqlite_db: Database) -> None:
    """Events pile up while nobody works: of two about one payout, one orders a call, and the other changes nothing."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        await sweep.sweep(tx, NOW)
        await sweep.sweep(tx, NOW + 11 * A_MINUTE)
        now = NOW + 12 * A_MINUTE
        while (row := await queue.claim(tx, Inbox, now=now, lease=A_MINUTE, token="t")) is not None:
            event = inbox.event_of(row)
            assert isinstance(event, PayoutsDue)
            await payouts.handle(event, None, tx, Book(), now)
            await queue.finish(tx, Inbox, row.id, "t", "done", now=now)
        row_ = await the_row(tx)
        assert (row_.state, row_.calls) == ("sending", 1)


async def test_a_clock_that_was_wrong_blocks_nothing(sqlite_db: Database) -> None:
    """The clock was a year ahead for a moment and calls were ordered then: once it is right, calls are not lined up
    behind next year, and what was begun goes on."""
    await planned(sqlite_db, "1")
    async with sqlite_db.write() as tx:
        await work(tx, NOW + 365 * A_DAY)
        await payouts.plan(tx, order("2"), now=NOW)
        fresh = await next_call(tx, NOW)
        assert fresh.packet.re_openid == "oWinner2"
        await payout_answers.answered(tx, fresh, ACCEPTED, now=NOW)
        await rows.look_again(tx, now=NOW + A_MINUTE)
        stale = await next_call(tx, NOW + A_MINUTE)
        assert (stale.what, stale.packet.re_openid) == ("send", "oWinner1")  # the first call, which nobody has made yet
        row = (await rows.of_draw(tx, 1))[0]
        assert row.due_at is not None
        assert row.due_at < NOW + A_DAY


async def test_what_the_purse_does_not_hold_is_taken_from_the_month(sqlite_db: Database) -> None:
    """Money that went out though the purse does not hold it is booked all the same, out of what the month has free."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await ledger.release_rest(tx, "draw:1", key="rest", why="x", now=NOW)
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW)
        assert await ledger.month(tx, "2026-11") == (5_000, 4_600, 0, 400)
        assert await rows.paused(tx) is None


async def test_one_wrong_openid_holds_up_nobody_for_long(sqlite_db: Database) -> None:
    """An openid that WeChat Pay does not accept may be one person's alone: a minute later another one tries, and where
    that is accepted all go on; the wrong one is shown."""
    await planned(sqlite_db, "1")
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, PayAnswer(finding="setup", code="OPENID_ERROR"), now=NOW)
        await payouts.plan(tx, order("2"), now=NOW)
        await payouts.plan(tx, order("3"), now=NOW)
        await work(tx, NOW)
        assert (await queue.claim(tx, Outbox, now=NOW, lease=A_MINUTE, token="t")) is None
        second = await next_call(tx, NOW + A_MINUTE)
        await payout_answers.answered(tx, second, ACCEPTED, now=NOW + A_MINUTE)
        third = await next_call(tx, NOW + A_MINUTE)
        assert [each.packet.re_openid for each in (second, third)] == ["oWinner2", "oWinner3"]
        assert [row.number for row in await rows.unresolved(tx)] == [first.packet.mch_billno]


async def test_more_than_there_is_is_never_booked(sqlite_db: Database) -> None:
    """Where the month has nothing free either, that is shown and everything stops: the ledger is not overdrawn. It is
    booked when there is a budget for it, and shown until then, also once the packet was opened."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await ledger.release_rest(tx, "draw:1", key="rest", why="x", now=NOW)
        await ledger.reserve(tx, "draw:2", 5_000, month="2026-11", key="other", why="x", now=NOW)
        for answer in (ACCEPTED, PayAnswer(finding="received", code="RECEIVED")):
            await payout_answers.answered(tx, first, answer, now=NOW)
            row = await the_row(tx)
            assert (row.settled, row.shown) == (False, True)
            assert [each.id for each in await rows.unresolved(tx)] == [row.id]
        pause = await rows.paused(tx)
        assert pause is not None
        assert pause.code == "OVERDRAWN"
        assert await ledger.out_of_step(tx) == []
        assert await payout_books.book_the_rest(tx, now=NOW) == 1
        await ledger.fund(tx, "2026-11", 6_000, now=NOW)
        assert await payout_books.book_the_rest(tx, now=NOW) == 0
        assert await rows.unresolved(tx) == []
        assert await ledger.month(tx, "2026-11") == (6_000, 600, 5_000, 400)


async def test_the_merchants_day_is_planned_for(sqlite_db: Database) -> None:
    """A million CNY has gone out today, and a person has had 1,000 CNY: the next ones wait for tomorrow, and no call is
    made that could be refused."""
    await planned(sqlite_db, "1", "2")
    async with sqlite_db.write() as tx:
        for n, (openid, amount) in enumerate([("oWinner1", 99_700), ("oRich", 99_899_901)]):
            spent = PayoutRow(
                draw_id=2,
                winner=str(n),
                way="wechat",
                state="received",
                number=f"S{n}",
                purse="draw:2",
                amount=amount,
                gross=amount,
                openid=openid,
                day="2026-11-27",
                settled=True,
                step="",
                since=NOW,
                planned_at=NOW,
            )
            await rows.add(tx, spent)
        await work(tx, NOW)
        assert [(row.why, row.due_at) for row in await rows.of_draw(tx, 1)] == [("DAY_LIMIT", TOMORROW)] * 2
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None
        await work(tx, TOMORROW)
        assert [row.state for row in await rows.of_draw(tx, 1)] == ["sending"] * 2
