"""Our own tags of people, from the row to the contact as WeCom shows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import identity
from rules.identity import Proof
from rules.own_tags import read_tag, wrong_tag
from simulator import Customer, VirtualClock, World
from store import own_tags
from tests.life.conftest import living
from tests.life.shop import MINUTES, Shop, book


async def given(shop: Shop, who: Customer, *tags: str) -> int:
    """This person is a visitor with these tags."""
    now = shop.life.clock.now()
    async with shop.life.bot.store.write() as tx:
        proof = Proof(kind="external_userid", value=who.id, evidence="roster")
        visitor = await identity.visitor_of(tx, [proof], now=now)
        for tag in tags:
            await own_tags.give(tx, visitor.visitor_id, tag, why="打卡时选的", now=now)
    return visitor.visitor_id


async def states(shop: Shop, visitor_id: int) -> list[str]:
    async with shop.life.bot.store.read() as tx:
        return [row.state for row in await own_tags.of_visitor(tx, visitor_id)]


async def test_tags_go_on_the_contact_with_their_group_made(open_shop: Any) -> None:
    """Tags that the corp lacks are made in their group, those it has elsewhere are taken, and each is given once."""
    async with open_shop(book()) as shop:
        who = shop.world.add_customer("小陈")
        shop.world.make_contact("wangwu", who)
        shop.world.tags.add(None, "老标签", ["红茶"])
        await shop.enters(who)
        visitor_id = await given(shop, who, "喜好/绿茶", "红茶", "七日打卡毕业")
        await shop.life.run(1 * MINUTES)
        assert sorted(shop.world.tags.names_of(who.id)) == ["七日打卡毕业", "红茶", "绿茶"]
        groups = {group.name: [tag.name for tag in group.tags.values()] for group in shop.world.tags.groups.values()}
        assert groups == {"老标签": ["红茶"], "喜好": ["绿茶"], "群管家": ["七日打卡毕业"]}
        assert await states(shop, visitor_id) == ["marked"] * 3
        assert shop.world.calls["externalcontact/mark_tag", 0] <= 2


async def test_postgresql_reads_without_locking(postgres_url: str) -> None:
    """What is only looked at is not locked: there that is refused in a transaction that only reads."""
    clock = VirtualClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    async with living(World(clock=clock), clock, book(), postgres_url) as life:
        shop = Shop(life)
        await life.bot.read_roster("start")
        who = shop.world.add_customer("小陈")
        shop.world.make_contact("wangwu", who)
        await shop.enters(who)
        await given(shop, who, "绿茶")
        await life.run(1 * MINUTES)
        assert shop.world.tags.names_of(who.id) == ["绿茶"]


async def test_tags_of_a_stranger_follow_when_staff_add_them(open_shop: Any) -> None:
    """Whom nobody has added keeps the tags with us; the moment a colleague adds them they are on the contact."""
    async with open_shop(book()) as shop:
        who = shop.world.add_customer("小陈")
        await shop.enters(who)
        visitor_id = await given(shop, who, "绿茶")
        await shop.life.stride(timedelta(days=3), 4)
        assert await states(shop, visitor_id) == ["own"]
        assert shop.world.calls["externalcontact/mark_tag", 0] == 0
        shop.world.make_contact("zhaoliu", who)
        await shop.life.run(1 * MINUTES)
        assert shop.world.tags.names_of(who.id) == ["绿茶"]
        assert await states(shop, visitor_id) == ["marked"]


async def test_a_tag_deleted_in_the_console_is_made_anew(open_shop: Any) -> None:
    """An id that the platform does not know any more is forgotten, and the tag made and given."""
    async with open_shop(book()) as shop:
        first, second = shop.world.add_customer("小陈"), shop.world.add_customer("小林")
        for who in (first, second):
            shop.world.make_contact("wangwu", who)
            await shop.enters(who)
        await given(shop, first, "绿茶")
        await shop.life.run(1 * MINUTES)
        [group] = shop.world.tags.groups.values()
        shop.world.tags.delete(next(iter(group.tags)))
        await given(shop, second, "绿茶")
        await shop.life.run(1 * MINUTES)
        assert shop.world.tags.names_of(second.id) == ["绿茶"]


async def test_who_deleted_the_colleague_is_left_alone(open_shop: Any) -> None:
    """A colleague who is no contact any more is no way to them: the tag stays ours, with the reason."""
    async with open_shop(book()) as shop:
        who = shop.world.add_customer("小陈")
        shop.world.make_contact("wangwu", who)
        await shop.enters(who)
        await given(shop, who, "绿茶")
        await shop.life.run(1 * MINUTES)
        shop.world.end_contact("wangwu", who, by_staff=False)
        visitor_id = await given(shop, who, "红茶")
        await shop.life.run(5 * MINUTES)
        assert await states(shop, visitor_id) == ["marked", "own"]
        async with shop.life.bot.store.read() as tx:
            row = (await own_tags.of_visitor(tx, visitor_id))[-1]
        assert row.due_at is None
        assert "没有成员添加过" in row.why_not


@pytest.mark.parametrize(
    ("written", "group", "name"),
    [("绿茶", "", "绿茶"), ("喜好/绿茶", "喜好", "绿茶"), (" 喜好 / 绿茶 ", "喜好", "绿茶")],
)
def test_a_tag_is_read(written: str, group: str, name: str) -> None:
    """A tag is its name, with its group before a slash where it says one."""
    assert read_tag(written) == (group, name)


@pytest.mark.parametrize(
    ("written", "reason"), [("喜好/", "不是标签"), ("/绿茶", "不是标签"), ("长" * 31, "太长"), ("绿茶", "")]
)
def test_what_is_no_tag_is_told(written: str, reason: str) -> None:
    """A tag without a name, without the group that it announces, or too long, is refused in words."""
    assert reason in wrong_tag(written)
    assert bool(wrong_tag(written)) == bool(reason)
