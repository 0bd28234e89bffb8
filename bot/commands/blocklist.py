"""`steward block`, `unblock` and `blocked`: the blocklist by hand, one by one or from a file."""

import csv
import getpass
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from bot import say
from bot.commands.opening import AsJson, could_not, with_store
from rules.book import Book
from store import configs
from store.database import Database, Tx

COLUMNS = {"external_userid": "who", "unionid": "unionid", "原因": "because", "because": "because", "名字": "name"}


class Entry(NamedTuple):
    """Whom to block. One of `who` (external_userid) and `unionid` is there."""

    who: str
    unionid: str
    because: str
    name: str


def block(
    person: Annotated[str | None, typer.Argument(metavar="人", help="external_userid（wo…、wm…）或 unionid")] = None,
    because: Annotated[str, typer.Option(help="为什么，写给以后看的人")] = "",
    from_file: Annotated[
        Path | None, typer.Option("--import", help="CSV：列名 external_userid 或 unionid，另可有 原因、名字")
    ] = None,
) -> None:
    """拉黑：此人在哪个群、什么时候回来，都请群主移出。"""
    if (person is None) == (from_file is None):
        could_not("请写一个人，或者用 --import 写一个 CSV 文件。例如：steward block wmXXXX --because 发广告")
    entries = _read(from_file) if from_file else [_entry(person or "", because)]

    async def write(store: Database) -> int:
        from bot.clocks import SystemClock
        from handlers import blocklist

        now = SystemClock().now()
        new = 0
        async with store.write() as tx:
            book = await in_force(tx)
            for each in entries:
                new += await blocklist.block(tx, book, **each._asdict(), by=getpass.getuser(), now=now)
            await blocklist.changed(tx, [each.who or each.unionid for each in entries], now=now)
        return new

    new = with_store(write)
    console = Console()
    say.line(
        console,
        f"拉黑了 {new} 人" + (f"，另外 {len(entries) - new} 人本来就在名单上。" if new < len(entries) else "。"),
    )
    say.then(console, "steward blocked", "看黑名单；在群里的人，几秒内就请群主移出")


def unblock(
    person: Annotated[str, typer.Argument(metavar="人", help="external_userid（wo…、wm…）或 unionid")],
) -> None:
    """从黑名单上去掉一个人；以前因违规被移出过的，也可以回来。"""

    async def write(store: Database) -> bool:
        from bot.clocks import SystemClock
        from handlers import blocklist

        now = SystemClock().now()
        async with store.write() as tx:
            lifted = await blocklist.lift(tx, await in_force(tx), person, by=getpass.getuser(), now=now)
            await blocklist.changed(tx, [person], now=now)
            return lifted

    lifted = with_store(write)
    console = Console()
    say.line(console, f"{person} 不在黑名单上了。" if lifted else f"黑名单上没有 {person}。")
    say.then(console, f"steward explain {person}", "看看还有什么规则问到此人")
    raise typer.Exit(0 if lifted else 1)


def blocked(as_json: AsJson = False) -> None:
    """列出黑名单。"""

    async def look(store: Database) -> list[tuple[str, str, str, datetime, str]]:
        from store import blocks

        async with store.read() as tx:
            return [
                (row.external_userid or row.unionid or "", row.name, row.because, row.blocked_at, row.blocked_by)
                for row in await blocks.everybody(tx)
            ]

    rows = with_store(look)
    if as_json:
        names = ("person", "name", "because", "at", "by")
        data = [dict(zip(names, (*row[:3], row[3].isoformat(), row[4]), strict=True)) for row in rows]
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    console = Console()
    say.heading(console, "黑名单", f"{len(rows)} 人")
    say.rows(console, [(say.at(at), who, name, f"{because}（{by}）") for who, name, because, at, by in rows])
    say.then(console, "steward unblock 人", "去掉一个人")


async def in_force(tx: Tx) -> Book:
    """The configuration that the running bot goes by; an empty one where it has never run."""
    from bot.config.files import with_files
    from bot.config.read import parse_with_places

    row = await configs.newest(tx)
    if row is None:
        return Book()
    book, root = parse_with_places(row.text, "config.yaml", Book)
    return with_files(book, root, "config.yaml", row.files)[0]


def _entry(person: str, because: str) -> Entry:
    is_id = person.startswith(("wm", "wo"))
    return Entry(who=person if is_id else "", unionid="" if is_id else person, because=because, name="")


def _read(path: Path) -> list[Entry]:
    """The rows of a CSV file; all mistakes at once, by row."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        could_not(f"打不开 {path}：{error.strerror}")
    except UnicodeDecodeError:
        could_not(f"{path} 不是 UTF-8 编码：请另存为 CSV UTF-8")
    table = csv.DictReader(io.StringIO(text))
    columns = {name: COLUMNS[name.strip()] for name in table.fieldnames or () if name and name.strip() in COLUMNS}
    if not {"who", "unionid"} & {*columns.values()}:
        could_not(f"{path} 的第一行要写列名，至少有 external_userid 或 unionid")
    entries, wrong = [], []
    for number, row in enumerate(table, 2):
        fields = {"who": "", "unionid": "", "because": "", "name": ""}
        fields |= {meant: (row[name] or "").strip() for name, meant in columns.items()}
        if not any(fields.values()):
            continue
        if not fields["who"] and not fields["unionid"]:
            wrong.append(f"{path}:{number}  没有写是谁（external_userid 或 unionid）")
        elif fields["who"] and not fields["who"].startswith(("wm", "wo")):
            wrong.append(f"{path}:{number}  「{fields['who']}」不是 external_userid：应当以 wm 或 wo 开头")
        else:
            entries.append(Entry(**fields))
    if wrong:
        could_not("\n".join([*wrong, "一个人也没有拉黑。改好以后再运行一次。"]))
    return entries
