"""The ways that a draw can go: sent by owners, grabbed; and which one its page shows."""

from datetime import timedelta

from handlers.draw_entry import GONE, NO_ENTRY, NOT_YET
from rules.draw_proof import verify
from store import draws as draw_rows
from store import ledger
from store import payouts as payout_rows
from tests.handlers.fair import DAY, FIXED, FRIDAY, HOUR, OpenFair, names


async def test_the_owner_sends_it_in_the_group(fair_with: OpenFair) -> None:
    """`群主`: one order for each group at the time of the draw, the money of all of them held; no list, no winners."""
    lucky = {"type": "拼手气", "total": "200元", "shares": 40}
    fair = await fair_with({"prize": lucky, "pay_by": "群主", "contact": ""}, groups=3)
    await fair.calendar()
    assert (await fair.month()).held == 60_000
    assert await fair.enter(await fair.visitor("wm1")) == NO_ENTRY
    await fair.until(FRIDAY + timedelta(minutes=1))
    async with fair.db.read() as tx:
        orders = await payout_rows.of_draw(tx, 1)
    assert [(each.way, each.chat_id, each.what, each.amount) for each in orders] == [
        ("owner", f"wr{number}", "200元 / 40 个拼手气红包", 20_000) for number in range(3)
    ]
    async with fair.db.write() as tx:
        for each in await payout_rows.of_draw(tx, 1):
            each.state, each.due_at = "received", None
            await ledger.settle(tx, "draw:1", each.amount, key=each.number, why="", now=fair.now)
    await fair.until(FRIDAY + 3 * HOUR)
    assert (await fair.draw()).state == "closed"
    assert (await fair.month()).paid == 60_000


async def test_a_grab_is_over_when_everything_is_taken(fair_with: OpenFair) -> None:
    """First come, first served, one each; then it is drawn at once, and proves what every share was worth."""
    lucky = {"type": "拼手气", "total": "20元", "shares": 3}
    fair = await fair_with({"prize": lucky, "enter": "抢"}, people=names(5))
    await fair.until(FRIDAY - HOUR)
    visitors = [await fair.visitor(who) for who in names(5)]
    assert await fair.enter(visitors[0]) == NOT_YET
    await fair.until(FRIDAY)
    answers = [await fair.enter(each) for each in (visitors[0], *visitors)]
    assert answers == ["", "", "", "", GONE, GONE]
    await fair.until(FRIDAY + timedelta(seconds=5))
    row = await fair.draw()
    assert (row.state, row.entrants) == ("drawn", 3)
    winners = await fair.winners()
    assert [each.person for each in winners] == ["wm0", "wm1", "wm2"]
    assert sum(each.amount for each in winners) == 2_000
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


async def test_a_grab_that_nobody_finishes_ends_in_time(fair_with: OpenFair) -> None:
    """After an hour what nobody took goes back."""
    fair = await fair_with({"prize": {**FIXED, "shares": 3}, "enter": "抢"}, people=names(1))
    await fair.until(FRIDAY)
    assert await fair.enter(await fair.visitor("wm0")) == ""
    await fair.until(FRIDAY + 2 * HOUR)
    assert (await fair.draw()).state == "drawn"
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=500, paid=0)


async def test_the_page_shows_the_draw_that_matters(fair_with: OpenFair) -> None:
    """The one that is open; before it opens, and after, the latest result for as long as it can be claimed."""
    fair = await fair_with({"when": "每周五 20:00", "announce_before": "6天"}, people=names(3))
    await fair.until(FRIDAY - HOUR)

    async def shown() -> str:
        async with fair.db.read() as tx:
            row = await draw_rows.shown(tx, "friday", now=fair.now)
            return f"{row.key[7:17]} {row.state}" if row else ""

    assert await shown() == "2026-11-27 open"
    visitor = await fair.visitor("wm0")
    await fair.enter(visitor)
    await fair.until(FRIDAY + 2 * DAY)
    assert await shown() == "2026-11-27 drawn"
    await fair.until(FRIDAY + 6 * DAY + HOUR)
    assert await shown() == "2026-12-04 open"
