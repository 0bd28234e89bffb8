"""A shop that moves from SQLite to PostgreSQL between a card and the press on it."""

from datetime import UTC, datetime

from bot.move import move
from simulator import VirtualClock, World
from tests.life.conftest import living
from tests.life.shop import SECONDS, Shop, book


async def test_a_case_goes_on_in_the_other_database(sqlite_url: str, empty_postgres_url: str) -> None:
    """Who was asked about before the move is asked about no second time after it, and the press closes the case."""
    clock = VirtualClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    world, rules = World(clock=clock), book()
    async with living(world, clock, rules, sqlite_url) as life:
        shop = Shop(life)
        rival = shop.rival()
        await shop.enters(rival)
        assert len(shop.cards()) == 1
    compared = await move(sqlite_url, empty_postgres_url, lambda _table, _copied: None)
    assert all(each.same for each in compared)
    async with living(world, clock, rules, empty_postgres_url) as life:
        shop.life = life
        await life.bot.read_roster("after the move")
        await life.run(5 * SECONDS)
        assert len(shop.cards()) == 1
        world.remove(shop.group.chat_id, rival, by="wangwu")
        shop.press("removed")
        await life.run(5 * SECONDS)
        assert await shop.outcomes() == ["removed"]
        await shop.enters(shop.rival("李四"), wait=90 * SECONDS)  # the group's next card comes a minute later
        assert len(shop.cards()) == 2
