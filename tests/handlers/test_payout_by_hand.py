"""What a person says of a payout: it counts, once, and never leads to a second payment."""

from datetime import timedelta

from handlers import payout_answers
from handlers.payout_by_hand import IN_FLIGHT, NOT_BACK, TAKEN, TOO_FRESH, TOO_OLD, by_hand
from rules.payouts import PayAnswer
from store import ledger, queue
from store import payouts as rows
from store.database import Database
from store.outbox import Outbox
from tests.handlers.packets import A_DAY, A_MINUTE, ACCEPTED, NOW, UNKNOWN, next_call, planned, the_row, work


async def test_what_was_given_up_and_is_paid_after_all_is_paid_once(sqlite_db: Database) -> None:
    """Somebody said that a packet was not sent, and its call comes back and says that it was: that counts and is
    booked, and the attempt that was to follow is never made."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        assert await by_hand(tx, await the_row(tx), "failed", now=NOW + A_MINUTE) == TOO_FRESH
        assert await by_hand(tx, await the_row(tx), "failed", now=NOW + 11 * A_MINUTE) == ""
        assert [row.state for row in await rows.of_draw(tx, 1)] == ["failed", "planned"]
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW + 12 * A_MINUTE)
        assert [row.state for row in await rows.of_draw(tx, 1)] == ["sent", "failed"]
        assert await ledger.purse(tx, "draw:1") == ("2026-11", 4_600, 400)
        assert await rows.paused(tx) is None
        await work(tx, NOW + 13 * A_MINUTE)
        assert (await queue.claim(tx, Outbox, now=NOW + A_DAY, lease=A_MINUTE, token="t")) is None


async def test_what_is_paid_after_all_when_another_was_begun_stops_everything(sqlite_db: Database) -> None:
    """The same, but the next attempt has been made already: both are booked as they are, and nothing more goes out."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        await by_hand(tx, await the_row(tx), "failed", now=NOW + 11 * A_MINUTE)
        second = await next_call(tx, NOW + 12 * A_MINUTE)
        await payout_answers.answered(tx, second, ACCEPTED, now=NOW + 12 * A_MINUTE)
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW + 13 * A_MINUTE)
        pause = await rows.paused(tx)
        assert pause is not None
        assert (pause.reason, pause.code) == ("conflict", "PAID_AFTER_ALL")
        assert await ledger.purse(tx, "draw:1") == ("2026-11", 4_200, 800)
        assert [row.number for row in await rows.unresolved(tx)] == [first.packet.mch_billno]


async def test_nothing_is_given_up_while_a_call_is_being_made(sqlite_db: Database) -> None:
    """A worker holds the call at this moment: `failed` is refused, or its effect and a new number would both pay."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        await work(tx, NOW)
        held = await queue.claim(tx, Outbox, now=NOW, lease=timedelta(seconds=30), token="w")
        assert held is not None
        row = await the_row(tx)
        assert await by_hand(tx, row, "failed", now=NOW) == IN_FLIGHT
        assert await by_hand(tx, row, "refunded", now=NOW) == IN_FLIGHT
        assert [row.state for row in await rows.of_draw(tx, 1)] == ["sending"]


async def test_what_the_provider_has_taken_is_not_given_up(sqlite_db: Database) -> None:
    """A packet that was accepted is not sent anew under another number, whoever says that it failed; that it came back
    can be said after a day only, and then the money is free."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, ACCEPTED, now=NOW)
        row = await the_row(tx)
        assert await by_hand(tx, row, "failed", now=NOW + A_DAY) == TAKEN
        assert await by_hand(tx, row, "refunded", now=NOW + A_MINUTE) == NOT_BACK
        assert row.state == "sent"
        assert await by_hand(tx, row, "refunded", now=NOW + A_DAY) == ""
        assert row.state == "refunded"
        assert await ledger.month(tx, "2026-11") == (5_000, 400, 4_600, 0)


async def test_an_old_doubtful_number_is_never_sent_again(sqlite_db: Database) -> None:
    """The provider tells of 30 days only, so a doubtful number is not sent again after a longer pause or downtime, nor
    when somebody asks for it: it might be paid a second time. It is shown, and a person settles it."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, UNKNOWN, now=NOW)
        query = await next_call(tx, NOW + 2 * A_MINUTE)
        await payout_answers.answered(tx, query, PayAnswer(finding="not_found", code="NOT_FOUND"), now=NOW + A_DAY)
        assert (await the_row(tx)).step == "send"
        late = NOW + 31 * A_DAY
        await work(tx, late)
        row = await the_row(tx)
        assert (row.state, row.step, row.shown, row.why) == ("unknown", "", True, "TOO_OLD")
        assert (await queue.claim(tx, Outbox, now=late, lease=A_MINUTE, token="t")) is None
        assert await by_hand(tx, row, "again", now=late) == TOO_OLD
        assert await by_hand(tx, row, "paid", now=late) == ""
        assert (row.state, row.shown) == ("received", False)
        assert await ledger.purse(tx, "draw:1") == ("2026-11", 4_600, 400)


async def test_what_waits_for_somebody_raises_nothing(sqlite_db: Database) -> None:
    """A payout that stopped for a person to look at is shown once, and is due no more by itself."""
    await planned(sqlite_db)
    async with sqlite_db.write() as tx:
        first = await next_call(tx, NOW)
        await payout_answers.answered(tx, first, PayAnswer(finding="setup", code="PARAM_ERROR"), now=NOW)
        await work(tx, NOW + A_MINUTE)
        row = await the_row(tx)
        assert (row.state, row.shown, row.due_at) == ("planned", True, None)
        await by_hand(tx, row, "again", now=NOW + 2 * A_MINUTE)
        await rows.resume(tx, now=NOW + 2 * A_MINUTE)
        assert (await next_call(tx, NOW + 2 * A_MINUTE)).packet == first.packet
