"""From an encrypted callback to a verified removal, and everything that may happen on the way."""

from typing import Any

import pytest

from store import people
from tests.life.shop import HOURS, MINUTES, SECONDS, book


async def test_a_rival_is_asked_about_removed_and_the_card_is_closed(open_shop: Any) -> None:
    """Owner and admin get one card within seconds; it closes for both when the roster shows that the person is gone."""
    async with open_shop(book()) as shop:
        shop.owner.does("removes_and_presses", after=40 * SECONDS)
        await shop.enters(shop.rival())
        assert [len(shop.cards(userid)) for userid in ("wangwu", "zhaoliu", "lihua")] == [1, 1, 0]
        await shop.life.run(2 * MINUTES)
        assert [shop.cards(userid)[0].replaced for userid in ("wangwu", "zhaoliu")] == ["已移出", "已移出"]
        assert await shop.outcomes() == ["removed"]


async def test_people_who_come_together_are_on_one_card(open_shop: Any) -> None:
    """The first card waits three seconds for others; who comes within the minute is on a second one, together."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("甲一"), shop.rival("乙二"), wait=4 * SECONDS)
        assert len(shop.cards()) == 1
        await shop.enters(shop.rival("丙三"), wait=20 * SECONDS)
        await shop.enters(shop.rival("丁四"), wait=20 * SECONDS)
        assert len(shop.cards()) == 1
        await shop.life.run(30 * SECONDS)
        first, second = [card.text for card in shop.cards()]
        assert "甲一" in first
        assert "乙二" in first
        assert "丙三" in second
        assert "丁四" in second


async def test_who_leaves_before_the_card_is_sent_is_not_asked_about(open_shop: Any) -> None:
    """Nobody gets a card about something that is already over."""
    async with open_shop(book()) as shop:
        rival = shop.rival()
        await shop.enters(rival, wait=1 * SECONDS)
        shop.world.leave(shop.group, rival)
        await shop.life.run(MINUTES)
        assert shop.cards() == []
        assert await shop.outcomes() == ["left"]


async def test_a_press_closes_nothing_by_itself(open_shop: Any) -> None:
    """Who presses 已移出 while the person is still there is told once; the case stays open until the roster says so."""
    async with open_shop(book()) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        shop.press("removed")
        await shop.life.run(5 * MINUTES)
        assert await shop.outcomes() == [None]
        assert [text for text in shop.texts("wangwu") if "名单显示" in text] == [shop.texts("wangwu")[0]]
        assert shop.texts("zhaoliu") == []
        shop.world.remove(shop.group, rival, by="zhaoliu")
        await shop.life.run(5 * SECONDS)
        assert await shop.outcomes() == ["removed"]
        assert shop.cards()[0].replaced == "已移出"


async def test_a_removal_without_a_press_closes_the_case(open_shop: Any) -> None:
    """The roster is the evidence, not the button."""
    async with open_shop(book()) as shop:
        shop.owner.does("removes_without_pressing", after=30 * SECONDS)
        await shop.enters(shop.rival(), wait=MINUTES)
        assert await shop.outcomes() == ["removed"]
        assert shop.cards()[0].replaced == "已移出"


async def test_silence_is_reminded_once_and_then_escalated(open_shop: Any) -> None:
    """After ten minutes those asked are reminded once; after an hour the managers hear once; then one list a day."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("甲一"), shop.rival("乙二"), wait=9 * MINUTES)
        assert shop.texts("wangwu") == []
        await shop.life.run(2 * MINUTES)
        [reminder] = shop.texts("wangwu")
        assert "甲一" in reminder
        assert "乙二" in reminder
        await shop.life.run(HOURS)
        [told] = shop.cards("lihua", "escalation")
        assert "王五、赵六" in told.text
        await shop.life.stride(48 * HOURS, 6)
        assert (len(shop.texts("wangwu")), len(shop.cards())) == (1, 1)
        assert len(shop.cards("lihua", "escalation")) == 1
        assert [len(shop.lists(userid)) for userid in ("wangwu", "zhaoliu")] == [2, 2]


async def test_later_puts_the_reminder_off(open_shop: Any) -> None:
    """稍后 is an hour of peace for everybody on the card."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        shop.press("later")
        await shop.life.run(55 * MINUTES)
        assert shop.texts("wangwu") == []
        await shop.life.run(10 * MINUTES)
        assert len(shop.texts("wangwu")) == 1


async def test_who_was_released_is_not_asked_about_again(open_shop: Any) -> None:
    """误判，放行 closes the case for good: in other groups, and when the person comes back. Who did it is on record."""
    async with open_shop(book()) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        shop.press("release", by="zhaoliu")
        await shop.life.run(5 * SECONDS)
        assert await shop.outcomes() == ["released"]
        assert shop.cards("wangwu")[0].replaced == "已放行"
        shop.world.leave(shop.group, rival)
        await shop.enters(rival, wait=5 * MINUTES)
        assert len(shop.cards()) == 1
        async with shop.life.bot.store.read() as tx:
            assert (await people.released(tx, [rival.id], [])).by == {(rival.id, "other_company"): "赵六"}


async def test_a_release_on_a_card_of_several_is_for_whom_was_chosen(open_shop: Any) -> None:
    """One of three is let go; the other two are still to be removed, and the card keeps its buttons."""
    async with open_shop(book()) as shop:
        names = ["甲一", "乙二", "丙三"]
        await shop.enters(*[shop.rival(name) for name in names])
        card = shop.cards()[0]
        chosen = next(option.id for option in card.options if "乙二" in option.text)
        shop.press("release", chosen)
        await shop.life.run(5 * SECONDS)
        assert sorted(map(str, await shop.outcomes())) == ["None", "None", "released"]
        assert shop.cards()[0].replaced is None


async def test_a_press_by_somebody_who_was_not_asked_is_ignored(open_shop: Any) -> None:
    """A forged or forwarded press changes nothing."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        xml = shop.world.acknowledged[-1].xml
        task_id = shop.cards()[0].task_id
        pressed = (
            "<xml><ToUserName>x</ToUserName><FromUserName>lihua</FromUserName><CreateTime>1790000000</CreateTime>"
            "<MsgType>event</MsgType><Event>template_card_event</Event><EventKey>release</EventKey>"
            f"<TaskId>{task_id}</TaskId><CardType>button_interaction</CardType><ResponseCode>c</ResponseCode></xml>"
        )
        assert xml != pressed
        shop.world.courier.post("template_card_event", pressed)
        await shop.life.run(5 * SECONDS)
        assert await shop.outcomes() == [None]


async def test_an_allowed_company_is_let_be(open_shop: Any) -> None:
    """Whose record says an allowed company is not asked about."""
    async with open_shop(book(allow_companies=["伙伴公司"])) as shop:
        partner = shop.rival("刘经理", "伙伴公司")
        shop.world.make_contact("wangwu", partner)
        await shop.life.run(5 * SECONDS)
        await shop.enters(partner, wait=MINUTES)
        assert shop.cards() == []


async def test_a_question_is_taken_back_when_the_company_turns_out_allowed(open_shop: Any) -> None:
    """Asked on an id alone, with a doubt on the card; once staff add the person and their record is read, it closes."""
    async with open_shop(book(allow_companies=["伙伴公司"])) as shop:
        partner = shop.rival("刘经理", "伙伴公司")
        await shop.enters(partner)
        assert "伙伴公司" in shop.cards()[0].text
        shop.world.make_contact("wangwu", partner)
        await shop.life.run(5 * SECONDS)
        assert await shop.outcomes() == ["withdrawn"]
        assert shop.cards()[0].replaced == "无需处理"


async def test_unknown_people_are_asked_about_again(open_shop: Any) -> None:
    """84061 says nothing: with certain evidence demanded nobody is asked until staff know the person."""
    async with open_shop(book(evidence="certain")) as shop:
        rival = shop.rival()
        await shop.enters(rival, wait=2 * HOURS)
        assert shop.cards() == []
        asked = shop.world.calls["externalcontact/get", 84061]
        assert asked >= 4
        shop.world.customers[rival.id].follows.clear()
        shop.world.make_contact("wangwu", rival)
        await shop.life.run(MINUTES)
        assert "对手公司" in shop.cards()[0].text


@pytest.mark.parametrize(("then", "title"), [("移出", "请移出"), ("提醒", "请提醒"), ("仅观察", "")])
async def test_then_is_obeyed(open_shop: Any, then: str, title: str) -> None:
    """Remove asks all who can, warn has the owner say something, observe bothers nobody."""
    async with open_shop(book(then=then)) as shop:
        await shop.enters(shop.rival(), wait=MINUTES)
        asked = {userid for userid in ("wangwu", "zhaoliu") if shop.cards(userid)}
        assert asked == {"移出": {"wangwu", "zhaoliu"}, "提醒": {"wangwu"}, "仅观察": set()}[then]
        assert all(title in card.text for userid in asked for card in shop.cards(userid))


async def test_managers_hear_at_once_when_the_card_cannot_be_delivered(open_shop: Any) -> None:
    """Those who can remove are outside the app's visible range: an hour of waiting would be for nothing."""
    async with open_shop(book()) as shop:
        shop.owner.left = True
        shop.admin.left = True
        await shop.enters(shop.rival(), wait=MINUTES)
        [told] = shop.cards("lihua", "escalation")
        assert "没能发给" in told.text


async def test_who_comes_back_is_asked_about_again_and_said_to_have(open_shop: Any) -> None:
    """A removed person who scans the poster again is a new case, and the card says that they came back."""
    async with open_shop(book()) as shop:
        shop.owner.does("removes_and_presses", after=20 * SECONDS)
        await shop.enters(shop.rival().comes_back(5 * MINUTES), wait=10 * MINUTES)
        assert await shop.outcomes() == ["removed", "removed"]
        assert "又回来" in shop.cards()[1].text


async def test_an_owner_who_is_quick_is_not_taken_for_the_guard(open_shop: Any) -> None:
    """Only a removal that nobody was asked for shows WeCom's own 防骚扰: a fast owner makes no card wait."""
    async with open_shop(book()) as shop:
        shop.owner.does("removes_without_pressing", after=2 * SECONDS)
        await shop.enters(shop.rival("甲一"), wait=2 * MINUTES)
        assert await shop.outcomes() == ["removed"]
        await shop.enters(shop.rival("乙二"), wait=4 * SECONDS)
        assert len(shop.cards()) == 2
