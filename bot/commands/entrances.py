"""`steward entrances`: each entrance with what it has left, how fast that goes, and what is wrong."""

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not, with_store
from store.database import Database


def entrances(as_json: AsJson = False) -> None:
    """入口：每个入口还剩多少群、用得多快、还能用几天、有什么问题。有问题就以 1 退出。"""
    from bot.clocks import SystemClock
    from bot.config.read import parse_config
    from bot.entrances.look import Now, look
    from bot.entrances.words import show
    from rules.book import Book
    from store import configs

    async def work(store: Database) -> Now | None:
        async with store.read() as tx:
            row = await configs.newest(tx)
            if row is None:
                return None
            return await look(tx, parse_config(row.text, "config.yaml", Book), SystemClock().now())

    found = with_store(work)
    if found is None:
        could_not("还没有设置生效过。\n下一步：用 steward serve 启动一次。")
    if not found.entrances:
        could_not("设置里没有入口（entrances）。\n下一步：在 config.yaml 里加一个，见 docs/entrances.md。")
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found, Console())
    raise typer.Exit(1 if found.problems or any(each.problems for each in found.entrances) else 0)
