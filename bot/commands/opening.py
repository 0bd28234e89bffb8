"""What every command needs that looks into the database: to find it, open it, and say in Chinese why it cannot."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console

from bot.settings import SettingsError, load_database_url
from store import migrate
from store.database import Database, StoreUnavailable, parse_url

Answer = TypeVar("Answer")

ENV_FILE = Path(".env")

AsJson = Annotated[bool, typer.Option("--json", help="给程序看的格式")]


def could_not(reason: str) -> NoReturn:
    """Say why, and end with exit code 2."""
    Console(stderr=True).print(reason, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def database_url() -> str:
    """From the environment or `.env`."""
    try:
        return load_database_url(os.environ, ENV_FILE)
    except SettingsError as error:
        could_not(str(error))


def with_store(work: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """Run `work` on the database as it is: nothing is made or migrated here."""
    url = database_url()
    dialect, address = parse_url(url)
    if dialect == "sqlite" and not Path(address).exists():
        could_not(f"没有找到数据库 {address}。\n下一步：在放 .env 的文件夹里运行；第一次先运行 steward serve。")
    try:
        return asyncio.run(_with(url, work))
    except StoreUnavailable as error:
        could_not(f"打不开数据库：{error}。\n下一步：看看 DATABASE_URL 对不对，数据库有没有在运行。")


async def _with(url: str, work: Callable[[Database], Awaitable[Answer]]) -> Answer:
    store = await Database.open(url)
    try:
        async with store.read() as tx:
            revision = await migrate.revision(tx)
        if revision != migrate.revisions()[0]:
            could_not(
                f"数据库的版本（{revision or '没有'}）和程序不一致。\n下一步：用这个版本的 steward serve 启动一次。"
            )
        return await work(store)
    finally:
        await store.close()
