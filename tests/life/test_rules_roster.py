"""Every rule that the roster alone feeds, from a callback to what staff get and what comes of it."""

from typing import Any

from handlers import matters
from rules.events import MattersPressed
from tests.life.rulebook import (
    DAYS,
    all_cases,
    blocklist,
    came_to,
    later,
    open_matters,
    read_again,
    removals,
    rulebook,
    warnings,
)
from tests.life.shop import HOURS, MINUTES, SECONDS

# --- other_company ----------------------------------------------------------------------------------------------------


async def test_an_office_worker_at_the_wrong_door_gets_time_to_come_back(open_shop: Any) -> None:
    """Who scanned our own code with WeCom is told to scan again, and nobody is reminded before half an hour is over."""
    async with open_shop(rulebook({"rule": "other_company"})) as shop:
        clerk = shop.rival("白领")
        shop.world.join(shop.group, clerk, state="poster-1")
        await shop.life.run(5 * SECONDS)
        [card] = removals(shop)
        assert "请退出后用微信重新扫码" in card.text
        assert "09:30 还在再移出" in card.text
        await shop.life.run(29 * MINUTES)
        assert shop.texts("wangwu") == []
        await shop.life.run(2 * MINUTES)
        assert len(shop.texts("wangwu")) == 1


async def test_who_comes_back_with_wechat_closes_the_case_unasked(open_shop: Any) -> None:
    """The clerk leaves within the grace and scans with WeChat: the card closes, nobody is asked about the second."""
    async with open_shop(rulebook({"rule": "other_company"})) as shop:
        clerk = shop.rival("白领")
        shop.world.join(shop.group, clerk, state="poster-1")
        await shop.life.run(10 * MINUTES)
        shop.world.leave(shop.group, clerk)
        shop.world.join(shop.group, shop.world.add_customer("白领"), state="poster-1")
        await shop.life.run(2 * HOURS)
        assert [card.replaced for card in shop.cards()] == ["已自行退群"]
        assert shop.texts("wangwu") == []


async def test_a_rival_who_was_invited_gets_no_grace(open_shop: Any) -> None:
    """Somebody of ours let them in: no word about scanning again, the reminder comes after ten minutes as usual."""
    async with open_shop(rulebook({"rule": "other_company"})) as shop:
        shop.world.join(shop.group, shop.rival(), invitor="zhaoliu", state="poster-1")
        await shop.life.run(11 * MINUTES)
        [card] = removals(shop)
        assert "重新扫码" not in card.text
        assert "赵六 邀请进来的" in card.text
        assert len(shop.texts("wangwu")) == 1


# --- blocklist --------------------------------------------------------------------------------------------------------


async def test_who_is_blocked_in_one_group_is_asked_about_in_all_at_once(open_shop: Any) -> None:
    """拉黑 in one group: the owners of the other groups are asked the same minute, and told to tick the blocklist."""
    async with open_shop(rulebook({"rule": "other_company", "groups": "静安*", "then": "拉黑"})) as shop:
        shop.world.add_staff("sunqi", "孙七")
        others = [shop.world.create_group(f"会员{n}群", "sunqi") for n in (1, 2)]
        rival = shop.rival()
        for group in others:
            await shop.enters(rival, group=group)
        assert shop.cards("sunqi") == []
        await shop.enters(rival, wait=10 * SECONDS)
        assert len(removals(shop)) == 1
        assert len(removals(shop, "sunqi")) == 2
        assert all("加入群聊黑名单" in card.text for card in shop.cards("sunqi"))
        assert await blocklist(shop) == [rival.id]


async def test_a_blocked_person_returns_through_another_group(open_shop: Any) -> None:
    """Once blocked and gone, they are asked about within seconds wherever they come back, by no other rule."""
    async with open_shop(rulebook({"rule": "other_company", "groups": "静安*", "then": "拉黑"})) as shop:
        rival = shop.rival()
        shop.owner.does("removes_without_pressing", after=10 * SECONDS)
        await shop.enters(rival, wait=MINUTES)
        assert await shop.outcomes() == ["removed"]
        other = shop.world.create_group("会员1群", "zhaoliu")
        await shop.life.run(MINUTES)
        await shop.enters(rival, group=other, wait=90 * SECONDS)
        card = shop.cards("zhaoliu")[-1]
        assert "在黑名单上" in card.text
        assert "加入群聊黑名单" in card.text


async def test_who_was_removed_for_cause_is_not_welcome_anywhere(open_shop: Any) -> None:
    """`removed_people`: taken out of one group by a rule's word, they are asked about in every other group, too."""
    rules = ({"rule": "nickname", "groups": "静安*", "words": "代购", "then": "移出"}, {"rule": "blocklist"})
    async with open_shop(rulebook(*rules)) as shop:
        other = shop.world.create_group("会员1群", "zhaoliu")
        person = shop.world.add_customer("小美代购")
        await shop.enters(person, group=other)
        assert shop.cards("zhaoliu") == []
        await shop.enters(person)
        shop.world.remove(shop.group, person, by="wangwu")
        await shop.life.run(90 * SECONDS)
        assert "因规则「nickname」被移出过「静安1群」" in shop.cards("zhaoliu")[-1].text
        assert await blocklist(shop) == []


# --- one_group_each ---------------------------------------------------------------------------------------------------


async def test_one_customer_one_group(open_shop: Any) -> None:
    """The second group of a kind is told of, naming the first, which stays; who then leaves it closes the case."""
    groups = {"groups": {"members": "会员*"}}
    async with open_shop(rulebook({"rule": "one_group_each", "groups": "members"}, **groups)) as shop:
        first, second = (shop.world.create_group(f"会员{n}群", "wangwu") for n in (1, 2))
        customer = shop.world.add_customer("林小满")
        await shop.enters(customer)
        await shop.enters(customer, group=first)
        assert shop.cards() == []
        await shop.enters(customer, group=second)
        [card] = warnings(shop)
        assert "会员2群" in card.text
        assert "您已经在「会员1群」里了" in card.text
        shop.world.leave(second, customer)
        await shop.life.run(MINUTES)
        assert [case.outcome for case in await all_cases(shop)] == ["left"]
        assert card.replaced == "已自行退群"


async def test_leaving_the_first_group_settles_the_second(open_shop: Any) -> None:
    """Who keeps the newer group instead is in one group of the kind, too: the question is withdrawn by itself."""
    groups = {"groups": {"members": "会员*"}}
    async with open_shop(rulebook({"rule": "one_group_each", "groups": "members"}, **groups)) as shop:
        first, second = (shop.world.create_group(f"会员{n}群", "wangwu") for n in (1, 2))
        customer = shop.world.add_customer("林小满")
        await shop.enters(customer, group=first)
        await shop.enters(customer, group=second)
        shop.world.leave(first, customer)
        await shop.life.run(MINUTES)
        assert [case.outcome for case in await all_cases(shop)] == ["withdrawn"]
        assert [card.replaced for card in shop.cards()] == ["无需处理"]


# --- group_hopper, quick_leaver ---------------------------------------------------------------------------------------


async def test_who_hops_from_group_to_group_is_found_at_the_third(open_shop: Any) -> None:
    """Three groups within a day: the third owner is asked to say something; the first two are left in peace."""
    async with open_shop(rulebook({"rule": "group_hopper"})) as shop:
        owners = [shop.world.add_staff(f"owner{n}", f"群主{n}").userid for n in range(3)]
        groups = [shop.world.create_group(f"会员{n}群", owner) for n, owner in enumerate(owners)]
        hopper = shop.world.add_customer("跑得快")
        for group in groups:
            await shop.enters(hopper, group=group, wait=MINUTES)
        assert [len(shop.cards(owner)) for owner in owners] == [0, 0, 1]
        assert "1天里接连进了 3 个群" in warnings(shop, owners[2])[0].text
        assert await came_to(shop, hopper.id) == ["warn"]


async def test_who_comes_looks_and_goes_is_remembered(open_shop: Any) -> None:
    """Two groups left within minutes are a strike that asks nobody anything; after a third they are to be removed."""
    async with open_shop(rulebook({"rule": "quick_leaver", "then": ["仅观察", "移出"]})) as shop:
        groups = [shop.world.create_group(f"会员{n}群", "wangwu") for n in range(4)]
        looker = shop.world.add_customer("看一眼")
        for group in groups[:2]:
            await shop.enters(looker, group=group, wait=2 * MINUTES)
            shop.world.leave(group, looker)
            await shop.life.run(MINUTES)
        assert await came_to(shop, looker.id) == ["observe"]
        await shop.enters(looker, group=groups[2], wait=2 * MINUTES)
        assert shop.cards() == []  # it is the offence that is on record already, seen again
        shop.world.leave(groups[2], looker)
        await shop.life.run(MINUTES)
        await shop.enters(looker, group=groups[3], wait=2 * MINUTES)
        [card] = removals(shop)
        assert "进来不超过10分钟就走的有 3 个群" in card.text


# --- invite_guard -----------------------------------------------------------------------------------------------------


async def test_a_guest_is_told_to_scan_and_the_inviter_is_named(open_shop: Any) -> None:
    """Who was pulled in by a colleague is told of with the colleague's name; who scanned is not."""
    async with open_shop(rulebook({"rule": "invite_guard"})) as shop:
        await shop.enters(shop.world.add_customer("扫码的"))
        shop.world.join(shop.group, shop.world.add_customer("拉来的"), invitor="zhaoliu")
        await shop.life.run(5 * SECONDS)
        [card] = warnings(shop)
        assert "拉来的" in card.text
        assert "赵六" in card.text
        assert "扫码的" not in card.text


async def test_an_inviter_whose_guests_are_removed_is_told_of(open_shop: Any) -> None:
    """After the third guest who had to be taken out, and not before, the managers get it on their list, once."""
    rules = ({"rule": "other_company"}, {"rule": "invite_guard", "then": "仅观察", "tell_after": 3})
    async with open_shop(rulebook(*rules)) as shop:
        shop.owner.does("removes_without_pressing", after=10 * SECONDS)
        for n in range(4):
            guest = shop.rival(f"推销{n}")
            shop.world.join(shop.group, guest, invitor="zhaoliu")
            await shop.life.run(2 * MINUTES)
            assert guest.id not in shop.group.members
            assert len(await open_matters(shop)) == (n >= 2)
        [matter] = await open_matters(shop)
        assert "赵六" in matter.title
        assert "4 位" in matter.text
        await shop.life.run(30 * MINUTES)
        [told] = shop.lists("lihua")
        assert "赵六 邀请的人" in told


# --- nickname ---------------------------------------------------------------------------------------------------------


async def test_a_name_that_advertises_is_told_of_also_after_a_rename(open_shop: Any) -> None:
    """A good name passes; when the person renames themselves the next read tells; another good name withdraws it."""
    async with open_shop(rulebook({"rule": "nickname", "words": "加薇", "brands": "对手茶"})) as shop:
        person, brand = shop.world.add_customer("林小满"), shop.world.add_customer("对 手 茶 旗舰店")
        await shop.enters(person, brand)
        assert [("对 手 茶" in card.text, "林小满" in card.text) for card in warnings(shop)] == [(True, False)]
        person.name = "加★薇領券"
        await read_again(shop)
        assert "加★薇領券" in warnings(shop)[-1].text
        person.name = "林小满"
        await read_again(shop)
        assert warnings(shop)[-1].replaced == "无需处理"


# --- group_integrity --------------------------------------------------------------------------------------------------


async def test_a_group_that_is_not_as_it_should_be_is_on_the_owners_list(open_shop: Any) -> None:
    """A renamed group without the required colleague: one matter on 今日待办, settled by itself when put right."""
    rule = {"rule": "group_integrity", "needs": "李华", "name_like": "静安*"}
    async with open_shop(rulebook(rule)) as shop:
        [matter] = await open_matters(shop)
        assert "李华 不在群里" in matter.text
        shop.world.rename(shop.group, "随便聊聊")
        await shop.life.run(20 * MINUTES)
        [matter] = await open_matters(shop)
        assert "群名「随便聊聊」不合要求" in matter.text
        [told] = shop.lists()
        assert "1 件别的事" in told
        assert shop.cards() == []
        page = await shop.life.browser.get(shop.link())
        assert "李华 不在群里" in page.text
        shop.world.rename(shop.group, "静安一群")
        shop.world.join(shop.group, "lihua", invitor="wangwu")
        await shop.life.run(MINUTES)
        assert await open_matters(shop) == []
        await later(shop, 2 * DAYS)
        assert len(shop.lists()) == 1


async def test_a_matter_that_was_settled_comes_up_again_only_after_it_was_put_right(open_shop: Any) -> None:
    """已办，知道了 is the end of it while nothing changes; once it was right, the same fault is news."""
    async with open_shop(rulebook({"rule": "group_integrity", "needs": "李华"})) as shop:
        [matter] = await open_matters(shop)
        async with shop.life.bot.store.write() as tx:
            done = MattersPressed(at=shop.life.clock.now(), userid="wangwu", matter_ids=(matter.id,))
            await matters.handle(done, None, tx, rulebook(), done.at)
        for _ in range(2):
            await read_again(shop)
            assert await open_matters(shop) == []
        shop.world.join(shop.group, "lihua", invitor="wangwu")
        await shop.life.run(5 * MINUTES)
        assert await came_to(shop, shop.group.chat_id) == []
        shop.world.leave(shop.group, "lihua")
        await shop.life.run(5 * MINUTES)
        assert len(await open_matters(shop)) == 1


async def test_a_group_that_is_not_nearly_full_any_more_is_off_the_list(open_shop: Any) -> None:
    """Who leaves makes room: the owner is not told of a fault that is none."""
    async with open_shop(rulebook({"rule": "group_integrity", "nearly_full": 4})) as shop:
        guests = [shop.world.add_customer(name) for name in ("小明", "小红")]
        await shop.enters(*guests, wait=2 * MINUTES)
        assert len(await open_matters(shop)) == 1
        shop.world.leave(shop.group, guests[0])
        await shop.life.run(5 * MINUTES)
        assert await open_matters(shop) == []


async def test_a_name_that_is_not_changed_after_a_warning_is_the_next_offence(open_shop: Any) -> None:
    """[提醒, 移出]: who was told and does nothing is asked to be removed three days later; who does it is let be."""
    rule = {"rule": "nickname", "words": "代购", "then": ["提醒", "移出"]}
    async with open_shop(rulebook(rule)) as shop:
        stubborn, willing = (shop.world.add_customer(name) for name in ("小美代购", "小强代购"))
        await shop.enters(stubborn, willing, wait=2 * MINUTES)
        shop.press("warned")
        await shop.life.run(2 * MINUTES)
        assert {case.outcome for case in await all_cases(shop)} == {"warned"}
        willing.name = "小强"
        await read_again(shop)
        assert removals(shop) == []
        await later(shop, 3 * DAYS)
        assert [("小美代购" in card.text, "小强" in card.text) for card in removals(shop)] == [(True, False)]
        await later(shop, 3 * DAYS)
        assert len(await all_cases(shop)) == 3
