"""A draw whose winners are paid by WeChat Pay, from the page to the packet: enter, win, claim, opened or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.explain.stories import PersonStory
from bot.explain.tell import find, tell
from bot.explain.words import show
from bot.status.look import Status, look
from rules.book import Book
from store import draw_winners, draws
from tests.life.till import DAY, HOUR, MINUTE, START, Phone, Till, opened_till

PAGE = "/d/friday"
DRAWN = START + DAY


def book_of(**more: Any) -> Book:
    """A prize of 5 CNY tomorrow at eight, for whoever of the members signs up."""
    draw = {
        "name": "friday",
        "title": "周五抽奖",
        "to": "members",
        "when": "2026-11-28 20:00",
        "prize": {"type": "固定", "amount": "5元", "shares": 1},
        "pay_by": "微信支付",
        "organiser": "静安茶铺",
        "contact": "021-12345678",
        **more,
    }
    given = {"managers": ["李华"], "groups": {"members": "会员*"}, "budget": {"monthly": "100元"}, "draws": [draw]}
    return Book.model_validate(given)


@dataclass
class Evening:
    """A till, and the phones of those who signed up."""

    till: Till
    phones: list[Phone]

    async def winners(self) -> list[Phone]:
        """Who may claim, as their pages say."""
        return [each for each in self.phones if "恭喜您中奖了" in await each.open(PAGE)]

    async def state(self) -> tuple[str, list[str]]:
        """The draw's, and those of all who have or had a prize, by rank."""
        async with self.till.bot.store.read() as tx:
            row = await draws.draw(tx, 1)
            assert row is not None
            return row.state, [each.state for each in await draw_winners.of_draw(tx, 1)]

    async def till_status(self) -> Status:
        """As `steward status` tells it."""
        async with self.till.bot.store.read() as tx:
            return await look(tx, self.till.clock.now())

    async def explained(self, phone: Phone) -> str:
        """What `steward explain PERSON` prints of them, as one line."""
        printed = Console(width=200, file=StringIO(), force_terminal=False)
        async with self.till.bot.store.read() as tx:
            story = await tell(tx, (await find(tx, phone.person.id))[0])
        assert isinstance(story, PersonStory)
        show(story, printed)
        assert isinstance(printed.file, StringIO)
        return printed.file.getvalue()

    async def claims(self, phone: Phone) -> str:
        """They press 领奖, let the 公众号 know them, and press again, twice."""
        await phone.press(PAGE, "claim")
        return await phone.press(PAGE, "claim", times=2)


@asynccontextmanager
async def drawn_for(url: str, folder: Path, *names: str, **more: Any) -> AsyncIterator[Evening]:
    """These people, whom staff have added, signed up on the page, and the draw has taken place."""
    async with opened_till(url, folder, book_of(**more)) as till:
        world = till.world
        [group] = world.groups.values()
        phones = [Phone(till, world.add_customer(name), "http://127.0.0.1") for name in names]
        for each in phones:
            world.make_contact("wangwu", each.person)
            world.join(group, each.person)
        await till.stride(2 * HOUR, 1)
        for each in phones:
            assert "您已经参加了" in await each.press(PAGE, "enter")
        await till.stride(DRAWN - till.clock.now() + 4 * MINUTE, 4)
        yield Evening(till, phones)


async def test_a_winner_claims_and_is_paid(sqlite_url: str, tmp_path: Path) -> None:
    """The winner's page leads through the 公众号 once, silently; the packet goes to the openid that only the 公众号
    knows, is opened, and the ledger has it. The other one has nothing to claim."""
    async with drawn_for(sqlite_url, tmp_path, "安娜", "贝拉") as evening:
        till, world = evening.till, evening.till.world
        [winner] = await evening.winners()
        other = next(each for each in evening.phones if each is not winner)
        assert "这次没有中奖" in await other.open(PAGE)
        assert world.merchant.app_id not in winner.asked_by
        said = await evening.claims(winner)
        assert "红包正在发" in said
        assert winner.asked_by.count(world.merchant.app_id) == 1
        await till.run(MINUTE)
        [packet] = world.merchant.packets.values()
        assert packet.openid == world.logins.openid(winner.person, world.merchant.app_id)
        assert packet.openid != world.logins.openid(winner.person)
        assert "红包已经发到您的微信" in await winner.open(PAGE)
        world.merchant.open(packet.number)
        await till.stride(4 * DAY, 5)
        assert [row.state for row in await till.payouts()] == ["received"]
        assert await evening.state() == ("closed", ["paid"])
        assert await till.money() == (9_500, 0, 500)
        assert len(world.merchant.packets) == 1


async def test_what_is_not_opened_is_the_next_ones(sqlite_url: str, tmp_path: Path) -> None:
    """A packet that came back after 24 hours is the alternate's, who claims and is paid with the same money; the first
    one reads why. When nobody is left the money is free again and the draw is closed."""
    async with drawn_for(sqlite_url, tmp_path, "安娜", "贝拉") as evening:
        till, world = evening.till, evening.till.world
        [first] = await evening.winners()
        await evening.claims(first)
        await till.stride(2 * DAY, 6)
        assert await evening.state() == ("drawn", ["dropped", "won"])
        assert "红包 24 小时没有领，已经退回" in await first.open(PAGE)
        told = await evening.explained(first)
        assert "周五抽奖：5元，已给候补（红包 24 小时没有领，已经退回）" in told
        assert f"微信支付 5元，没领，已退回，单号 {next(iter(world.merchant.packets))}" in told
        [second] = await evening.winners()
        assert second is not first
        assert await till.money() == (9_500, 500, 0)
        await evening.claims(second)
        await till.run(MINUTE)
        assert await till.money() == (9_500, 0, 500)
        assert world.merchant.paid() == 500
        await till.stride(4 * DAY, 7)
        assert await evening.state() == ("closed", ["dropped", "dropped"])
        assert await till.money() == (10_000, 0, 0)
        assert world.merchant.paid() == 0


async def test_no_money_at_the_merchant_and_nobody_knows(sqlite_url: str, tmp_path: Path) -> None:
    """Claims while the merchant's account is empty wait; managers hear of it at once, and that it goes on. A payout of
    which nobody knows is in `steward status` until it is resolved, and is then paid once."""
    two = {"type": "固定", "amount": "5元", "shares": 2}
    async with drawn_for(sqlite_url, tmp_path, "安娜", "贝拉", prize=two) as evening:
        till, world = evening.till, evening.till.world
        world.merchant.purse = 600
        world.merchant.faults.processing_after_effect = world.merchant.faults.query_error = 1.0
        for each in evening.phones:
            assert "红包正在发" in await evening.claims(each)
            await till.run(2 * MINUTE)
        status = await evening.till_status()
        assert (status.payouts_paused, len(status.payouts)) == ("NOTENOUGH", 1)
        assert [text for text in till.texts() if "红包暂停发放：商户号余额不足" in text]
        world.merchant.faults.stop()
        world.merchant.purse = 5_000
        await till.stride(2 * HOUR, 5)
        status = await evening.till_status()
        assert (status.payouts_paused, status.payouts) == ("", ())
        assert [text for text in till.texts() if "红包已恢复发放" in text]
        assert sorted(row.state for row in await till.payouts()) == ["sent", "sent"]
        assert world.merchant.paid() == 1_000
        assert await till.money() == (9_000, 0, 1_000)


async def test_a_person_whom_nothing_can_be_paid_to_loses_the_prize(sqlite_url: str, tmp_path: Path) -> None:
    """Risk control refuses the winner: asked about for a day, never paid under another number, then the alternate's."""
    async with drawn_for(sqlite_url, tmp_path, "安娜", "贝拉") as evening:
        till, world = evening.till, evening.till.world
        [first] = await evening.winners()
        world.merchant.barred.add(world.logins.openid(first.person, world.merchant.app_id))
        await evening.claims(first)
        await till.stride(3 * DAY, 8)
        assert "红包发不出去：被微信支付的风险控制拦下（NO_AUTH）" in await first.open(PAGE)
        [second] = await evening.winners()
        await evening.claims(second)
        await till.run(MINUTE)
        assert [row.state for row in await till.payouts()] == ["failed", "sent"]
        assert await till.money() == (9_500, 0, 500)
