"""`steward try-message "…"`: which message rules fire on a text, and why the others do not."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not


def try_message(
    text: Annotated[str, typer.Argument(metavar="一句话", help="要试的消息；有空格就加引号")],
    group: Annotated[str, typer.Option(help="当作发在这个群（群名）；不写就每条规则都试，不看它管哪些群")] = "",
    config: Annotated[
        Path | None, typer.Option(help="设置文件；不写就用 STEWARD_CONFIG 或 config.yaml", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """试一句话：查消息的规则哪些会管，为什么。有规则管就以 1 退出，没有就是 0。"""
    from bot import try_message as trying
    from bot.config.read import ConfigError, read_config
    from rules.book import Book

    file = config or trying.config_file()
    try:
        book = read_config(file, Book)
    except ConfigError as error:
        could_not(f"设置文件用不了：\n{error}\n下一步：运行 steward check {file}，照着改。")
    tried = trying.try_on(book, text, group)
    if not tried.answers:
        could_not("设置里没有查消息的规则（keywords、links …）。\n下一步：在 rules 里加一条。")
    if as_json:
        typer.echo(json.dumps(trying.as_data(tried), ensure_ascii=False, indent=2))
    else:
        trying.show(tried, Console())
    raise typer.Exit(1 if tried.hits else 0)
