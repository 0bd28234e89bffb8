"""Prizes are claimed once, lapse, go to the next one, and every fen ends where it belongs."""

import pytest

from handlers.draw_view import view
from handlers.prizes import NEEDS_NAME, NEEDS_OPENID, NOT_WON, TOO_LATE
from rules.draw_proof import verify
from store import blocks, ledger
from store import payouts as payout_rows
from tests.handlers.fair import DAY, FIXED, FRIDAY, HOUR, OpenFair, entered, names


async def test_a_prize_is_claimed_once_and_paid(fair_with: OpenFair) -> None:
    """Claimed twice, one payout; the ledger has paid exactly that; when all is done the rest is free again."""
    fair = await fair_with(people=names(3))
    visitors = await entered(fair, names(3))
    await fair.until(FRIDAY)
    assert await fair.claim(visitors["wm0"]) == NEEDS_OPENID
    await fair.authorises(visitors["wm0"], "mp-0")
    assert [await fair.claim(visitors["wm0"]) for _ in range(3)] == ["", "", ""]
    async with fair.db.read() as tx:
        [payout] = await payout_rows.of_draw(tx, 1)
        assert (payout.amount, payout.gross, payout.tax, payout.openid) == (500, 625, 125, "mp-0")
    await fair.paid()
    assert await fair.month() == ledger.Month(budget=500_000, free=498_500, held=1_000, paid=500)
    await fair.until(FRIDAY + 5 * DAY)
    assert (await fair.draw()).state == "closed"
    assert {each.person: each.state for each in await fair.winners()} == {
        "wm0": "paid",
        "wm1": "lapsed",
        "wm2": "lapsed",
    }
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=0, paid=500)
    assert await fair.claim(visitors["wm1"]) == TOO_LATE
    assert await fair.claim(await fair.visitor(phone="other")) == NOT_WON


async def test_unclaimed_goes_to_the_next_alternate(fair_with: OpenFair) -> None:
    """After the deadline the following rank has the share, with a deadline of its own; the proof still holds."""
    fair = await fair_with({"prize": {**FIXED, "shares": 1}}, people=names(3))
    visitors = await entered(fair, names(3))
    await fair.until(FRIDAY)
    [first] = await fair.live()
    await fair.until(FRIDAY + 3 * DAY + HOUR)
    [second] = await fair.live()
    assert second != first
    row = await fair.draw()
    assert [(each["gone"], each["to"], each["because"]) for each in row.redraws] == [(1, 2, "过期没领")]
    assert await fair.claim(visitors[first]) == TOO_LATE
    await fair.authorises(visitors[second], "mp-2")
    assert await fair.claim(visitors[second]) == ""
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    assert (await fair.month()).held == 500


async def test_who_cannot_be_paid_makes_room_for_the_next(fair_with: OpenFair) -> None:
    """A payout that failed for certain takes the next alternate, whether the money is still held or went back."""
    fair = await fair_with({"prize": {**FIXED, "shares": 1}}, people=names(3))
    visitors = await entered(fair, names(3))
    await fair.until(FRIDAY)
    for turn in range(2):
        [who] = await fair.live()
        await fair.authorises(visitors[who], f"mp-{who}")
        assert await fair.claim(visitors[who]) == ""
        async with fair.db.write() as tx:
            payout = (await payout_rows.of_draw(tx, 1))[-1]
            payout.state, payout.due_at = ("failed", "refunded")[turn], None
            if turn:  # it had arrived, lay there for a day and came back
                await ledger.settle(tx, "draw:1", 500, key="s", why="", now=fair.now)
                await ledger.unsettle(tx, "draw:1", 500, key="u", why="", now=fair.now)
                await ledger.release(tx, "draw:1", 500, key="r", why="", now=fair.now)
            winner_id = payout.winner_id or 0
        await fair.unpayable(winner_id)
        await fair.unpayable(winner_id)
    states = sorted((each.rank, each.state) for each in await fair.winners())
    assert states == [(1, "dropped"), (2, "dropped"), (3, "won")]
    assert (await fair.month()).held == 500


async def test_a_stranger_shows_who_they_are_at_the_claim(fair_with: OpenFair) -> None:
    """A winner whom no roster knows claims once staff have added them; if they are no member, the next one wins."""
    fair = await fair_with({"prize": {**FIXED, "shares": 2}}, people=names(2))
    await fair.until(FRIDAY - HOUR)
    strangers = [await fair.visitor(phone=f"phone-{number}") for number in range(2)]
    assert [await fair.enter(each) for each in strangers] == ["", ""]
    await fair.until(FRIDAY)
    assert [await fair.claim(each) for each in strangers] == [NEEDS_NAME, NEEDS_NAME]
    assert await fair.visitor("wm1", phone="phone-0") == strangers[0]
    await fair.authorises(strangers[0], "mp-0")
    assert await fair.claim(strangers[0]) == ""
    await fair.visitor("wmElsewhere", phone="phone-1")
    assert "不在活动的群里" in await fair.claim(strangers[1])
    assert await fair.live() == ["wm1"]
    assert (await fair.month()).held == 500


async def test_a_coupon_is_a_code_on_the_page(fair_with: OpenFair) -> None:
    """到店核销: the winner gets a code; no money is held for it."""
    coupon = {"type": "券", "what": "茶样", "value": "10元"}
    fair = await fair_with({"prize": coupon, "pay_by": "券"}, people=names(1))
    visitors = await entered(fair, names(1))
    await fair.until(FRIDAY)
    assert await fair.claim(visitors["wm0"]) == ""
    async with fair.db.read() as tx:
        [payout] = await payout_rows.of_draw(tx, 1)
        assert payout.code
        assert payout.what == "茶样"
    assert await fair.month() == ledger.Month(0, 0, 0, 0)


@pytest.mark.parametrize("leaves", [True, False], ids=["left the group", "was blocked"])
async def test_who_may_not_any_more_at_the_claim_makes_room(fair_with: OpenFair, leaves: bool) -> None:
    """Between the draw and the claim somebody leaves or is blocked: they are told why, the next one wins."""
    fair = await fair_with({"prize": {**FIXED, "shares": 1}}, people=names(2))
    visitors = await entered(fair, names(2))
    await fair.until(FRIDAY)
    [winner] = await fair.live()
    if leaves:
        await fair.leave(winner)
    else:
        async with fair.db.write() as tx:
            await blocks.put(tx, external_userid=winner, because="广告", by="lihua", now=fair.now)
    said = await fair.claim(visitors[winner])
    assert said == ("您不在活动的群里" if leaves else "您不能参加这个活动")
    assert await fair.claim(visitors[winner]) == said
    assert await fair.live() == [who for who in names(2) if who != winner]
    assert (await fair.month()).held == 500


async def test_of_dear_prizes_everybody_sees_whether_they_were_claimed(fair_with: OpenFair) -> None:
    """Above 500 CNY the published list says which have been claimed, as they are; of others it says nothing."""
    prizes = [
        {"type": "券", "name": "一等奖", "what": "茶席", "value": "600元", "shares": 2},
        {"type": "券", "name": "二等奖", "what": "茶样", "value": "500元", "shares": 1},
    ]
    fair = await fair_with({"prize": prizes, "pay_by": "券"}, people=names(3))
    visitors = await entered(fair, names(3))
    await fair.until(FRIDAY)
    first = next(each.person for each in await fair.winners() if each.share == 1)
    assert await fair.claim(visitors[first]) == ""
    async with fair.db.read() as tx:
        found = await view(tx, "friday", 0, now=fair.now)
    assert found is not None
    assert [(each.prize, each.claimed) for each in found.lines] == [
        ("一等奖", "已领"),
        ("一等奖", "还没领"),
        ("二等奖", ""),
    ]
