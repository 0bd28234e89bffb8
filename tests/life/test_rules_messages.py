"""Every rule that reads messages or reports: said in a group, brought by the archive, judged, and what comes of it."""

from datetime import timedelta
from typing import Any

import httpx2

from rules.actions import Link
from tests.bot.pages.customer import Browser
from tests.life.rulebook import (
    A_WHILE,
    DAYS,
    all_cases,
    blocklist,
    came_to,
    later,
    listen,
    removals,
    rulebook,
    say,
    warnings,
)
from tests.life.shop import HOURS, MINUTES, SECONDS

ADVERT = {"rule": "keywords", "words": ["加微", "刷单"], "cool_down": "0秒"}

# --- one story per rule -----------------------------------------------------------------------------------------------


async def test_an_advert_is_told_of_with_the_words_as_written(open_shop: Any) -> None:
    """Spaced out, traditional and decorated letters are seen through; the card shows what was really written."""
    async with open_shop(rulebook(ADVERT)) as shop:
        listen(shop)
        seller, customer = shop.world.add_customer("卖货的"), shop.world.add_customer("林小满")
        await shop.enters(seller, customer)
        await say(shop, customer, "这款绿茶真不错")
        assert shop.cards() == []
        await say(shop, seller, "想賺錢的 加★薇 哦", "日入五百，刷 單 找我")
        [card] = warnings(shop)
        assert "卖货的" in card.text
        assert "刷 單" in card.text


async def test_a_phone_number_is_found_by_a_pattern(open_shop: Any) -> None:
    """A number written in Chinese digits fits the pattern as well."""
    async with open_shop(rulebook({"rule": "patterns", "patterns": r"1[3-9]\d{9}"})) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await say(shop, seller, "订单号 2024，谢谢")
        assert shop.cards() == []
        await say(shop, seller, "有意的打 一三八 零零一三 八零零零")
        [card] = warnings(shop)
        assert "正则表达式" in card.text


async def test_a_strange_link_is_told_of_and_our_own_is_not(open_shop: Any) -> None:
    """Only our own shop's pages and no mini-programs may be sent."""
    async with open_shop(rulebook({"rule": "links", "allow": "brand.com", "cool_down": "0秒"})) as shop:
        listen(shop)
        good, bad, mini = (shop.world.add_customer(name) for name in ("好的", "坏的", "小程序的"))
        await shop.enters(good, bad, mini)
        await say(shop, good, "看这里 https://shop.brand.com/tea", "我买的 brand.com/1")
        assert shop.cards() == []
        await say(shop, bad, "更便宜 hao123tea。com/x http://evil.example/brand.com", wait=2 * MINUTES)
        await say(shop, mini, "拼团小程序", kind="weapp", wait=2 * MINUTES)
        told = [card.text for card in warnings(shop)]
        assert [("坏的" in text, "小程序的" in text) for text in told] == [(True, False), (False, True)]


async def test_flooding_is_told_of(open_shop: Any) -> None:
    """The same words again and again, and too many messages in a minute; the usual pace of talking is neither."""
    async with open_shop(rulebook({"rule": "flood", "messages": 5, "repeats": 2})) as shop:
        listen(shop)
        parrot, fast, calm = (shop.world.add_customer(name) for name in ("复读的", "手快的", "林小满"))
        await shop.enters(parrot, fast, calm)
        for n in range(4):
            await say(shop, calm, f"今天喝的是第{n}种茶", wait=MINUTES)
        assert shop.cards() == []
        await say(shop, parrot, "今天特价九块九", "今天特价，九块九！", "今天 特价 九块九", wait=2 * MINUTES)
        await say(shop, fast, *(f"第{n}条不一样的话" for n in range(6)), wait=2 * MINUTES)
        told = [card.text for card in warnings(shop)]
        assert [("复读的" in text, "手快的" in text) for text in told] == [(True, False), (False, True)]
        assert "发了 3 遍" in told[0]
        assert "发了 6 条" in told[1]


BOTH = ({**ADVERT, "then": "仅观察"}, {"rule": "advert_and_leave"})


async def test_who_comes_to_advertise_is_blocked_everywhere(open_shop: Any) -> None:
    """An advert a minute after joining: removal here and in the other group at once, and on the list."""
    async with open_shop(rulebook(*BOTH)) as shop:
        listen(shop)
        other = shop.world.create_group("会员1群", "zhaoliu")
        seller, old = shop.world.add_customer("卖货的"), shop.world.add_customer("老顾客")
        await shop.enters(seller, group=other)
        await shop.enters(old)
        await later(shop, HOURS)
        await shop.enters(seller, wait=MINUTES)
        await say(shop, old, "加微信领券")
        assert shop.cards() == []
        await say(shop, seller, "加微信领券")
        assert [len(removals(shop)), len(shop.cards("zhaoliu"))] == [1, 2]
        assert "就发广告" in removals(shop)[0].text
        assert all("加入群聊黑名单" in card.text for card in [*removals(shop), shop.cards("zhaoliu")[-1]])
        assert await blocklist(shop) == [seller.id]


async def test_who_advertises_and_is_gone_is_blocked_for_the_next_time(open_shop: Any) -> None:
    """Gone within minutes of the advert: nobody is asked anything then; when they come back, everybody is."""
    async with open_shop(rulebook(*BOTH)) as shop:
        listen(shop)
        other = shop.world.create_group("会员1群", "wangwu")
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await later(shop, HOURS)
        await say(shop, seller, "刷单日入五百", wait=MINUTES)
        shop.world.leave(shop.group, seller)
        await shop.life.run(MINUTES)
        assert shop.cards() == []
        assert await blocklist(shop) == [seller.id]
        await shop.enters(seller, group=other)
        [card] = removals(shop)
        assert "发完广告" in card.text


async def test_an_advert_that_arrives_after_its_author_has_left_still_counts(open_shop: Any) -> None:
    """The archive is behind: the leave is known first, the message comes later, and they are blocked all the same."""
    async with open_shop(rulebook(*BOTH)) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await later(shop, HOURS)
        await say(shop, seller, "刷单日入五百", wait=2 * SECONDS)
        shop.world.leave(shop.group, seller)
        await shop.life.run(MINUTES)
        assert await blocklist(shop) == [seller.id]


async def test_who_adds_everybody_is_reported_by_customers(open_shop: Any) -> None:
    """Two customers who report somebody through the link in the rules are one reason, beside that of the name."""
    rules = ({"rule": "nickname", "words": "代购"}, {"rule": "friend_adding", "reports": 2, "then": "移出"})
    async with open_shop(rulebook(*rules)) as shop:
        await shop.enters(shop.world.add_customer("小美代购"), wait=2 * MINUTES)
        assert len(warnings(shop)) == 1
        link = Link(page="report", userid="", issued_at=shop.life.clock.now(), chat_id=shop.group.chat_id)
        for n in range(2):
            assert removals(shop) == []
            transport = httpx2.ASGITransport(app=shop.life.bot.app, client=(f"203.0.113.{n}", 5000))
            async with httpx2.AsyncClient(transport=transport) as client:
                customer = Browser(client, shop.life.bot.worker.hands.links.url(link))
                assert (await customer.report("小美")).status_code == 200
            await shop.life.run(2 * MINUTES)
        [card] = removals(shop)
        assert "有 2 个人举报TA" in card.text
        assert "代购" in card.text
        assert warnings(shop)[0].replaced == "有了新的处理"


async def test_a_colleagues_words_are_nobodys_business(open_shop: Any) -> None:
    """Staff and exempt people may write what they like; so may everybody in a group that the rule leaves out."""
    async with open_shop(rulebook(ADVERT)) as shop:
        listen(shop)
        friend, other = shop.world.add_customer("合作伙伴"), shop.world.create_group("会员1群", "wangwu")
        rule = {**ADVERT, "allow_people": friend.id, "allow_groups": "会员*"}
        shop.life.bot.worker.rules.book = rulebook(rule)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(friend)
        await shop.enters(seller, group=other)
        shop.world.says("wangwu", shop.group, "新朋友请加微信领券")
        await say(shop, friend, "加微信领券")
        await say(shop, seller, "加微信领券", group=other, wait=HOURS)
        assert shop.world.inbox("wangwu") == []
        await shop.enters(seller)
        await say(shop, seller, "加微信领券")
        assert len(warnings(shop)) == 1


# --- escalation -------------------------------------------------------------------------------------------------------


async def test_four_offences_lead_from_a_word_to_the_blocklist(open_shop: Any) -> None:
    """[提醒, 提醒, 移出, 拉黑]: each offence leads to the next step, and the old card gives way to the stronger one."""
    rule = {**ADVERT, "then": ["提醒", "提醒", "移出", "拉黑"]}
    async with open_shop(rulebook(rule)) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        for n in range(2):
            await say(shop, seller, f"加微领券 {n}", wait=2 * MINUTES)
            assert "请提醒" in shop.cards()[-1].text
            assert f"第 {n + 1} 次" in shop.cards()[-1].text
            shop.press("warned")
            await shop.life.run(MINUTES)
        await say(shop, seller, "加微领券 2", wait=2 * MINUTES)
        assert len(removals(shop)) == 1
        assert "黑名单" not in removals(shop)[0].text
        assert await blocklist(shop) == []
        await say(shop, seller, "加微领券 3", wait=2 * MINUTES)
        assert await blocklist(shop) == [seller.id]
        assert await came_to(shop, seller.id) == ["warn", "warn", "remove", "block"]
        [case] = [case for case in await all_cases(shop) if case.open_key]
        assert "第 4 次" in case.because
        assert removals(shop)[0].replaced == "有了新的处理"
        assert "黑名单" in removals(shop)[1].text


async def test_strikes_fade_after_thirty_days(open_shop: Any) -> None:
    """Two warnings a month ago are forgotten: the next offence is a first one again; one of last week still counts."""
    async with open_shop(rulebook({**ADVERT, "then": ["提醒", "提醒", "移出"]})) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        for n, pause in enumerate((timedelta(0), 20 * DAYS, 15 * DAYS, 3 * DAYS)):
            await later(shop, pause)
            await say(shop, seller, f"加微领券 {n}", wait=MINUTES)
            if warnings(shop)[-1].replaced is None:
                shop.press("warned")
                await shop.life.run(MINUTES)
        assert await came_to(shop, seller.id) == ["warn", "warn", "warn", "remove"]


async def test_a_cool_down_makes_one_of_many(open_shop: Any) -> None:
    """Five adverts within ten minutes are one strike and one card; after the cool-down the next one counts."""
    rule = {**ADVERT, "cool_down": "10分钟", "then": ["提醒", "移出"]}
    async with open_shop(rulebook(rule)) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        for n in range(5):
            await say(shop, seller, f"加微领券 {n}", wait=MINUTES)
        assert len(shop.cards()) == 1
        assert await came_to(shop, seller.id) == ["warn"]
        await shop.life.run(10 * MINUTES)
        await say(shop, seller, "还是加微领券", wait=2 * MINUTES)
        assert await came_to(shop, seller.id) == ["warn", "remove"]
        assert len(removals(shop)) == 1


async def test_the_same_message_twice_is_one_offence(open_shop: Any) -> None:
    """The archive's program sends a batch again: there is one strike."""
    async with open_shop(rulebook(ADVERT)) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        shop.world.faults.doubled = 1.0
        await say(shop, seller, "加微领券", wait=2 * MINUTES)
        assert await came_to(shop, seller.id) == ["warn"]
        assert len(shop.cards()) == 1


# --- several rules ----------------------------------------------------------------------------------------------------


async def test_two_rules_about_one_message_are_one_card(open_shop: Any) -> None:
    """Words and a link: one case with both reasons; the rule that asks for more decides what is asked."""
    rules = ({"rule": "links", "then": "移出"}, ADVERT)
    async with open_shop(rulebook(*rules)) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await say(shop, seller, "加微领券 http://evil.example/x", wait=2 * MINUTES)
        [card] = shop.cards()
        assert card.text.startswith("请移出")
        assert "evil.example" in card.text
        assert "加微" in card.text
        [case] = await all_cases(shop)
        assert [(reason.rule, reason.step) for reason in case.why()] == [("links", "remove"), ("keywords", "warn")]


async def test_a_harmless_message_takes_nothing_back(open_shop: Any) -> None:
    """Who advertised and then says something nice has advertised: the case stays until it is dealt with."""
    async with open_shop(rulebook({**ADVERT, "then": "移出"})) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await say(shop, seller, "加微领券")
        await say(shop, seller, "大家早上好", wait=2 * MINUTES)
        assert await shop.outcomes() == [None]
        assert shop.cards()[0].replaced is None


async def test_a_rule_of_the_roster_keeps_its_reason_beside_one_of_messages(open_shop: Any) -> None:
    """A name that is put right takes only the name's reason back; what was written stays a reason."""
    rules = ({"rule": "nickname", "words": "代购", "then": "移出"}, {**ADVERT, "then": "移出"})
    async with open_shop(rulebook(*rules)) as shop:
        listen(shop)
        seller = shop.world.add_customer("小美代购")
        await shop.enters(seller)
        await say(shop, seller, "加微领券")
        [case] = await all_cases(shop)
        assert [reason.rule for reason in case.why()] == ["nickname", "keywords"]
        seller.name = "小美"
        await shop.life.bot.read_roster("renamed")
        await shop.life.run(2 * MINUTES)
        [case] = await all_cases(shop)
        assert [reason.rule for reason in case.why()] == ["keywords"]
        assert case.open_key


# --- limits and mercy -------------------------------------------------------------------------------------------------


async def test_a_word_that_is_too_common_stops_the_rule(open_shop: Any) -> None:
    """A list with 你好 in it would empty the group: two are asked about, managers hear once, 作罢 frees the rest."""
    rule = {"rule": "keywords", "words": "你好", "then": "移出", "most_a_day": 2}
    async with open_shop(rulebook(rule)) as shop:
        listen(shop)
        customers = [shop.world.add_customer(f"顾客{n}") for n in range(6)]
        await shop.enters(*customers)
        for customer in customers:
            await say(shop, customer, "你好呀", wait=SECONDS)
        await shop.life.run(2 * MINUTES)
        assert [case.held for case in await all_cases(shop)] == [False, False, True, True, True, True]
        [card] = shop.cards("lihua", "held")
        assert "「keywords」今天停下了" in card.text
        shop.press("call_off", by="lihua", kind="held")
        await shop.life.run(MINUTES)
        assert sorted(map(str, await shop.outcomes())) == ["None"] * 2 + ["withdrawn"] * 4
        assert [each.text for each in shop.cards() if "顾客5" in each.text] == []


async def test_who_was_released_may_go_on(open_shop: Any) -> None:
    """误判，放行 after the second offence: strikes are forgiven, and what they write later is not held against them."""
    async with open_shop(rulebook({**ADVERT, "then": ["提醒", "移出"]})) as shop:
        listen(shop)
        seller = shop.world.add_customer("团长")
        await shop.enters(seller)
        await say(shop, seller, "加微领券 1", wait=2 * MINUTES)
        await say(shop, seller, "加微领券 2", wait=2 * MINUTES)
        assert len(removals(shop)) == 1
        shop.press("release")
        await shop.life.run(MINUTES)
        assert await shop.outcomes() == ["released"]
        assert await came_to(shop, seller.id) == []
        messages = len(shop.world.inbox("wangwu"))
        await say(shop, seller, "加微领券 3", wait=HOURS)
        assert len(shop.world.inbox("wangwu")) == messages


async def test_quiet_hours_hold_back_what_was_said_at_night(open_shop: Any) -> None:
    """A message in the rule's quiet hours is judged at once and asked about when they are over."""
    async with open_shop(rulebook({**ADVERT, "quiet_hours": "08:00-10:00"})) as shop:
        listen(shop)
        seller = shop.world.add_customer("卖货的")
        await shop.enters(seller)
        await say(shop, seller, "加微领券", wait=A_WHILE)
        assert await came_to(shop, seller.id) == ["warn"]
        await shop.life.run(55 * MINUTES)
        assert shop.world.inbox("wangwu") == []
        await shop.life.run(10 * MINUTES)
        assert len(warnings(shop)) == 1
