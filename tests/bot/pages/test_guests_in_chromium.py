"""The pages for customers in a real browser on a phone: they fit, can be hit with a thumb, and need no JavaScript."""

from bot import server
from tests.bot.pages.browser import chromium
from tests.bot.pages.customer import open_town
from tests.bot.pages.test_in_chromium import MEASURE, PHONES, phone
from tests.life.shop import SECONDS

FITS = {"overflow": 0, "low": [], "small": []}


async def test_a_report_on_a_phone(sqlite_url: str) -> None:
    """From the link to 谢谢: look for a name, choose, send; at 390 and 360 px nothing sticks out or is too small."""
    async with open_town(sqlite_url) as town, chromium() as browser:
        for name in ("阿强", "阿强", "阿强-Alexander-Maximilian-Mustermann-Beispielhausen🌸"):
            town.world.join(town.group, town.world.add_customer(name))
        await town.life.run(5 * SECONDS)
        async with server.running(town.life.bot.app, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/report/{town.report_url().rpartition('/')[2]}"
            for width, height in PHONES:
                page, complaints = await phone(browser, width, height)
                await page.goto(url)
                assert await page.evaluate(MEASURE) == FITS
                await page.get_by_label("TA在群里叫什么").fill("阿强")
                await page.get_by_text("查找").click()
                assert await page.evaluate(MEASURE) == FITS
                await page.get_by_text("同名，先进群的第 2 位").click()
                await page.get_by_text("到处加好友").click()
                await page.get_by_label("想补充的话").fill("他加了我三次，还发保险广告")
                await page.get_by_text("提交").click()
                assert "谢谢您，已经收到" in await page.inner_text("main")
                assert await page.evaluate(MEASURE) == FITS
                await page.goto(url + "x")
                assert await page.evaluate(MEASURE) == FITS
                assert [text for text in complaints if "403" not in text] == []


async def test_an_appeal_on_a_phone(sqlite_url: str) -> None:
    """Write, send, and see that it has arrived; the manager's list with its two buttons fits as well."""
    async with open_town(sqlite_url) as town, chromium() as browser:
        town.world.join(town.group, rival := town.world.add_rival("张三", "对手公司"))
        await town.life.run(10 * SECONDS)
        async with server.running(town.life.bot.app, "127.0.0.1", 0) as port:
            for width, height in PHONES:
                page, complaints = await phone(browser, width, height)
                await page.goto(f"http://127.0.0.1:{port}/appeal/{town.appeal_url(rival).rpartition('/')[2]}")
                assert await page.evaluate(MEASURE) == FITS
                if await page.get_by_role("textbox").count():
                    await page.get_by_role("textbox").fill("我是顾客，只是用了公司的企业微信扫码。" * 10)
                    await page.get_by_text("提交", exact=True).click()
                assert "谢谢您，已经收到" in await page.inner_text("main")
                await page.goto(f"http://127.0.0.1:{port}/todo/{town.todo_url('lihua').rpartition('/')[2]}")
                assert await page.evaluate(MEASURE) == FITS
                assert await page.get_by_label("申诉 #1 维持").count() == 1
                await page.goto(f"http://127.0.0.1:{port}/todo/{town.todo_url('wangwu').rpartition('/')[2]}")
                await page.get_by_text("觉得冤枉").click()
                assert await page.evaluate(MEASURE) == FITS
                assert complaints == []
