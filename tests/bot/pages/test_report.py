"""The page where customers report a member of their group: what it shows, what it takes, and what it does not tell."""

from datetime import timedelta

import httpx2
import pytest
from sqlmodel import select

from bot.links import LIVES
from rules.book import Book
from store.reports import ReportRow
from tests.bot.pages.customer import Town, lines, open_town
from tests.life.shop import SECONDS


async def reports_in(town: Town) -> list[ReportRow]:
    async with town.life.bot.store.read() as tx:
        return list((await tx.exec(select(ReportRow).order_by(ReportRow.id))).all())  # type: ignore[arg-type]  # a column


async def test_nobody_is_shown_until_looked_for_and_then_by_nickname_only(sqlite_url: str) -> None:
    """The first page names no member; a search shows who is called so, under no id, and keeps nothing in caches."""
    async with open_town(sqlite_url) as town:
        browser = town.reporter(1)
        first = await browser.look()
        assert first.status_code == 200
        assert not any(name in first.text for name in town.people)
        found = await browser.look("阿")
        assert [words for _, words in lines(found)] == ["阿强"]
        assert town.people["阿强"].id not in found.text
        assert town.group.chat_id not in found.text
        assert found.headers["cache-control"] == "no-store"
        assert "script" not in found.text
        assert "没有找到" in (await browser.look("没有这个人")).text


async def test_a_browser_is_known_by_a_cookie_that_scripts_and_other_sites_do_not_get(sqlite_url: str) -> None:
    """HttpOnly, SameSite=Lax, the same number each time; a made-up one is replaced."""
    async with open_town(sqlite_url) as town:
        browser = town.reporter(1)
        cookie = (await browser.look()).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert (await browser.look()).headers["set-cookie"] == cookie
        browser.client.cookies.clear()
        browser.client.cookies.set("steward_guest", "token-1.made-up", domain="127.0.0.1")
        assert (await browser.look()).headers["set-cookie"] != cookie


async def test_those_of_one_name_are_told_apart_by_place_and_may_be_chosen_together(sqlite_url: str) -> None:
    """Two called the same are two lines and a third for both, which reports both."""
    async with open_town(sqlite_url) as town:
        town.life.clock.advance(timedelta(minutes=1))
        town.world.join(town.group, town.world.add_customer("阿强"))
        await town.life.run(5 * SECONDS)
        page = await town.reporter(1).look("阿强")
        assert [words.removeprefix("阿强 ") for _, words in lines(page)] == [
            "同名，先进群的第 1 位",
            "同名，先进群的第 2 位",
            "分不清，这 2 位都选",
        ]
        await town.reporter(1).report("阿强", line=0)
        assert [row.reported for row in await reports_in(town)] == [town.people["阿强"].id]
        assert "谢谢" in (await town.reporter(2).report("阿强", line=2)).text
        assert len({row.reported for row in await reports_in(town)}) == 2


async def test_three_people_make_a_case_that_names_none_of_them(sqlite_url: str) -> None:
    """The owner is asked after the third; the answer never says what will happen, and nobody learns who it was."""
    async with open_town(sqlite_url) as town:
        for number, words in enumerate(("他加了我三次", "", "卖保险的")):
            assert town.cards() == []
            said = await town.reporter(number).report("阿强", reason="adding" if number else "advert", words=words)
            assert "谢谢您，已经收到" in said.text
            assert not any(word in said.text for word in ("移出", "提醒", "拉黑"))
            await town.life.run(5 * SECONDS)
        [card] = town.cards()
        assert "请提醒「阿强」" in card.text
        assert "有 3 个人举报TA：到处加好友（2 人）、发广告（1 人）" in card.text
        [case] = await town.cases()
        assert case.evidence == "举报的话：他加了我三次／卖保险的"
        browsers = {row.reporter for row in await reports_in(town)}
        assert len(browsers) == 3
        assert not any(browser in card.text + case.because + case.evidence for browser in browsers)


async def test_the_same_browser_counts_once(sqlite_url: str) -> None:
    """Whoever reports somebody again is thanked, and is one reporter."""
    async with open_town(sqlite_url) as town:
        browser = town.reporter(1)
        for _ in range(3):
            assert "谢谢" in (await browser.report("阿强")).text
        assert len(await reports_in(town)) == 1


async def test_three_a_day(sqlite_url: str) -> None:
    """The fourth report of a browser within a day is refused in words; a day later it is taken."""
    async with open_town(sqlite_url) as town:
        town.world.join(town.group, town.world.add_customer("第四位"))
        await town.life.run(5 * SECONDS)
        browser = town.reporter(1)
        for name in town.people:
            assert "谢谢" in (await browser.report(name)).text
        assert "今天不能再举报了" in (await browser.report("第四位")).text
        assert len(await reports_in(town)) == 3
        await town.life.stride(timedelta(days=1), 4)
        assert "谢谢" in (await browser.report("第四位")).text


async def test_many_browsers_behind_one_address_count_as_two(sqlite_url: str) -> None:
    """Somebody who throws the cookie away again and again never makes a case; one more address does."""
    async with open_town(sqlite_url) as town:
        for _ in range(6):
            await town.reporter(1).report("阿强")
        await town.life.run(5 * SECONDS)
        assert await town.cases() == []
        await town.reporter(2).report("阿强")
        await town.life.run(5 * SECONDS)
        assert len(await town.cases()) == 1


async def test_one_address_is_not_listened_to_all_day(sqlite_url: str) -> None:
    """Twenty reports a day from one address, however many browsers there are."""
    async with open_town(sqlite_url) as town:
        for number in range(21):
            town.life.clock.advance(timedelta(minutes=1))
            said = await town.reporter(1).report("阿强")
            assert ("谢谢" in said.text) == (number < 20)


async def test_an_address_is_what_our_own_proxy_saw(sqlite_url: str) -> None:
    """Behind a proxy the last entry of X-Forwarded-For counts; what a stranger writes there does not."""
    async with open_town(sqlite_url) as town:
        for number in range(4):
            made_up = {"x-forwarded-for": f"198.51.100.{number}"}
            await town.browser(town.report_url(), "203.0.113.1", **made_up).report("小美")
            behind = {"x-forwarded-for": f"192.0.2.9, 198.51.100.{number}"}
            await town.browser(town.report_url(), "127.0.0.1", **behind).report("阿强")
        rows = await reports_in(town)
        assert len({row.place for row in rows if row.reported == town.people["小美"].id}) == 1
        assert len({row.place for row in rows if row.reported == town.people["阿强"].id}) == 4
        assert not any("198.51" in row.place or "203.0" in row.place for row in rows)


async def test_an_incomplete_report_is_sent_back(sqlite_url: str) -> None:
    """Without whom or why, or about somebody the page did not offer, nothing is written, and the page says so."""
    async with open_town(sqlite_url) as town:
        browser = town.reporter(1)
        good = lines(await browser.look("阿强"))[0][0]
        other = lines(await browser.look("小美"))[0][0]
        for fields in (
            {"who": good},
            {"reason": "adding"},
            {"who": good, "reason": "nonsense"},
            {"who": town.people["阿强"].id, "reason": "adding"},
            {"who": f"{good},{other}", "reason": "adding"},
        ):
            said = await browser.send(q="阿强", **fields)
            assert "还差一点" in said.text
            assert lines(said) == [(good, "阿强")]
        assert await reports_in(town) == []


async def test_what_is_written_is_short_and_plain(sqlite_url: str) -> None:
    """Words are cut at 100 characters, on one line, without what cannot be seen, and shown as text."""
    async with open_town(sqlite_url) as town:
        await town.reporter(1).report("阿强", "other", "<b>一\n二\u202e\x00三</b>" + "好" * 200)
        [row] = await reports_in(town)
        assert row.words.startswith("<b>一 二 三</b>好")
        assert len(row.words) == 100
        sought = await town.reporter(2).look("<script>")
        assert "<script>" not in sought.text


@pytest.mark.parametrize("spoil", ["cookie", "key", "origin", "other browser"])
async def test_only_our_own_form_in_this_browser_is_taken(sqlite_url: str, spoil: str) -> None:
    """Without our cookie, with a wrong key or another browser's, or sent from another site: 403, and nothing kept."""
    async with open_town(sqlite_url) as town:
        browser, other = town.reporter(1), town.reporter(2)
        who = lines(await browser.look("阿强"))[0][0]
        fields, headers = {"who": who, "reason": "adding", "q": "阿强"}, {}
        if spoil == "key":
            fields["key"] = "x"
        elif spoil == "origin":
            headers["origin"] = "https://evil.example"
        elif spoil == "other browser":
            key = (await other.look("阿强")).text.split('name="key" value="')[1].split('"')[0]
            fields["key"] = key
        if spoil == "cookie":
            answer = await httpx2.AsyncClient(transport=browser.client._transport).post(browser.url, data=fields)
        else:
            answer = await browser.send(headers, **fields)
        assert answer.status_code == 403
        assert "今日待办" not in answer.text
        assert await reports_in(town) == []


async def test_the_link_does_not_end_and_opens_nothing_else(sqlite_url: str) -> None:
    """It stands in the group's rules for years; changed by a letter it opens nothing, and it is no key to staff's."""
    async with open_town(sqlite_url) as town:
        url = town.report_url()
        town.life.clock.advance(timedelta(days=3000))
        assert LIVES["report"] is None
        assert (await town.browser(url).look()).status_code == 200
        wrong = await town.browser(url[:-1]).look()
        assert (wrong.status_code, "这个链接不对" in wrong.text, "静安1群" in wrong.text) == (403, True, False)
        assert (await town.browser(url.replace("/report/", "/todo/")).look()).status_code == 403


async def test_it_is_closed_where_nobody_would_hear(sqlite_url: str) -> None:
    """Without a rule about reports, or after the group is dismissed, the page says so and takes nothing."""
    async with open_town(sqlite_url, Book.model_validate({"rules": [{"rule": "other_company"}]})) as town:
        closed = await town.reporter(1).look()
        assert (closed.status_code, "没有开举报" in closed.text) == (404, True)
        assert (await town.reporter(1).send(who="x", reason="adding")).status_code in (403, 404)


async def test_a_dismissed_group_is_gone(sqlite_url: str) -> None:
    """The link of a group that is no more says so."""
    async with open_town(sqlite_url) as town:
        url = town.report_url()
        town.world.dismiss(town.group)
        await town.life.run(5 * SECONDS)
        gone = await town.browser(url).look()
        assert (gone.status_code, "群已经解散" in gone.text) == (410, True)


async def test_a_loop_is_stopped(sqlite_url: str) -> None:
    """More than sixty looks a minute from one address: 429; others are not held up."""
    async with open_town(sqlite_url) as town:
        browser = town.reporter(1)
        answers = [(await browser.look("阿")).status_code for _ in range(61)]
        assert (answers[59], answers[60]) == (200, 429)
        assert (await town.reporter(2).look("阿")).status_code == 200
