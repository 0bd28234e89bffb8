"""`steward rehearse --history 7d`: whom a config would have asked about in the last days, and why."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not, with_store


def rehearse(
    history: Annotated[
        str | None, typer.Option(metavar="多久", help="回看多久，例如 7d 或 3天", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="按哪个设置文件；不写就用 STEWARD_CONFIG 或 config.yaml", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """回看：要是那几天就用这份设置，会问到谁、为什么。什么也不记，谁也不打扰。"""
    from bot.clocks import SystemClock
    from bot.config.read import ConfigError, read_config
    from bot.rehearse.again import rehearse as go_through
    from bot.rehearse.found import Rehearsal
    from bot.rehearse.words import show
    from bot.try_message import config_file
    from rules.book import Book
    from rules.when import parse_duration
    from store.database import Database

    if history is None:
        could_not("请写回看多久，例如：steward rehearse --history 7d")
    try:
        length = parse_duration(history)
    except ValueError as error:
        could_not(f"--history「{history}」：{error}")
    if not length:
        could_not(f"--history「{history}」：至少要回看 1秒")
    file = config or config_file()
    try:
        book = read_config(file, Book)
    except ConfigError as error:
        could_not(f"设置文件用不了：\n{error}\n下一步：运行 steward check {file}，照着改。")
    now = SystemClock().now()

    async def look(store: Database) -> Rehearsal:
        async with store.read() as tx:
            return await go_through(tx, book, since=now - length, until=now)

    found = with_store(look)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found, Console())
    raise typer.Exit(1 if found.wrong else 0)
