"""A bot with a merchant account, over real HTTP on this machine: wechatpy speaks to nothing else."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from bot.server import running
from bot.wiring import Outside, open_bot
from bot.worker import Rules
from handlers import payouts
from handlers.payouts import Order
from rules.book import Book
from rules.budget import amounts
from rules.payouts import words
from simulator import Customer, VirtualClock, World, create_app
from simulator.webview import AGENTS
from store import ledger
from store import payouts as rows
from store.payouts import PayoutRow
from tests.life.conftest import CALLBACK, Life, settings_for
from wecom.limits import Unlimited

DRAW, MONTH = "friday-lucky:2026-11-27T20:00+08:00", "2026-11"
START = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MANAGED = Book.model_validate({"managers": ["李华"]})
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Till(Life):
    """A bot with a merchant account, and 1,000 CNY for one draw."""

    async def fund(self, fen: int = 100_000) -> None:
        async with self.bot.store.write() as tx:
            await ledger.fund(tx, MONTH, fen, now=START)
            await ledger.reserve(tx, "draw:1", fen, month=MONTH, key="reserve", why="抽奖", now=START)

    async def win(self, winner: str, fen: int, openid: str = "") -> None:
        """Somebody's prize is on its way."""
        order = Order(
            draw_id=1,
            draw=DRAW,
            winner_id=None,
            winner=winner,
            purse="draw:1",
            amounts=amounts(fen, "organiser"),
            person=f"wm{winner}",
            openid=openid or f"oWinner{winner}",
            words=words("静安茶铺", "周五拼手气", "感谢您一直在群里"),
        )
        async with self.bot.store.write() as tx:
            await payouts.plan(tx, order, now=self.clock.now())

    async def payouts(self) -> list[PayoutRow]:
        async with self.bot.store.read() as tx:
            return await rows.of_draw(tx, 1)

    async def states(self) -> list[str]:
        return [row.state for row in await self.payouts()]

    async def money(self) -> tuple[int, int, int]:
        """Free in the month, held and paid by the draw."""
        async with self.bot.store.read() as tx:
            assert await ledger.out_of_step(tx) == []
            month = await ledger.month(tx, MONTH)
        return month.free, month.held, month.paid

    def texts(self, userid: str = "lihua") -> list[str]:
        return [each.text for each in self.world.inbox(userid)]


class Phone:
    """Somebody's WeChat: it opens pages, is logged in on the way by whoever asks, and sends their forms."""

    def __init__(self, till: Till, person: Customer, base: str) -> None:
        self._till, self.person, self._base = till, person, base
        transport = httpx2.ASGITransport(app=till.bot.app)
        self._client = httpx2.AsyncClient(transport=transport, headers={"user-agent": AGENTS["wechat"]})
        self.asked_by: list[str] = []

    async def open(self, path: str) -> str:
        """What the page says, tags and all."""
        return await self._follow(await self._client.get(self._url(path)), self._url(path))

    async def press(self, path: str, act: str, *, times: int = 1) -> str:
        """Press the button of the form there, as often as this, and see what the page says then."""
        page = await self.open(path)
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        for _ in range(times):
            answer = await self._client.post(self._url(path), data=form | {"act": act})
        return await self._follow(answer, self._url(path))

    async def _follow(self, answer: httpx2.Response, url: str) -> str:
        for _ in range(10):
            if answer.status_code not in (302, 303):
                return answer.text
            to = httpx2.URL(url).join(answer.headers["location"])
            if to.path == "/connect/oauth2/authorize":
                self.asked_by.append(to.params["appid"])
                to = httpx2.URL(self._till.world.logins.grant(self.person, str(to)))
            url = str(to)
            answer = await self._client.get(url)
        raise AssertionError("it goes round in circles")

    def _url(self, path: str) -> str:
        return path if "://" in path else f"{self._base}{path}"


@asynccontextmanager
async def opened_till(url: str, folder: Path, book: Book = MANAGED, at: datetime = START) -> AsyncIterator[Till]:
    """A manager, an owner with one group, and nobody who opens a packet by themselves."""
    clock = VirtualClock(at)
    world = World(clock=clock, seed=1)
    world.merchant.opens, world.merchant.app_id = 0, world.logins.mp_app_id
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    tokens = (f"token-{n}" for n in count())
    async with running(create_app(world), "127.0.0.1", 0) as port, httpx2.AsyncClient(trust_env=False) as client:
        to_world = f"http://127.0.0.1:{port}"
        pays: dict[str, Any] = {
            "wecom_api_base": to_world,
            "wecom_oauth_base": to_world,
            "mp_api_base": to_world,
            "mp_app_id": world.merchant.app_id,
            "mp_secret": SecretStr(world.logins.mp_secret),
            "wxpay_mch_id": world.merchant.mch_id,
            "wxpay_api_key": SecretStr(world.merchant.api_key),
            "wxpay_api_base": to_world,
            "steward_config": folder / "config.yaml",
        }
        outside = Outside(clock, client, lambda: next(tokens), Unlimited(), loopback_only=True)
        settings = settings_for(world, url).model_copy(update=pays)
        async with (
            open_bot(settings, Rules(book), outside) as bot,
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot.app)) as browser,
        ):
            world.callback_to(CALLBACK, browser)
            till = Till(world, bot, clock, browser)
            world.create_group("会员·静安1群", owner="wangwu", admins=["lihua"])
            await bot.read_roster("start")
            await till.run(MINUTE)
            yield till
