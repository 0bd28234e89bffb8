"""Draws are announced by the calendar: rules first, money held back, changes only where they are better."""

import pytest

from handlers import draws
from handlers.draw_entry import CLOSED, NOT_YET
from handlers.draw_view import view
from rules.draw_proof import verify
from rules.pick import commitment
from store import draws as draw_rows
from store import ledger, points
from store import matters as matter_rows
from store import sends as send_rows
from tests.handlers.fair import DAY, FRIDAY, HOUR, Fair, OpenFair, book_with, entered, names, settings


async def test_rules_are_published_before_anybody_enters(fair_with: OpenFair) -> None:
    """Two days ahead the rules, the commitment and the money are there; nobody can enter before it opens."""
    fair = await fair_with(people=names(3))
    await fair.calendar()
    row = await fair.draw()
    assert (row.state, row.key) == ("announced", "friday:2026-11-27T20:00+08:00")
    assert row.commitment == commitment(bytes.fromhex(row.seed))
    headings = [heading for heading, _ in row.rules]
    assert headings == [
        "奖品", "数量", "谁能参加", "怎么参加", "时间", "怎么抽", "怎么领", "个人所得税", "主办方", "联系方式"
    ]  # fmt: skip
    assert await fair.month() == ledger.Month(budget=500_000, free=498_500, held=1_500, paid=0)
    assert await fair.enter(await fair.visitor("wm1")) == NOT_YET
    await fair.calendar()
    assert len(await fair.all_draws()) == 1


async def test_a_draw_the_budget_cannot_cover_is_not_announced(fair_with: OpenFair) -> None:
    """Managers hear of it; once there is money it is announced."""
    fair = await fair_with({"when": "每天 20:00"}, monthly="20元", people=names(3))
    await fair.calendar()
    assert [(each.state, each.held) for each in await fair.all_draws()] == [("announced", 1_500)]
    async with fair.db.read() as tx:
        assert (await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua"))[0].title == "抽奖的预算不够"
    fair.book = book_with(settings(when="每天 20:00"), monthly="100元")
    await fair.calendar()
    assert len(await fair.all_draws()) == 2
    async with fair.db.read() as tx:
        assert not await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua")
    assert (await fair.month()).free == 7_000


async def test_a_paused_draw_is_not_announced_and_one_that_is_on_goes_on(fair_with: OpenFair) -> None:
    """`pause` stops the next time, not this one."""
    fair = await fair_with({"when": "每天 20:00", "pause": True}, people=names(3))
    await fair.until(FRIDAY - DAY)
    assert await fair.all_draws() == []
    fair.book = book_with(settings())
    await fair.calendar()
    fair.book = book_with(settings(pause=True))
    await fair.until(FRIDAY)
    assert [each.state for each in await fair.all_draws()] == ["closed"]


async def test_too_late_is_cancelled_and_the_money_goes_back(fair_with: OpenFair) -> None:
    """The bot was down over the draw for longer than it allows: no draw, everything returned, managers told."""
    fair = await fair_with({"enter": "积分", "points": 5}, people=names(3))
    async with fair.db.write() as tx:
        await points.give(tx, "wm1", 7, why="打卡", key="x", now=fair.now)
    await fair.until(FRIDAY - HOUR)
    assert await fair.enter(await fair.visitor("wm1")) == ""
    fair.now = FRIDAY + 3 * HOUR
    await fair.step()
    row = await fair.draw()
    assert row.state == "cancelled"
    assert "太晚了" in row.because
    assert (await fair.month()).free == 500_000
    async with fair.db.read() as tx:
        assert await points.balance(tx, "wm1") == 7


async def test_only_what_is_better_is_taken_over(fair_with: OpenFair) -> None:
    """While it is on more money and a longer claim are taken over and shown; less is not, nor another prize."""
    fair = await fair_with(people=names(3))
    await fair.calendar()
    worse = settings(prize={"type": "固定", "amount": "1元", "shares": 9}, claim_within="1天", organiser="别人")
    fair.book = book_with(worse)
    await fair.calendar()
    row = await fair.draw()
    assert row.changes == []
    assert row.held == 1_500
    fair.book = book_with(settings(prize={"type": "固定", "amount": "6元", "shares": 4}, claim_within="5天"))
    await fair.calendar()
    row = await fair.draw()
    assert [each["text"] for each in row.changes] == [
        "领奖时间延长到 5天",
        "奖品增加：红包 5元，3 份 → 红包 6元，4 份",
    ]
    assert row.held == 2_400
    assert (await fair.month()).held == 2_400
    await entered(fair, names(3))
    await fair.until(FRIDAY)
    assert [each.amount for each in await fair.winners()] == [600] * 3
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    assert (await fair.month()).held == 1_800


async def _told(fair: Fair) -> list[str]:
    async with fair.db.read() as tx:
        return [each.text for each in await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua")]


@pytest.mark.parametrize("moved", ["每周五 21:00", "每周四 20:00", "每周六 20:00"])
async def test_a_time_that_was_changed_is_the_next_ones(fair_with: OpenFair, moved: str) -> None:
    """Friday's draw is published; whatever time is written then, there is no second draw in its week. Managers are told
    so, and once it is cancelled the new time counts at once.
    """
    fair = await fair_with({"when": "每周五 20:00", "announce_before": "6天"}, people=names(3))
    await fair.until(FRIDAY - DAY - HOUR)
    fair.book = book_with(settings(when=moved, announce_before="6天"))
    await fair.calendar()
    assert "照样办" in "".join(await _told(fair))
    await fair.hourly(FRIDAY + DAY + HOUR)
    waiting = [each for each in await fair.all_draws() if each.draw_at < FRIDAY + 6 * DAY]
    assert [each.draw_at for each in waiting] == [FRIDAY]
    await fair.hourly(FRIDAY + 5 * DAY)
    assert len(await fair.all_draws()) == 2
    assert await _told(fair) == []


async def test_a_changed_time_counts_at_once_after_a_cancel(fair_with: OpenFair) -> None:
    """A one-time draw that is moved goes on as published, unless somebody cancels it."""
    fair = await fair_with(people=names(3))
    await fair.calendar()
    fair.book = book_with(settings(when="2026-11-28 20:00"))
    await fair.calendar()
    assert [each.draw_at for each in await fair.all_draws()] == [FRIDAY]
    async with fair.db.write() as tx:
        row = await draw_rows.draw(tx, 1, lock=True)
        assert row is not None
        assert await draws.cancel(tx, fair.book, row, "改期", now=fair.now)
    await fair.hourly(FRIDAY)
    assert [(each.draw_at, each.state) for each in await fair.all_draws()] == [
        (FRIDAY + DAY, "open"), (FRIDAY, "cancelled")
    ]  # fmt: skip


async def test_a_draw_that_was_taken_out_of_the_settings_goes_on(fair_with: OpenFair) -> None:
    """What was published takes place; managers are told how to stop it."""
    fair = await fair_with(people=names(1))
    visitors = await entered(fair, names(1))
    fair.book = book_with()
    await fair.calendar()
    assert "设置里没有它了" in "".join(await _told(fair))
    await fair.until(FRIDAY)
    assert await fair.live() == list(visitors)


async def test_better_prizes_that_nobody_can_pay_are_not_promised(fair_with: OpenFair) -> None:
    """More than the budget has: the rules stay as published, and managers hear why."""
    fair = await fair_with(monthly="35元", people=names(3))
    fair.book = book_with(settings(), settings(name="other"), monthly="35元")
    await fair.calendar()
    more = settings(prize={"type": "固定", "amount": "9元", "shares": 3}, claim_within="5天")
    fair.book = book_with(more, settings(name="other"), monthly="35元")
    await fair.calendar()
    row = await fair.draw()
    assert (row.changes, row.held) == ([], 1_500)
    assert "加的奖品还要 12元，这个月的预算只剩 5元" in "".join(await _told(fair))


async def test_who_was_down_while_people_could_enter_calls_nobody(fair_with: OpenFair) -> None:
    """The bot comes back after the list should have been closed: the draw is held with who had entered, no call to sign
    up goes out, and nobody gets in late.
    """
    fair = await fair_with(people=names(3))
    await fair.calendar()
    fair.now = FRIDAY + HOUR
    assert await fair.enter(await fair.visitor("wm1")) == CLOSED
    await fair.until(FRIDAY + HOUR)
    assert (await fair.draw()).state == "closed"
    async with fair.db.read() as tx:
        assert ["开始报名" in each.text for each in await send_rows.about(tx, "draw:1")] == [False]
    assert (await fair.month()).free == 500_000


async def test_what_was_cancelled_says_so_on_its_page(fair_with: OpenFair) -> None:
    """Whoever had entered sees that it is cancelled and why, not that there is no such page."""
    fair = await fair_with(people=names(1))
    await entered(fair, names(1))
    async with fair.db.write() as tx:
        row = await draw_rows.draw(tx, 1, lock=True)
        assert row is not None
        assert await draws.cancel(tx, fair.book, row, "店庆改期", now=fair.now)
    async with fair.db.read() as tx:
        found = await view(tx, "friday", 1, now=fair.now)
    assert found is not None
    assert (found.stage, found.row.because) == ("cancelled", "店庆改期")
