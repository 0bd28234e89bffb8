"""Warnings that a colleague gives 1:1, from the card to the person who has been told."""

from datetime import timedelta
from typing import Any

import pytest

from bot.explain.stories import CaseFile
from bot.explain.tell import find, tell
from simulator import Customer
from tests.life.rulebook import all_cases, rulebook, warnings
from tests.life.shop import HOURS, MINUTES, Shop

NICKNAME = {"rule": "nickname", "words": "代购"}


def told(shop: Shop, who: Customer) -> list[str]:
    """What this person got by 群发助手."""
    tasks = shop.world.group_messages.tasks.values()
    return [task.text for task in tasks if who.id in task.arrived]


async def a_seller(shop: Shop, *, added_by: str) -> Customer:
    """Somebody with a name that is against the rules, whom a colleague has added, comes in."""
    seller: Customer = shop.world.add_customer("小美代购")
    shop.world.make_contact(added_by, seller)
    await shop.enters(seller)
    return seller


async def test_who_was_added_by_a_colleague_is_told_one_to_one(open_shop: Any) -> None:
    """The card says in whose 群发助手 the words are; one press there, and the case is over without another button."""
    async with open_shop(rulebook(NICKNAME)) as shop:
        shop.world.staff["wangwu"].confirms(5 * MINUTES)
        seller = await a_seller(shop, added_by="wangwu")
        [card] = warnings(shop)
        assert "王五加过TA" in card.text
        assert "群发助手" in card.text
        await shop.life.run(20 * MINUTES)
        [words] = told(shop, seller)
        assert words.startswith("关于「静安1群」：")
        assert [case.outcome for case in await all_cases(shop)] == ["warned"]
        assert card.replaced == "已提醒"
        async with shop.life.bot.store.read() as tx:
            [found] = await find(tx, f"#{(await all_cases(shop))[0].number}")
            story = await tell(tx, found)
        assert isinstance(story, CaseFile)
        assert "请 王五 在群发助手里 1:1 提醒" in [moment.what for moment in story.case.timeline]


async def test_nobody_is_asked_to_write_to_strangers(open_shop: Any) -> None:
    """Whom nobody has added is told in the group: no 群发 is made."""
    async with open_shop(rulebook(NICKNAME)) as shop:
        await shop.enters(shop.world.add_customer("小美代购"))
        [card] = warnings(shop)
        assert "可以复制这句话" in card.text
        assert shop.world.group_messages.tasks == {}


async def test_a_colleague_who_does_not_press_leaves_it_to_the_owner(open_shop: Any) -> None:
    """After a day it is stopped, the owner hears that it was not said, and no manager is told of it."""
    async with open_shop(rulebook(NICKNAME)) as shop:
        seller = await a_seller(shop, added_by="zhaoliu")
        await shop.life.stride(25 * HOURS, 10)
        assert told(shop, seller) == []
        assert ["没有发出去" in text for text in shop.texts("wangwu")] == [True]
        assert shop.texts("lihua") == []
        [case] = await all_cases(shop)
        assert case.open_key
        [task] = shop.world.group_messages.tasks.values()
        assert task.cancelled_at is not None


@pytest.mark.parametrize("button", ["release", "warned"])
async def test_who_need_not_be_told_any_more_is_not(open_shop: Any, button: str) -> None:
    """误判，放行 stops what waits in 群发助手; 已提醒, said in the group, does, too."""
    async with open_shop(rulebook(NICKNAME)) as shop:
        shop.world.staff["zhaoliu"].confirms(timedelta(hours=1))
        seller = await a_seller(shop, added_by="zhaoliu")
        shop.press(button)
        await shop.life.run(2 * HOURS)
        assert told(shop, seller) == []
        assert len(await all_cases(shop)) == 1
