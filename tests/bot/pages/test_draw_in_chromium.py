"""A draw on a phone: rules, sign up, result, prize, check. Twice, loaded again, on two phones: one entry."""

import os
from datetime import timedelta
from functools import partial
from typing import Any

from playwright.async_api import Page

from rules.actions import Link
from rules.book import Book
from store import draw_entrants, draw_winners, queue
from store import draws as draw_rows
from store.inbox import Inbox
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_entrance_in_chromium import Street, _note, open_street
from tests.bot.pages.test_guests_in_chromium import FITS
from tests.bot.pages.test_in_chromium import MEASURE, PHONES
from tests.life.doors import HOURS, MINUTES, door_book

SHOTS = os.environ.get("STEWARD_SHOTS", "")
"""A folder, where somebody wants to look at the pages."""


def _book(street_now: Any, **more: Any) -> Book:
    """A coupon draw for the members, a day and a half from now."""
    at = street_now + timedelta(hours=36)
    draw = {
        "name": "friday",
        "title": "周五茶样抽奖",
        "to": "members",
        "when": f"{at:%Y-%m-%d %H:%M}",
        "prize": {"type": "券", "what": "龙井茶样一份", "value": "15元", "shares": 2},
        "pay_by": "券",
        "organiser": "茶里（上海）有限公司",
        "contact": "021-12345678",
        **more,
    }
    return Book.model_validate(door_book().model_dump(mode="json") | {"draws": [draw], "budget": {"monthly": "5000元"}})


async def _shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def _entries(street: Street) -> int:
    async with street.doors.life.bot.store.read() as tx:
        return await draw_entrants.count(tx, 1)


async def _begin(street: Street, **more: Any) -> None:
    """The draw is announced, and open."""
    rules = street.doors.life.bot.worker.rules
    rules.book = _book(street.doors.world.clock.now() + timedelta(hours=8), **more)
    async with street.doors.life.bot.store.write() as tx:
        calendar = await draw_rows.calendar(tx)
        assert calendar is not None
        calendar.due_at = street.doors.life.clock.now()
    await street.doors.life.run(MINUTES)


async def _staff_look(street: Street, page: Page) -> None:
    """The manager's list fits, too."""
    life = street.doors.life
    link = Link(page="winners", userid="lihua", issued_at=life.clock.now(), post_id=1)
    await page.goto(f"{street.url}/winners/{life.bot.worker.hands.links.token(link)}")
    assert "2 人参加，2 人中奖" in await page.inner_text("header")
    assert await page.evaluate(MEASURE) == FITS
    await _shot(page, "draw-7-winners")


async def test_from_the_post_to_the_prize(sqlite_url: str) -> None:
    """Countdown, sign up, waiting, won, the code for the shop, and the steps of the check; at two sizes it all fits."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        world, life = street.doors.world, street.doors.life
        await _begin(street)
        group = next(each for each in world.groups.values() if each.name.startswith("会员"))
        people = [world.add_customer(name) for name in ("陈晨", "林小满")]
        for each in people:
            world.join(group, each)
        await life.run(MINUTES)
        url = f"{street.url}/d/friday"
        pages = []
        for person, (width, height) in zip(people, PHONES, strict=True):
            context = await street.enters(browser, person, width, height)
            page, complaints = await context.new_page(), list[str]()
            page.on("console", partial(_note, complaints))
            await page.goto(url)
            assert "后开始报名" in await page.inner_text("main")
            assert "主办方" in await page.inner_text("section.rules")
            assert await page.evaluate(MEASURE) == FITS
            pages.append((page, complaints))
        await _shot(pages[0][0], "draw-1-soon")
        await life.stride(13 * HOURS, 4)
        for number, (page, _) in enumerate(pages):
            await page.goto(url)
            assert await page.evaluate(MEASURE) == FITS
            if not number:
                await _shot(page, "draw-2-open")
            await page.get_by_role("button", name="我要参加").click()
            assert "您已经参加了" in await page.inner_text("main")
            assert await page.evaluate(MEASURE) == FITS
        assert await _entries(street) == 2
        await _shot(pages[1][0], "draw-3-entered")
        await life.stride(24 * HOURS, 6)
        for page, _ in pages:
            await page.goto(url)
            assert "恭喜您中奖了" in await page.inner_text("main")
            assert await page.evaluate(MEASURE) == FITS
        await _shot(pages[1][0], "draw-4-won")
        page = pages[0][0]
        await page.get_by_role("button", name="领奖").click()
        said = await page.inner_text("main")
        assert "先确认您是群成员" in said or "到店给店员看这个码" in said
        await _shot(page, "draw-5-claimed")
        assert await page.evaluate(MEASURE) == FITS
        await page.get_by_text("查看是怎么抽的").click()
        assert "名单上有 2 人" in await page.inner_text("body")
        assert "✗" not in await page.inner_text("body")
        assert await page.evaluate(MEASURE) == FITS
        await _shot(page, "draw-6-check")
        await _staff_look(street, page)
        assert [text for _, complaints in pages for text in complaints] == []
        async with life.bot.store.read() as tx:
            assert len(await draw_winners.of_draw(tx, 1)) == 2
            assert await queue.dead(tx, Inbox, at_most=9) == []


async def test_twice_again_and_on_two_phones(sqlite_url: str) -> None:
    """Two presses at once, loading again, going back, and a second phone of the same person: one entry."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        world, life = street.doors.world, street.doors.life
        await _begin(street)
        await life.stride(14 * HOURS, 4)
        person = world.add_customer("陈晨")
        url = f"{street.url}/d/friday"
        phones = [await (await street.enters(browser, person, *size)).new_page() for size in PHONES]
        for page in phones:
            await page.goto(url)
        button = phones[0].get_by_role("button", name="我要参加")
        await button.dblclick()
        await phones[0].wait_for_url(url)
        await phones[0].wait_for_load_state()
        await phones[0].goto(url)
        await phones[0].reload()
        assert "您已经参加了" in await phones[0].inner_text("main")
        await phones[1].get_by_role("button", name="我要参加").click()
        assert "您已经参加了" in await phones[1].inner_text("main")
        await phones[0].go_back()
        await phones[0].goto(url)
        assert await _entries(street) == 1


async def test_who_opens_it_elsewhere(sqlite_url: str) -> None:
    """Staff may look and not enter; a browser that is not WeChat's is told to use WeChat; an unknown name is 404."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        await _begin(street)
        await street.doors.life.stride(14 * HOURS, 4)
        wangwu = next(each for each in street.doors.world.staff.values() if each.id == "wangwu")
        page = await (await street.enters(browser, wangwu)).new_page()
        await page.goto(f"{street.url}/d/friday")
        assert await page.get_by_role("button", name="我要参加").is_disabled()
        outside = await (await browser.new_context()).new_page()
        await outside.goto(f"{street.url}/d/friday")
        assert "微信" in await outside.inner_text("body")
        customer = street.doors.world.add_customer("陈晨")
        page = await (await street.enters(browser, customer)).new_page()
        answer = await page.goto(f"{street.url}/d/nothing")
        assert answer is not None
        assert answer.status == 404
