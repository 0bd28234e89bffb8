"""`steward checkin NAME`: how far everybody got in a check-in, what they answered, what it cost."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not, with_store

if TYPE_CHECKING:
    from rules.checkin_report import Overview
    from store.database import Database


def checkin(
    name: Annotated[
        str | None, typer.Argument(metavar="打卡", help="设置里的名字；只有一个就不用写", show_default=False)
    ] = None,
    as_csv: Annotated[
        Path | None, typer.Option("--csv", metavar="文件", help="写成表格，一期一行，Excel 能打开", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """打卡：每天、每一期走到哪里，停在哪里，答了什么，发了多少奖励。"""
    from bot import say
    from bot.checkins.words import show
    from rules.checkin_report import as_table

    found = with_store(lambda store: _look(store, name))
    if isinstance(found, list):
        known = f"有：{'、'.join(found)}。" if found else "设置里没有打卡（checkins）。"
        could_not(f"{f'没有叫「{name}」的打卡。' if name else '请写是哪一个打卡。' if found else ''}{known}")
    console = Console()
    if as_csv is not None:
        lines = io.StringIO()
        csv.writer(lines).writerows(as_table(found))
        try:
            as_csv.write_text(lines.getvalue(), encoding="utf-8-sig", newline="")  # Excel wants the mark
        except OSError as error:
            could_not(f"写不了 {as_csv}：{error.strerror}")
        if not as_json:
            say.line(console, f"写好了 {as_csv}：{len(found.cohorts)} 期，{found.total.began} 人。")
            return
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    show(found, console)
    say.then(console, f"steward checkin {found.name} --csv 打卡.csv", "用 Excel 看每一期")


async def _look(store: "Database", name: str | None) -> "Overview | list[str]":
    """The overview; the names there are, where this is none of them."""
    from bot.clocks import SystemClock
    from bot.commands.blocklist import in_force
    from handlers import checkin_report

    async with store.read() as tx:
        book = await in_force(tx)
        names = [each.name for each in book.checkins]
        wanted = book.checkin(name or (names[0] if len(names) == 1 else ""))
        return await checkin_report.build(tx, wanted, now=SystemClock().now()) if wanted else names
