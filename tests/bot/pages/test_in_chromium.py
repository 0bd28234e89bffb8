"""The pages in a real browser on a phone: they fit, they can be hit with a thumb, and they need no JavaScript."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import httpx2
from playwright.async_api import Browser, Page

from bot import server
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.actions import Link
from rules.book import Book
from simulator import VirtualClock, World, create_app
from tests.bot.pages.browser import chromium
from tests.life.conftest import Life, settings_for
from wecom.limits import Unlimited

PHONES = ((390, 844), (360, 740))
BOOK = Book.model_validate({"managers": ["李华"], "rules": [{"rule": "other_company"}]})

# What is too narrow to fit, too low to hit, or too small to read.
MEASURE = """() => {
  const shown = [...document.querySelectorAll("body *")].filter(e => e.offsetParent);
  const low = e => e.matches("button:not(.default), a, summary, label") && e.getBoundingClientRect().height < 44;
  const small = e => e.tagName !== "INPUT" && parseFloat(getComputedStyle(e).fontSize) < 16;
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    low: shown.filter(low).map(e => e.outerHTML),
    small: shown.filter(small).map(e => e.outerHTML),
  };
}"""


@asynccontextmanager
async def shop_with_a_bot(database_url: str) -> AsyncIterator[tuple[World, Bot, Callable[..., Any]]]:
    """A world, a bot that answers on a real port, and `run` to let time pass."""
    clock = VirtualClock()
    world = World(clock=clock)
    for userid, name in (("lihua", "李华"), ("wangwu", "王五")):
        world.add_staff(userid, name)
    tokens = (f"token-{number}" for number in count())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as to_world:
        outside = Outside(
            clock=clock, client=to_world, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        settings = settings_for(world, database_url)
        async with (
            open_bot(settings, Rules(BOOK), outside) as bot,
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot.app)) as to_bot,
        ):
            world.callback_to("http://bot/callback", to_bot)
            yield world, bot, Life(world, bot, clock, to_bot).run


async def phone(browser: Browser, width: int, height: int) -> tuple[Page, list[str]]:
    """A page on a phone without JavaScript, and what the browser complains of."""
    context = await browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    return page, complaints


async def test_the_list_on_a_phone(sqlite_url: str) -> None:
    """At 390 and 360 px nothing sticks out, nothing is below 16 px or 44 px; a press works without JavaScript."""
    async with shop_with_a_bot(sqlite_url) as (world, bot, run), chromium() as browser:
        group = world.create_group("会员福利群（静安寺久光百货店）双十一专属福利通知", "wangwu")
        await bot.read_roster("start")
        await run(timedelta(seconds=10))
        for name in ("张三", "Alexander-Maximilian Mustermann-Beispielhausen", "李四🌸"):
            world.join(group, world.add_rival(name, "对手公司"))
        await run(timedelta(seconds=10))
        token = bot.worker.hands.links.token(Link(page="todo", userid="wangwu", issued_at=world.clock.now()))
        async with server.running(bot.app, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/todo/{token}"
            for width, height in PHONES:
                page, complaints = await phone(browser, width, height)
                await page.goto(url)
                assert await page.evaluate(MEASURE) == {"overflow": 0, "low": [], "small": []}
                await page.goto(url + "x")
                assert await page.evaluate(MEASURE) == {"overflow": 0, "low": [], "small": []}
                assert [text for text in complaints if "403" not in text] == []
            await page.goto(url)
            await page.get_by_label("张三 误判，放行").click()
            assert "放行了 1 位" in await page.inner_text(".said")
            assert await page.get_by_label("张三 误判，放行").count() == 0
            await page.go_back()  # what was shown before, or anew: the press is not made again
            await page.goto(url)
            await page.get_by_role("checkbox").first.check()
            await page.get_by_role("group", name="对勾选的人").get_by_text("稍后").click()
            assert "1 位先放着" in await page.inner_text(".said")


async def test_three_hundred_people_on_a_phone(sqlite_url: str) -> None:
    """Groups are folded, so the first screen shows where to begin; one opens, is pressed, and is open again after."""
    async with shop_with_a_bot(sqlite_url) as (world, bot, run), chromium() as browser:
        for number in range(6):
            rivals = [world.add_rival(f"老{number}{place:02d}", "对手公司") for place in range(50)]
            world.create_group(f"老客户{number}群", "wangwu", members=rivals)
        world.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]  # it is the virtual one
        await bot.read_roster("start")
        await run(timedelta(minutes=1))
        token = bot.worker.hands.links.token(Link(page="todo", userid="wangwu", issued_at=world.clock.now()))
        async with server.running(bot.app, "127.0.0.1", 0) as port:
            page, _ = await phone(browser, 360, 740)
            await page.goto(f"http://127.0.0.1:{port}/todo/{token}")
            assert await page.evaluate(MEASURE) == {"overflow": 0, "low": [], "small": []}
            assert await page.locator("input[name=case]").count() == 300
            assert await page.locator("input[name=case]:visible").count() == 0
            await page.get_by_text("老客户3群").click()
            assert await page.locator("input[name=case]:visible").count() == 50
            await page.get_by_text("这 50 位都已移出").locator("visible=true").click()
            assert "记下了 50 位" in await page.inner_text(".said")
            assert await page.locator("input[name=case]:visible").count() == 50
