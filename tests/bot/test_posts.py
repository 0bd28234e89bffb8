"""`steward posts`: what is planned, what is left, and how it will look."""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.clocks import SystemClock
from bot.config.read import config_hash, parse_config
from bot.posts.look import look, show
from bot.posts.words import show_post, show_upcoming
from rules.book import Book
from rules.post_outlook import look_ahead
from rules.post_report import OwnerWeek, monday_before
from rules.posts import PostGroup
from rules.schedule import moment_of
from store import configs, owner_weeks, posts, roster, sends, staff
from store.database import Database
from store.posts import PostRow
from store.sends import SendRow

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
CONFIG = """
managers: [李华]
groups: {members: "会员*", vip: "VIP·*"}
posting: {quiet_hours: "22:00-08:00"}
posts:
  - {name: 早报, to: members, when: 每天 08:30, text: 早上好}
  - {name: 周三分享, to: members, when: 每周三 20:00, priority: 重要, text: "{{群名}}，今晚见"}
  - {name: 晚一点, to: members, when: 每周三 20:10, via: 手动, text: 晚一点}
  - {name: 晨会, to: 同事, staff: 王五, when: 每个工作日 09:00, text: 开门}
  - {name: 坏, to: vip, when: 每周四 10:00, text: "{{还有几天('没有')}}"}
  - {name: 停, to: vip, when: 每周四 10:00, text: 好, pause: 是}
"""
GROUPS = [
    PostGroup(chat_id="wr1", name="会员一群", kind="members", owner="wangwu"),
    PostGroup(chat_id="wr2", name="会员二群", kind="members", owner="wangwu"),
    PostGroup(chat_id="wr3", name="VIP·林小满", kind="vip", owner="zhaoliu"),
]

Run = Callable[..., Result]


def told_by(work: Callable[[Console], None]) -> str:
    out = io.StringIO()
    work(Console(file=out, width=80, no_color=True))
    assert max(cell_len(line) for line in out.getvalue().splitlines()) <= 80
    return out.getvalue()


def test_two_weeks_are_told_by_day() -> None:
    """When, to how many, how, when the owners are asked and how often they tap; what meets, fails, or is left."""
    book = parse_config(CONFIG, "config.yaml", Book)
    spent = {("wr1", NOW.date().replace(day=1)): 26}
    found = look(book, GROUPS, NOW, 14, real=True, spent=spent)
    text = told_by(lambda console: show_upcoming(found, console))
    squeezed = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "停着的：停",
        "11月25日 周三",
        "20:00 周三分享 2 个群：群发 2；19:30 请群主确认；群主每次要点 2 下",
        "11月26日 周四",
        "09:00 晨会 提醒同事 王五",
        "11月25日 20:10 周三分享 和 晚一点：「会员一群」等 2 个群",
        "会员一群 11月：已用 26，还要 6，额度 30，不够：早报 2 条 改走别的路",
    ):
        assert line in squeezed
    assert "1 个群发不了：不知道「没有」是哪一天" in "".join(squeezed)
    assert "1 个群：本月需 32 条，额度 30 条（已用 26 条）" in "".join(squeezed)
    assert found.wrong


def test_what_the_bot_has_done_is_told_with_it() -> None:
    """A post that is out, one that was moved, one that was skipped."""
    book = parse_config(CONFIG, "config.yaml", Book)
    states = {
        "post:周三分享:2026-11-25T20:00+08:00": ("out", ""),
        "post:早报:2026-11-26T08:30+08:00": ("planned", "改到 2026-11-26 09:30"),
        "post:早报:2026-11-27T08:30+08:00": ("skipped", "到时间没有人答应"),
    }
    found = look(book, GROUPS, NOW, 3, real=True, states=states)
    text = "".join(told_by(lambda console: show_upcoming(found, console)).split())
    for said in ("周三分享已请群主确认", "早报改到2026-11-2609:30", "早报没有发（到时间没有人答应）"):
        assert said in text


def test_a_post_is_shown_as_in_a_chat() -> None:
    """A bubble for each different text with whose it is; what cannot be sent says why."""
    book = parse_config(CONFIG, "config.yaml", Book)

    def shown(name: str) -> str:
        post = book.post(name)
        assert post is not None
        only = book.model_copy(update={"posts": (post,)})
        ahead = look_ahead(only, GROUPS, NOW, NOW + timedelta(days=7))
        found = show(only, post, ahead.plan.fires[:1], ahead)
        return told_by(lambda console: show_post(name, found, {"什么时候": "某时"}, console))

    two = shown("周三分享")
    assert "第 1 种，共 2 种 · 会员一群" in two
    assert "│ 会员二群，今晚见 │" in two
    assert "会员一群、会员二群" in shown("早报")
    assert "发不了（VIP·林小满）：config.yaml:" not in shown("坏")
    assert "不知道「没有」是哪一天" in shown("坏")
    assert "│ 开门 │" in shown("晨会")


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def steward_in(sqlite_url: str, tmp_path: Path) -> Run:
    """`steward_in("posts")` in a folder with a config and a database."""
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")

    def run(*words: str, **env: str) -> Result:
        with contextlib.chdir(tmp_path):
            return CliRunner().invoke(app, list(words), env={"DATABASE_URL": sqlite_url, "COLUMNS": "80", **env})

    return run


async def fill_shop(url: str) -> None:
    """Groups that were read, and a config in force."""
    database = await Database.open(url)
    async with database.write() as tx:
        for group in GROUPS:
            row = await roster.known_or_new(tx, group.chat_id, now=NOW)
            row.name, row.kind, row.owner = group.name, group.kind, group.owner
        await configs.activate(tx, CONFIG, files={}, config_hash=config_hash(CONFIG), now=NOW)
    await database.close()


async def paused_in(url: str) -> set[str]:
    database = await Database.open(url)
    async with database.read() as tx:
        found = await posts.paused(tx)
    await database.close()
    return found


def test_the_command_goes_by_the_database(steward_in: Run, sqlite_url: str, tmp_path: Path) -> None:
    """The config in force and the groups that are there; one group, a week, and JSON on request."""
    asyncio.run(fill_shop(sqlite_url))
    (tmp_path / "config.yaml").unlink()
    found = steward_in("posts", "--days", "7", "--json")
    data: dict[str, Any] = json.loads(found.output)
    assert (found.exit_code, data["real"]) == (1, True)
    assert {each["group"] for each in data["groups"]} == {"会员一群", "会员二群"}  # the third gets nothing
    until = datetime.fromisoformat(data["until"])
    assert all(datetime.fromisoformat(each["at"]) <= until for each in data["planned"])
    one = json.loads(steward_in("posts", "--group", "会员二", "--json").output)
    assert {each["group"] for each in one["groups"]} == {"会员二群"}
    assert steward_in("posts", "--group", "没有的").exit_code == 2


def test_without_a_database_the_file_is_told_with_invented_groups(steward_in: Run, tmp_path: Path) -> None:
    """Somebody who has just written a calendar sees what it comes to."""
    found = steward_in("posts", DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert "还没有读到群，下面用示例群来排" in found.output
    assert "早报" in found.output
    assert not (tmp_path / "none.db").exists()
    shown = steward_in("posts", "show", "早报", DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert (shown.exit_code, "│ 早上好 │" in shown.output) == (0, True)


def test_a_name_that_is_not_there_is_guessed_at(steward_in: Run, sqlite_url: str) -> None:
    """Exit code 2, and what was perhaps meant."""
    asyncio.run(fill_shop(sqlite_url))
    found = steward_in("posts", "show", "早抱")
    assert found.exit_code == 2
    assert "您是不是想写「早报」？" in found.output
    broken = steward_in("posts", "show", "坏", "--times", "2", "--json")
    assert broken.exit_code == 1
    assert [len(each["broken"]) for each in json.loads(broken.output)] == [1, 1]


def test_a_calendar_can_be_stopped_and_started(steward_in: Run, sqlite_url: str) -> None:
    """One group, or all; resuming without a name resumes everything."""
    asyncio.run(fill_shop(sqlite_url))
    assert "停了：会员一群" in steward_in("posts", "pause", "会员一").output
    assert "停了：全部的群" in steward_in("posts", "pause").output
    assert asyncio.run(paused_in(sqlite_url)) == {"wr1", ""}
    assert "恢复了：全部的群" in steward_in("posts", "resume").output
    assert asyncio.run(paused_in(sqlite_url)) == set()
    assert "本来就没有停" in steward_in("posts", "resume", "会员一").output


def test_no_posts_is_no_calendar(steward_in: Run, tmp_path: Path) -> None:
    """Told where to write one, exit code 2."""
    (tmp_path / "config.yaml").write_text("managers: [李华]\n", encoding="utf-8")
    found = steward_in("posts", DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert found.exit_code == 2
    assert "设置里没有定时内容" in found.output


async def a_week_ago(url: str) -> None:
    """Last Wednesday's post went to one group and not to the other, whose owner never confirmed."""
    database = await Database.open(url)
    today = SystemClock().now()
    at = moment_of(monday_before(today) + timedelta(days=2), time(20, 0))
    async with database.write() as tx:
        await staff.remember(tx, "wangwu", "王五", now=NOW)
        row = PostRow(key="k", name="周三分享", day=at.date(), fire_at=at, say_at=at, state="done")
        tx.add(row)
        await tx.flush()
        values: dict[str, Any] = {
            "key": "s",
            "about": row.about,
            "sender": "wangwu",
            "targets": ["wr1", "wr2"],
            "text": "x",
        }
        send = await sends.add(tx, SendRow(**values, say_at=at, until=at))
        assert send is not None
        for result, got in zip((await sends.results(tx, send.id)).values(), ("arrived", "expired"), strict=True):
            result.got, result.at = got, at + timedelta(hours=1)
        week = OwnerWeek(owner="wangwu", groups=2, new_members=3, members=90, active=7, messages=40)
        await owner_weeks.keep(tx, monday_before(today), [week])
    await database.close()


def test_the_week_that_is_over_is_told(steward_in: Run, sqlite_url: str) -> None:
    """Sums, names, reasons and what the platform said; exit code 1 while something did not arrive; also as JSON."""
    asyncio.run(fill_shop(sqlite_url))
    empty = steward_in("posts", "report")
    assert (empty.exit_code, "这几天没有群发" in empty.output) == (0, True)
    asyncio.run(a_week_ago(sqlite_url))
    found = steward_in("posts", "report")
    assert found.exit_code == 1
    for said in (
        "1 条，1/2 群次发到了",
        "王五：1 群次",
        "「周三分享」1 个群没人确认",
        "1 个群晚了，最多 1小时",
        "新成员 3",
    ):
        assert said in found.output
    assert max(cell_len(line) for line in found.output.splitlines()) <= 80
    assert json.loads(steward_in("posts", "report", "--json").output)["counts"] == {"arrived": 1, "unconfirmed": 1}
