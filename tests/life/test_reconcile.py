"""What no callback told is found; a group that goes out of sight is left alone until it is back."""

from datetime import timedelta
from typing import Any

from simulator import Faults
from store import reconcile, removal, roster
from store.roster import GroupRow
from tests.life.conftest import StartLife
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop, book

GET, LIST = "externalcontact/groupchat/get", "externalcontact/groupchat/list"


async def group_of(shop: Shop) -> GroupRow:
    async with shop.life.bot.store.read() as tx:
        found = await roster.group(tx, shop.group.chat_id)
        assert found is not None
        return found


async def test_a_lost_callback_is_found_within_the_hour(open_shop: Any) -> None:
    """Nobody told that a rival came in: the rounds find them, and the owner is asked."""
    async with open_shop(book()) as shop:
        await shop.life.run(6 * MINUTES)
        shop.world.faults.lost = 1.0
        await shop.enters(shop.rival(), wait=50 * MINUTES)
        assert shop.cards() == []
        await shop.life.run(16 * MINUTES)
        assert "张三" in shop.cards()[0].text


async def test_who_was_removed_without_a_callback_is_found_soon(open_shop: Any) -> None:
    """A group that somebody is asked about is looked at every few minutes: no reminder about what is done."""
    async with open_shop(book(removal={"remind_after": "1小时"})) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        shop.world.faults.lost = 1.0
        shop.world.remove(shop.group, rival, by="wangwu")
        await shop.life.run(16 * MINUTES)
        assert await shop.outcomes() == ["gone"]
        assert shop.cards()[0].replaced == "已不在群里"


async def test_what_an_api_changed_is_found(open_shop: Any) -> None:
    """Admins named, a group transferred: no callback tells of it, and the next card goes to whom it should."""
    async with open_shop(book()) as shop:
        shop.world.add_staff("sunqi", "孙七")
        shop.world.join(shop.group, "sunqi", invitor="wangwu")
        await shop.life.run(MINUTES)
        shop.world.change_owner(shop.group, "sunqi", by_api=True)
        shop.world.set_admins(shop.group, [])
        await shop.life.run(66 * MINUTES)
        group = await group_of(shop)
        assert (group.owner, group.admins) == ("sunqi", [])
        await shop.enters(shop.rival(), wait=MINUTES)
        assert [len(shop.cards(userid)) for userid in ("wangwu", "zhaoliu", "sunqi")] == [0, 0, 1]


async def test_a_group_nobody_told_of_is_found(open_shop: Any) -> None:
    """The hourly list shows a group whose first callback was lost."""
    async with open_shop(book()) as shop:
        shop.world.faults.lost = 1.0
        new = shop.world.create_group("静安2群", owner="wangwu", members=[shop.world.add_customer("林小满")])
        await shop.life.run(61 * MINUTES)
        async with shop.life.bot.store.read() as tx:
            assert set(await roster.present(tx, new.chat_id)) == new.now().external_ids


async def test_a_dismissed_group_nobody_told_of_is_found(open_shop: Any) -> None:
    """It is not listed any more, its read says that it is gone, and its cases close."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        shop.world.faults.lost = 1.0
        shop.world.dismiss(shop.group)
        await shop.life.run(61 * MINUTES)
        assert (await group_of(shop)).dismissed_at is not None
        assert await shop.outcomes() == ["dismissed"]


async def test_nobody_is_asked_about_a_group_out_of_sight(open_shop: Any) -> None:
    """Its owner left the visible range: no reminder, no escalation, no list; metrics and readyz say so."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival(), shop.rival("李四"))
        said = len(shop.world.sent)
        assert said
        shop.owner.visible = False
        await shop.life.run(26 * HOURS)
        assert len(shop.world.sent) == said
        assert await shop.outcomes() == [None, None]
        assert (await group_of(shop)).out_of_sight_at is not None
        await shop.life.bot.measure()
        assert b'steward_groups{state="out_of_sight"} 1.0' in shop.life.bot.metrics.text()
        ready = (await shop.life.browser.get("http://127.0.0.1/readyz")).json()["checks"]["groups"]
        assert ready["ok"]
        assert "1 out of sight" in ready["detail"]


async def test_a_group_that_comes_back_into_sight_goes_on(open_shop: Any) -> None:
    """Within the hour it is read again: who is gone is closed, who is still there is reminded of, who came is asked."""
    async with open_shop(book()) as shop:
        gone, stays = shop.rival(), shop.rival("李四")
        await shop.enters(gone, stays)
        shop.owner.visible = False
        await shop.life.run(3 * HOURS)
        shop.world.leave(shop.group, gone)
        shop.world.join(shop.group, shop.rival("王二"))
        shop.owner.visible = True
        await shop.life.run(3 * HOURS)
        assert (await group_of(shop)).out_of_sight_at is None
        assert sorted(await shop.outcomes(), key=str) == [None, None, "gone"]
        assert any("李四" in text for text in shop.texts("wangwu"))
        assert any("王二" in card.text for card in shop.cards())


async def test_a_busy_hour_of_callbacks_needs_few_reads(open_shop: Any) -> None:
    """Looking for what was missed costs little: in a quiet day a group is read about once an hour."""
    async with open_shop(book()) as shop:
        before = shop.world.calls[GET, 0], shop.world.calls[LIST, 0]
        await shop.life.run(24 * HOURS)
        reads, lists = shop.world.calls[GET, 0] - before[0], shop.world.calls[LIST, 0] - before[1]
        assert 20 <= reads <= 30
        assert lists == 25


async def test_a_platform_that_is_away_all_night_is_asked_again(start_life: StartLife) -> None:
    """Rounds that fail leave nothing behind: the first that works finds what was missed, and no dead letter is left."""
    async with start_life(book()) as life:
        shop = Shop(life)
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        life.world.faults = Faults(error_5xx=1.0, lost=1.0)
        await shop.enters(shop.rival(), wait=5 * HOURS)
        life.world.faults = Faults()
        await life.run(70 * MINUTES)
        assert await shop.outcomes() == [None]
        await life.bot.measure()
        assert b'steward_dead_letters{queue="inbox"} 0.0' in life.bot.metrics.text()


async def test_how_groups_stand_is_counted(open_shop: Any) -> None:
    """One in sight, one gone: for metrics and readyz."""
    async with open_shop(book()) as shop:
        other = shop.world.create_group("静安2群", owner="wangwu")
        await shop.life.run(MINUTES)
        shop.world.dismiss(other)
        await shop.life.run(MINUTES)
        async with shop.life.bot.store.read() as tx:
            census = await reconcile.census(tx)
            assert await removal.open_cases(tx) == []
        assert (census.in_sight, census.in_doubt, census.out_of_sight, census.dismissed) == (1, 0, 0, 1)
        assert census.oldest_read is not None
        assert shop.life.clock.now() - census.oldest_read < timedelta(minutes=5)
