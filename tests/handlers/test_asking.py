"""Ordering messages: nobody is sent more in a minute than the platform delivers."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlmodel import select

from handlers.asking import A_MINUTE_EACH, post
from rules.actions import SendText
from store.database import Database
from store.outbox import Outbox, deed_of

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("turn", range(5))
async def test_nobody_gets_more_than_so_many_in_any_minute(sqlite_db: Database, seed: int, turn: int) -> None:
    """Whoever is written to, alone or together, and however it bunches: in every 60 seconds at most the limit."""
    random = Random(f"{seed} {turn}")
    at, people = NOON, ["wangwu", "zhaoliu", "lihua"]
    async with sqlite_db.write() as tx:
        for number in range(250):
            at += timedelta(seconds=random.choice([0, 0, 0, 0, 0, 0, 1, 7, 40]) if number > 90 else 0)
            to = tuple(random.sample(people, random.randint(1, 3)))
            await post(tx, SendText(to=to, text=f"{number}"), f"key-{number}", now=at)
        rows = (await tx.exec(select(Outbox))).all()
    assert len(rows) == 250
    due = defaultdict(list)
    for row in rows:
        deed = deed_of(row)
        assert isinstance(deed, SendText)
        for userid in deed.to:
            due[userid].append(row.due_at)
    for moments in due.values():
        assert max(sum(first <= each < first + MINUTE for each in moments) for first in moments) <= A_MINUTE_EACH
    assert any(row.due_at > row.created_at for row in rows)


async def test_what_is_ordered_twice_is_counted_once(sqlite_db: Database) -> None:
    """The same message again, under its key, takes no room from others."""
    async with sqlite_db.write() as tx:
        for _ in range(A_MINUTE_EACH * 2):
            await post(tx, SendText(to=("wangwu",), text="…"), "the same", now=NOON)
        await post(tx, SendText(to=("wangwu",), text="…"), "another", now=NOON)
        rows = (await tx.exec(select(Outbox))).all()
    assert [row.due_at for row in rows] == [NOON, NOON]
