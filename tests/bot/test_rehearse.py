"""`steward rehearse --history`: whom a config would have asked about lately, by a small database with a week in it."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.clocks import SystemClock
from bot.prune import prune
from bot.rehearse.again import rehearse
from bot.rehearse.found import Rehearsal
from rules.book import Book
from rules.events import MessagePosted
from rules.removal import Reason
from store import blocks, inbox, people, queue, removal
from store.database import Database
from store.inbox import Inbox
from store.roster import GroupRow, MemberRow
from store.staff import StaffRow

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
DAYS, HOURS, MINUTES = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
KEYWORDS = {"rule": "keywords", "words": "加微信", "then": ["warn", "warn", "remove"], "cool_down": 10 * MINUTES}


async def group(db: Database, chat_id: str = "wr1", name: str = "会员一群", **more: Any) -> None:
    async with db.write() as tx:
        tx.add(GroupRow(chat_id=chat_id, name=name, owner="wangwu", watched_since=SINCE - 99 * DAYS, **more))


async def member(
    db: Database, who: str, at: datetime, chat_id: str = "wr1", left_at: datetime | None = None, **more: Any
) -> None:
    columns = {"name": f"客户{who[2:]}", "joined_at": at, "seen_at": at, "detailed": True, "left_at": left_at, **more}
    async with db.write() as tx:
        tx.add(MemberRow(chat_id=chat_id, external_userid=who, **columns))


async def says(db: Database, who: str, at: datetime, text: str = "加微信", chat_id: str = "wr1") -> None:
    event = MessagePosted(at=at, chat_id=chat_id, msgid=f"{who}{at}", sender=who, text=text)
    async with db.write() as tx:
        await inbox.put(tx, source="ingest", key=event.msgid, event=event, lane=2, ordering_key=None, due_at=at, now=at)


async def found_by(db: Database, *rules: dict[str, Any], **more: Any) -> Rehearsal:
    async with db.read() as tx:
        book = Book.model_validate({"rules": list(rules), **more})
        return await rehearse(tx, book, since=SINCE, until=NOW)


def asked(found: Rehearsal) -> list[tuple[str, str]]:
    return [(line.external_userid, line.step) for line in found.lines]


async def test_who_came_is_judged_in_the_order_of_time(db: Database) -> None:
    """Those who came within the days, also who has left since; with the reason, the group and the name."""
    await group(db)
    await member(db, "woLate", NOW - DAYS)
    await member(db, "woEarly", NOW - 3 * DAYS, left_at=NOW - 2 * DAYS)
    await member(db, "woBefore", SINCE - DAYS)
    await member(db, "wmCustomer", NOW - DAYS)
    found = await found_by(db, {"rule": "other_company"})
    assert asked(found) == [("woEarly", "remove"), ("woLate", "remove")]
    line = found.lines[0]
    assert (line.at, line.group, line.person, line.rules) == (
        NOW - 3 * DAYS,
        "会员一群",
        "客户Early",
        ("other_company",),
    )
    assert "wo 开头" in line.because[0]
    assert (found.joins, found.leaves, found.messages) == (3, 1, 0)
    [count] = found.rules
    assert (count.hits, count.people, count.steps, found.wrong) == (2, 2, {"remove": 2}, ())


async def test_strikes_are_counted_in_memory(db: Database) -> None:
    """As it would have been: the second offence within the cool-down is only recorded, the third step is the last."""
    await group(db)
    await member(db, "wmAd", SINCE - DAYS)
    for minutes in (0, 5, 60, 120):
        await says(db, "wmAd", NOW - DAYS + minutes * MINUTES)
    found = await found_by(db, KEYWORDS)
    assert asked(found) == [("wmAd", "warn"), ("wmAd", "warn"), ("wmAd", "remove")]
    assert found.steps == {"warn": 2, "repeat": 1, "remove": 1}
    assert [each.times for each in found.often] == [3]


async def test_strikes_fade(db: Database) -> None:
    """What is older than forget_after counts no more."""
    await group(db)
    await member(db, "wmAd", SINCE - DAYS)
    for days in (6, 3, 0):
        await says(db, "wmAd", NOW - days * DAYS)
    found = await found_by(db, KEYWORDS | {"forget_after": 2 * DAYS})
    assert [step for _, step in asked(found)] == ["warn", "warn", "warn"]


async def test_a_runaway_rule_stops_itself(db: Database) -> None:
    """Beyond the cap of a day the managers are asked first; the next day begins anew."""
    await group(db)
    for number in range(3):
        await member(db, f"wo{number}", NOW - HOURS + number * MINUTES)
    await member(db, "woYesterday", NOW - DAYS)
    found = await found_by(db, {"rule": "other_company", "most_a_day": 2})
    assert [step for _, step in asked(found)] == ["remove", "remove", "remove", "held"]


async def test_several_rules_are_one_line(db: Database) -> None:
    """The strongest step, and every reason."""
    await group(db)
    await member(db, "woA", NOW - DAYS, name="茗香阁小李")
    found = await found_by(db, {"rule": "nickname", "brands": "茗香阁"}, {"rule": "other_company"})
    [line] = found.lines
    assert (line.step, line.rules) == ("remove", ("nickname", "other_company"))
    assert found.steps == {"warn": 1, "remove": 1}


async def test_what_came_later_is_left_out(db: Database) -> None:
    """Nobody is held to a removal, a block or another group that came after the moment that is judged."""
    for number in (1, 2, 3):
        await group(db, f"wr{number}", f"会员{number}群")
        await member(db, "wmA", NOW - (5 - number) * DAYS, f"wr{number}")
    async with db.write() as tx:
        await blocks.put(tx, external_userid="wmA", because="", by="李华", now=NOW - 2 * DAYS - HOURS)
    found = await found_by(db, {"rule": "blocklist"}, {"rule": "one_group_each"}, groups={"members": "会员*"})
    assert [(line.chat_id, line.rules) for line in found.lines] == [
        ("wr2", ("one_group_each",)),
        ("wr3", ("blocklist", "one_group_each")),
    ]


async def test_a_removal_counts_from_then_on(db: Database) -> None:
    """Who was removed for cause and came back to another group is asked about there, and not where it began."""
    await group(db)
    await group(db, "wr2", "会员二群")
    await member(db, "wmA", NOW - 4 * DAYS, left_at=NOW - 3 * DAYS, quit_scene=1)
    await member(db, "wmA", NOW - DAYS, "wr2")
    async with db.write() as tx:
        reason = Reason(rule="flood", step="remove", because="刷屏", evidence="")
        case = await removal.open_case(
            tx, chat_id="wr1", external_userid="wmA", reasons=[reason], listed=False, now=NOW - 3 * DAYS
        )
        await removal.close(tx, case.number, outcome="removed", by=None, now=NOW - 3 * DAYS)
    found = await found_by(db, {"rule": "blocklist"}, {"rule": "flood"})
    assert [(line.chat_id, line.step) for line in found.lines] == [("wr2", "remove")]


async def test_who_is_blocked_on_the_way_is_known_when_they_return(db: Database) -> None:
    """An advert right after joining, and gone: on the blocklist, and asked about at the next group."""
    await group(db)
    await group(db, "wr2", "会员二群")
    await member(db, "wmAd", NOW - 2 * DAYS, left_at=NOW - 2 * DAYS + 20 * MINUTES, quit_scene=0)
    await says(db, "wmAd", NOW - 2 * DAYS + 15 * MINUTES)
    await member(db, "wmAd", NOW - DAYS, "wr2")
    found = await found_by(db, KEYWORDS | {"then": "observe"}, {"rule": "advert_and_leave"}, {"rule": "blocklist"})
    assert [(line.chat_id, line.step, line.gone) for line in found.lines] == [
        ("wr1", "block", True),
        ("wr2", "remove", False),
    ]
    assert found.steps == {"observe": 1, "block": 1, "remove": 1}


async def test_who_was_there_before_the_bot_is_only_listed(db: Database) -> None:
    """Those whom the bot found inside are told apart from those who came."""
    async with db.write() as tx:
        tx.add(GroupRow(chat_id="wr1", name="会员一群", owner="wangwu", watched_since=NOW - DAYS))
    await member(db, "woOld", NOW - 99 * DAYS, seen_at=NOW - DAYS)
    found = await found_by(db, {"rule": "other_company"})
    assert [(line.listed, line.at) for line in found.lines] == [(True, NOW - DAYS)]
    assert any("全程" in each for each in found.unknown)


async def test_who_was_released_is_not_asked_about(db: Database) -> None:
    """A release that came later counts, too; nor are our own messages read."""
    await group(db, staff=["wangwu"])
    await member(db, "woA", NOW - DAYS)
    await says(db, "wangwu", NOW - DAYS)
    async with db.write() as tx:
        await people.release(tx, "woA", "other_company", released_by="王五", case_id=None, now=NOW)
    found = await found_by(db, {"rule": "other_company"}, KEYWORDS)
    assert (asked(found), found.wrong) == ([], ())


async def test_what_cannot_be_known_is_said(db: Database) -> None:
    """Texts that are forgotten, strikes before, and rules that look at something else: in words."""
    await group(db)
    await member(db, "wmA", SINCE - DAYS)
    for days in (8, 1):
        await says(db, "wmA", NOW - days * DAYS)
    async with db.write() as tx:
        row = await queue.claim(tx, Inbox, now=NOW, lease=HOURS, token="t")
        assert row is not None
        await queue.finish(tx, Inbox, row.id, "t", "done", now=NOW - 8 * DAYS)
    await prune(db, NOW)
    rules = (KEYWORDS, {"rule": "friend_adding"})
    async with db.read() as tx:
        book = Book.model_validate({"rules": list(rules)})
        found = await rehearse(tx, book, since=NOW - 9 * DAYS, until=NOW)
    assert found.messages == 1
    said = "".join(found.unknown)
    for words in ("原文只留 7 天", "违规次数不知道，都从零算起", "没有回看：friend_adding"):
        assert words in said
    assert "原文只留" not in "".join((await found_by(db, *rules)).unknown)
    assert [(each.rule, each.rehearsed) for each in found.rules] == [("keywords", True), ("friend_adding", False)]


# --- the command ------------------------------------------------------------------------------------------------------

Steward = Callable[..., Result]


@pytest.fixture
def steward(sqlite_url: str, tmp_path: Path) -> Steward:
    """`steward("rehearse", …)` in a folder with a config and a database where three people came an hour ago."""
    (tmp_path / "config.yaml").write_text("rules:\n  - rule: other_company\n", encoding="utf-8")
    (tmp_path / "quiet.yaml").write_text("rules:\n  - {rule: other_company, then: 仅观察}\n", encoding="utf-8")

    async def fill() -> None:
        database = await Database.open(sqlite_url)
        await group(database)
        for who in ("woA", "woB", "wmC"):
            await member(database, who, SystemClock().now() - HOURS)
        await database.close()

    asyncio.run(fill())

    def run(*words: str) -> Result:
        with contextlib.chdir(tmp_path):
            return CliRunner().invoke(app, list(words), env={"DATABASE_URL": sqlite_url, "COLUMNS": "80"})

    return run


def everything_in(url: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


def test_the_database_stays_as_it_is(steward: Steward, sqlite_url: str) -> None:
    """Told in Chinese on 80 columns, exit code 0, a next step; not one row is other than before."""
    before = everything_in(sqlite_url)
    told = steward("rehearse", "--history", "7d")
    assert told.exit_code == 0, told.output
    for words in ("3 次进群", "命中 2 次，2 人：移出 2 次", "会问到谁（2 次）", "客户A", "什么也没有记下", "下一步"):
        assert words in told.output
    assert max(map(cell_len, told.output.splitlines())) <= 80
    assert everything_in(sqlite_url) == before


def test_another_config_is_rehearsed_as_data(steward: Steward) -> None:
    """--config names the file, --json is the whole of what was found and nothing else."""
    told = steward("rehearse", "--history", "1天", "--config", "quiet.yaml", "--json")
    found = json.loads(told.output)
    assert (told.exit_code, found["lines"], found["steps"]) == (0, [], {"observe": 2})


def test_at_most_forty_lines(steward: Steward, sqlite_url: str) -> None:
    """The time line is cut off at 40, and says where the rest is."""

    async def more() -> None:
        database = await Database.open(sqlite_url)
        for number in range(50):
            await member(database, f"woMany{number}", SystemClock().now() - 2 * HOURS)
        await database.close()

    asyncio.run(more())
    told = steward("rehearse", "--history", "7d")
    assert told.output.count("客户Many") == 40
    assert "还有 12 次，全部请加 --json" in told.output


def test_whoever_must_not_be_asked_about_is_an_error(steward: Steward, sqlite_url: str) -> None:
    """Exit code 1 where the rules would ask about one of ours: which the roster should make impossible."""

    async def employ() -> None:
        database = await Database.open(sqlite_url)
        async with database.write() as tx:
            tx.add(StaffRow(userid="woA", name="王五", seen_at=NOW))
        await database.close()

    asyncio.run(employ())
    told = steward("rehearse", "--history", "7d")
    assert told.exit_code == 1
    assert "是自己的同事（woA）" in told.output


@pytest.mark.parametrize(
    ("words", "says_why"),
    [
        ((), "--history 7d"),
        (("--history", "7"), "请写明单位"),
        (("--history", "0天"), "至少要回看"),
        (("--history", "7d", "--config", "no.yaml"), "找不到这个文件"),
    ],
)
def test_what_cannot_run_says_why(steward: Steward, words: tuple[str, ...], says_why: str) -> None:
    """Exit code 2 and the reason."""
    told = steward("rehearse", *words)
    assert told.exit_code == 2
    assert says_why in told.output
