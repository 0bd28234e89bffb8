"""`steward serve`: the worker and the web on real time. What reads the wall clock or makes randomness is here.

The worker claims one row after the other and works a few at once. It is woken when a callback is committed or a row is
finished, through Redis by other processes too, and looks by itself every half second: so another process's rows are
begun within milliseconds, or within a second where there is no Redis.
"""

import asyncio
import gc
import secrets
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Literal, TypeVar

import httpx2
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from loguru import logger

from bot.clocks import SystemClock
from bot.config import reload
from bot.config.needs import given
from bot.config.reload import Reloader
from bot.prune import prune
from bot.server import run_server
from bot.settings import Settings
from bot.shortcut import shortcut
from bot.together.shared import Shared, share
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules, Worker
from rules.book import Book
from store.database import StoreUnavailable
from wecom.transport import mounts

Role = Literal["all", "web", "worker"]
Claimed = TypeVar("Claimed")

LOOK_EVERY = 0.5  # seconds
EVENTS_AT_ONCE = 8
DEEDS_AT_ONCE = 4
GREETINGS_AT_ONCE = 4
WORK, CONFIG = "work", "config"  # the bells
STOP_WITHIN = 10.0  # seconds; what is not finished then is left to its lease


def _new_token() -> str:
    return secrets.token_hex(8)


async def serve(settings: Settings, *, host: str, port: int | None, role: Role) -> None:
    """Run until SIGTERM or SIGINT; `port` None: without HTTP. Raises ConfigError, StoreUnavailable or ServerError where
    it cannot start.
    """
    clock = SystemClock()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    wakes = Wakes()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx2.AsyncClient(mounts=mounts(settings.wecom_api_base)))
        shared = await stack.enter_async_context(share(settings, clock, _new_token))
        outside = Outside(
            clock=clock,
            client=client,
            new_token=_new_token,
            limiter=shared.limiter,
            tokens=shared.tokens,
            checks=shared.checks,
        )
        rules = Rules(Book())

        def wake() -> None:
            wakes.events.now()
            shared.ring(WORK)

        bot = await stack.enter_async_context(open_bot(settings, rules, outside, wake=wake))
        reloader = Reloader(
            settings.steward_config,
            rules,
            bot.store,
            bot.metrics,
            there=given(settings),
            activated=lambda: shared.ring(CONFIG),
        )
        await reloader.start(clock.now())
        # What was made so far stays: looking through it for garbage again and again would take a tenth of the time.
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        async with asyncio.TaskGroup() as tasks:
            if role != "web":
                tasks.create_task(work(bot.worker, wakes, stop))
            tasks.create_task(_keep_time(bot, wakes.events, shared, stop, works=role != "web"))
            notices = Wake()
            tasks.create_task(_look_at_config(bot, reloader, notices, stop))
            if shared.bells is not None:
                heard = {WORK: wakes.everybody, CONFIG: lambda: _hurry(reloader, notices)}
                tasks.create_task(shared.bells.listen(heard, stop))
            if port is None:
                logger.info("working; no HTTP: give --port for health and metrics")
            else:
                tasks.create_task(run_server(bot.app, host, port, stop, shortcut(bot.callback)))


class Wake:
    """Wakes everybody who waits for work, and remembers it for those who are about to wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def now(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return when woken, or after this long."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


@dataclass(frozen=True)
class Wakes:
    """One for each of those who wait for work. `welcomes` are events, `greetings` the deeds that follow from them."""

    events: Wake = field(default_factory=Wake)
    deeds: Wake = field(default_factory=Wake)
    welcomes: Wake = field(default_factory=Wake)
    greetings: Wake = field(default_factory=Wake)

    def everybody(self) -> None:
        """Another process has written something down."""
        for wake in (self.welcomes, self.events, self.greetings, self.deeds):
            wake.now()


async def work(worker: Worker, wakes: Wakes, stop: asyncio.Event) -> None:
    """Work on events and deeds until `stop`; then let what was begun come to its end."""
    deeds, greetings = wakes.deeds, wakes.greetings

    def event_done() -> None:
        wakes.events.now()  # for the next of its key
        deeds.now()
        greetings.now()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep(worker.claim_events, worker.handle, EVENTS_AT_ONCE, wakes.events, event_done, stop))
        tasks.create_task(_keep(worker.claim_deeds, worker.act, DEEDS_AT_ONCE, deeds, deeds.now, stop))
        # Room of their own: a welcome code lives 20 seconds, and a slow platform can fill all other places for longer.
        tasks.create_task(
            _keep(worker.claim_welcome_events, worker.handle, GREETINGS_AT_ONCE, wakes.welcomes, event_done, stop)
        )
        tasks.create_task(
            _keep(worker.claim_welcome_deeds, worker.act, GREETINGS_AT_ONCE, greetings, greetings.now, stop)
        )


async def _keep(
    claim: Callable[[int], Awaitable[list[Claimed]]],
    work_on: Callable[[Claimed], Coroutine[Any, Any, None]],
    at_once: int,
    wake: Wake,
    done: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    """Claim and work, at most `at_once` at a time. `done` is called after each, and wakes this one too.

    A database that is away is asked again, not given up.
    """
    begun: set[asyncio.Task[None]] = set()

    def finished(task: asyncio.Task[None]) -> None:
        begun.discard(task)
        done()

    while not stop.is_set():
        room = at_once - len(begun)
        claimed: list[Claimed] = []
        try:
            if room:
                claimed = await claim(room)
        except StoreUnavailable as error:
            logger.error("the database is not available: {}", error)
        except Exception:  # noqa: BLE001 - a worker that ends is worse than one that complains twice a second
            logger.exception("claiming failed")
        for each in claimed:
            task = asyncio.create_task(work_on(each))
            begun.add(task)
            task.add_done_callback(finished)
        if len(claimed) < room or not room:
            await wake.wait(LOOK_EVERY)
    if begun:
        await asyncio.wait(begun, timeout=STOP_WITHIN)


async def _look_at_config(bot: Bot, reloader: Reloader, notices: Wake, stop: asyncio.Event) -> None:
    """Once a second, and when another process tells that it has put a configuration in force."""
    while not stop.is_set():
        await notices.wait(reload.LOOK_EVERY)
        await _unless_store_is_away(lambda: reloader.look(bot.clock.now()))


def _hurry(reloader: Reloader, notices: Wake) -> None:
    reloader.hurry()
    notices.now()


async def _keep_time(bot: Bot, wake: Wake, shared: Shared, stop: asyncio.Event, *, works: bool) -> None:
    """The clock. It measures; where this process `works`, it raises what is due, has the roster read at start, and
    forgets what is old.
    """

    async def sweep() -> None:
        raised = await _unless_store_is_away(bot.worker.sweep)
        if raised is not None:
            bot.pulse.beat(bot.clock.now())
        if raised:
            wake.now()

    async def read_at_start() -> None:
        await bot.read_roster(f"start:{bot.clock.now():%Y-%m-%dT%H:%M}")  # once for processes that start together
        wake.now()

    async def measure() -> None:
        bot.metrics.redis(up=shared.link is None or shared.link.up)
        await _unless_store_is_away(bot.measure)

    async def forget() -> None:
        await _unless_store_is_away(lambda: prune(bot.store, bot.clock.now()))

    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(measure, "interval", seconds=10)
    if works:
        bot.pulse.beat(bot.clock.now())
        await _unless_store_is_away(read_at_start)
        scheduler.add_job(sweep, "interval", seconds=LOOK_EVERY)
        scheduler.add_job(forget, "cron", hour=19, minute=40)  # 03:40 in Beijing
    scheduler.start()
    await stop.wait()
    scheduler.shutdown(wait=False)
    await measure()


Answer = TypeVar("Answer")


async def _unless_store_is_away(do: Callable[[], Awaitable[Answer]]) -> Answer | None:
    try:
        return await do()
    except StoreUnavailable as error:
        logger.error("the database is not available: {}", error)
        return None
