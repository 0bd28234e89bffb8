"""How the bot is doing, as its database tells it; and what becomes of dead letters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.status import look as status
from rules.actions import SendText
from rules.events import GroupReadDue
from store import api_calls, configs, inbox, outbox, queue
from store.database import Database
from store.inbox import Inbox
from store.outbox import Outbox

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


async def order(db: Database, key: str, due_at: datetime = NOW) -> None:
    async with db.write() as tx:
        deed = SendText(to=("wangwu",), text="hello")
        await outbox.put(tx, deed, key=key, lane=1, ordering_key=None, due_at=due_at, now=NOW, about="case:3")


async def happen(db: Database, key: str) -> None:
    event = GroupReadDue(at=NOW, chat_id="wr1")
    async with db.write() as tx:
        await inbox.put(tx, source="timer", key=key, event=event, lane=2, ordering_key="group:wr1", due_at=NOW, now=NOW)


async def bury(db: Database, table: Any, error: str) -> None:
    async with db.write() as tx:
        row = await queue.claim(tx, table, now=NOW, lease=MINUTES, token="t")
    assert row is not None
    async with db.write() as tx:
        await queue.bury(tx, table, row.id, "t", now=NOW, error=error)


async def look(db: Database, now: datetime = NOW) -> status.Status:
    async with db.read() as tx:
        return await status.look(tx, now)


async def test_what_waits_is_told_by_lane(db: Database) -> None:
    """How many rows of each lane wait, and since when the first of them has been due."""
    await order(db, "one", NOW - 7 * MINUTES)
    await order(db, "two")
    await happen(db, "three")
    told = await look(db)
    assert [(each.queue, each.lane, each.rows) for each in told.backlog] == [("in", "normal", 1), ("out", "removal", 2)]
    assert NOW - told.backlog[1].due_at == 7 * MINUTES


async def test_what_was_given_up_is_told_with_its_error(db: Database) -> None:
    """A dead letter says what it was, about whom, how often it was tried and why it failed."""
    await happen(db, "event")
    await bury(db, Inbox, "boom")
    await order(db, "deed")
    await bury(db, Outbox, "message/send: errcode 60020")
    told = await look(db)
    assert told.dead == 2
    by_id = {each.id: each for each in told.dead_letters}
    assert {(each.kind, each.about, each.error, each.attempts) for each in by_id.values()} == {
        ("group_read_due", "group:wr1", "boom", 1),
        ("send_text", "case:3", "message/send: errcode 60020", 1),
    }
    assert {name[:2] for name in by_id} == {"in", "ou"}


async def test_a_dead_letter_that_is_retried_is_worked_on_again(db: Database) -> None:
    """It is due at once, with all its tries before it, and no dead letter any more; the others stay."""
    for key in ("one", "two"):
        await order(db, key)
        await bury(db, Outbox, "boom")
    chosen = (await look(db)).dead_letters[0].id
    async with db.write() as tx:
        assert await status.retry(tx, chosen, NOW + MINUTES) == [chosen]
    assert (await look(db)).dead == 1
    async with db.write() as tx:
        row = await queue.claim(tx, Outbox, now=NOW + MINUTES, lease=MINUTES, token="again")
    assert row is not None
    assert (f"out{row.id}", row.attempts) == (chosen, 1)


async def test_all_dead_letters_are_dropped_at_once(db: Database) -> None:
    """What nobody wants any more is not shown any more, and not worked on either."""
    await happen(db, "event")
    await bury(db, Inbox, "boom")
    await order(db, "deed")
    await bury(db, Outbox, "boom")
    async with db.write() as tx:
        assert len(await status.drop(tx, "all")) == 2
    assert (await look(db)).dead == 0
    async with db.read() as tx:
        assert [await queue.next_due(tx, table) for table in (Inbox, Outbox)] == [None, None]


@pytest.mark.parametrize("which", ["in99", "out", "12", "x", "out1; DROP TABLE inbox"])
async def test_what_is_no_dead_letter_is_refused(sqlite_db: Database, which: str) -> None:
    """A row that is open, done or not there is never touched."""
    await order(sqlite_db, "open")
    async with sqlite_db.write() as tx:
        with pytest.raises(status.NoSuchLetterError):
            await status.retry(tx, which, NOW)
        with pytest.raises(status.NoSuchLetterError):
            await status.drop(tx, "out1")


async def test_calls_are_counted_over_all_processes(db: Database) -> None:
    """Two processes' counts add up, by endpoint: this hour's share of the limit, the day's total and its errors."""
    for more in ({("gettoken", 0): 2}, {("gettoken", 0): 3, ("gettoken", 40001): 1, ("user/get", 0): 1}):
        async with db.write() as tx:
            await api_calls.add(tx, more, now=NOW)
    async with db.write() as tx:
        await api_calls.add(tx, {("gettoken", 0): 10}, now=NOW - timedelta(hours=5))
        await api_calls.add(tx, {("gettoken", 0): 1000}, now=NOW - timedelta(hours=30))
    calls = {each.endpoint: each for each in (await look(db)).calls}
    assert (calls["gettoken"].this_hour, calls["gettoken"].last_day) == (6, 16)
    assert calls["gettoken"].failed == {"40001": 1}
    assert calls["user/get"].failed == {}


async def test_an_answer_that_is_usual_is_no_error(db: Database) -> None:
    """Nobody has added this person (84061): so it is with all who are only in a group. Elsewhere it is an error."""
    async with db.write() as tx:
        calls = {("externalcontact/get", 84061): 9, ("externalcontact/get", 48002): 1, ("remark", 84061): 2}
        await api_calls.add(tx, calls, now=NOW)
    told = {each.endpoint: (each.last_day, each.failed) for each in (await look(db)).calls}
    assert told == {"externalcontact/get": (10, {"48002": 1}), "remark": (2, {"84061": 2})}


async def test_old_counts_of_calls_are_forgotten(db: Database) -> None:
    """A month is enough."""
    async with db.write() as tx:
        await api_calls.add(tx, {("gettoken", 0): 1}, now=NOW - timedelta(days=31))
        await api_calls.add(tx, {("gettoken", 0): 2}, now=NOW - timedelta(days=29))
        await api_calls.prune(tx, now=NOW)
        assert [row.calls for row in await api_calls.since(tx, NOW - timedelta(days=365))] == [2]


async def test_the_config_in_force_is_told(db: Database) -> None:
    """Which one, and since when."""
    assert (await look(db)).config == ""
    async with db.write() as tx:
        await configs.activate(tx, "a", config_hash="aa", now=NOW - MINUTES)
        await configs.activate(tx, "b", config_hash="bb", now=NOW)
    told = await look(db)
    assert (told.config, told.config_since) == ("bb", NOW)
