"""Promise 6: no two customers are ever given the same dedicated group; no customer two groups of one kind."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlmodel import select

from simulator import VirtualClock, World
from store import rooms
from store.database import Database
from store.join_ways import JoinWayRow
from tests.promises.conftest import eventually, street
from tests.promises.rush import BOOK, NOON, pool, rush, scan, wrong
from tests.promises.shop import open_shop

Size = Callable[[int, int], int]
MINUTE = timedelta(minutes=1)


async def test_a_rush_on_the_pool(db: Database, size: Size, seed: int) -> None:
    """However many scan at once, nobody shares, nobody has two, and everybody else got a spare group, the entrance that
    it leads on to, or a place in the line."""
    groups, people = size(50, 1000), size(250, 5000)
    await pool(db, vip=groups * 4 // 5, spare=groups // 5, members=size(1, 30))
    visitors = [*range(1, people + 1)] * 2
    Random(seed).shuffle(visitors)
    seen = await rush([db], visitors, at_once=50)
    assert await wrong(db, visitors) == []
    shown = {visitor: door for visitor, door in seen}  # noqa: C416 - the last of each is what counts
    assert Counter(door.show for door in shown.values()).keys() <= {"preparing", "code", "waiting"}
    places = [(await scan(db, who)).place for who, door in shown.items() if door.show == "waiting"]
    assert sorted(places) == list(range(1, len(places) + 1)), "the line has gaps, or two on one place"


async def test_one_card_for_each_threshold(size: Size, db_url: str) -> None:
    """The shop's staff get one card when the pool runs low and one when it is empty, however many scan; when groups
    appear, they are closed by themselves."""
    groups = size(40, 400)
    clock = VirtualClock(NOON)
    world = World(clock=clock, seed=1)
    for userid, name in (("lihua", "李华"), ("wangwu", "王五"), ("zhaoliu", "赵六")):
        world.add_staff(userid, name)
    async with street(world, clock, db_url, book=BOOK) as town:
        bot = town.bots[0]
        for number in range(groups):
            world.create_group(f"VIP·{number}", owner="wangwu")
        await bot.read_roster("start")
        await town.run(5 * MINUTE)

        def cards() -> list[str]:
            return [each.text for each in world.inbox("zhaoliu") if (each.task_id or "").startswith("stock-")]

        assert cards() == []
        for wave in (range(1, groups - 15), range(groups - 15, groups + 30)):
            await rush([bot.store], [who for who in wave for _ in range(2)], at_once=20, now=clock.now())
            await town.run(5 * MINUTE)
        assert ["快用完了" in text for text in cards()] == [True, False]
        await rush([bot.store], [*range(1, groups + 60)], at_once=20, now=clock.now())
        await town.run(60 * MINUTE)
        assert len(cards()) == 2
        assert await wrong(bot.store, []) == []
        for number in range(groups, groups + 150):
            world.create_group(f"VIP·{number}", owner="wangwu")
        await town.run(30 * MINUTE)
        assert len(cards()) == 2
        last = [each for each in world.inbox("zhaoliu") if (each.task_id or "").startswith("stock-")][-1]
        assert (last.replaced or "").startswith("已有")


ENTRANCES = """
managers: [李华]
groups: {vip: "VIP*"}
entrances:
  - {name: vip-tea, one_customer_per_group: true, groups: vip, ready: 5}
"""


async def test_killed_after_a_code_was_made_and_before_it_was_known(db_url: str, tmp_path: Path, seed: int) -> None:
    """Killed while the platform makes a join way: another is made under another state, and the lost one is orphaned and
    counted; every prepared group ends up with one code that can be shown, and no two codes share a state."""
    async with open_shop(db_url, tmp_path, seed) as shop:
        shop.bot.config = ENTRANCES
        await shop.start()
        shop.held.hold("add_join_way", "after its effect")
        for number in range(4):
            shop.world.create_group(f"VIP·{number}", owner="wangwu")
        await shop.held.is_reached()
        await shop.kill()
        await shop.start()

        async def all_ready() -> bool:
            async with shop.database.read() as tx:
                rows = await rooms.everything(tx, ["free"])
            return len(rows) == 4 and not any(row.bare for row in rows)

        await eventually("every prepared group has its code", all_ready, 60)
        async with shop.database.read() as tx:
            ours = (await tx.exec(select(JoinWayRow))).all()
        there = {each.state for each in shop.world.codes.join_ways.values()}
        assert len(there) == len(shop.world.codes.join_ways), "two codes share a state"
        assert there <= {each.state for each in ours}
        assert len([each for each in ours if each.status == "ready"]) == 4
        lost = {each.state for each in ours if each.status == "orphaned"}
        assert lost & there, "the one that was made unheard is known"
        assert {each.status for each in ours} == {"ready", "orphaned"}
