"""`steward releases`: whom, and which companies, no rule asks about any more because somebody let them go."""

import json
from datetime import datetime
from typing import NamedTuple

import typer
from rich.console import Console

from bot import say
from bot.commands.opening import AsJson, with_store
from store.database import Database


class Line(NamedTuple):
    """`subject`: an external_userid, or "company:" and a company's name; `name`: what people call it."""

    subject: str
    name: str
    rule: str
    by: str
    at: datetime
    case: int | None


def releases(as_json: AsJson = False) -> None:
    """列出放行：谁（或哪家公司）、不再问到的规则、谁放行的、什么时候。"""

    async def look(store: Database) -> list[Line]:
        from store import history

        async with store.read() as tx:
            return [
                Line(
                    row.subject,
                    await history.released_name(tx, row.subject),
                    row.rule,
                    row.released_by,
                    row.released_at,
                    row.case_id,
                )
                for row in await history.all_releases(tx)
            ]

    lines = with_store(look)
    if as_json:
        data = [{**line._asdict(), "at": line.at.isoformat()} for line in lines]
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    console = Console()
    say.heading(console, "放行", f"{len(lines)} 条")
    say.rows(console, [_row(line) for line in lines])
    if lines:
        say.then(console, f"steward explain {lines[0].case or lines[0].subject}", "看为什么")
    else:
        say.then(console, "steward status", "看还开着的案件")


def _row(line: Line) -> tuple[str, str]:
    case = f"，案件 #{line.case}" if line.case else ""
    return say.at(line.at), f"{line.name}：规则 {line.rule} 不再问（{line.by} 放行{case}）"
