"""The pages of posts in a real browser on a phone: what is to be sent by hand, and a post before it goes out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from bot import server
from rules.actions import Link
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_in_chromium import MEASURE, PHONES, phone
from tests.life.conftest import StartLife
from tests.life.office import MONDAY, Office, at, calendar, open_office_of

FITS = {"overflow": 0, "low": [], "small": []}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50"
    "0f0003860180a5c5d7f90000000049454e44ae426082"
)
BY_HAND = {
    "name": "周三分享",
    "to": "all",
    "when": "每天 10:00",
    "ask_before": "10分钟",
    "via": "by_hand",
    "image": "poster.png",
    "link": {"url": "https://brand.example/a/very/long/address/that/does/not/break?of=itself", "title": "冬日暖茶专场"},
    "text": "各位茶友早上好！\n今天{{日期}}，{{群名}}的主题是「冬天怎么喝白茶」。",
}
TO_LOOK_AT = {"name": "周六品鉴", "to": "all", "when": "每天 12:00", "approval": {"ask": "3小时"}, "text": "来喝茶"}


@asynccontextmanager
async def served(start_life: StartLife, folder: Path) -> AsyncIterator[tuple[Office, str]]:
    """An office at the moment at which there is something to send, and the address of its bot."""
    (folder / "poster.png").write_bytes(PIXEL)
    async with start_life(calendar(BY_HAND, TO_LOOK_AT), at=MONDAY, folder=folder) as life:
        office = open_office_of(life, owners=1, groups=2)
        await life.bot.read_roster("start")
        await office.until(at(9, 51))
        async with server.running(office.life.bot.app, "127.0.0.1", 0) as port:
            yield office, f"http://127.0.0.1:{port}"


def token(office: Office, **link: Any) -> str:
    return office.life.bot.worker.hands.links.token(Link(issued_at=office.life.clock.now(), **link))


async def with_script(browser: Browser) -> Any:
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    return await context.new_page()


async def test_what_is_to_be_sent_by_hand_fits_a_phone_and_is_copied_and_ticked_off(
    start_life: StartLife, tmp_path: Path
) -> None:
    """Picture and text are there; 复制文字 copies; 已发 takes a group off the list; nothing sticks out."""
    async with served(start_life, tmp_path) as (office, address), chromium() as browser:
        url = f"{address}/sends/{token(office, page='sends', userid='owner1')}"
        for width, height in PHONES:
            page, complaints = await phone(browser, width, height)
            await page.goto(url)
            assert await page.evaluate(MEASURE) == FITS
            assert complaints == []
        loaded = "() => [...document.images].map(each => each.complete && each.naturalWidth)"
        assert await page.evaluate(loaded) == [1, 1]
        await page.get_by_label("会员1-0群 已发").click()
        assert "记下了" in await page.inner_text(".said")
        assert await page.get_by_label("会员1-0群 已发").count() == 0
        scripted = await with_script(browser)
        await scripted.goto(url)
        await scripted.get_by_role("button", name="复制文字").first.click()
        await scripted.get_by_text("已复制").first.wait_for(timeout=5000)
        await page.get_by_label("会员1-1群 已发").click()
        assert "没有要发的了" in await page.inner_text("body")


async def test_a_post_is_looked_at_and_put_off_on_a_phone(start_life: StartLife, tmp_path: Path) -> None:
    """As it will look, with its groups; 改期 takes the time that was chosen."""
    async with served(start_life, tmp_path) as (office, address), chromium() as browser:
        post = next(each for each in await office.posts() if each.name == "周六品鉴")
        url = f"{address}/preview/{token(office, page='preview', userid='lihua', post_id=post.id)}"
        for width, height in PHONES:
            page, complaints = await phone(browser, width, height)
            await page.goto(url)
            assert await page.evaluate(MEASURE) == FITS
            assert complaints == []
        await page.locator("input[name=when]").fill("2026-11-23T15:30")
        await page.get_by_text("改期并通过").click()
        assert "11-23 15:30" in await page.inner_text(".said")
        await page.get_by_text("取消这一次").click()
        assert "取消了" in await page.inner_text(".said")
        assert await page.get_by_text("通过").count() == 0
