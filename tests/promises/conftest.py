"""What the tests of the promises share: several bots beside one world, and `steward serve` as a process of its own."""

import asyncio
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from sqlmodel import SQLModel, col, select

from bot.callback import AsgiApp, Message, Receive, Scope, Send
from bot.registry import SWEEPS
from bot.settings import Settings
from bot.step import settle
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from simulator import VirtualClock, World, create_app
from store import queue, removal, roster
from store.database import Database, Tx
from store.inbox import Inbox
from store.outbox import Outbox
from wecom.limits import Unlimited

ROOT = Path(__file__).parents[2]
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BOOK = Book.model_validate({"managers": ["李华"], "rules": [{"rule": "other_company"}]})

# --- what is compared: the platform's truth, and what the bot believes ------------------------------------------------


def truth(world: World) -> dict[str, frozenset[str]]:
    """Who is in each group, by chat_id."""
    return {chat_id: group.now().external_ids for chat_id, group in world.groups.items() if not group.dismissed}


async def believed(tx: Tx) -> dict[str, frozenset[str]]:
    """The same, as the bot has it."""
    return {group.chat_id: frozenset(await roster.present(tx, group.chat_id)) for group in await roster.groups(tx)}


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    async with database.read() as tx:
        connection = await tx.connection()
        return {
            table.name: sorted((tuple(row) for row in await connection.execute(table.select())), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }


def cards_about(world: World, names: Sequence[str]) -> Counter[str]:
    """How many cards that reached somebody name each of these people, who have one case each."""
    cards = [each.text for each in world.sent if each.kind == "card"]
    return Counter({name: sum(name in text for text in cards) for name in names})


def deliveries_per_card(world: World) -> Counter[tuple[str, str | None]]:
    """How often each card reached each person."""
    return Counter((each.userid, each.task_id) for each in world.sent if each.kind == "card")


# --- a call that hangs ------------------------------------------------------------------------------------------------

Moment = Literal["before its effect", "after its effect", "never arrives"]


@dataclass
class Held:
    """Stands in front of the simulator's API and holds one call until let go, before or after it has its effect; one
    that never arrives has none at all."""

    app: AsgiApp
    endpoint: str = ""
    moment: Moment = "before its effect"
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, endpoint: str, moment: Moment) -> None:
        """The next call of this endpoint is held."""
        self.endpoint, self.moment = endpoint, moment
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def is_reached(self) -> None:
        """Wait until the call is held."""
        await asyncio.wait_for(self.reached.wait(), 30)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.endpoint or not scope["path"].endswith(self.endpoint):
            await self.app(scope, receive, send)
            return
        self.endpoint = ""
        if self.moment != "after its effect":
            await self._wait()
        if self.moment == "never arrives":
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)
        if self.moment == "after its effect":
            await self._wait()
        for message in answer:
            await send(message)

    async def _wait(self) -> None:
        self.reached.set()
        let_go = self.let_go
        await let_go.wait()


# --- several bots on virtual time -------------------------------------------------------------------------------------


class Everywhere(httpx2.AsyncBaseTransport):
    """Hands every request to each of `apps`, `times` times, all at once: a callback that is delivered to everybody.

    The answer is the worst that was given.
    """

    def __init__(self, apps: Sequence[httpx2.ASGITransport], times: int) -> None:
        self.apps, self.times = apps, times
        self.answers: Counter[int] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        copies = [
            (app, httpx2.Request(request.method, request.url, headers=request.headers, content=content))
            for app in self.apps
            for _ in range(self.times)
        ]
        answers = await asyncio.gather(*(app.handle_async_request(copy) for app, copy in copies))
        self.answers.update(answer.status_code for answer in answers)
        return max(answers, key=lambda answer: answer.status_code)


@dataclass
class Street:
    """One world, one clock, and any number of bots on one database."""

    world: World
    clock: VirtualClock
    bots: list[Bot]
    callbacks: Everywhere
    to_bots: httpx2.AsyncClient
    held: Held

    async def settle(self) -> None:
        """Everything that is due now, in the world and in all bots at once, until nobody has anything to do."""
        while await self.world.run_due() + sum(await asyncio.gather(*(settle(bot.worker) for bot in self.bots))):
            pass

    async def run(self, span: timedelta) -> None:
        """Let time pass, moment by moment."""
        end = self.clock.now() + span
        await self.settle()
        while True:
            moments = [at for at in (self.world.next_due(), await self.bots[0].worker.next_due()) if at is not None]
            at = min(moments, default=None)
            if at is None or at > end:
                break
            self.clock.set(max(at, self.clock.now()))
            await self.settle()
        self.clock.set(end)

    async def post(self, xml: str) -> httpx2.Response:
        """Deliver this XML by hand, signed and sealed now."""
        query, body = self.world.courier.sealed(xml, self.clock.now())
        return await self.to_bots.post("http://bot/callback", params=query, content=body.encode())

    async def believed(self) -> dict[str, frozenset[str]]:
        async with self.bots[0].store.read() as tx:
            return await believed(tx)

    async def cases(self) -> list[removal.CaseRow]:
        """All cases that are open."""
        async with self.bots[0].store.read() as tx:
            return await removal.open_cases(tx)


def settings_for(world: World, database_url: str, **more: object) -> Settings:
    values: dict[str, object] = {
        "wecom_corp_id": world.corp_id,
        "wecom_agent_id": world.agent_id,
        "wecom_secret": world.secret,
        "wecom_callback_token": "simulatedtoken",
        "wecom_callback_aes_key": AES_KEY,
        "wecom_api_base": "http://127.0.0.1",
        "steward_public_url": "http://127.0.0.1",
        "steward_secret_key": "a-key-for-tests-only",
        "database_url": database_url,
    }
    return Settings.explicit(**values | more)


@asynccontextmanager
async def street(
    world: World,
    clock: VirtualClock,
    database_url: str,
    *,
    book: Book = BOOK,
    bots: int = 1,
    times: int = 1,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Street]:
    """`bots` bots on one database beside `world`; every callback goes to each of them, `times` times at once."""
    tokens = (f"token-{n}" for n in count())
    async with AsyncExitStack() as stack:
        held = Held(create_app(world))
        to_world = await stack.enter_async_context(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=held)))
        outside = Outside(
            clock=clock, client=to_world, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        ours = settings_for(world, database_url, **settings or {})
        together = [await stack.enter_async_context(open_bot(ours, Rules(book), outside)) for _ in range(bots)]
        everywhere = Everywhere([httpx2.ASGITransport(app=bot.app) for bot in together], times)
        to_bots = await stack.enter_async_context(httpx2.AsyncClient(transport=everywhere))
        world.callback_to("http://bot/callback", to_bots)
        yield Street(world, clock, together, everywhere, to_bots, held)


# --- `steward serve` as a process -------------------------------------------------------------------------------------


async def eventually(
    what: str,
    ready: Callable[[], Awaitable[bool]],
    seconds: float = 30.0,
    otherwise: Callable[[], Awaitable[str]] | None = None,
) -> None:
    """Wait for another process, in a loop that has the simulator to run meanwhile. Fails after so many seconds.

    `otherwise` says how things stand then.
    """
    try:
        async with asyncio.timeout(seconds):
            while not await ready():  # noqa: ASYNC110  # another process sets no Event of ours
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"waited {seconds} s in vain: {what}{await otherwise() if otherwise else ''}")


LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


@dataclass
class Serving:
    """A running `steward serve`."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def kill(self) -> None:
        """kill -9, without a word of warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def said(self) -> str:
        return self.log.read_text()


@dataclass
class Installation:
    """One installation of the bot: a folder, its settings, a database. It is started, killed, and started again.

    Its processes die with the test, whatever happens to the test.
    """

    folder: Path
    world: World
    database_url: str
    api_base: str
    config: str
    redis_url: str = ""
    started: list[Serving] = field(default_factory=list)

    async def start(self, role: str = "all") -> Serving:
        """Start `steward serve` and wait until it listens."""
        (self.folder / "config.yaml").write_text(self.config)
        log = self.folder / f"log-{len(self.started) + 1}"
        wrapper = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []
        command = [*wrapper, sys.executable, "-m", "bot.cli", "serve", "--role", role, "--port", "0"]
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: ASYNC220  # takes a moment, and the asyncio one needs a child watcher
                command, cwd=self.folder, env=self.environment(), stdout=out, stderr=out
            )
        serving = Serving(process, log)
        self.started.append(serving)

        async def is_up() -> bool:
            assert not serving.ended(), f"it ended by itself: {serving.said()[-3000:]}"
            found = LISTENING.search(serving.said())
            serving.url = found[1] if found else ""
            return bool(found)

        await eventually("steward serve is up", is_up, 90)
        return serving

    def environment(self) -> dict[str, str]:
        """All it gets to see: its settings and nothing of ours."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "WECOM_CORP_ID": self.world.corp_id,
            "WECOM_AGENT_ID": str(self.world.agent_id),
            "WECOM_SECRET": self.world.secret,
            "WECOM_CALLBACK_TOKEN": "simulatedtoken",
            "WECOM_CALLBACK_AES_KEY": AES_KEY,
            "WECOM_API_BASE": self.api_base,
            "STEWARD_PUBLIC_URL": "http://127.0.0.1",
            "STEWARD_SECRET_KEY": "a-key-for-tests-only",
            "STEWARD_PORT": "0",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }

    async def forget_leases(self, database: Database) -> None:
        """After a kill -9: what the dead process held is free, as it will be in half a minute by itself."""
        async with database.write() as tx:
            for table in (Inbox, Outbox):
                await (await tx.connection()).exec_driver_sql(
                    f"UPDATE {table.__tablename__} SET leased_until = NULL WHERE state = 'open'"  # noqa: S608
                )

    def stop(self) -> None:
        for serving in self.started:
            if not serving.ended():
                serving.kill()

    def said(self) -> str:
        """All that its processes have logged."""
        return "\n".join(serving.said() for serving in self.started)


async def all_done(database: Database, now: datetime) -> bool:
    """Nothing waits to be worked on, and no timer is about to raise anything."""
    async with database.read() as tx:
        open_rows = [each for table in (Inbox, Outbox) for each in await queue.counts(tx, table)]
        timers = [await sweep.next_due(tx) for sweep in SWEEPS]
    about_to = now + timedelta(seconds=3)
    return not any(each.state == "open" for each in open_rows) and not any(at and at < about_to for at in timers)


async def what_is_open(database: Database) -> str:
    """For a test that fails: the rows that are not done."""
    lines = []
    async with database.read() as tx:
        for table in (Inbox, Outbox):
            rows = (await tx.exec(select(table).where(col(table.state).in_(["open", "dead"])))).all()
            lines += [f"{table.__tablename__} {row.model_dump(exclude={'digest'})}" for row in rows]
    return "\n".join(lines)


def a_corp(seed: int) -> str:
    """A corp id of this test's own: a callback that finds its way to another test's bot is refused there."""
    return "ww" + hashlib.sha256(f"{seed}|{os.getpid()}|{random.random()}".encode()).hexdigest()[:16]
