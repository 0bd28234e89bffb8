"""Prizes on their way, from the plan to the ledger: paid by WeChat Pay, by an owner, by a coupon; and what stops them.

The merchant is the simulator's, over real HTTP on this machine: wechatpy speaks to nothing else.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from handlers import coupons, owner_payouts, press
from handlers.coupons import CouponOrder, NoCodes
from handlers.owner_payouts import OwnerOrder
from handlers.payout_by_hand import OVER, OWNERS, by_hand
from rules.actions import Link
from rules.events import CardPressed
from store import coupon_codes, matters
from store import payouts as rows
from tests.life.till import DAY, DRAW, HOUR, MANAGED, MINUTE, START, Till, opened_till

Open = Callable[[], AbstractAsyncContextManager[Till]]


@pytest.fixture
def open_till(sqlite_url: str, tmp_path: Path) -> Open:
    """With 1,000 CNY for one draw."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Till]:
        async with opened_till(sqlite_url, tmp_path) as till:
            await till.fund()
            yield till

    return opened


async def test_a_winner_is_paid_and_opens_it(open_till: Open) -> None:
    """A prize is sent once, booked when the provider has taken it, and received when the winner has opened it."""
    async with open_till() as till:
        await till.win("1", 500)
        await till.run(MINUTE)
        assert await till.states() == ["sent"]
        assert await till.money() == (0, 99_500, 500)
        [packet] = till.world.merchant.packets.values()
        assert packet.said["send_name"] == "静安茶铺"
        till.world.merchant.open(packet.number)
        await till.stride(DAY, 6)
        assert await till.states() == ["received"]
        assert await till.money() == (0, 99_500, 500)


async def test_what_nobody_opens_returns_to_the_budget(open_till: Open) -> None:
    """Money that comes back after 24 hours is paid to nobody and free in the month again."""
    async with open_till() as till:
        await till.win("1", 500)
        await till.stride(3 * DAY, 12)
        assert await till.states() == ["refunded"]
        assert await till.money() == (500, 99_500, 0)


async def test_an_empty_account_pauses_everything_and_goes_on_by_itself(open_till: Open) -> None:
    """NOTENOUGH stops all payouts and tells the managers; after a top-up they go on under the same numbers."""
    async with open_till() as till:
        till.world.merchant.purse = 500
        for winner in ("1", "2", "3"):
            await till.win(winner, 400)
        await till.run(5 * MINUTE)
        assert sorted(await till.states()) == ["planned", "planned", "sent"]
        assert [text for text in till.texts() if "红包暂停发放：商户号余额不足" in text]
        calls = sum(till.world.merchant.sends.values())
        await till.run(25 * MINUTE)
        assert sum(till.world.merchant.sends.values()) == calls
        till.world.merchant.purse = 10_000
        await till.run(2 * HOUR)
        assert await till.states() == ["sent"] * 3
        assert len(till.world.merchant.packets) == 3
        assert till.texts()[-1].startswith("红包已恢复发放")
        assert await till.money() == (0, 98_800, 1_200)


async def test_limits_of_a_person_are_planned_for(open_till: Open) -> None:
    """A person's eleventh packet of a day, and what is above 1,000 CNY, is not even asked for before tomorrow."""
    async with open_till() as till:
        for winner in range(12):
            await till.win(str(winner), 100, openid="oOften0001")
        await till.run(5 * MINUTE)
        assert (await till.states()).count("sent") == 10
        assert sum(till.world.merchant.sends.values()) == 10
        await till.stride(9 * HOUR, 2)
        assert (await till.states()).count("sent") == 12
        assert till.world.merchant.answers["sendredpack", "SENDNUM_LIMIT"] == 0


async def test_calls_are_spread(open_till: Open) -> None:
    """A hundred winners at once are never more than the provider's 30 calls a second."""
    async with open_till() as till:
        for winner in range(100):
            await till.win(str(winner), 100)
        await till.run(MINUTE)
        assert await till.states() == ["sent"] * 100
        assert till.world.merchant.answers["sendredpack", "SECOND_OVER_LIMITED"] == 0


async def test_a_spent_number_is_followed_by_another(open_till: Open) -> None:
    """After SEND_FAILED the prize goes out under a new number, and is booked once."""
    async with open_till() as till:
        till.world.merchant.faults.send_failed = 1.0
        await till.win("1", 500)
        await till.run(timedelta(milliseconds=20))
        till.world.merchant.faults.stop()
        await till.run(MINUTE)
        assert (await till.states())[0] == "failed"
        assert (await till.states())[-1] == "sent"
        assert till.world.merchant.paid() == 500
        assert await till.money() == (0, 99_500, 500)


async def test_wrong_settings_stop_and_are_told(open_till: Open) -> None:
    """A certificate that is not accepted stops all payouts and says what to look at; once it is, they go on."""
    async with open_till() as till:
        till.world.merchant.certificate_ok = False
        await till.win("1", 500)
        await till.run(5 * MINUTE)
        assert await till.states() == ["planned"]
        assert [text for text in till.texts() if "CA_ERROR" in text and "WXPAY_CERT" in text]
        till.world.merchant.certificate_ok = True
        await till.run(2 * HOUR)
        assert await till.states() == ["sent"]


async def test_what_stays_unknown_is_shown_until_somebody_knows(open_till: Open) -> None:
    """A payout nobody can tell about becomes a matter of the managers; what a manager found out settles it."""
    async with open_till() as till:
        till.world.merchant.faults.system_error_after_effect = 1.0
        till.world.merchant.faults.query_error = 1.0
        await till.win("1", 500)
        await till.stride(3 * DAY, 12)
        [row] = await till.payouts()
        assert (row.state, row.shown) == ("unknown", True)
        async with till.bot.store.read() as tx:
            assert await matters.is_open(tx, f"payout:{row.id}")
            assert [each.number for each in await rows.unresolved(tx)] == [row.number]
        async with till.bot.store.write() as tx:
            found = await rows.numbered(tx, row.number, lock=True)
            assert found is not None
            assert await by_hand(tx, found, "paid", now=till.clock.now()) == ""
        assert await till.states() == ["sent"]
        assert await till.money() == (0, 99_500, 500)
        async with till.bot.store.read() as tx:
            assert not await matters.is_open(tx, f"payout:{row.id}")
            assert await rows.unresolved(tx) == []
        till.world.merchant.faults.stop()
        await till.stride(DAY, 6)
        assert await till.states() == ["refunded"]  # which only the provider could tell
        assert await till.money() == (500, 99_500, 0)


async def test_the_same_prize_is_planned_once(open_till: Open) -> None:
    """Planning a winner's prize again, even after it was paid, changes nothing."""
    async with open_till() as till:
        for _ in range(3):
            await till.win("1", 500)
            await till.run(MINUTE)
        assert await till.states() == ["sent"]
        assert till.world.merchant.paid() == 500


# --- the owner sends it -----------------------------------------------------------------------------------------------


async def ask_owner(till: Till, within: timedelta = 2 * HOUR) -> str:
    """An owner is asked to send 200 CNY. Returns their card's task."""
    [chat_id] = till.world.groups
    order = OwnerOrder(
        draw_id=1,
        draw=DRAW,
        purse="draw:1",
        chat_id=chat_id,
        what="200元 / 40 个拼手气红包",
        amount=20_000,
        until=till.clock.now() + within,
    )
    async with till.bot.store.write() as tx:
        await owner_payouts.plan(tx, order, now=till.clock.now())
    await till.run(MINUTE)
    return newest_card(till)


def newest_card(till: Till) -> str:
    return next(each.task_id or "" for each in reversed(till.world.inbox("wangwu")) if each.kind == "card")


async def test_an_owner_sends_it_and_it_is_booked_once(open_till: Open) -> None:
    """已发 books the amount once, however often it is pressed; the card says so, and nobody is asked again."""
    async with open_till() as till:
        task = await ask_owner(till)
        card = till.world.inbox("wangwu")[-1]
        assert "现在在本群发 200元 / 40 个拼手气红包" in card.text
        till.world.press("wangwu", task, "sent")
        await till.run(MINUTE)
        assert card.replaced == "已发，已记账"
        assert await till.money() == (0, 80_000, 20_000)
        await till.stride(DAY, 6)
        assert newest_card(till) == task
        assert await till.states() == ["received"]


async def test_an_owner_is_reminded_and_then_it_lapses(open_till: Open) -> None:
    """An owner who says nothing is reminded, at most three times; at the end the money goes back and managers know."""
    async with open_till() as till:
        await ask_owner(till, within=5 * HOUR)
        await till.run(6 * HOUR)
        asked = [each for each in till.world.inbox("wangwu") if (each.task_id or "").startswith("payout")]
        assert len(asked) == 4
        assert [each.replaced for each in asked] == ["请看后面的新卡片"] * 3 + ["没有发，金额已退回预算"]
        assert await till.states() == ["failed"]
        assert await till.money() == (20_000, 80_000, 0)
        assert [text for text in till.texts() if "没有发（到时间没有点「已发」）" in text]


async def test_an_owner_who_cannot_gives_it_back(open_till: Open) -> None:
    """发不了 returns the money at once; 稍后提醒 asks again half an hour later."""
    async with open_till() as till:
        task = await ask_owner(till)
        till.world.press("wangwu", task, "later")
        await till.run(20 * MINUTE)
        assert newest_card(till) == task
        await till.run(20 * MINUTE)
        again = newest_card(till)
        assert again != task
        till.world.press("wangwu", again, "cannot")
        await till.run(MINUTE)
        assert await till.states() == ["failed"]
        assert await till.money() == (20_000, 80_000, 0)


# --- coupons ----------------------------------------------------------------------------------------------------------


def coupon(winner: str, codes: str = "", until: datetime = START + 3 * DAY) -> CouponOrder:
    return CouponOrder(
        draw_id=1,
        draw=DRAW,
        winner_id=int(winner),
        winner=winner,
        what="到店领小样一份",
        codes=codes,
        until=until,
        person=f"wm{winner}",
    )


async def test_codes_of_a_sheet_are_given_once(open_till: Open) -> None:
    """Each winner gets the next code of the sheet, the same one when asked again, and nobody gets one twice."""
    async with open_till() as till, till.bot.store.write() as tx:
        assert await coupon_codes.add(tx, "茶券.xlsx", ["T1", "T2", "T1"], now=START) == 2
        first = [await coupons.plan(tx, coupon(each, "茶券.xlsx"), now=START) for each in ("1", "2", "1")]
        assert [row.code if row else None for row in first] == ["T1", "T2", None]
        with pytest.raises(NoCodes):
            await coupons.plan(tx, coupon("3", "茶券.xlsx"), now=START)


async def test_a_code_that_stands_in_two_sheets_is_given_once(open_till: Open) -> None:
    """Two sheets have a code in common: whoever is second gets the next code, and can claim."""
    async with open_till() as till, till.bot.store.write() as tx:
        await coupon_codes.add(tx, "茶券.xlsx", ["T1", "T2"], now=START)
        await coupon_codes.add(tx, "旧茶券.xlsx", ["T1", "T3"], now=START)
        given = [
            await coupons.plan(tx, coupon(n, sheet), now=START)
            for n, sheet in (("1", "茶券.xlsx"), ("2", "旧茶券.xlsx"))
        ]
        assert [row.code if row else None for row in given] == ["T1", "T3"]
        with pytest.raises(NoCodes):
            await coupons.plan(tx, coupon("3", "旧茶券.xlsx"), now=START)


async def test_a_press_on_a_card_that_was_replaced_counts(open_till: Open) -> None:
    """The owner presses 已发 on the first card just when the reminder is being sent: it is booked all the same."""
    async with open_till() as till:
        first = await ask_owner(till, within=5 * HOUR)
        await till.run(31 * MINUTE)
        assert newest_card(till) != first
        async with till.bot.store.write() as tx:
            event = CardPressed(
                at=till.clock.now(),
                userid="wangwu",
                task_id=first,
                button="sent",
                card_type="button_interaction",
                response_code=None,
                selected={},
            )
            await press.handle(event, None, tx, MANAGED, till.clock.now())
        assert await till.states() == ["received"]
        assert await till.money() == (0, 80_000, 20_000)


async def test_an_owner_who_did_not_press_is_settled_by_hand(open_till: Open) -> None:
    """A manager who knows that the owner has sent it, or never will, says so: once, and the ledger has it."""
    async with open_till() as till:
        await ask_owner(till)
        async with till.bot.store.write() as tx:
            [row] = await rows.of_draw(tx, 1)
            assert await by_hand(tx, row, "again", now=till.clock.now()) == OWNERS
            assert await by_hand(tx, row, "paid", now=till.clock.now()) == ""
            assert await by_hand(tx, row, "failed", now=till.clock.now()) == OVER
        assert await till.money() == (0, 80_000, 20_000)


async def test_a_code_is_ticked_off_once_in_the_shop(open_till: Open) -> None:
    """Staff type a code, see what it is for, and tick it off; a second time it is refused and says when it was."""
    async with open_till() as till:
        async with till.bot.store.write() as tx:
            row = await coupons.plan(tx, coupon("1"), now=START)
        assert row is not None
        assert row.code is not None
        url = links_of(till, "wangwu")
        typed = row.code[:4].lower() + " " + row.code[4:]
        page = (await till.browser.get(url, params={"code": typed})).text
        assert "到店领小样一份" in page
        form = {"key": page.split('name="key" value="')[1].split('"')[0], "code": row.code}
        done = await till.browser.post(url, data=form, follow_redirects=True)
        assert "核销好了" in done.text
        await till.run(5 * MINUTE)
        later = await till.browser.get(done.url)  # the phone opens the page again
        assert "核销好了" not in later.text
        assert "已经核销过了" in later.text
        assert "已经核销过了" in (await till.browser.post(url, data=form, follow_redirects=True)).text
        assert "没有 NOSUCH1 这个核销码" in (await till.browser.get(url, params={"code": "NOSUCH1"})).text
        [after] = await till.payouts()
        assert (after.state, after.userid) == ("received", "wangwu")


async def test_a_coupon_that_nobody_fetches_lapses(open_till: Open) -> None:
    """After its last day a code is refused, and the prize is somebody else's."""
    async with open_till() as till:
        async with till.bot.store.write() as tx:
            row = await coupons.plan(tx, coupon("1"), now=START)
        assert row is not None
        await till.stride(4 * DAY, 8)
        assert await till.states() == ["failed"]
        page = await till.browser.get(links_of(till, "wangwu"), params={"code": row.code or ""})
        assert "已经过期" in page.text


def links_of(till: Till, userid: str) -> str:
    """The page of whoever ticks off in the shop."""
    from bot.links import Links

    return Links("http://127.0.0.1", "a-key-for-tests-only", till.clock).url(
        Link(page="redeem", userid=userid, issued_at=till.clock.now())
    )
