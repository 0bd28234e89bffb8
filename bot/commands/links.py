"""`steward links`: the addresses of pages that customers may open, for whoever writes the rules of a group."""

import json
import os
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from bot import say
from bot.commands.blocklist import in_force
from bot.commands.opening import ENV_FILE, AsJson, could_not, with_store
from bot.links import Links
from bot.settings import SettingsError, load_link_settings
from rules.actions import Link
from rules.events import MemberReported
from store.database import Database


class Line(NamedTuple):
    """One group's link. `works`: a rule is there that hears what is reported."""

    chat_id: str
    group: str
    report: str
    works: bool


def links(
    group: Annotated[
        str | None, typer.Argument(metavar="群", help="群名（或其中几个字）或 id；不写就列出所有的群")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """每个群的举报链接：贴进群公告或群规，顾客就能举报到处加人的人。"""
    try:
        pages = page_links()
    except SettingsError as error:
        could_not(str(error))

    async def look(store: Database) -> list[Line]:
        from store import roster

        async with store.read() as tx:
            book = await in_force(tx)
            return [
                Line(
                    each.chat_id,
                    each.name or each.chat_id,
                    # Its age does not count, so that it is the same whenever it is asked for.
                    pages.url(Link(page="report", userid="", issued_at=each.watched_since, chat_id=each.chat_id)),
                    any(rule.covers(each.facts()) for rule in book.about(MemberReported)),
                )
                for each in await roster.groups(tx)
                if group is None or group == each.chat_id or group in each.name
            ]

    lines = sorted(with_store(look), key=lambda line: (line.group, line.chat_id))
    if as_json:
        typer.echo(json.dumps([line._asdict() for line in lines], ensure_ascii=False, indent=2))
        raise typer.Exit(0 if lines else 1)
    console = Console()
    if not lines:
        say.line(console, f"没有叫「{group}」的群。" if group else "还没有读到任何群。")
        say.then(console, "steward status", "看看群管家在不在运行")
        raise typer.Exit(1)
    for line in lines:
        say.title(console, line.group if line.works else f"{line.group}（打不开：没有 friend_adding 规则管这个群）")
        console.print(line.report, markup=False, highlight=False, soft_wrap=True)
    say.then(console, "贴进群公告或群规", "例如：有人到处加您好友？点这里告诉我们，不会有人知道是谁说的")


def page_links() -> Links:
    """What writes links, by the settings of this installation. Raises SettingsError."""
    from bot.clocks import SystemClock

    url, key = load_link_settings(os.environ, ENV_FILE)
    return Links(url, key.get_secret_value(), SystemClock())
