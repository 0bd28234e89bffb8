"""A bot that has only a page that tells who is there, beside a world with WeChat's and WeCom's OAuth; and phones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bot.links import Links
from bot.pages.lockout import Lockout
from bot.pages.login import login_pages
from bot.pages.page import Desk
from bot.pages.throttle import Throttle
from bot.pages.visitor import Front, turned_away, who_is_there
from bot.worker import Rules
from rules.book import Book
from simulator import Customer, Staff, VirtualClock, World, create_app
from simulator.webview import AGENTS
from store import identities
from store.database import Database
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.mp import Mp
from wecom.tokens import MemoryTokens

BOT, CAMPAIGN, WECHAT = "http://bot.test", "http://draw.test", "http://open.test"
MINUTES, DAYS = timedelta(minutes=1), timedelta(days=1)


@dataclass
class Phone:
    """Somebody's browser: it goes wherever it is sent. `trail`: every address of ours that it was at."""

    world: World
    person: Customer | Staff
    client: httpx2.AsyncClient
    agent: str
    trail: list[str] = field(default_factory=list)

    async def open(self, path: str, **headers: str) -> httpx2.Response:
        return await self.go(f"{BOT}{path}", **headers)

    async def go(self, url: str, **headers: str) -> httpx2.Response:
        """Follow redirects, and be asked who this is on the way."""
        for _ in range(9):
            if url.startswith(WECHAT):
                url = self.world.logins.grant(self.person, url)
            self.trail.append(url)
            answer = await self.once(url, **headers)
            if answer.status_code != 302:
                return answer
            url = answer.headers["location"]
        raise AssertionError(f"round and round: {self.trail}")

    async def once(self, url: str, **headers: str) -> httpx2.Response:
        return await self.client.get(url, headers={"user-agent": AGENTS[self.agent], **headers})

    async def who(self, path: str = "/who") -> dict[str, object]:
        answer = await self.open(path)
        assert answer.status_code == 200, answer.text
        said: dict[str, object] = answer.json()
        return said


@dataclass
class House:
    """A bot that has only a page that tells who is there, beside a world. `mp`: with a 公众号."""

    world: World
    clock: VirtualClock
    store: Database
    app: FastAPI
    front: Front

    def phone(self, person: Customer | Staff, agent: str = "wechat") -> Phone:
        transport = httpx2.ASGITransport(app=self.app)
        return Phone(self.world, person, httpx2.AsyncClient(transport=transport, base_url=BOT), agent)

    async def external_of(self, visitor_id: object) -> str | None:
        assert isinstance(visitor_id, int)
        async with self.store.read() as tx:
            return await identities.external_of(tx, visitor_id)


def _build(world: World, clock: VirtualClock, store: Database, to_world: httpx2.AsyncClient, mp: Mp | None) -> House:
    tokens = (f"token{n:012}" for n in count())
    front = Front(
        desk=Desk(
            store=store,
            rules=Rules(Book()),
            links=Links(BOT, "a-key-for-tests-only", clock),
            clock=clock,
            wake=lambda: None,
            guests=Throttle(clock, per_minute=60),
            strangers=Throttle(clock, per_minute=30),
        ),
        wecom=Gateway(
            to_world,
            base="http://127.0.0.1",
            corp_id=world.corp_id,
            secret=world.secret,
            agent_id=world.agent_id,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        ),
        corp_id=world.corp_id,
        agent_id=world.agent_id,
        oauth_base=WECHAT,
        mp=mp,
        logins=Throttle(clock, per_minute=40),
        lost=Lockout(clock, most=60, span=timedelta(minutes=10)),
        new_token=lambda: next(tokens),
        campaign_url=CAMPAIGN,
    )
    app = FastAPI()
    app.include_router(login_pages(front))

    @app.get("/who")
    @app.get("/who/{name}")
    async def tell(request: Request) -> Response:
        who = await who_is_there(front, request)
        if isinstance(who, Response):
            return who
        if who.kind in ("outside", "other_company"):
            return turned_away(front, who, "/code.png")
        at = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return JSONResponse({"kind": who.kind, "visitor": who.visitor_id, "userid": who.userid, "at": at})

    @app.get("/d/{name}")
    async def tell_campaign(request: Request) -> Response:
        who = await who_is_there(front, request, campaign=True)
        if isinstance(who, Response):
            return who
        said = {"kind": who.kind, "visitor": who.visitor_id, "userid": who.userid, "host": request.url.netloc}
        return JSONResponse(said)

    return House(world, clock, store, app, front)


@asynccontextmanager
async def open_house(store: Database, *, mp: bool) -> AsyncIterator[House]:
    """`mp`: the brand has a 公众号."""
    clock = VirtualClock()
    world = World(clock=clock, seed=5)
    world.add_staff("wangwu", "王五")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as to_world:
        own = Mp(to_world, "http://127.0.0.1", world.logins.mp_app_id, world.logins.mp_secret) if mp else None
        yield _build(world, clock, store, to_world, own)
