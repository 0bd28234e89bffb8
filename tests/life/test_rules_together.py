"""What is the same for all rules: several reasons at once, releases, exemptions, limits, and the life of a warning."""

from typing import Any

import pytest

from handlers import press
from rules.events import CasesPressed
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

# --- two rules at once ------------------------------------------------------------------------------------------------

BOTH = ({"rule": "nickname", "words": "代购"}, {"rule": "other_company"})


async def test_two_rules_at_once_are_one_case_and_one_card(open_shop: Any) -> None:
    """The stronger step decides what is asked, and the card gives both reasons."""
    async with open_shop(rulebook(*BOTH)) as shop:
        await shop.enters(shop.rival("小美代购"), wait=2 * MINUTES)
        [card] = shop.cards()
        assert card.text.startswith("请移出")
        assert "代购" in card.text
        assert "企业微信用户" in card.text
        [case] = await all_cases(shop)
        assert [each.rule for each in case.why()] == ["nickname", "other_company"]


async def test_a_rule_that_takes_its_reason_back_leaves_the_other(open_shop: Any) -> None:
    """Somebody renames themselves: the case goes on with what is left; with nothing left it is withdrawn."""
    rules = ({**BOTH[0], "then": "移出"}, {"rule": "other_company", "allow_companies": "伙伴公司"})
    async with open_shop(rulebook(*rules)) as shop:
        rival = shop.rival("小美代购", "伙伴公司")
        await shop.enters(rival)
        rival.name = "小美"
        await read_again(shop)
        [case] = await all_cases(shop)
        assert [each.rule for each in case.why()] == ["other_company"]
        assert case.open_key
        shop.world.make_contact("wangwu", rival)
        await shop.life.run(MINUTES)
        assert await shop.outcomes() == ["withdrawn"]
        assert [card.replaced for card in shop.cards()] == ["无需处理"]


async def test_a_warning_that_becomes_a_removal_updates_the_old_card(open_shop: Any) -> None:
    """The name alone is to be told of; when it turns out to be a rival, the old card says so and a new one asks."""
    rules = ({"rule": "nickname", "words": "代购"}, {"rule": "other_company", "evidence": "确凿"})
    async with open_shop(rulebook(*rules)) as shop:
        rival = shop.rival("小美代购")
        await shop.enters(rival)
        [warning] = warnings(shop)
        shop.world.make_contact("wangwu", rival)
        await shop.life.run(2 * MINUTES)
        assert warning.replaced == "有了新的处理"
        [card] = removals(shop)
        assert "对手公司" in card.text
        assert "代购" in card.text
        assert len(await all_cases(shop)) == 1


# --- releases ---------------------------------------------------------------------------------------------------------


async def test_a_release_forgives_and_is_not_asked_again(open_shop: Any) -> None:
    """误判，放行 takes back what the rules hold against the person, here and in the other groups, for good."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购", "then": ["提醒", "移出"]})) as shop:
        other = shop.world.create_group("会员1群", "zhaoliu")
        person = shop.world.add_customer("小美代购")
        await shop.enters(person)
        await shop.enters(person, group=other)
        assert await came_to(shop, person.id) == ["warn"]
        shop.press("release")
        await shop.life.run(MINUTES)
        assert await came_to(shop, person.id) == []
        assert {case.outcome for case in await all_cases(shop)} == {"released"}
        person.name = "小美代购二号"
        await read_again(shop)
        assert len(shop.cards()) == 1
        assert shop.texts("wangwu") == []


async def test_a_company_is_released_as_a_whole(open_shop: Any) -> None:
    """放行这家公司: who is inside is let be everywhere, and whoever comes from there later is not asked about."""
    async with open_shop(rulebook({"rule": "other_company"})) as shop:
        other = shop.world.create_group("会员1群", "wangwu")
        first, second, third = (shop.rival(name, "伙伴公司") for name in ("甲一", "乙二", "丙三"))
        for rival in (first, second, third):
            shop.world.make_contact("wangwu", rival)
        await shop.enters(first)
        await shop.enters(second, group=other)
        assert len(shop.cards()) == 2
        shop.press("release_company")
        await shop.life.run(MINUTES)
        assert await shop.outcomes() == ["released", "released"]
        assert {card.replaced for card in shop.cards()} == {"已放行"}
        await shop.enters(third, shop.rival("丁四"), wait=2 * MINUTES)
        [card] = shop.cards()[2:]
        assert "丁四" in card.text
        assert "丙三" not in card.text


async def test_a_release_of_who_was_blocked_takes_all_of_it_back(open_shop: Any) -> None:
    """误判 in the group where it began: off the list, and every other owner's card closes as well."""
    async with open_shop(rulebook({"rule": "other_company", "groups": "静安*", "then": "拉黑"})) as shop:
        other = shop.world.create_group("会员1群", "zhaoliu")
        rival = shop.rival()
        await shop.enters(rival, group=other)
        await shop.enters(rival, wait=MINUTES)
        assert len(removals(shop)) == 1
        shop.press("release")
        await shop.life.run(MINUTES)
        assert await blocklist(shop) == []
        assert [case.open_key for case in await all_cases(shop)] == [None, None]
        assert {card.replaced for card in shop.cards("zhaoliu")} == {"已放行"}


# --- whom nobody is asked about ---------------------------------------------------------------------------------------


async def test_staff_by_mistake_and_exempt_people_are_left_alone(open_shop: Any) -> None:
    """A colleague who scans the code, an exempt person, and a group that is let be: nothing is asked, by any rule."""
    async with open_shop(rulebook()) as shop:
        partner = shop.rival("伙伴代购")
        rules = [
            {"rule": "other_company", "allow_people": partner.id, "allow_groups": "会员*"},
            {"rule": "nickname", "words": "代购", "allow_people": partner.id, "allow_groups": "会员*"},
            {"rule": "invite_guard", "allow_people": partner.id, "allow_groups": "会员*"},
            {"rule": "group_hopper", "groups_joined": 2, "allow_people": partner.id, "allow_groups": "会员*"},
        ]
        shop.life.bot.worker.rules.book = rulebook(*rules)
        exempt = shop.world.create_group("会员1群", "wangwu")
        shop.world.join(shop.group, shop.world.add_staff("sunqi", "孙七代购"), invitor="zhaoliu")
        shop.world.join(shop.group, partner, invitor="zhaoliu")
        shop.world.join(exempt, partner, invitor="zhaoliu")
        shop.world.join(exempt, shop.rival("对手代购"), invitor="zhaoliu")
        await shop.life.run(2 * HOURS)
        assert [shop.world.inbox(each) for each in ("wangwu", "zhaoliu", "lihua")] == [[], [], []]
        assert await all_cases(shop) == []
        await shop.enters(shop.rival("对手代购"))
        assert len(shop.cards()) == 1


# --- how much, and when -----------------------------------------------------------------------------------------------


async def test_a_new_rule_only_observes(open_shop: Any) -> None:
    """仅观察: what it finds is on record, and nobody hears of it."""
    async with open_shop(rulebook({"rule": "other_company", "then": "仅观察"})) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        await later(shop, 26 * HOURS)
        assert [shop.world.inbox(each) for each in ("wangwu", "zhaoliu", "lihua")] == [[], [], []]
        assert await all_cases(shop) == []
        assert await came_to(shop, rival.id) == []


async def test_quiet_hours_hold_a_card_back(open_shop: Any) -> None:
    """In the rule's quiet hours nobody is asked; when they are over the card comes, and the reminder after it."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购", "quiet_hours": "08:00-11:00"})) as shop:
        await shop.enters(shop.world.add_customer("小美代购"), wait=119 * MINUTES)
        assert shop.cards() == []
        await shop.life.run(2 * MINUTES)
        assert len(warnings(shop)) == 1


async def test_a_runaway_rule_stops_itself_and_goes_on_when_told(open_shop: Any) -> None:
    """Beyond `most_a_day` nobody is asked; the managers get one card, and 继续 asks about all who were held."""
    async with open_shop(rulebook({"rule": "other_company", "most_a_day": 2})) as shop:
        rivals = [shop.rival(f"推销{n}") for n in range(5)]
        for rival in rivals:
            await shop.enters(rival, wait=2 * MINUTES)
        asked = "".join(card.text for card in shop.cards())
        assert [n for n in range(5) if f"推销{n}" in asked] == [0, 1]
        assert len(shop.cards("lihua", "held")) == 1
        assert ["停下了" in matter.title for matter in await open_matters(shop)] == [True]
        assert [case.held for case in await all_cases(shop)] == [False, False, True, True, True]
        shop.press("go_on", by="lihua", kind="held")
        await shop.life.run(2 * MINUTES)
        asked = "".join(card.text for card in shop.cards())
        assert all(rival.name in asked for rival in rivals)
        assert shop.cards("lihua", "held")[0].replaced == "已继续请人移出"
        assert await open_matters(shop) == []


async def test_a_runaway_rule_is_called_off(open_shop: Any) -> None:
    """全部作罢 closes all that was held, for good, however often we look again; tomorrow the rule may go on."""
    async with open_shop(rulebook({"rule": "other_company", "most_a_day": 1})) as shop:
        await shop.enters(*[shop.rival(f"推销{n}") for n in range(4)], wait=2 * MINUTES)
        shop.press("call_off", by="lihua", kind="held")
        await shop.life.run(MINUTES)
        assert sorted(map(str, await shop.outcomes())) == ["None", "withdrawn", "withdrawn", "withdrawn"]
        await read_again(shop)
        assert len(removals(shop)) == 1
        assert len(shop.cards("lihua", "held")) == 1
        await later(shop, DAYS)
        assert len(shop.cards("lihua", "held")) == 1
        assert len(await all_cases(shop)) == 4
        await shop.enters(shop.rival("明天来的"))
        assert "明天来的" in removals(shop)[-1].text


@pytest.mark.parametrize(
    ("button", "expected"),
    [("go_on", [None] * 4), ("call_off", [None, "withdrawn", "withdrawn", "withdrawn"])],
)
async def test_what_a_manager_said_of_a_runaway_rule_holds_for_the_day(
    open_shop: Any, button: str, expected: list[str | None]
) -> None:
    """Whoever comes after 继续 is asked about at once; whoever comes after 全部作罢, on that day, is let be."""
    async with open_shop(rulebook({"rule": "other_company", "most_a_day": 1})) as shop:
        await shop.enters(shop.rival("推销一"), shop.rival("推销二"), wait=2 * MINUTES)
        shop.press(button, by="lihua", kind="held")
        await shop.life.run(2 * MINUTES)
        await shop.enters(shop.rival("推销三"), wait=2 * MINUTES)
        await shop.enters(shop.rival("推销四"), wait=2 * MINUTES)
        assert [case.outcome for case in await all_cases(shop)] == expected
        assert not any(case.held and case.open_key for case in await all_cases(shop))
        asked = "".join(card.text for card in removals(shop))
        assert [name in asked for name in ("推销三", "推销四")] == [button == "go_on"] * 2
        assert len(shop.cards("lihua", "held")) == 1
        assert await open_matters(shop) == []


async def test_those_held_after_the_first_are_gone_are_asked_of_the_managers(open_shop: Any) -> None:
    """All who were held left before anybody pressed: the next one is not lost with the card that was closed."""
    async with open_shop(rulebook({"rule": "other_company", "most_a_day": 1})) as shop:
        first, second = shop.rival("推销一"), shop.rival("推销二")
        await shop.enters(first, second, wait=2 * MINUTES)
        [held] = [case for case in await all_cases(shop) if case.held]
        shop.world.leave(shop.group, next(each for each in (first, second) if each.id == held.external_userid))
        await shop.life.run(5 * MINUTES)
        await shop.enters(shop.rival("推销三"), wait=2 * MINUTES)
        assert len(shop.cards("lihua", "held")) == 2
        shop.press("go_on", by="lihua", kind="held")
        await shop.life.run(2 * MINUTES)
        assert "推销三" in "".join(card.text for card in removals(shop))


async def test_a_removal_that_becomes_a_warning_is_not_asked_for_any_more(open_shop: Any) -> None:
    """The company turns out to be allowed, a word in the name remains: the old card is taken back, nobody is reminded
    of a removal, and the owner is asked to say something.
    """
    rules = ({"rule": "other_company", "allow_companies": "对手公司"}, {"rule": "nickname", "words": "代购"})
    async with open_shop(rulebook(*rules)) as shop:
        partner = shop.rival("小美代购")
        await shop.enters(partner)
        [card] = removals(shop)
        shop.world.make_contact("wangwu", partner)
        await shop.life.run(2 * MINUTES)
        assert card.replaced == "有了新的处理"
        assert len(warnings(shop)) == 1
        await shop.life.run(3 * HOURS)
        assert [*shop.texts("wangwu"), *shop.texts("zhaoliu")] == []
        assert shop.cards("lihua", "escalation") == []
        assert len(await all_cases(shop)) == 1


# --- warnings ---------------------------------------------------------------------------------------------------------


async def test_a_warning_is_not_taken_for_a_removal(open_shop: Any) -> None:
    """已移出 on the page, for all who are ticked, says nothing about somebody who was only to be told something."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购"})) as shop:
        await shop.enters(shop.world.add_customer("小美代购"))
        await shop.life.stride(30 * HOURS, 6)
        [case] = await all_cases(shop)
        for button, outcome in (("removed", None), ("warned", "warned")):
            async with shop.life.bot.store.write() as tx:
                event = CasesPressed(at=shop.life.clock.now(), userid="wangwu", case_ids=(case.number,), button=button)
                await press.handle(event, None, tx, rulebook({"rule": "nickname", "words": "代购"}), event.at)
            await shop.life.run(5 * MINUTES)
            assert [each.outcome for each in await all_cases(shop)] == [outcome]
            assert shop.texts("wangwu") == []


async def test_a_warning_that_was_given_is_over(open_shop: Any) -> None:
    """Only the owner is asked; 已提醒 closes it at once, nothing is reminded; the same name is not told of again."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购"})) as shop:
        await shop.enters(shop.world.add_customer("小美代购"))
        assert [len(shop.cards(each)) for each in ("wangwu", "zhaoliu")] == [1, 0]
        shop.press("warned")
        await shop.life.run(SECONDS)
        assert shop.cards()[0].replaced == "已提醒"
        await read_again(shop)
        await later(shop, 3 * DAYS)
        assert len(shop.world.inbox("wangwu")) == 1


async def test_who_was_told_is_not_told_of_again_whenever_we_look(open_shop: Any) -> None:
    """Who nobody has added is looked up again every day; what the owner has said already stays said."""
    async with open_shop(rulebook({"rule": "other_company", "then": "提醒"})) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        shop.press("warned")
        for _ in range(3):
            await later(shop, DAYS)
        shop.world.make_contact("zhaoliu", rival)
        await shop.life.run(5 * MINUTES)
        assert len(shop.world.inbox("wangwu")) == 1
        shop.world.leave(shop.group, rival)
        await later(shop, MINUTES)
        await shop.enters(rival)
        assert len(warnings(shop)) == 2


async def test_a_warning_nobody_gave_lapses_after_a_week(open_shop: Any) -> None:
    """It stands on the daily list for a week, nobody is reminded or told on, and then it is dropped."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购"})) as shop:
        await shop.enters(shop.world.add_customer("小美代购"), wait=MINUTES)
        await later(shop, HOURS)  # past 09:30, the time of the list
        for _ in range(6):
            await later(shop, DAYS)
        assert await shop.outcomes() == [None]
        assert shop.texts("wangwu") == []
        assert shop.world.inbox("lihua") == []
        assert "1 位要提醒" in shop.lists()[-1]
        assert len(shop.lists()) == 7
        await later(shop, DAYS)
        assert await shop.outcomes() == ["lapsed"]
        shop.press("warned")  # no response code lives longer than three days: the card learns of it now
        await shop.life.run(SECONDS)
        assert shop.cards()[0].replaced == "过期没有处理"
        await later(shop, DAYS)
        assert len(shop.lists()) == 7


async def test_who_left_before_the_owner_acted_is_over(open_shop: Any) -> None:
    """A warning about somebody who is gone needs no word: the card closes by itself."""
    async with open_shop(rulebook({"rule": "nickname", "words": "代购"})) as shop:
        person = shop.world.add_customer("小美代购")
        await shop.enters(person)
        shop.world.leave(shop.group, person)
        await shop.life.run(MINUTES)
        assert shop.cards()[0].replaced == "已自行退群"
        await later(shop, 2 * DAYS)
        assert shop.lists() == []
