"""`steward explain CASE|PERSON|GROUP`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, with_store

if TYPE_CHECKING:
    from bot.explain.stories import CaseFile


def explain(
    what: Annotated[str, typer.Argument(metavar="案件|人|群", help="案件编号（12 或 #12），人或群的名字或 id")],
    as_json: AsJson = False,
) -> None:
    """说清楚一个案件、一个人或一个群：问过哪些规则、为什么、做了什么。"""
    from bot import say
    from bot.explain.stories import Candidate, CaseFile, Story
    from bot.explain.tell import NotFoundError, find, tell
    from bot.explain.words import show, show_candidates
    from store.database import Database

    async def look(store: Database) -> list[Candidate] | Story:
        async with store.read() as tx:
            found = await find(tx, what)
            return await tell(tx, found[0]) if len(found) == 1 else found

    console = Console()
    try:
        found = with_store(look)
    except NotFoundError as error:
        if as_json:
            typer.echo(json.dumps({"kind": "unknown", "error": str(error), "meant": error.meant}, ensure_ascii=False))
        else:
            meant = f"您是不是想问：{'、'.join(error.meant)}？" if error.meant else ""
            say.line(console, f"{error}{meant}")
            say.then(console, "steward status", "列出还开着的案件")
        raise typer.Exit(1) from None
    if isinstance(found, list):
        if as_json:
            data = {"kind": "ambiguous", "candidates": [each.model_dump(mode="json") for each in found]}
            typer.echo(json.dumps(data, ensure_ascii=False))
        else:
            show_candidates(what, found, console)
        raise typer.Exit(1)
    if isinstance(found, CaseFile):
        found = found.model_copy(update={"appeal": _appeal_link(found)})
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found, console)


def _appeal_link(file: "CaseFile") -> str:
    """ "" where this installation's settings are not here: the story is told without."""
    from bot.clocks import SystemClock
    from bot.commands.links import page_links
    from bot.settings import SettingsError
    from rules.actions import Link

    case = file.case
    link = Link(page="appeal", userid=case.external_userid, issued_at=SystemClock().now(), case_id=case.number)
    try:
        return page_links().url(link)
    except SettingsError:
        return ""
