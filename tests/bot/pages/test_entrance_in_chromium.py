"""The entrance in a real browser on a phone, through a real login: it fits, its code can be pressed, nothing leaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from bot import server
from bot.callback import Receive, Scope, Send
from bot.pages.page import FILES, show
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from rules.entrances import Door
from simulator import Customer, Staff, VirtualClock, World, create_app
from simulator.webview import AGENTS, decode
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_guests_in_chromium import FITS
from tests.bot.pages.test_in_chromium import MEASURE, PHONES
from tests.life.conftest import Life, settings_for
from tests.life.doors import SECONDS, Doors, door_book
from wecom.limits import Unlimited


@dataclass
class Street:
    """A shop with doors, on real ports. `url`: of the bot; `phone`: of the simulated WeChat."""

    doors: Doors
    url: str
    phone: str

    async def enters(
        self, browser: Browser, who: Customer | Staff, width: int = 360, height: int = 740
    ) -> BrowserContext:
        """A phone in somebody's hand: WeChat, without JavaScript, that knows who they are."""
        agent = AGENTS["wechat" if isinstance(who, Customer) and who.type == 1 else "wecom"]
        context = await browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=False, user_agent=agent
        )
        await context.add_cookies([{"name": "simulated_person", "value": who.id, "url": self.phone}])
        return context


@asynccontextmanager
async def open_street(database_url: str, book: Book | None = None) -> AsyncIterator[Street]:
    """Both sides on free ports of this machine."""
    clock = VirtualClock()
    world = World(clock=clock)
    tokens = (f"token-{number}" for number in count())
    opened: list[Bot] = []

    async def to_bot(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await opened[0].app(scope, receive, send)

    async with (
        server.running(create_app(world), "127.0.0.1", 0) as port,
        server.running(to_bot, "127.0.0.1", 0) as bot_port,
        httpx2.AsyncClient() as client,
    ):
        world.address, url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{bot_port}"
        more = {"wecom_api_base": world.address, "wecom_oauth_base": world.address, "steward_public_url": url}
        settings = settings_for(world, database_url).model_copy(update=more)
        outside = Outside(
            clock=clock, client=client, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        async with open_bot(settings, Rules(book or door_book()), outside) as bot:
            opened.append(bot)
            world.callback_to(f"{url}/callback", client)
            yield Street(await Doors(Life(world, bot, clock, client)).opens(), url, world.address)


def _note(complaints: list[str], message: ConsoleMessage) -> None:
    complaints.append(message.text)


def _ask(asked: set[str], request: Request) -> None:
    asked.add(request.url)


async def picture_of(page: Page) -> str:
    """What the code on the page says, as the screen shows it."""
    [said] = decode(await page.locator("img.code").screenshot())
    return said


async def test_from_the_poster_into_the_group(sqlite_url: str) -> None:
    """Scan, log in, press the code: they are in; loading again and going back are safe; no other host is asked."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        world, asked = street.doors.world, set[str]()
        for width, height in PHONES:
            person = world.add_customer(f"陈晨{width}")
            context = await street.enters(browser, person, width, height)
            page, complaints = await context.new_page(), list[str]()
            page.on("console", partial(_note, complaints))
            page.on("request", partial(_ask, asked))
            await page.goto(f"{street.url}/e/vip-tea?from=shop-12")
            assert page.url.partition("#")[0] == f"{street.url}/e/vip-tea?from=shop-12"
            assert await page.evaluate(MEASURE) == FITS
            assert await page.locator("img.code").evaluate("image => [image.complete, image.naturalWidth]") == [
                True,
                720,
            ]
            code = await picture_of(page)
            await page.reload()
            assert await picture_of(page) == code
            await page.goto(f"{street.url}/e/vip-tea")
            await page.go_back()
            assert await picture_of(page) == code
            group = world.scan(person, code).group
            assert group is not None
            await street.doors.life.run(60 * SECONDS)
            await page.get_by_text("我进群了").click()
            assert "您已经在群里了" in await page.inner_text("main")
            assert f"「{group.name}」" in await page.inner_text("main")
            assert await page.evaluate(MEASURE) == FITS
            assert complaints == []
            await context.close()
        assert {url.split("/")[2] for url in asked} == {street.url.split("/")[2], street.phone.split("/")[2]}
        assert {url.split("?")[0].removeprefix(street.phone) for url in asked if url.startswith(street.phone)} == {
            "/connect/oauth2/authorize"
        }


async def test_the_page_refreshes_by_itself(sqlite_url: str) -> None:
    """While the code is being made the page says so, without any script; a moment later the code is there."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        person = street.doors.customer()
        street.doors.world.faults.pictures_away = 1.0
        context = await street.enters(browser, person)
        page = await context.new_page()
        await page.goto(f"{street.url}/e/vip-tea")
        assert "正在准备" in await page.inner_text("h1")
        assert await page.evaluate(MEASURE) == FITS
        street.doors.world.faults.stop()
        await page.wait_for_selector("img.code", timeout=15_000)
        assert "r=" in page.url
        await context.close()


async def test_staff_and_strangers_on_a_phone(sqlite_url: str) -> None:
    """The numbers for staff, the notice for another company's WeCom user, and a wrong address: all fit."""
    async with open_street(sqlite_url) as street, chromium() as browser:
        world = street.doors.world
        rival = world.add_rival("孙强", "隔壁茶业")
        for who, words in ((world.staff["wangwu"], "还有专属群"), (rival, "请用微信扫码")):
            for width, height in PHONES:
                context = await street.enters(browser, who, width, height)
                page = await context.new_page()
                await page.goto(f"{street.url}/e/vip-tea")
                assert words in await page.inner_text("body")
                assert await page.evaluate(MEASURE) == FITS
                assert await picture_of(page) == f"{street.url}/e/vip-tea"
                await page.goto(f"{street.url}/e/no-such-door")
                assert "没有这个入口" in await page.inner_text("main")
                assert await page.evaluate(MEASURE) == FITS
                await context.close()


DOORS = {
    "long name": Door(show="code", group_name="VIP·上海静安寺久光百货店绿茶会员专属服务群031", entrance="a"),
    "elsewhere": Door(show="code", group_name="会员1群", entrance="b", shared=True),
    "add_staff": Door(show="add_staff", entrance="a"),
    "preparing": Door(show="preparing", entrance="a"),
    "inside": Door(show="inside", entrance="a"),
    "waiting": Door(show="waiting", place=1234, entrance="a"),
    "full": Door(show="full", entrance="a"),
    "closed": Door(show="closed"),
}


@pytest.mark.parametrize("late", [False, True])
async def test_every_state_fits(late: bool) -> None:
    """Whatever a door shows is readable at 360 px, with names as long as they get."""
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
        page = await context.new_page()
        style = FILES["pages.css"][0].decode()
        for name, door in DOORS.items():
            answer = show(
                "entrance.html",
                door=door,
                title="上海静安寺久光百货店绿茶会员俱乐部" if late else "",
                elsewhere=door.entrance == "b",
                picture="x.png" if door.show in ("code", "add_staff") else "",
                after=3 if door.show not in ("inside", "closed") else 0,
                late=late,
                again="?r=1",
                press="?r=1",
            )
            await page.set_content(bytes(answer.body).decode().replace("</head>", f"<style>{style}</style></head>"))
            assert await page.evaluate(MEASURE) == FITS, name
        await context.close()
