"""A whole bot and a whole WeCom in one process, on virtual time: HTTP through ASGI, nothing real, nothing random."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.callback import AsgiApp, Receive, Scope, Send
from bot.settings import Settings
from bot.step import settle
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from simulator import Faults, VirtualClock, World, create_app
from wecom.limits import Unlimited

CALLBACK = "http://bot/callback"
WEBHOOK_SECRET = "what-the-company-and-the-bot-share"
INGEST_SECRET = "what-the-message-source-and-the-bot-share"
ROBOT = "127.0.0.1:8443"
"""Where the company's own program answers, if it has one."""


@dataclass
class Life:
    """One bot, one world, one clock; `browser` opens the bot's pages."""

    world: World
    bot: Bot
    clock: VirtualClock
    browser: httpx2.AsyncClient

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What happens within is before the bot's time: no callback tells of it."""
        self.world.callback_to(None, None)
        yield
        self.world.callback_to(CALLBACK, self.browser)

    async def settle(self) -> None:
        """Everything that is due now, in the world and in the bot, until neither has anything to do."""
        await self.world.run_due()
        await settle(self.bot.worker)
        while await self.world.run_due():
            await settle(self.bot.worker)

    async def run(self, span: timedelta) -> None:
        """Let time pass, moment by moment."""
        end = self.clock.now() + span
        await self.settle()
        while True:
            moments = [at for at in (self.world.next_due(), await self.bot.worker.next_due()) if at is not None]
            at = min(moments, default=None)
            if at is None or at > end:
                break
            self.clock.set(max(at, self.clock.now()))
            await self.settle()
        self.clock.set(end)

    async def stride(self, span: timedelta, stops: int) -> None:
        """A long time passes in so many strides: what was due on the way is done at the end of each."""
        for _ in range(stops):
            self.clock.advance(span / stops - timedelta(minutes=2))
            await self.run(timedelta(minutes=2))


def settings_for(world: World, database_url: str) -> Settings:
    return Settings.explicit(
        wecom_corp_id=world.corp_id,
        wecom_agent_id=world.agent_id,
        wecom_secret=world.secret,
        wecom_callback_token=world.courier._crypto.token,
        wecom_callback_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        wecom_api_base="http://127.0.0.1",
        steward_public_url="http://127.0.0.1",
        steward_secret_key="a-key-for-tests-only",
        steward_webhook_secret=WEBHOOK_SECRET,
        steward_ingest_secret=INGEST_SECRET,
        database_url=database_url,
    )


@asynccontextmanager
async def living(
    world: World,
    clock: VirtualClock,
    book: Book,
    database_url: str,
    robot: AsgiApp | None = None,
    folder: Path = Path(),
) -> AsyncIterator[Life]:
    """Open a bot beside the world and introduce them to each other. `folder`: where its config lies."""
    tokens = (f"token-{n}" for n in count())
    apps: dict[str, AsgiApp | None] = {"127.0.0.1": create_app(world), ROBOT: robot}

    async def outside_app(scope: Scope, receive: Receive, send: Send) -> None:
        app = apps[dict(scope["headers"])[b"host"].decode()]
        if app is None:
            raise httpx2.ConnectError("nothing listens there")
        await app(scope, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=outside_app)) as to_world:
        outside = Outside(
            clock=clock, client=to_world, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        async with (
            open_bot(
                settings_for(world, database_url).model_copy(update={"steward_config": folder / "config.yaml"}),
                Rules(book),
                outside,
            ) as bot,
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot.app)) as to_bot,
        ):
            world.callback_to(CALLBACK, to_bot)
            world.web.make_client = lambda: httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot.app))
            yield Life(world, bot, clock, to_bot)


StartLife = Callable[..., AbstractAsyncContextManager[Life]]


@pytest.fixture
def start_life(sqlite_url: str) -> StartLife:
    """`async with start_life(book, faults=…) as life`: a new world and a new bot. `at`: when it begins (UTC)."""

    def start(
        book: Book,
        faults: Faults | None = None,
        seed: int = 1,
        at: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        robot: AsgiApp | None = None,
        folder: Path = Path(),
    ) -> AbstractAsyncContextManager[Life]:
        clock = VirtualClock(at)
        world = World(clock=clock, seed=seed, faults=faults)
        return living(world, clock, book, sqlite_url, robot, folder)

    return start


@pytest.fixture
def open_shop(start_life: StartLife) -> Any:
    """`async with open_shop(book()) as shop`: a shop whose roster the bot has read."""
    from tests.life.shop import Shop

    @asynccontextmanager
    async def opened(settings: Book, **more: Any) -> AsyncIterator[Shop]:
        async with start_life(settings, **more) as life:
            shop = Shop(life)
            await life.bot.read_roster("start")
            await life.run(timedelta(seconds=10))
            yield shop

    return opened


@pytest.fixture
def open_office(start_life: StartLife) -> Any:
    """`async with open_office(calendar(…), owners=2, groups=2) as office`: groups that the bot has read."""
    from tests.life.office import MONDAY, Office, open_office_of

    @asynccontextmanager
    async def opened(settings: Book, *, owners: int = 1, groups: int = 2, **more: Any) -> AsyncIterator[Office]:
        async with start_life(settings, **{"at": MONDAY, **more}) as life:
            office = open_office_of(life, owners, groups)
            await life.bot.read_roster("start")
            await life.run(timedelta(seconds=10))
            yield office

    return opened


@pytest.fixture
def open_course(start_life: StartLife) -> Any:
    """`async with open_course(course()) as it`: a check-in under way, at 10:00 on a Monday in Beijing."""
    from tests.life.course import Course

    @asynccontextmanager
    async def opened(settings: Book, *, rooms: int = 1, **more: Any) -> AsyncIterator[Course]:
        async with start_life(settings, **{"at": datetime(2026, 11, 23, 2, 0, tzinfo=UTC), **more}) as life:
            it = Course(life, rooms=rooms)
            await life.bot.read_roster("start")
            await life.run(timedelta(seconds=10))
            yield it

    return opened
