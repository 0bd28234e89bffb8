"""`steward check`: what is wrong with a config, or what it does in words; compared with a database if there is one."""

import asyncio
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from bot.config.checkin_findings import checkin_findings
from bot.config.code_sheets import code_findings
from bot.config.draw_findings import draw_findings
from bot.config.files import with_files
from bot.config.logos import wrong_logos
from bot.config.needs import unmet
from bot.config.post_checks import post_findings
from bot.config.problems import Kind, Problem, in_order
from bot.config.read import ConfigError, NoFileError, parse_with_places, read_written
from bot.config.warnings import Known, warnings
from bot.config.words import Item, Section, describe
from rules.book import Book
from rules.posts import PostGroup
from store import coupon_codes, roster, staff
from store.database import Database, StoreUnavailable, parse_url

_HEADINGS: dict[Kind, tuple[str, str]] = {
    "error": ("要改的地方", "bold red"),
    "warning": ("请再看一眼", "bold yellow"),
    "note": ("顺便一提", "bold"),
}


DATABASE, CONFIG = "sqlite:///steward.db", "config.yaml"  # as in bot/settings.py


class NotKnownError(Exception):
    """The database cannot be asked; the words are for people."""


class Report(NamedTuple):
    """What was found. `book` is None where there are errors; `read` is False where there was no file to read."""

    file: str
    problems: list[Problem]
    book: Book | None = None
    version: str = ""
    read: bool = True
    known: Known | None = None
    now: datetime | None = None

    @property
    def exit_code(self) -> int:
        """0: fine. 1: errors or warnings. 2: there is no such file."""
        if not self.read:
            return 2
        return int(any(problem.kind != "note" for problem in self.problems))

    def sections(self) -> list[Section]:
        """What the config does, in words."""
        groups = self.known.groups if self.known and self.known.groups else None
        places = self.known.places if self.known and self.known.places else None
        return describe(self.book, groups, places=places, now=self.now) if self.book else []


def check(
    file: Path | None, database: str | None, env: Mapping[str, str | None], now: datetime | None = None
) -> Report:
    """`file` and `database` as asked for, else as in `env`, else their defaults; a database that nobody named may be
    absent. Raises NotKnownError where the one that was named cannot be asked.
    """
    known = None
    try:
        known = asyncio.run(ask(database or env.get("DATABASE_URL") or DATABASE))
    except NotKnownError:
        if database:
            raise
    there = [name for name, value in env.items() if value and value.strip()]
    public_url = (env.get("STEWARD_PUBLIC_URL") or "").strip().rstrip("/")
    return look_at(file or Path(env.get("STEWARD_CONFIG") or CONFIG), known, there, public_url, now)


def look_at(
    path: Path,
    known: Known | None = None,
    there: Collection[str] = (),
    public_url: str = "",
    now: datetime | None = None,
) -> Report:
    """Read the file and find everything there is to say about it. Raises nothing for whatever stands in it.

    `there`: names of the settings that are given, in the environment or in `.env`. `public_url`: what codes will say.
    `now`: look at what is to come from here on, too.
    """
    try:
        config = read_written(path)
    except NoFileError as error:
        return Report(path.name, error.problems, read=False)
    except ConfigError as error:
        return Report(path.name, error.problems)
    try:
        book, root = parse_with_places(config.text, path.name, Book)
    except ConfigError as error:
        return Report(path.name, error.problems, version=config.hash)
    book, wrong = with_files(book, root, path.name, config.files)
    lacking = [*wrong, *unmet(book, root, path.name, there)]
    lacking += wrong_logos(book, root, path.name, path.parent, public_url)
    problems = [*lacking, *warnings(book, root, path.name, known)]
    if now is not None and not lacking:
        places = (
            [place.model_copy(update={"kind": book.kind_of(place.name)}) for place in known.places] if known else []
        )
        problems += post_findings(book, root, path.name, now, places or None)
        problems += draw_findings(book, root, path.name, now, places or None)
    if not lacking:
        problems += code_findings(book, root, path.name, path.parent, known.codes if known else None)
    if not lacking:
        problems += checkin_findings(book, root, path.name)
    problems.sort(key=in_order)
    return Report(path.name, problems, None if lacking else book, config.hash, known=known, now=now)


async def ask(database_url: str) -> Known:
    """What this database knows of groups and staff; it is not changed, nor made. Raises NotKnownError."""
    try:
        dialect, address = parse_url(database_url)
    except Exception as error:
        raise NotKnownError("数据库的地址写得不对，应当是 sqlite:///文件 或 postgresql://…") from error
    if dialect == "sqlite" and not Path(address).is_file():  # noqa: ASYNC240  # a command of its own: nobody waits
        raise NotKnownError(f"没有这个数据库文件：{address}")
    try:
        store = await Database.open(database_url)
        try:
            async with store.read() as tx:
                rows = [group for group in await roster.groups(tx) if group.name]
                people = [(each.userid, each.name) for each in await staff.everybody(tx)]
                codes = await coupon_codes.all_left(tx)
        finally:
            await store.close()
    except StoreUnavailable as error:
        raise NotKnownError(f"打不开数据库：{error}") from error
    except DBAPIError as error:
        raise NotKnownError("数据库里还没有这个版本的表：请先运行一次 steward serve") from error
    places = [PostGroup(**dict(row.facts()), born_at=row.created_at) for row in rows]
    return Known([row.name for row in rows], people, places, codes)


# --- telling ----------------------------------------------------------------------------------------------------------


def as_data(report: Report) -> str:
    """For programs: the problems, the words of `describe`, and the whole configuration with its defaults."""
    answer: dict[str, Any] = {
        "file": report.file,
        "ok": report.exit_code == 0,
        "version": report.version,
        "problems": [problem._asdict() for problem in report.problems],
        "sections": [_section_data(section) for section in report.sections()],
        "config": report.book.model_dump(mode="json") if report.book else None,
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _section_data(section: Section) -> dict[str, Any]:
    items = [{**item._asdict(), "lines": [line._asdict() for line in item.lines]} for item in section.items]
    return {**section._asdict(), "items": items}


def show(report: Report, console: Console) -> None:
    """For people. Into a file or a pipe every problem is one line, so that it can be searched for."""
    for section in report.sections():
        _show_section(section, console)
    for kind, (heading, style) in _HEADINGS.items():
        problems = [problem for problem in report.problems if problem.kind == kind]
        if problems:
            console.print(f"{heading}（{len(problems)}）", style=style)
            for problem in problems:
                _show_problem(problem, console)
            console.print()
    _show_end(report, console)


def _show_section(section: Section, console: Console) -> None:
    title = Text(section.title, style="bold cyan")
    title.append(f"  {section.key}", style="dim")
    if section.about:
        title.append(f"  {section.about}", style="not bold dim")
    console.print(title)
    for item in section.items:
        _show_item(item, console)
    console.print()


def _show_item(item: Item, console: Console) -> None:
    if item.title:
        console.print(Text(f"  {item.title}", style="bold"))
    if item.about:
        console.print(Padding(Text(item.about, style="dim"), (0, 0, 0, 4), expand=False))
    grid = Table.grid(padding=(0, 2), pad_edge=False)
    grid.add_column(max_width=console.width // 2)
    grid.add_column(overflow="fold")
    for line in item.lines:
        value = Text(line.value)
        if line.default:
            value.append("（默认）", style="dim")
        grid.add_row(Text(line.label, style="dim"), value)
    console.print(Padding(grid, (0, 0, 0, 4 if item.title else 2), expand=False))


def _show_problem(problem: Problem, console: Console) -> None:
    where = Text("  ").append(problem.where, style="bold").append(f"  {problem.path}", style="dim")
    if not console.is_terminal:
        console.print(Text("  ").join([where, Text(problem.says)]), soft_wrap=True)
        return
    console.print(where)
    console.print(Padding(Text(problem.says), (0, 0, 0, 4), expand=False))


def _show_end(report: Report, console: Console) -> None:
    if not report.book:
        console.print("这份设置还不能用。", style="bold red")
        console.print("下一步：改好以后再运行一次 steward check。正在运行的群管家继续用上一份好的设置。")
        return
    seen = "" if report.known else "没有和实际的群、同事核对（还没有数据库，或用 --database 指明）。"
    if report.exit_code:
        console.print(f"可以用，但有 {_count(report, 'warning')} 处请再看一眼。", style="bold yellow")
    else:
        console.print("没有问题，可以用。", style="bold green")
    console.print(f"版本 {report.version[:8]}。{seen}", style="dim")
    console.print("下一步：steward serve 会用这份设置；正在运行的会在几秒内自己换上，不用重启。")


def _count(report: Report, kind: Kind) -> int:
    return sum(problem.kind == kind for problem in report.problems)
