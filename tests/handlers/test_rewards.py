"""Who is given points for a week without strikes, and who is not."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handlers import rewards
from rules.book import Book
from rules.events import RewardsDue
from rules.removal import Reason
from store import points, removal
from store.database import Database
from store.people import PersonRow
from store.roster import GroupRow, MemberRow
from store.strikes import StrikeRow

MONDAY = date(2026, 11, 16)
START = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)  # that Monday in Beijing
NOW = START + timedelta(days=7, hours=4)
DAYS = timedelta(days=1)
BOOK = Book.model_validate({"rewards": {"clean_week": 5}})


async def reward(db: Database, book: Book = BOOK) -> None:
    async with db.write() as tx:
        await rewards.handle(RewardsDue(at=NOW, week=MONDAY), None, tx, book, NOW)


async def balance_of(db: Database, who: str) -> int:
    async with db.read() as tx:
        return await points.balance(tx, who)


async def settled(db: Database, who: str = "wmA", groups: int = 1, account: str = "", **more: Any) -> None:
    """Somebody who has been in so many groups for a year."""
    async with db.write() as tx:
        for number in range(groups):
            if await tx.get(GroupRow, f"wr{number}") is None:
                tx.add(GroupRow(chat_id=f"wr{number}", watched_since=START - 365 * DAYS))
                await tx.flush()
            columns = {"joined_at": START - 365 * DAYS, "seen_at": START - 365 * DAYS, **more}
            tx.add(MemberRow(chat_id=f"wr{number}", external_userid=who, **columns))
        if account:
            tx.add(PersonRow(external_userid=who, account=account))


async def struck(db: Database, at: datetime, forgiven_at: datetime | None = None) -> None:
    async with db.write() as tx:
        strike = StrikeRow(subject="wmA", rule="flood", key="k", chat_id="wr0", because="", came_to="warn", at=at)
        strike.forgiven_at = forgiven_at
        tx.add(strike)


async def test_a_clean_week_is_worth_its_points_once(db: Database) -> None:
    """Whoever was there all week gets them, once, however many groups and however often it is worked on."""
    await settled(db, groups=3)
    await reward(db)
    await reward(db)
    assert await balance_of(db, "wmA") == 5
    async with db.read() as tx:
        [entry] = await points.entries(tx, "wmA", newest=5)
    assert (entry.points, entry.why, entry.at) == (5, "守规矩一周（11月16日到11月22日）", NOW)


async def test_two_weeks_are_two_entries(db: Database) -> None:
    """The next week counts by itself."""
    await settled(db)
    await reward(db)
    async with db.write() as tx:
        later = RewardsDue(at=NOW + 7 * DAYS, week=MONDAY + 7 * DAYS)
        await rewards.handle(later, None, tx, BOOK, NOW + 7 * DAYS)
    assert await balance_of(db, "wmA") == 10


@pytest.mark.parametrize(
    ("row", "gets"),
    [
        ({}, 5),
        ({"joined_at": START}, 5),
        ({"joined_at": START + timedelta(seconds=1)}, 0),
        ({"joined_at": None}, 5),
        ({"joined_at": None, "seen_at": START + DAYS}, 0),
        ({"left_at": START + 3 * DAYS}, 0),
        ({"who": "woA"}, 0),
        ({"who": "woA", "unionid": "u"}, 5),
        ({"who": "woA", "account": "wechat"}, 5),
        ({"account": "wecom"}, 0),
        ({"account": "unknown"}, 5),
    ],
)
async def test_who_gets_points(sqlite_db: Database, row: Mapping[str, Any], gets: int) -> None:
    """Who uses WeChat, is still there, and was there for the whole week."""
    await settled(sqlite_db, **row)
    await reward(sqlite_db)
    assert await balance_of(sqlite_db, row.get("who", "wmA")) == gets


@pytest.mark.parametrize(
    ("at", "forgiven", "gets"),
    [
        (START - timedelta(seconds=1), False, 5),
        (START, False, 0),
        (START + 6 * DAYS, False, 0),
        (START + 6 * DAYS, True, 5),
        (START + 7 * DAYS, False, 5),
    ],
)
async def test_a_strike_costs_its_week(sqlite_db: Database, at: datetime, forgiven: bool, gets: int) -> None:
    """A strike of that week, unless it was forgiven; those of other weeks do not count."""
    await settled(sqlite_db)
    await struck(sqlite_db, at, NOW if forgiven else None)
    await reward(sqlite_db)
    assert await balance_of(sqlite_db, "wmA") == gets


async def test_who_is_asked_about_gets_nothing(db: Database) -> None:
    """An open case, in whichever group, costs the week; others get theirs."""
    await settled(db, groups=2)
    await settled(db, who="wmB")
    async with db.write() as tx:
        reason = Reason(rule="nickname", step="warn", because="…", evidence="")
        await removal.open_case(tx, chat_id="wr1", external_userid="wmA", reasons=[reason], listed=False, now=START)
    await reward(db)
    assert [await balance_of(db, "wmA"), await balance_of(db, "wmB")] == [0, 5]


async def test_nothing_is_given_where_the_config_gives_nothing(db: Database) -> None:
    """No points without the setting, and no entries of nothing."""
    await settled(db)
    await reward(db, Book())
    async with db.read() as tx:
        assert await points.entries(tx, "wmA", newest=5) == []
