"""The ledger of points."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from bot.explain.stories import PersonStory
from bot.explain.tell import find, tell
from bot.explain.words import show
from store import points
from store.database import Database, table_of
from store.roster import GroupRow, MemberRow

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


async def test_what_somebody_has_is_the_sum_of_their_entries(db: Database) -> None:
    """Entries are written once by their key, may be below zero, and are told newest first."""
    async with db.write() as tx:
        assert await points.give(tx, "wmA", 5, why="守规矩", key="a", now=NOW)
        assert not await points.give(tx, "wmA", 5, why="守规矩", key="a", now=NOW)
        assert await points.give(tx, "wmA", -2, why="抽奖券", key="b", now=NOW)
        assert await points.give(tx, "wmB", 1, why="打卡", key="c", now=NOW)
    async with db.read() as tx:
        assert [await points.balance(tx, who) for who in ("wmA", "wmB", "wmC")] == [3, 1, 0]
        assert [each.key for each in await points.entries(tx, "wmA", newest=5)] == ["b", "a"]
        assert [each.key for each in await points.entries(tx, "wmA", newest=1)] == ["b"]


async def test_a_whole_corp_at_once(db: Database) -> None:
    """One statement gives to all of 20,000 members, who are in 100 groups, and to nobody twice."""
    people = 20_000
    async with db.write() as tx:
        connection = await tx.connection()
        tx.add_all([GroupRow(chat_id=f"wr{number}", watched_since=LONG_AGO) for number in range(100)])
        await tx.flush()
        rows = [
            {
                "chat_id": f"wr{number % 100}",
                "external_userid": f"wm{number}",
                "name": "",
                "joined_at": LONG_AGO,
                "seen_at": LONG_AGO,
                "detailed": True,
                "announced": False,
            }
            for number in range(people)
        ]
        for first in range(0, people, 500):
            await connection.execute(table_of(MemberRow).insert(), rows[first : first + 500])
    for expected in (people, 0):
        async with db.write() as tx:
            given = await points.give_clean_week(
                tx, 5, start=NOW - timedelta(days=7), end=NOW, why="守规矩", key="clean_week:x", now=NOW
            )
        assert given == expected


async def test_a_person_is_told_with_their_points(db: Database) -> None:
    """`explain` shows what somebody has and the newest entries; of who has none it says nothing."""
    async with db.write() as tx:
        tx.add(GroupRow(chat_id="wr1", name="会员一群", watched_since=LONG_AGO))
        await tx.flush()
        for who in ("wmA", "wmB"):
            tx.add(MemberRow(chat_id="wr1", external_userid=who, name=who, joined_at=LONG_AGO, seen_at=LONG_AGO))
        for week in range(7):
            await points.give(tx, "wmA", 5, why=f"守规矩第 {week} 周", key=f"{week}", now=NOW)
    said = {}
    async with db.read() as tx:
        for who in ("wmA", "wmB"):
            [found] = await find(tx, who)
            story = await tell(tx, found)
            assert isinstance(story, PersonStory)
            said[who] = io.StringIO()
            show(story, Console(file=said[who], width=80))
            assert (story.points, len(story.point_entries)) == ((35, 5) if who == "wmA" else (0, 0))
    assert "积分（现有 35 分，这里是最近 5 笔）" in said["wmA"].getvalue()
    assert "+5  守规矩第 6 周" in said["wmA"].getvalue()
    assert "积分" not in said["wmB"].getvalue()
