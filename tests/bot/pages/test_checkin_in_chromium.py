"""A check-in on a phone, without JavaScript: first day, mid-streak, a missed day that is made up for, done."""

import os
from datetime import timedelta
from functools import partial
from typing import Any

from playwright.async_api import Browser, Page

from rules.book import Book
from simulator import Customer
from store import checkins
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_entrance_in_chromium import Street, _note, open_street
from tests.bot.pages.test_guests_in_chromium import FITS
from tests.bot.pages.test_in_chromium import MEASURE, PHONES
from tests.bot.pages.test_uploads import photo_of
from tests.life.doors import HOURS, MINUTES, door_book

SHOTS = os.environ.get("STEWARD_SHOTS", "")
WIDTH = "each => each.decode().then(() => each.naturalWidth)"  # it may still be on its way
"""A folder, where somebody wants to look at the pages."""

WEEK: list[dict[str, Any]] = [
    {"theme": "认识龙井", "task": "加一位导购，领一份品鉴指南", "add_staff": True},
    {"theme": "水温和时间", "task": "用 85 度的水泡一杯，等两分钟", "content": "绿茶怕烫：水太热，茶就苦了。"},
    {
        "theme": "您的口味",
        "task": "告诉我们您喜欢什么",
        "evidence": "选择",
        "question": {"text": "您最常喝哪种茶？", "options": {"绿茶": "喜欢绿茶", "红茶": "喜欢红茶", "都行": ""}},
    },
    {"theme": "写一句", "task": "喝完以后有什么感受？", "evidence": "文字"},
    {"theme": "闻香", "task": "给干茶拍一张照片", "evidence": "图片"},
    {"theme": "分杯", "task": "和家人一起喝一杯"},
    {"theme": "毕业", "task": "回头看看这七天"},
]


def checkin_book(**more: Any) -> Book:
    """A seven-day check-in for who joins a members' group."""
    checkin = {
        "name": "newcomer-7",
        "title": "七天新茶友打卡",
        "to": "members",
        "days": WEEK,
        "exclude_tags": [],
        "rewards": {
            "1": {"points": 5},
            "3": {"ticket": "friday"},
            "7": {"coupon": "content/券.xlsx", "what": "满 50 减 10 茶券", "value": "10元", "stock": 500},
        },
        "farewell": "七天里您认识了五种茶。\n会员群每周三有茶会，等您来。",
        "organiser": "茶里（上海）有限公司",
        "contact": "021-12345678",
        **more,
    }
    return Book.model_validate(door_book().model_dump(mode="json") | {"checkins": [checkin]})


class Phone:
    """One customer's phone with the page on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url, self.complaints = page, url, list[str]()
        page.on("console", partial(_note, self.complaints))

    async def sees(self, *words: str, shot: str = "") -> None:
        """Load it; every one of these words is there, and everything fits."""
        await self.page.goto(self.url)
        await self.shows(*words, shot=shot)

    async def shows(self, *words: str, shot: str = "") -> None:
        if SHOTS and shot:
            await self.page.wait_for_load_state()
            await self.page.screenshot(path=f"{SHOTS}/{shot}.png", full_page=True)
        text = await self.page.inner_text("main")
        assert [word for word in words if word not in text] == []
        assert await self.page.evaluate(MEASURE) == FITS

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()


async def phone_of(street: Street, browser: Browser, person: Customer, size: tuple[int, int] = PHONES[0]) -> Phone:
    context = await street.enters(browser, person, *size)
    return Phone(await context.new_page(), f"{street.url}/c/newcomer-7")


async def rows_of(street: Street, visitor_id: int = 1) -> list[tuple[int, str]]:
    async with street.doors.life.bot.store.read() as tx:
        journey = await checkins.of_visitor(tx, "newcomer-7", visitor_id)
        assert journey is not None
        return [(journey.number_of(day.on), day.kind) for day in await checkins.days_of(tx, journey.id)]


async def test_seven_days_on_a_phone(sqlite_url: str) -> None:
    """The tap, the question, the sentence, undo, a missed day that is made up for, and the last day: what each leaves
    is one row; at two sizes everything fits.
    """
    async with open_street(sqlite_url, checkin_book()) as street, chromium() as browser:
        life, world = street.doors.life, street.doors.world
        person = world.add_customer("陈晨")
        phone = await phone_of(street, browser, person)
        small = await phone_of(street, browser, person, PHONES[1])
        await phone.sees("今天开始第 1 天", "认识龙井", "加一位导购", shot="checkin-1-first")
        await small.sees("认识龙井")
        await phone.press("打卡")
        await phone.shows("今天打过卡了，已连续 1 天", "打错了，撤销", shot="checkin-2-first-done")
        await small.press("打卡")  # the page of before, on the other phone
        await small.shows("今天打过卡了，已连续 1 天")
        assert await rows_of(street) == [(1, "tap")]
        await phone.page.get_by_role("button", name="打错了").click()
        await phone.shows("打第一次卡吧")
        assert await rows_of(street) == []
        await phone.press("打卡")
        await life.stride(24 * HOURS, 1)
        await phone.sees("已连续 1 天", "水温和时间")
        await phone.press("打卡")
        await life.stride(24 * HOURS, 1)
        await phone.sees("已连续 2 天", "您最常喝哪种茶？", shot="checkin-3-mid-streak")
        await small.sees("您最常喝哪种茶？")
        await phone.page.get_by_label("红茶").check()
        await phone.press("打卡")
        await phone.shows("已连续 3 天")
        await life.stride(48 * HOURS, 1)
        await phone.sees("打了 3 天，没关系", "漏了 1 天，还有 1 张补签卡", "闻香", shot="checkin-4-missed")
        await small.sees("漏了 1 天")
        await phone.page.get_by_role("link", name="第 4 天漏打，点这里补签").click()
        await phone.shows("补签第 4 天", "喝完以后有什么感受？", shot="checkin-5-make-up")
        await phone.page.get_by_label("写一句今天的感受").fill("清香，有点甜")
        await phone.press("用 1 张补签卡补签")
        await phone.shows("已连续 4 天", "闻香")
        await phone.page.get_by_label("选一张图片").set_input_files(
            {"name": "tea.jpg", "mimeType": "image/jpeg", "buffer": photo_of(2000, 1500)}
        )
        await phone.press("打卡")
        await phone.shows("已连续 5 天", shot="checkin-6-picture")
        assert await phone.page.locator("img.picture").evaluate(WIDTH) == 960  # turned upright
        await life.stride(24 * HOURS, 1)
        await phone.page.goto(phone.url)
        for _ in range(2):
            await phone.press("打卡")
            await life.stride(24 * HOURS, 1)
            await phone.page.goto(phone.url)
        await phone.shows("恭喜毕业，您打满了 7 天", "会员群每周三有茶会", shot="checkin-7-done")
        await small.sees("恭喜毕业")
        assert "知道您是哪一位以后，马上发给您" in await small.page.inner_text("body")
        assert await small.page.get_by_role("link", name="加一位导购，认出您就发").count() == 1
        assert await rows_of(street) == [(n, "make_up" if n == 4 else "tap") for n in range(1, 8)]
        assert [*phone.complaints, *small.complaints] == []


async def test_staff_check_in_for_a_customer(sqlite_url: str) -> None:
    """A member of staff sees the customers of their groups and checks in for one, and the row says who did it; outside
    of WeChat the page says to use it.
    """
    async with open_street(sqlite_url, checkin_book()) as street, chromium() as browser:
        life, world = street.doors.life, street.doors.world
        group = next(each for each in world.groups.values() if each.name.startswith("会员"))
        for name in ("林小满", "周舟"):
            world.join(group, world.add_customer(name))
        await life.run(MINUTES)
        page = await (await street.enters(browser, world.staff["wangwu"])).new_page()
        await page.goto(f"{street.url}/c/newcomer-7")
        assert await page.evaluate(MEASURE) == FITS
        if SHOTS:
            await page.screenshot(path=f"{SHOTS}/checkin-8-staff.png", full_page=True)
        await page.get_by_label("代 林小满 打卡").click()
        assert "记下了" in await page.inner_text(".said")
        await life.run(timedelta(seconds=5))
        await page.goto(f"{street.url}/c/newcomer-7")
        assert await page.get_by_label("代 林小满 打卡").count() == 0
        assert await page.get_by_label("代 周舟 打卡").count() == 1
        async with life.bot.store.read() as tx:
            journey = await checkins.of_visitor(tx, "newcomer-7", 1)
            assert journey is not None
            assert [day.by for day in await checkins.days_of(tx, journey.id)] == ["wangwu"]
        outside = await (await browser.new_context()).new_page()
        await outside.goto(f"{street.url}/c/newcomer-7")
        assert "微信" in await outside.inner_text("body")


async def test_wishes_on_a_phone(sqlite_url: str) -> None:
    """No reminders, reminders again, leave for today, out of it and back: each by a press, without JavaScript; what is
    kept of people, and why, stands on the page; a form of somebody else's is refused.
    """
    async with open_street(sqlite_url, checkin_book(leave_days=1)) as street, chromium() as browser:
        person, other = (street.doors.world.add_customer(name) for name in ("陈晨", "林小满"))
        phone, stranger = await phone_of(street, browser, person), await phone_of(street, browser, other, PHONES[1])
        await phone.sees()
        await phone.press("打卡")
        said = await phone.page.inner_text("body")
        assert [word for word in ("我们记下什么", "为什么", "留多久", "365 天", "退出打卡") if word not in said] == []
        await phone.press("不要提醒我")
        await phone.press("请再提醒我")
        await phone.press("不要提醒我")
        await phone.page.get_by_role("button", name="明天请假").click()
        await phone.shows("今天打过卡了")
        assert await rows_of(street) == [(1, "tap"), (2, "leave")]
        await phone.press("退出打卡")
        await phone.shows("您已经退出了这个打卡", shot="checkin-9-out")
        await phone.press("接着打卡")
        await phone.shows("今天打过卡了")
        async with street.doors.life.bot.store.read() as tx:
            row = await checkins.of_visitor(tx, "newcomer-7", 1)
            assert row is not None
            assert (row.state, row.no_reminders) == ("going", True)
        await stranger.sees("今天开始第 1 天")
        mine = await phone.page.locator("input[name=key]").first.get_attribute("value")
        await stranger.page.evaluate("key => document.querySelector('input[name=key]').value = key", mine)
        await stranger.press("打卡")
        assert "这次提交没有收下" in await stranger.page.inner_text("main")
        assert await stranger.page.evaluate(MEASURE) == FITS
