"""Promise 1 with real processes: whatever is killed, and when, what was acknowledged has its effect, once.

`steward serve` runs on the wall clock against a simulator in this process, over real HTTP, on a SQLite file and on
PostgreSQL. It is killed with SIGKILL.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx2
import pytest

from bot import server
from simulator import CallbackSettings, Customer, Faults, ImpossibleError, Limits, World, create_app
from simulator.clock import WallClock
from simulator.server import live
from store.database import Database
from tests.promises.conftest import (
    AES_KEY,
    Held,
    Installation,
    Moment,
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
removal: {wait_for_others: 0秒, next_card_after: 0秒}
"""
PATIENT = CallbackSettings(tries=10_000, retry_after=timedelta(milliseconds=200), retry_non_200=True)
"""A platform that tries until it is answered 200: then nothing is lost, and all has to be there at the end."""


def unruly() -> Faults:
    return Faults(doubled=0.1, reordered=0.1, answer_lost=0.1, reorder_by=timedelta(milliseconds=100))


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

    async def quiet(self, seconds: float = 40) -> None:
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
        names = [each.name for each in self.rivals]
        assert cards_about(self.world, names) == dict.fromkeys(names, 1)
        assert set(deliveries_per_card(self.world).values()) <= {1}


@pytest.fixture
async def shop(db_url: str, tmp_path: Path, seed: int) -> AsyncIterator[Shop]:
    async with open_shop(db_url, tmp_path, seed) as opened:
        yield opened


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


async def test_what_was_acknowledged_before_a_kill_has_its_effect_after_it(shop: Shop) -> None:
    """Callbacks that a web process acknowledged before it was killed have their effects when a worker comes: the roster
    is the platform's, and everybody who has to be asked about is asked about once."""
    await shop.start("web")
    groups = [shop.world.create_group(f"静安{n}群", owner="wangwu").chat_id for n in range(3)]
    for chat_id in groups:
        shop.a_rival_enters(chat_id)
        shop.a_customer_enters(chat_id)
        shop.a_rival_enters(chat_id)
    shop.a_customer_leaves(Random(0))
    await shop.acknowledged()
    await shop.kill()
    assert not shop.world.sent
    await shop.start()
    await shop.quiet()
    shop.everybody_was_asked_about_once()


async def test_killed_at_the_worst_moments_nobody_is_asked_twice(shop: Shop) -> None:
    """Killed while it reads a group, right before the platform has the card, and right after the platform has delivered
    it but before that could be written down: still one card, and the press on it still closes the case."""
    await shop.start()
    chat_id = shop.world.create_group("静安群", owner="wangwu").chat_id
    await shop.quiet()
    shop.held.hold("groupchat/get", "after its effect")
    shop.a_rival_enters(chat_id)
    await shop.held.is_reached()
    moments: tuple[Moment, ...] = ("never arrives", "after its effect")
    for moment in moments:
        await shop.kill()
        shop.held.hold("message/send", moment)
        await shop.start()
        await shop.held.is_reached()
    await shop.kill()
    await shop.start()
    await shop.quiet()
    assert shop.world.mail.duplicates == 1  # the platform knew the second for the first
    shop.everybody_was_asked_about_once()
    [card] = shop.world.inbox("wangwu")
    shop.world.remove(chat_id, shop.rivals[0], by="wangwu")
    shop.world.press("wangwu", card.task_id or "", card.buttons[0].key)
    await shop.quiet()
    assert card.replaced == "已移出"


async def test_killed_at_random_moments_under_load(db_url: str, tmp_path: Path, seed: int) -> None:
    """Killed again and again while callbacks pour in, doubled and out of order and with answers lost, nothing that was
    acknowledged is lost, nobody is asked about twice, and the roster ends up right."""
    async with open_shop(db_url, tmp_path, seed, unruly()) as shop:
        await be_killed(shop, Random(seed), kills=2)


@pytest.mark.soak
@pytest.mark.parametrize("run", range(4))
async def test_killed_at_random_moments_for_a_long_time(db_url: str, tmp_path: Path, seed: int, run: int) -> None:
    """The same many times over, while people also leave and are removed; every card ends up closed."""
    async with open_shop(db_url, tmp_path, seed + run, unruly()) as shop:
        shop.world.staff["wangwu"].does("removes_and_presses", after=timedelta(milliseconds=100))
        await be_killed(shop, Random(seed + run), kills=15, leave=0.3)
        assert not [each for each in shop.world.inbox("wangwu") if each.buttons], "a card still shows its buttons"


async def be_killed(shop: Shop, random: Random, *, kills: int, leave: float = 0) -> None:
    """`leave`: how likely it is, at each step, that a customer leaves. A group that somebody left within two minutes
    of entering, told out of order, takes these two minutes to be believed: too long for the small size."""
    await shop.start()
    groups = [shop.world.create_group(f"静安{n}群", owner="wangwu").chat_id for n in range(4)]
    for kill in range(kills + 1):
        for _ in range(random.randint(10, 20)):
            await asyncio.sleep(random.uniform(0, 0.06))  # the load; the kill comes at a random moment of it
            random.choice((shop.a_rival_enters, shop.a_customer_enters))(random.choice(groups))
            if shop.customers and random.random() < leave:
                shop.a_customer_leaves(random)
        if kill < kills:
            await shop.kill()
            await shop.start()
    await shop.quiet(300 if leave else 40)
    shop.everybody_was_asked_about_once()
    assert not shop.world.undelivered
