"""A shop on the wall clock: a simulated WeCom in this process, and `steward serve` as a process of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx2

from bot import server
from simulator import CallbackSettings, Customer, Faults, ImpossibleError, Limits, World, create_app
from simulator.clock import WallClock
from simulator.server import live
from store.database import Database
from tests.promises.conftest import (
    AES_KEY,
    Held,
    Installation,
    a_corp,
    all_done,
    believed,
    cards_about,
    deliveries_per_card,
    eventually,
    truth,
    what_is_open,
)

AT_ONCE = """
managers: [李华]
rules:
  - rule: other_company
removal: {wait_for_others: 0秒, next_card_after: 0秒, most_cards_at_once: 1000, most_cards_a_day: 1000}
"""
PATIENT = CallbackSettings(tries=10_000, retry_after=timedelta(milliseconds=200), retry_non_200=True)
"""A platform that tries until it is answered 200: then nothing is lost, and all has to be there at the end."""


@dataclass
class Shop:
    """A world on the wall clock with a few groups, and a bot that is installed beside it."""

    world: World
    held: Held
    bot: Installation
    database: Database
    client: httpx2.AsyncClient
    rivals: list[Customer] = field(default_factory=list)
    customers: list[tuple[str, Customer]] = field(default_factory=list)

    async def start(self, role: str = "all") -> None:
        serving = await self.bot.start(role)
        self.world.callback_to(f"{serving.url}/callback", self.client)

    async def kill(self) -> None:
        """kill -9; half a minute later the leases that it held are over."""
        self.bot.started[-1].kill()
        self.held.let_go.set()
        await self.bot.forget_leases(self.database)

    def a_rival_enters(self, chat_id: str) -> None:
        rival = self.world.add_rival(f"对手{len(self.rivals):03}", "对手公司")
        self.rivals.append(rival)
        self.world.join(chat_id, rival)

    def a_customer_enters(self, chat_id: str) -> None:
        customer = self.world.add_customer(f"顾客{len(self.customers):03}")
        self.customers.append((chat_id, customer))
        self.world.join(chat_id, customer)

    def a_customer_leaves(self, random: Random) -> None:
        chat_id, customer = random.choice(self.customers)
        with contextlib.suppress(ImpossibleError):  # has left before
            self.world.leave(chat_id, customer)

    async def acknowledged(self) -> None:
        """Wait until every callback was answered 200."""

        async def are_all() -> bool:
            return self.world.next_due() is None and {o.callback.number for o in self.world.courier.outcomes} == {
                each.number for each in self.world.acknowledged
            }

        await eventually("all callbacks are acknowledged", are_all)

    async def quiet(self, seconds: float = 90) -> None:
        """Wait until the bot has nothing left to do and its roster is the platform's; twice, to be sure."""

        async def is_quiet() -> bool:
            if self.world.next_due() is not None or not await all_done(self.database, self.world.clock.now()):
                return False
            async with self.database.read() as tx:
                return await believed(tx) == truth(self.world)

        async def otherwise() -> str:
            async with self.database.read() as tx:
                ours = await believed(tx)
            differs = {chat_id: ours.get(chat_id, frozenset()) ^ there for chat_id, there in truth(self.world).items()}
            return f"\n{differs}\n{await what_is_open(self.database)}\n{self.bot.said()[-6000:]}"

        await eventually("the bot is done and its roster right", is_quiet, seconds, otherwise)

    def everybody_was_asked_about_once(self) -> None:
        cards = cards_about(self.world, [each.name for each in self.rivals])
        assert {name: how_many for name, how_many in cards.items() if how_many != 1} == {}, self.bot.said()
        assert set(deliveries_per_card(self.world).values()) <= {1}


@asynccontextmanager
async def open_shop(db_url: str, folder: Path, seed: int, faults: Faults | None = None) -> AsyncIterator[Shop]:
    world = World(
        clock=WallClock(),
        seed=seed,
        faults=faults,
        corp_id=a_corp(seed),
        aes_key=AES_KEY,
        limits=Limits.none(),
        callbacks=PATIENT,
    )
    held = Held(create_app(world))
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    database = await Database.open(db_url)
    async with (
        server.running(held, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        living = asyncio.create_task(live(world))
        installation = Installation(folder, world, db_url, f"http://127.0.0.1:{port}", AT_ONCE)
        try:
            yield Shop(world, held, installation, database, client)
        finally:
            held.let_go.set()
            installation.stop()
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
            await database.close()
