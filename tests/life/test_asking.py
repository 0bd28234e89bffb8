"""Whom to ask, when, and how much: off-duty hours and deputies, managers who reassign, lists instead of storms."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from store import observations, removal, roster
from tests.life.conftest import StartLife
from tests.life.rulebook import open_matters
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop, book

NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00 in Beijing
OFF_DUTY = {"off_duty": "22:00-09:00"}


# --- off duty ---------------------------------------------------------------------------------------------------------


async def test_nobody_is_disturbed_off_duty(open_shop: Any) -> None:
    """A rival at 23:00: nobody hears anything at night, and the card comes when duty begins."""
    async with open_shop(book(shop=OFF_DUTY), at=NIGHT) as shop:
        await shop.enters(shop.rival(), wait=10 * HOURS - MINUTES)
        assert [shop.world.inbox(each) for each in ("wangwu", "zhaoliu", "lihua")] == [[], [], []]
        await shop.life.run(2 * MINUTES)
        assert [len(shop.cards(each)) for each in ("wangwu", "zhaoliu", "lihua")] == [1, 1, 0]
        assert shop.cards()[0].at == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


async def test_a_deputy_who_can_remove_is_asked_at_once_off_duty(open_shop: Any) -> None:
    """At 23:00 the deputy gets the card and the reminder; the owner sleeps."""
    async with open_shop(book(shop={**OFF_DUTY, "deputies": ["赵六"]}), at=NIGHT) as shop:
        await shop.enters(shop.rival(), wait=11 * MINUTES)
        assert (len(shop.cards("zhaoliu")), len(shop.texts("zhaoliu"))) == (1, 1)
        assert shop.world.inbox("wangwu") == []


async def test_a_deputy_who_cannot_remove_wakes_nobody(open_shop: Any) -> None:
    """A deputy who is neither owner nor admin could do nothing at night: everybody is asked in the morning."""
    async with open_shop(book(shop={**OFF_DUTY, "deputies": ["李华"]}), at=NIGHT) as shop:
        await shop.enters(shop.rival(), wait=9 * HOURS)
        assert [shop.world.inbox(each) for each in ("wangwu", "zhaoliu", "lihua")] == [[], [], []]
        await shop.life.run(90 * MINUTES)
        assert [len(shop.cards(each)) for each in ("wangwu", "zhaoliu", "lihua")] == [1, 1, 0]


# --- managers ---------------------------------------------------------------------------------------------------------


async def _escalated(shop: Shop) -> None:
    """A rival whom nobody removes for longer than an hour."""
    await shop.enters(shop.rival(), wait=62 * MINUTES)


async def test_a_manager_reassigns(open_shop: Any) -> None:
    """Who is chosen gets a card of their own, the others are not asked again; the manager's card says who it is."""
    async with open_shop(book()) as shop:
        shop.world.staff["lihua"].does("reassigns", choose="赵六", after=MINUTES)
        await _escalated(shop)
        await shop.life.run(2 * MINUTES)
        assert (len(shop.cards("zhaoliu")), len(shop.cards("wangwu"))) == (2, 1)
        assert shop.cards("lihua", "escalation")[0].replaced == "已改派给赵六"
        shop.admin.does("removes_and_presses", after=10 * SECONDS)
        shop.press("removed", by="zhaoliu")
        [rival] = [each for each in shop.world.customers.values() if each.id in shop.group.members]
        shop.world.remove(shop.group, rival, by="zhaoliu")
        await shop.life.run(MINUTES)
        assert await shop.outcomes() == ["removed"]
        assert [card.replaced for card in shop.cards("zhaoliu")] == ["已移出", "已移出"]


async def test_a_manager_who_has_had_enough_for_today_finds_it_on_the_list(open_shop: Any) -> None:
    """Beyond `most_cards_a_day` no card is escalated: it stands in the manager's 今日待办, where nothing is lost."""
    async with open_shop(book(removal={"most_cards_a_day": 2})) as shop:
        for _ in range(3):
            await _escalated(shop)
        sent = shop.world.inbox("lihua")
        assert [each.text.startswith("没有人处理的移出") for each in sent] == [True, False]
        assert "今日待办" in sent[1].text
        [matter] = await open_matters(shop)
        assert matter.title == f"没有人移出：「{shop.group.name}」"


async def test_reassigning_to_somebody_who_cannot_remove_is_explained(open_shop: Any) -> None:
    """A manager who chooses a shop assistant hears why that changes nothing; the card keeps its buttons."""
    async with open_shop(book(shop={"staff": ["孙七"]})) as shop:
        _assistant(shop)
        await shop.life.bot.read_roster("again")
        await _escalated(shop)
        shop.press("reassign", "sunqi", by="lihua", kind="escalation")
        await shop.life.run(5 * SECONDS)
        assert "移不了人" in shop.texts("lihua")[-1]
        assert shop.cards("lihua", "escalation")[0].replaced is None
        assert shop.cards("sunqi") == []


def _assistant(shop: Shop) -> None:
    shop.world.add_staff("sunqi", "孙七")
    shop.world.create_group("孙七的群", owner="sunqi")


async def test_a_manager_transfers_the_group(open_shop: Any) -> None:
    """The platform hands the group over, the roster shows it, and the new owner is asked; nobody else is again."""
    async with open_shop(book(shop={"staff": ["孙七"]})) as shop:
        _assistant(shop)
        shop.world.staff["lihua"].does("transfers", choose="sunqi", after=MINUTES)
        await _escalated(shop)
        await shop.life.run(2 * MINUTES)
        assert shop.group.owner == "sunqi"
        async with shop.life.bot.store.read() as tx:
            known = await roster.group(tx, shop.group.chat_id)
        assert known
        assert known.owner == "sunqi"
        assert [len(shop.cards(each)) for each in ("sunqi", "zhaoliu", "wangwu")] == [1, 1, 1]
        assert shop.cards("lihua", "escalation")[0].replaced == "正在转让给孙七"


async def test_a_third_transfer_within_ninety_days_is_refused_in_words(open_shop: Any) -> None:
    """The platform allows two: the third is not even tried, and the manager reads why."""
    async with open_shop(book(shop={"staff": ["孙七"]})) as shop:
        _assistant(shop)
        for new_owner in ("sunqi", "zhaoliu"):
            await _escalated(shop)
            shop.press("transfer", new_owner, by="lihua", kind="escalation")
            await shop.life.run(MINUTES)
            assert shop.group.owner == new_owner
        await _escalated(shop)
        shop.press("transfer", "sunqi", by="lihua", kind="escalation")
        await shop.life.run(MINUTES)
        assert shop.group.owner == "zhaoliu"
        assert "90 天内最多转让两次" in shop.texts("lihua")[-1]
        assert shop.world.calls["externalcontact/groupchat/onjob_transfer", 0] == 2


async def test_a_transfer_that_the_platform_refuses_is_explained(open_shop: Any) -> None:
    """Transferred by others twice already: the manager hears that it was not done."""
    async with open_shop(book(shop={"staff": ["孙七"]})) as shop:
        _assistant(shop)
        for new_owner in ("zhaoliu", "wangwu"):
            shop.world.transfers.hand_over(shop.world, shop.group, shop.world.staff[new_owner])
        await _escalated(shop)
        shop.press("transfer", "sunqi", by="lihua", kind="escalation")
        await shop.life.run(MINUTES)
        assert shop.group.owner == "wangwu"
        assert "没有转让成功" in shop.texts("lihua")[-1]


# --- WeCom's own 防骚扰 ----------------------------------------------------------------------------------------------


async def test_a_native_removal_closes_the_case_and_makes_the_next_wait(open_shop: Any) -> None:
    """WeCom's own 防骚扰 is quicker than our card: nobody is asked; once seen, the next first card waits a minute."""
    async with open_shop(book()) as shop:
        first = shop.rival("甲一")
        await shop.enters(first, wait=SECONDS)
        shop.world.remove(shop.group, first, by="wangwu")
        await shop.life.run(5 * MINUTES)
        assert await shop.outcomes() == ["removed"]
        assert shop.world.inbox("wangwu") == []
        async with shop.life.bot.store.read() as tx:
            assert await observations.seen(tx, observations.NATIVE_GUARD)
        second = shop.rival("乙二")
        await shop.enters(second, wait=30 * SECONDS)
        assert shop.cards() == []
        await shop.life.run(40 * SECONDS)
        assert len(shop.cards()) == 1
        assert shop.cards()[0].at - second_joined(shop, second.id) >= MINUTES


def second_joined(shop: Shop, person: str) -> datetime:
    return shop.group.members[person].join_time


# --- much at once -----------------------------------------------------------------------------------------------------


async def test_those_already_inside_make_one_list_per_owner(
    start_life: StartLife, size: Callable[[int, int], int]
) -> None:
    """Day one, 300 rivals in 6 groups of 2 owners: one list for each owner that day, no card, nothing for managers."""
    in_each = size(10, 50)
    async with start_life(book()) as life:
        for userid, name in (("lihua", "李华"), ("wangwu", "王五"), ("zhaoliu", "赵六")):
            life.world.add_staff(userid, name)
        with life.unheard():
            for number in range(6):
                rivals = [life.world.add_rival(f"老{number}{place:02d}", "对手公司") for place in range(in_each)]
                life.world.create_group(f"老客户{number}群", ("wangwu", "zhaoliu")[number % 2], members=rivals)
        life.clock.advance(24 * HOURS)
        await life.bot.read_roster("start")
        await life.run(30 * MINUTES)
        await life.stride(14 * HOURS, 4)
        async with life.bot.store.read() as tx:
            assert len(await removal.open_cases(tx)) == 6 * in_each
        for userid in ("wangwu", "zhaoliu"):
            [message] = life.world.inbox(userid)
            assert message.task_id is None
            assert f"{3 * in_each} 位" in message.text
            page = await life.browser.get(message.links[0][1])
            assert page.text.count('name="case"') == 3 * in_each
        assert life.world.inbox("lihua") == []
        await life.stride(24 * HOURS, 6)
        assert [len(life.world.inbox(userid)) for userid in ("wangwu", "zhaoliu")] == [2, 2]


async def test_many_cards_at_once_become_one_list(start_life: StartLife) -> None:
    """40 groups of one owner, each with a rival at once: five cards, and the rest is on one list."""
    async with start_life(book(removal={"most_cards_at_once": 5})) as life:
        shop = Shop(life)
        groups = [life.world.create_group(f"会员{number}群", "wangwu") for number in range(40)]
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        for number, group in enumerate(groups):
            life.world.join(group, shop.rival(f"推销{number:02d}"))
        await life.run(5 * MINUTES)
        assert len(shop.cards()) == 5
        [written] = shop.lists()
        assert "40 件" in written
        assert "35 位在名单上" in written
        await life.run(4 * HOURS)
        assert shop.busiest_minute("wangwu") <= 25
        assert shop.busiest_minute("lihua") <= 25
        assert not life.world.mail.dropped
        told = "\n".join(card.text for card in shop.cards("lihua", "escalation"))
        assert [number for number in range(40) if f"推销{number:02d}" not in told] == []


async def test_who_has_room_is_asked_while_others_only_get_a_list(start_life: StartLife) -> None:
    """赵六 is admin of every group, each owner has one: a rival in ten of them is a card for each owner, and five cards
    and a list for 赵六.
    """
    async with start_life(book(removal={"most_cards_at_once": 5})) as life:
        shop = Shop(life)
        owners = [life.world.add_staff(f"owner{number}", f"群主{number}").userid for number in range(10)]
        groups = [life.world.create_group(f"会员{owner}群", owner, ["zhaoliu"]) for owner in owners]
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        for number, group in enumerate(groups):
            life.world.join(group, shop.rival(f"推销{number:02d}"))
        await life.run(5 * MINUTES)
        assert {len(shop.cards(owner)) for owner in owners} == {1}
        assert len(shop.cards("zhaoliu")) == 5
        assert [len(shop.lists(userid)) for userid in ("zhaoliu", *owners)] == [1, *[0] * 10]


async def test_a_storm_that_goes_on_is_a_list_now_and_then(start_life: StartLife) -> None:
    """Three rivals a minute, each in another group: the owner hears of it every ten minutes, not of each."""
    async with start_life(
        book(removal={"remind_after": "10小时", "escalate_after": "12小时", "most_cards_at_once": 5})
    ) as life:
        shop = Shop(life)
        groups = [life.world.create_group(f"会员{number}群", "wangwu") for number in range(75)]
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        for number, group in enumerate(groups):
            life.world.join(group, shop.rival(f"推销{number:03d}"))
            await life.run(20 * SECONDS)
        assert len(shop.lists()) == 3
        assert len(shop.cards()) <= 15
        moments = [each.at for each in shop.world.inbox("wangwu")]
        assert max(sum(at <= each < at + 10 * MINUTES for each in moments) for at in moments) <= 7


async def test_an_owner_who_never_answers(open_shop: Any) -> None:
    """Reminded once, the manager told once, then one list a day with a link, for as long as it is open."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival(), wait=2 * HOURS)
        for _ in range(2):  # from an hour before each list to half an hour after it
            shop.life.clock.set(shop.life.clock.now().replace(hour=0, minute=30) + timedelta(days=1))
            await shop.life.run(90 * MINUTES)
        assert (len(shop.cards()), len(shop.texts("wangwu")), len(shop.cards("lihua", "escalation"))) == (1, 1, 1)
        days = [each.at for each in shop.world.inbox("wangwu") if each.kind == "card" and each.task_id is None]
        assert [at.hour for at in days] == [1, 1]  # 09:30 in Beijing
        assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}


# --- no cards ---------------------------------------------------------------------------------------------------------


async def test_who_sees_no_cards_gets_a_text_with_a_link_that_works(open_shop: Any) -> None:
    """The owner uses a client without cards: a text, whose page does what the card does; the admin has a card."""
    async with open_shop(book(removal={"without_cards": ["王五"]})) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        assert (shop.cards(), len(shop.cards("zhaoliu"))) == ([], 1)
        [text] = shop.texts("wangwu")
        assert "张三" in text
        page = await shop.life.browser.get(shop.link())
        assert page.status_code == 200
        assert "张三" in page.text
