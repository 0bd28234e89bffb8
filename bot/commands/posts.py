"""`steward posts`: the next two weeks; `show NAME`: as in a chat; `pause`, `resume`; `report`: what became of them."""

import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from bot import say
from bot.commands.opening import AsJson, could_not, database_url, with_store
from rules.book import Book
from rules.posts import PostGroup
from rules.sends import Spent
from store.database import Database, Tx, parse_url

posts = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=False,
    add_completion=False,
    help="定时内容：接下来发什么、发到哪些群、额度还剩多少。",
)

Config = Annotated[
    Path | None, typer.Option(help="按哪个设置文件；不写就用正在运行的那一份，没有就用 config.yaml", show_default=False)
]
OneGroup = Annotated[
    str | None, typer.Option(metavar="群", help="只看这个群（群名，或其中几个字）", show_default=False)
]
WITHIN = timedelta(days=400)


class Calendar(NamedTuple):
    """What is planned by, and for whom. `real`: the groups are those of a database."""

    book: Book
    groups: list[PostGroup]
    now: datetime
    real: bool
    spent: Spent = MappingProxyType({})
    states: Mapping[str, tuple[str, str]] = MappingProxyType({})


@posts.callback()
def upcoming(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=62, help="看几天")] = 14,
    group: OneGroup = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """接下来发什么：每天几点、发到几个群、怎么发、撞不撞、额度剩多少。有要看的就以 1 退出。"""
    if context.invoked_subcommand:
        return
    from bot.posts.look import look
    from bot.posts.words import show_upcoming

    found = _only(_calendar(config), group)
    if not found.book.calendar:
        could_not("设置里没有定时内容（posts）。\n下一步：在 config.yaml 里加一条，见 docs/posts.md。")
    seen = look(found.book, found.groups, found.now, days, real=found.real, spent=found.spent, states=found.states)
    if as_json:
        typer.echo(seen.model_dump_json(indent=2))
    else:
        show_upcoming(seen, Console())
    raise typer.Exit(1 if seen.wrong else 0)


@posts.command()
def show(
    name: Annotated[str, typer.Argument(metavar="名字", help="哪一条（posts 里的 name）")],
    times: Annotated[int, typer.Option(min=1, max=20, help="看接下来几次")] = 1,
    group: OneGroup = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """发出去的样子：每种文字一个气泡，和在群里看到的一样。发不了的会说为什么，以 1 退出。"""
    from bot.config.post_words import describe_post
    from bot.config.problems import closest
    from bot.posts import look, words
    from rules.post_outlook import look_ahead
    from rules.post_plan import next_fires

    found = _only(_calendar(config), group)
    post = found.book.post(name)
    if post is None:
        meant = closest(name, [each.name for each in found.book.calendar])
        could_not(f"没有叫「{name}」的定时内容。" + (f"您是不是想写「{meant}」？" if meant else ""))
    only = found.book.model_copy(update={"posts": (post,), "checkins": ()})
    until = found.now + WITHIN
    if not post.steps:
        fires = next_fires(post, found.now, times, found.book, within=WITHIN)
        until = fires[-1].at if fires else found.now
    ahead = look_ahead(only, found.groups, found.now, until)
    shown = look.show(only, post, ahead.plan.fires[:times], ahead)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in shown], ensure_ascii=False, indent=2))
    else:
        lines = {label: value for label, value, _ in describe_post(found.book, post, found.now, found.groups)}
        words.show_post(post.name, shown, lines, Console())
    raise typer.Exit(1 if any(each.broken for each in shown) else 0)


@posts.command()
def pause(
    group: Annotated[
        str | None, typer.Argument(metavar="群", help="哪些群（群名，或其中几个字）；不写就是全部")
    ] = None,
) -> None:
    """先停一停：从现在起什么也不发（已经请群主确认的除外）。steward posts resume 恢复。"""
    from store import posts as rows

    found, now = _chat_ids(group), _now()

    async def work(store: Database) -> int:
        async with store.write() as tx:
            return await rows.pause(tx, list(found), now=now)

    with_store(work)
    console = Console()
    say.line(console, f"停了：{'、'.join(found.values())}。")
    say.then(console, f"steward posts resume{f' {group}' if group else ''}", "想再发的时候")


@posts.command()
def resume(
    group: Annotated[
        str | None, typer.Argument(metavar="群", help="哪些群（群名，或其中几个字）；不写就是全部")
    ] = None,
) -> None:
    """恢复：停过的群又照日历发；停的时候错过的不补发。"""
    from store import posts as rows

    found = _chat_ids(group)

    async def work(store: Database) -> int:
        async with store.write() as tx:
            everybody = [] if group else sorted(await rows.paused(tx))
            return await rows.resume(tx, [*found, *everybody])

    count = with_store(work)
    console = Console()
    say.line(console, f"恢复了：{'、'.join(found.values())}。" if count else "本来就没有停。")
    say.then(console, "steward posts", "看接下来发什么")


@posts.command()
def report(
    weeks: Annotated[int, typer.Option(min=1, max=26, help="往回看几周；1 是上一周")] = 1,
    as_json: AsJson = False,
) -> None:
    """周报：应发多少、发到多少、谁没点、什么没发、为什么，以及各位群主的群有多热闹。"""
    from bot.posts.words import show_report
    from handlers.post_report import build
    from rules.events import PostReportDue
    from rules.post_report import WEEK, Report, monday_before

    now = _now()
    last_week = monday_before(now)
    event = PostReportDue(at=now, first=last_week - (weeks - 1) * WEEK, last=last_week + WEEK - timedelta(days=1))

    async def work(store: Database) -> Report:
        async with store.read() as tx:
            found = await build(tx, event)
            return found if weeks == 1 else found.model_copy(update={"owners": None})  # they are kept by the week

    found = with_store(work)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show_report(found, Console())
    raise typer.Exit(0 if found.delivered == found.planned and not found.not_out else 1)


def _now() -> datetime:
    from bot.clocks import SystemClock

    return SystemClock().now()


def _chat_ids(group: str | None) -> dict[str, str]:
    """chat_id → name of the groups that are meant; "" for all."""
    if group is None:
        return {"": "全部的群"}

    async def work(store: Database) -> dict[str, str]:
        from store import roster

        async with store.read() as tx:
            return {
                each.chat_id: each.name for each in await roster.groups(tx) if group in (each.chat_id, each.name)
            } or {each.chat_id: each.name for each in await roster.groups(tx) if group in each.name}

    found = with_store(work)
    if not found:
        could_not(f"没有叫「{group}」的群。")
    return found


def _only(found: Calendar, group: str | None) -> Calendar:
    if group is None:
        return found
    exact = [each for each in found.groups if group in (each.name, each.chat_id)]
    some = exact or [each for each in found.groups if group in each.name]
    if not some:
        could_not(f"没有叫「{group}」的群。")
    return found._replace(groups=some)


# --- what is planned by -----------------------------------------------------------------------------------------------


def _calendar(config: Path | None) -> Calendar:
    """From the database; from the file alone where there is no database yet."""
    dialect, address = parse_url(database_url())
    now = _now()
    if dialect == "sqlite" and not Path(address).exists():
        return _from_file(config, now)
    book = _read(config) if config else None

    async def work(store: Database) -> Calendar:
        async with store.read() as tx:
            return await _from_store(tx, book, now)

    found = with_store(work)
    return found if found.groups else _from_file(config, now)


def _from_file(config: Path | None, now: datetime) -> Calendar:
    from bot.try_message import config_file
    from rules.post_outlook import invented

    book = _read(config or config_file())
    return Calendar(book, invented(book), now, real=False)


def _read(file: Path) -> Book:
    from bot.config.read import ConfigError, read_config

    try:
        return read_config(file, Book)
    except ConfigError as error:
        could_not(f"设置文件用不了：\n{error}\n下一步：运行 steward check {file}，照着改。")


def _moved(fire_at: datetime, say_at: datetime) -> str:
    return "" if fire_at == say_at else f"改到 {say.at(say_at)[:16]}"


async def _from_store(tx: Tx, book: Book | None, now: datetime) -> Calendar:
    from bot.commands.blocklist import in_force
    from rules.schedule import moment_of
    from rules.sends import day_of, period_of
    from store import own_sends, roster, sends
    from store import posts as rows

    book = book or await in_force(tx)
    groups = [
        PostGroup(**{**dict(row.facts()), "kind": book.kind_of(row.name)}, born_at=row.created_at)
        for row in await roster.groups(tx)
        if row.name
    ]
    first, _ = period_of(book.posting.sends, day_of(now))
    begin = moment_of(first, time.min)
    ours, theirs = await sends.counted(tx, begin, now), await own_sends.since(tx, begin, [g.chat_id for g in groups])
    spent = {(each.chat_id, first): ours.get(each.chat_id, 0) + theirs.get(each.chat_id, 0) for each in groups}
    known = await rows.between(tx, now - timedelta(days=1), now + timedelta(days=62))
    states = {row.key: (row.state, row.why or _moved(row.fire_at, row.say_at)) for row in known}
    return Calendar(book, groups, now, real=True, spent=spent, states=states)
