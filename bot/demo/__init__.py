"""`steward demo`: a morning in a shop, played for real. A simulated WeCom and a whole bot, on two loopback ports,
talk HTTP with real signatures and encryption; the clock is virtual, so a morning takes seconds.

It reads no `.env` and no environment, writes to a temporary folder only, and its gateway refuses any address but
loopback.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from bot import server
from bot.callback import Receive, Scope, Send
from bot.config.read import read_config
from bot.demo.doors import are_there, doors, kept_at_the_doors, prepare, with_a_small_pool
from bot.demo.draw import draw_soon, is_drawn, kept_in_the_draw, the_draw
from bot.demo.morning import check_promises, morning
from bot.demo.stage import OPENS_AT, Kept, Pause, Stage
from bot.demo.week import is_there, kept_in_seven_days, seven_days
from bot.settings import Settings
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from simulator import Faults, VirtualClock, World, create_app
from wecom.limits import Unlimited

__all__ = ["Kept", "play"]

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


async def play(console: Console, config: Path, folder: Path, *, pause: Pause, stay: bool, seed: int) -> list[Kept]:
    """Play the morning. Returns the promises and whether each was kept. With `stay`, goes on until interrupted."""
    book = draw_soon(with_a_small_pool(read_config(config, Book)))
    async with _stage(console, book, folder, pause, seed) as stage:
        console.print(
            f"群管家演示：模拟的企业微信在 {stage.phone}（可以扮演任何人：{stage.phone}/phone），从早上九点开始。"
        )
        await morning(stage, also=prepare if are_there(book) else None)
        if are_there(book):
            await doors(stage)
        kept = await check_promises(stage)
        if are_there(book):
            kept += kept_at_the_doors(stage)
        if are_there(book) and is_there(book):
            await seven_days(stage)
            kept += await kept_in_seven_days(stage)
            if is_drawn(book):
                await the_draw(stage)
                kept.append(await kept_in_the_draw(stage))
        console.print(_table(kept))
        if stay:
            await _stay(stage)
        return kept


@asynccontextmanager
async def _stage(console: Console, book: Book, folder: Path, pause: Pause, seed: int) -> AsyncIterator[Stage]:
    clock = VirtualClock(OPENS_AT)
    # Some answers of the bot get lost on their way: the platform tries again, and nothing may happen twice.
    world = World(clock=clock, seed=seed, aes_key=AES_KEY, faults=Faults(doubled=0.3, answer_lost=0.3))
    tokens = (f"demo-{n}" for n in count())
    opened: list[Bot] = []

    async def to_bot(scope: Scope, receive: Receive, send: Send) -> None:
        """The bot's port has to be known before there is a bot: its links are written with it."""
        if scope["type"] == "http":
            await opened[0].app(scope, receive, send)

    async with (
        server.running(create_app(world), "127.0.0.1", 0) as port,
        server.running(to_bot, "127.0.0.1", 0) as bot_port,
        httpx2.AsyncClient() as client,
    ):
        phone = f"http://127.0.0.1:{port}"
        outside = Outside(
            clock=clock, client=client, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        shop = f"http://127.0.0.1:{bot_port}"
        settings = _settings(world, phone, shop, folder)
        async with open_bot(settings, Rules(book), outside) as bot:
            opened.append(bot)
            world.address = phone
            world.callback_to(f"{shop}/callback", client)
            try:
                yield Stage(world, bot, clock, console, pause, phone, shop)
            finally:
                await world.web.close()


def _settings(world: World, api_base: str, public_url: str, folder: Path) -> Settings:
    return Settings.explicit(
        wecom_corp_id=world.corp_id,
        wecom_agent_id=world.agent_id,
        wecom_secret=world.secret,
        wecom_callback_token="simulatedtoken",  # noqa: S106 - the simulator's, and known to all
        wecom_callback_aes_key=AES_KEY,
        wecom_api_base=api_base,
        wecom_oauth_base=api_base,
        steward_public_url=public_url,
        steward_secret_key="a key that signs nothing real",  # noqa: S106 - as it says
        database_url=f"sqlite:///{folder}/demo.db",
    )


def _table(kept: list[Kept]) -> Table:
    table = Table(title="答应的，和做到的", title_style="bold")
    for heading in ("答应的", "", "看到的"):
        table.add_column(heading, overflow="fold")
    for each in kept:
        table.add_row(each.promise, "[green]做到[/]" if each.kept else "[bold red]没做到[/]", each.seen)
    return table


async def _stay(stage: Stage) -> None:
    stage.console.print(
        f"\n演示留着不关：打开 {stage.phone}/phone 扮演任何人，按 Ctrl+C 结束。时钟从现在起和真的一样走。"
    )
    while True:
        stage.clock.advance(timedelta(milliseconds=200))
        await stage.settle()
        await asyncio.sleep(0.2)
