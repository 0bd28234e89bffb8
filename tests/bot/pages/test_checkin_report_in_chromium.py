"""The managers' page about check-ins in a real browser on a phone."""

from datetime import timedelta
from pathlib import Path

from bot import server
from bot.config.read import parse_config
from rules.actions import Link
from rules.book import Book
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_in_chromium import MEASURE, PHONES, phone
from tests.bot.travellers import BEGAN, CONFIG, fill
from tests.life.conftest import StartLife

FITS = {"overflow": 0, "low": [], "small": []}


async def test_the_funnel_fits_a_phone(start_life: StartLife, tmp_path: Path) -> None:
    """The chart, the sums, the answers and the cohorts; the weekly report leads there, and it is for managers only."""
    async with start_life(parse_config(CONFIG, "config.yaml", Book), at=BEGAN + timedelta(days=12)) as life:
        life.world.add_staff("lihua", "李华")
        life.world.add_staff("wangwu", "王五")
        await life.bot.read_roster("start")
        await life.settle()
        async with life.bot.store.write() as tx:
            await fill(tx)
        links = life.bot.worker.hands.links
        link = Link(page="week", userid="lihua", issued_at=life.clock.now(), days="2026-11-16~2026-11-22")
        week = (await life.browser.get(links.url(link))).text
        assert "看打卡进展" in week
        here = week.split('href="http://127.0.0.1/checkins/')[1].split('"')[0]
        wangwu = Link(page="checkins", userid="wangwu", issued_at=life.clock.now())
        assert (await life.browser.get(links.url(wangwu))).status_code == 410
        async with server.running(life.bot.app, "127.0.0.1", 0) as port, chromium() as browser:
            for width, height in PHONES:
                page, complaints = await phone(browser, width, height)
                await page.goto(f"http://127.0.0.1:{port}/checkins/{here}")
                assert await page.evaluate(MEASURE) == FITS
                assert complaints == []
            text = await page.inner_text("body")
            await page.screenshot(path=tmp_path / "checkins.png", full_page=True)
        for words in (
            "七天认识一杯茶",
            "一共 10 人开始",
            "停在哪里",
            "您最常喝哪一种茶？",
            "8 人，100%",
            "11-23",
        ):
            assert words in text, words
