"""The page 今日待办: it shows what is open for one person, and its buttons do what the cards' buttons do."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from rules.actions import Link
from store import cards, people
from tests.life.conftest import StartLife
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop, book


def address(shop: Shop, userid: str = "wangwu") -> str:
    return shop.life.bot.worker.hands.links.url(Link(page="todo", userid=userid, issued_at=shop.life.clock.now()))


async def look(shop: Shop, userid: str = "wangwu") -> httpx2.Response:
    return await shop.life.browser.get(address(shop, userid))


async def press(shop: Shop, value: str, *ticked: int, by: str = "wangwu", **headers: str) -> httpx2.Response:
    """Press a button of the page's form, as it may have been open for a while, and see what the page says then."""
    url = address(shop, by)
    key = shop.life.bot.worker.hands.links.form_key("todo", url.rpartition("/")[2])
    form = {"key": key, "press": value, "case": [str(number) for number in ticked]}
    answer = await shop.life.browser.post(url, data=form, headers=headers)
    if answer.status_code != 303:
        return answer
    return await shop.life.browser.get(httpx2.URL(url).join(answer.headers["location"]))


async def test_it_shows_who_where_since_when_and_why(open_shop: Any) -> None:
    """Everything a card says stands on the page: person, company or 公司未知, how they came, why, and the number."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("张三"))
        page = await look(shop)
        assert page.status_code == 200
        for words in ("静安1群", "张三", "公司未知", "#1", "11-23 09:00 扫码进群", "编号以 wo 开头", "请过"):
            assert words in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-frame-options"] == "DENY"
        assert "script" not in page.text


async def test_everybody_sees_what_they_can_remove_and_nothing_else(open_shop: Any) -> None:
    """Owner and admin see the group's rival; the manager, who can remove nobody, and the owner elsewhere do not."""
    async with open_shop(book()) as shop:
        shop.world.add_staff("sunqi", "孙七")
        shop.world.create_group("孙七的群", owner="sunqi")
        await shop.enters(shop.rival("张三"), wait=MINUTES)
        seen = {userid: "张三" in (await look(shop, userid)).text for userid in ("wangwu", "zhaoliu", "lihua", "sunqi")}
        assert seen == {"wangwu": True, "zhaoliu": True, "lihua": False, "sunqi": False}
        assert "没有要处理的事" in (await look(shop, "sunqi")).text


async def test_removed_closes_nothing_until_the_roster_says_so(open_shop: Any) -> None:
    """已移出 on the page has the roster read, like the card's; the case and the card close when the person is gone."""
    async with open_shop(book()) as shop:
        rival = shop.rival()
        await shop.enters(rival)
        said = await press(shop, "removed:1")
        assert "记下了 1 位" in said.text
        assert "正在核对名单" in said.text
        await shop.life.run(2 * MINUTES)
        assert await shop.outcomes() == [None]
        assert any("名单显示" in text for text in shop.texts("wangwu"))
        shop.world.remove(shop.group, rival, by="wangwu")
        await shop.life.run(5 * SECONDS)
        assert await shop.outcomes() == ["removed"]
        assert shop.cards()[0].replaced == "已移出"
        assert "没有要处理的事" in (await look(shop)).text


async def test_release_is_for_whom_was_ticked(open_shop: Any) -> None:
    """误判，放行 lets go those who are ticked, for good and on record; the others stay."""
    async with open_shop(book()) as shop:
        rivals = [shop.rival(name) for name in ("甲一", "乙二", "丙三")]
        await shop.enters(*rivals)
        said = await press(shop, "release", 1, 3, by="zhaoliu")
        assert "放行了 2 位" in said.text
        assert sorted(map(str, await shop.outcomes())) == ["None", "released", "released"]
        assert "乙二" in said.text
        assert "甲一" not in said.text
        async with shop.life.bot.store.read() as tx:
            released = await people.released(tx, [rival.id for rival in rivals], [])
            assert set(released.by.values()) == {"赵六"}
            assert [each.button for each in await cards.presses(tx, 1)] == ["release"]


async def test_later_puts_the_reminder_off(open_shop: Any) -> None:
    """稍后 on the page is an hour of peace, like the card's."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        assert "先放着" in (await press(shop, "later:1")).text
        await shop.life.run(55 * MINUTES)
        assert shop.texts("wangwu") == []
        await shop.life.run(10 * MINUTES)
        assert len(shop.texts("wangwu")) == 1


async def test_later_about_those_on_the_list_reminds_nobody_by_itself(start_life: StartLife) -> None:
    """Who was inside before the bot came is on the daily list only, whatever is pressed about them."""
    async with start_life(book()) as life:
        with life.unheard():
            shop = Shop(life)
            shop.world.join_together(shop.group, [shop.rival("老张"), shop.rival("老李")])
        life.clock.advance(24 * HOURS)
        await life.bot.read_roster("start")
        await life.run(MINUTES)
        assert "在名单上" in (await look(shop)).text
        await press(shop, "later:1")
        await press(shop, "removed:2")
        await life.run(MINUTES)
        await life.stride(20 * HOURS, 20)
        assert shop.cards() == []
        assert shop.cards("lihua", "escalation") == []
        assert [text for text in shop.texts("wangwu") if text.startswith("提醒")] == []
        assert await shop.outcomes() == [None, None]
        assert len(shop.lists()) == 1


async def test_nobody_chosen_is_said(open_shop: Any) -> None:
    """A button without a person presses nothing and says so; so does the button that Enter would press."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("甲一"), shop.rival("乙二"))
        for value in ("removed", "release", "", "nonsense:1", "removed:x"):
            assert "还没有选人" in (await press(shop, value)).text
        assert await shop.outcomes() == [None, None]


async def test_twice_is_once(open_shop: Any) -> None:
    """A double click, the back button and a reload: the second press is told calmly that it is over."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        await press(shop, "release:1")
        said = await press(shop, "release:1")
        assert "已经办完了" in said.text
        assert (await shop.life.browser.get(said.url)).status_code == 200
        assert await shop.outcomes() == ["released"]


async def test_some_over_some_not(open_shop: Any) -> None:
    """What closed meanwhile is counted apart."""
    async with open_shop(book()) as shop:
        first = shop.rival("甲一")
        await shop.enters(first, shop.rival("乙二"))
        shop.world.leave(shop.group, first)
        await shop.life.run(5 * SECONDS)
        said = await press(shop, "removed", 1, 2)
        assert "记下了 1 位" in said.text
        assert "另外 1 位已经办完了" in said.text


async def test_nobody_presses_about_groups_of_others(open_shop: Any) -> None:
    """A good link with somebody else's case numbers changes nothing."""
    async with open_shop(book()) as shop:
        shop.world.add_staff("sunqi", "孙七")
        mine = shop.world.create_group("孙七的群", owner="sunqi")
        await shop.enters(shop.rival("张三"))
        await shop.enters(shop.rival("李四"), group=mine)
        said = await press(shop, "release:1", by="sunqi")
        assert "已经办完了" in said.text
        assert await shop.outcomes() == [None, None]


# --- links and forms --------------------------------------------------------------------------------------------------


async def test_a_link_ends_after_a_week(open_shop: Any) -> None:
    """The page of an old link explains itself, with 410, and its form is not taken either."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        url = address(shop)
        shop.life.clock.advance(timedelta(days=7, seconds=1))
        page = await shop.life.browser.get(url)
        assert (page.status_code, "链接过期了" in page.text) == (410, True)
        assert (await shop.life.browser.post(url, data={"press": "release:1"})).status_code == 410


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t[::-1], lambda t: t + "%00", str.upper]
)
async def test_a_forged_link_opens_nothing(open_shop: Any, spoil: Any) -> None:
    """Whatever is changed in a link: 403, in words, without a name on it."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        front, _, token = address(shop).rpartition("/")
        page = await shop.life.browser.get(f"{front}/{spoil(token)}")
        assert (page.status_code, "这个链接不对" in page.text, "张三" in page.text) == (403, True, False)


async def test_a_link_for_one_page_opens_no_other(open_shop: Any) -> None:
    """Tokens are salted by page."""
    async with open_shop(book(removal={"open_group": True})) as shop:
        await shop.enters(shop.rival())
        token = address(shop).rpartition("/")[2]
        assert (await shop.life.browser.get(f"http://127.0.0.1/open/{token}")).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null", "sec-fetch-site": "cross-site"}, {"content-type": "a/b"}],
)
async def test_a_form_from_elsewhere_is_not_taken(open_shop: Any, headers: dict[str, str]) -> None:
    """Another site's form, or none of ours, presses nothing."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        answer = await press(shop, "release:1", **headers)
        assert answer.status_code in (403, 415)
        assert "没有收下" in answer.text
        assert await shop.outcomes() == [None]


async def test_a_form_of_ours_is_taken(open_shop: Any) -> None:
    """Browsers give our forms the origin "null", as our pages send no referrer; older ones give ours."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("甲一"), shop.rival("乙二"))
        await press(shop, "release:1", origin="null", **{"sec-fetch-site": "same-origin"})
        await press(shop, "release:2", origin="http://127.0.0.1")
        assert await shop.outcomes() == ["released", "released"]


async def test_a_form_without_its_key_is_not_taken(open_shop: Any) -> None:
    """The link alone, in a form that is not ours, presses nothing; nor does one that is far too long."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        browser, url = shop.life.browser, address(shop)
        assert (await browser.post(url, data={"press": "release:1"})).status_code == 403
        assert (await browser.post(url, data={"key": "x" * 100_000})).status_code == 413
        assert await shop.outcomes() == [None]


async def test_too_many_requests_are_told_to_wait(open_shop: Any) -> None:
    """60 a minute for one person, 30 a minute for strangers of one address; good links go on beside bad ones."""
    async with open_shop(book()) as shop:
        browser = shop.life.browser
        statuses = [(await browser.get("http://127.0.0.1/todo/forged")).status_code for _ in range(32)]
        assert statuses == [403] * 30 + [429] * 2
        url = address(shop)
        statuses = [(await browser.get(url)).status_code for _ in range(61)]
        assert statuses == [200] * 60 + [429]
        assert (await look(shop, "zhaoliu")).status_code == 200
        shop.life.clock.advance(MINUTES)
        assert (await browser.get(url)).status_code == 200


# --- files ------------------------------------------------------------------------------------------------------------


async def test_the_style_sheet_is_ours(open_shop: Any) -> None:
    """Nothing is loaded from another host, and what the page names is there; nothing else is."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival())
        page = await look(shop)
        named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
        assert named
        for each in named:
            target = httpx2.URL(address(shop)).join(each)
            assert target.host == "127.0.0.1"
            assert (await shop.life.browser.get(target)).status_code == 200
        for name in ("../page.py", "todo.html", "..%2fpage.py", "nothing.css"):
            assert (await shop.life.browser.get(f"http://127.0.0.1/static/{name}")).status_code == 404
