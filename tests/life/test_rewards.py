"""Points, from joining a group to what `explain` tells, though the bot slept for two weeks."""

from datetime import timedelta

from rules.book import Book
from store import points
from tests.life.conftest import StartLife

SECONDS, HOURS, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
BOOK = Book.model_validate({"rules": [{"rule": "other_company"}], "rewards": {"clean_week": 5}})


async def test_a_week_without_strikes_is_rewarded(start_life: StartLife) -> None:
    """Customers get points for the whole weeks that they were there, the rival who is to be removed gets none."""
    async with start_life(BOOK) as life:  # on a Monday, at nine in Beijing
        world = life.world
        world.add_staff("wangwu", "王五")
        group = world.create_group("静安1群", owner="wangwu").chat_id
        early, late, rival = (
            world.add_customer("林小满"),
            world.add_customer("陈一"),
            world.add_rival("张三", "对手公司"),
        )
        world.join(group, early)
        world.join(group, rival)
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        life.clock.advance(8 * DAYS)  # nobody is running
        world.join(group, late)
        life.clock.advance(6 * DAYS)
        await life.run(HOURS)
        async with life.bot.store.read() as tx:
            people = (early, late, rival)
            had = [await points.balance(tx, each.external_userid) for each in people]
            assert had == [5, 0, 0]
            [entry] = await points.entries(tx, early.external_userid, newest=5)
            assert entry.why == "守规矩一周（11月30日到12月6日）"
