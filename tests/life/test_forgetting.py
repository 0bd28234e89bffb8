"""`steward forget` after a life: whatever the bot wrote about somebody while it worked is found and taken out."""

from typing import Any

from handlers import forgetting
from rules.book import Book
from simulator import Customer
from store import identities
from store.database import Database
from tests.handlers.test_forgetting import everything, the_one
from tests.life.rulebook import listen, say
from tests.life.shop import HOURS, MINUTES, Shop

BOOK = Book.model_validate(
    {
        "managers": ["李华"],
        "rules": [{"rule": "other_company"}, {"rule": "keywords", "words": ["加我微信"], "then": ["提醒"]}],
        "rewards": {"check_in": 2},
        "checkins": [
            {
                "name": "tea-3",
                "to": "all",
                "exclude_tags": [],
                "days": [{"theme": "写一句", "evidence": "文字"}, {"theme": "存茶"}, {"theme": "毕业"}],
            }
        ],
    }
)


async def known_about(store: Database, *words: str) -> set[tuple[str, str]]:
    """The tables and columns that have any of these words."""
    async with store.read() as tx:
        return {(table, name) for table, name, value in await everything(tx) if any(word in value for word in words)}


async def ids_of(store: Database, person: Customer) -> list[str]:
    async with store.read() as tx:
        visitor = await identities.visitor_with(tx, "external_userid", person.id)
        proofs = await identities.proofs_of(tx, visitor) if visitor is not None else []
    return [person.id, person.name, *(row.value for row in proofs)]


async def test_nothing_is_left_of_a_life(open_shop: Any) -> None:
    """A customer who was welcomed, checked in by page and word, and was warned; a rival who was removed: forgotten, no
    table has their ids or names, the bot works on, and who comes back is somebody new.
    """
    async with open_shop(BOOK) as shop:
        listen(shop)
        store, world = shop.life.bot.store, shop.world
        person, rival = world.add_customer("欧阳小满"), shop.rival("诸葛对手")
        await shop.enters(person, rival, wait=2 * MINUTES)
        view = world.web.of(person)
        await view.open("http://127.0.0.1/c/tea-3")
        await view.press("打卡", evidence="我家住静安寺三号楼")
        await say(shop, person, "加我微信")
        world.remove(shop.group, rival, by="wangwu")
        await shop.life.run(1 * HOURS)
        await shop.life.stride(30 * HOURS, 3)
        told = [*await ids_of(store, person), *await ids_of(store, rival), "静安寺三号楼"]
        assert len(told) >= 6
        before = {table for table, _ in await known_about(store, *told)}
        assert before >= {"members", "checkin_days", "inbox", "outbox", "cases", "trace", "points", "visitor_proofs"}
        await _forget(shop, person, rival)
        assert await known_about(store, *told) == set()
        await shop.life.run(2 * HOURS)  # nothing stumbles over what is not there any more
        world.leave(shop.group, person)
        await shop.enters(person, wait=1 * MINUTES)
        assert {"members", "journeys"} & {table for table, _ in await known_about(store, person.id)} == {"members"}
        async with store.read() as tx:
            assert await identities.visitor_with(tx, "external_userid", person.id) is not None


async def _forget(shop: Shop, *people: Customer) -> None:
    for each in people:
        found = await the_one(shop.life.bot.store, each.name)
        assert found.obstacles == ()
        _, left = await forgetting.forget(shop.life.bot.store, found, now=shop.life.clock.now())
        assert left == 0
