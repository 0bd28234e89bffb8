"""The door to the database: transactions, times, rights, and what is said when it cannot write."""

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Column, MetaData, Table, literal, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import select

from store.columns import Json, UtcTime, utc_text
from store.database import Database, StoreUnavailable

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

times = Table("times", MetaData(), Column("at", UtcTime()), Column("data", Json()))


@pytest.fixture
async def table(db: Database) -> Table:
    async with db.write() as tx:
        await (await tx.connection()).run_sync(times.metadata.create_all)
    return times


async def _all(db: Database, table: Table) -> list[datetime]:
    async with db.read() as tx:
        return list(await tx.exec(select(table.c.at).order_by(table.c.at)))


async def test_commits_on_a_clean_exit_and_rolls_back_otherwise(db: Database, table: Table) -> None:
    """What a transaction wrote stays if it ended well, and only then."""
    async with db.write() as tx:
        await tx.exec(table.insert().values(at=NOON))
    with contextlib.suppress(ZeroDivisionError):
        async with db.write() as tx:
            await tx.exec(table.insert().values(at=NOON + timedelta(1)))
            raise ZeroDivisionError
    assert await _all(db, table) == [NOON]


async def test_reading_cannot_write(db: Database, table: Table) -> None:
    """A read transaction refuses to write, on both engines, so nobody gets round the queue of writers."""
    with pytest.raises((DBAPIError, StoreUnavailable)):
        async with db.read() as tx:
            await tx.exec(table.insert().values(at=NOON))
    assert await _all(db, table) == []


async def test_a_reader_sees_one_moment(db: Database, table: Table) -> None:
    """What is committed meanwhile does not appear halfway through a read transaction."""
    async with db.read() as tx:
        assert list(await tx.exec(select(table.c.at))) == []
        async with db.write() as writer:
            await writer.exec(table.insert().values(at=NOON))
        assert list(await tx.exec(select(table.c.at))) == []


async def test_refuses_a_naive_time(db: Database, table: Table) -> None:
    """A time without a zone never reaches the database (promise 12)."""
    with pytest.raises(StatementError, match="naive"):
        async with db.write() as tx:
            await tx.exec(table.insert().values(at=NOON.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="naive"):
        utc_text(NOON.replace(tzinfo=None))


async def test_times_come_back_in_utc_and_compare_in_sql(db: Database, table: Table) -> None:
    """A moment written in Shanghai time is the same moment in UTC, and orders as one."""
    shanghai = timezone(timedelta(hours=8))
    moments = [NOON, NOON + timedelta(microseconds=1), NOON.astimezone(shanghai) + timedelta(seconds=1)]
    async with db.write() as tx:
        await tx.exec(table.insert().values([{"at": moment} for moment in reversed(moments)]))
    read = await _all(db, table)
    assert read == moments
    assert {moment.tzinfo for moment in read} == {UTC}
    async with db.read() as tx:
        later = select(table.c.at).where(table.c.at > literal(NOON, UtcTime()), table.c.at < moments[2])
        assert list(await tx.exec(later)) == [moments[1]]


async def test_json_is_the_same_bytes_on_both_engines(db: Database, table: Table) -> None:
    """Equal data is stored as equal text, whatever the order of its keys."""
    async with db.write() as tx:
        await tx.exec(table.insert().values(at=NOON, data={"b": "群", "a": [1, None]}))
    async with db.read() as tx:
        assert (
            await (await tx.connection()).exec_driver_sql("SELECT data FROM times")
        ).scalar_one() == '{"a":[1,null],"b":"群"}'
        assert (await tx.exec(select(table.c.data))).one() == {"a": [1, None], "b": "群"}


async def test_writing_inside_writing_is_an_error_not_a_hang(sqlite_db: Database) -> None:
    """A task that asks for a second turn while it holds one is told so at once."""
    async with sqlite_db.write():
        with pytest.raises(RuntimeError, match="hand its transaction on"):
            async with sqlite_db.write():
                pass


async def test_writers_take_turns(sqlite_db: Database) -> None:
    """Nobody who writes in a loop keeps another one waiting: they alternate."""
    order: list[str] = []

    async def write(name: str) -> None:
        for _ in range(10):
            async with sqlite_db.write():
                order.append(name)

    await asyncio.gather(write("worker"), write("callback"))
    assert all(one != next_one for one, next_one in pairwise(order))


async def test_a_cancelled_transaction_is_undone_and_the_next_one_works(db: Database, table: Table) -> None:
    """A task that is cancelled in the middle of writing leaves nothing behind, not even its turn."""
    wrote = asyncio.Event()

    async def write_and_wait() -> None:
        async with db.write() as tx:
            await tx.exec(table.insert().values(at=NOON))
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await wrote.wait()
    task.cancel()
    await asyncio.wait([task])
    async with db.write() as tx:
        await tx.exec(table.insert().values(at=NOON + timedelta(1)))
    assert await _all(db, table) == [NOON + timedelta(1)]


async def test_sqlite_is_private_and_durable(tmp_path: Path) -> None:
    """The file is readable by its owner only, and a commit is on disk before it returns."""
    path = tmp_path / "new.db"
    database = await Database.open(f"sqlite:///{path}")
    try:
        async with database.write() as tx:
            await (await tx.connection()).run_sync(times.metadata.create_all)
            settings = [
                (await (await tx.connection()).exec_driver_sql(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert settings == ["wal", 2, 1]
        for file in (path, tmp_path / "new.db-wal", tmp_path / "new.db-shm"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    finally:
        await database.close()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
async def test_refuses_other_addresses(url: str) -> None:
    """Only a SQLite file and PostgreSQL are addresses of a store."""
    with pytest.raises(ValueError, match="DATABASE_URL"):
        await Database.open(url)


@pytest.mark.parametrize("url", ["sqlite:////proc/nowhere/steward.db", "postgresql://nobody:geheim@127.0.0.1:1/x"])
async def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    """What cannot be reached says StoreUnavailable, and never the password (promise 10)."""
    with pytest.raises(StoreUnavailable) as caught:
        await Database.open(url)
    assert "geheim" not in str(caught.value)


async def test_errors_do_not_show_what_was_written(db: Database, table: Table) -> None:
    """The text of a database error holds no values: they are people's names and messages (promise 10)."""
    with pytest.raises(DBAPIError) as caught:
        async with db.write() as tx:
            await (await tx.connection()).execute(text("INSERT INTO nothing VALUES (:name)"), {"name": "张三"})
    assert "张三" not in str(caught.value)


async def shown(db: Database, setting: str) -> str:
    async with db.read() as tx:
        value: str = (await (await tx.connection()).exec_driver_sql(f"SHOW {setting}")).scalar_one()
        return value


async def hang(db: Database, statement: str) -> None:
    """With a patience that suits a test."""
    async with db.write() as tx:
        connection = await tx.connection()
        await connection.exec_driver_sql("SET LOCAL statement_timeout = '20ms'")
        await connection.exec_driver_sql(statement)


async def test_a_statement_that_hangs_is_ended(postgres_db: Database) -> None:
    """PostgreSQL ends what takes too long, on every connection of ours, and that means: not available just now."""
    assert await shown(postgres_db, "statement_timeout") == "1min"
    with pytest.raises(StoreUnavailable, match="timeout"):
        await hang(postgres_db, "SELECT pg_sleep(20)")
    await hang(postgres_db, "SELECT 1")


async def test_who_waits_for_a_lock_does_not_wait_for_ever(postgres_db: Database, postgres_url: str) -> None:
    """Somebody else holds a table and has gone to sleep over it: whoever waits for it is told, and works on later."""
    holder = await asyncpg.connect(postgres_url)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE outbox")
            with pytest.raises(StoreUnavailable):
                await hang(postgres_db, "DELETE FROM outbox")
    finally:
        await holder.close()
    await hang(postgres_db, "DELETE FROM outbox")


async def test_a_transaction_that_is_forgotten_is_ended(postgres_db: Database, wait_until: Callable[..., None]) -> None:
    """A process that stopped within a transaction must not hold its locks for ever: the server ends it."""

    async def forget() -> None:
        async with postgres_db.write() as tx:
            connection = await tx.connection()
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            pid = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
            wait_until("the server has ended it", lambda: not Path(f"/proc/{pid}").exists())
            await connection.exec_driver_sql("SELECT 1")

    assert await shown(postgres_db, "idle_in_transaction_session_timeout") == "1min"
    with pytest.raises(StoreUnavailable):
        await forget()
    await hang(postgres_db, "SELECT 1")


async def test_a_server_that_answers_nothing_is_given_up(postgres_url: str) -> None:
    """A server that neither answers nor ends the connection holds nobody up for ever, and others are tried anew."""
    database = await Database.open(postgres_url, answer_within=0.2)
    async with database.read() as tx:
        pid = (await (await tx.connection()).exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            async with database.write() as tx:
                await (await tx.connection()).exec_driver_sql("SELECT 1")
        async with database.write() as tx:
            assert (await (await tx.connection()).exec_driver_sql("SELECT pg_backend_pid()")).scalar_one() != pid
    finally:
        os.kill(pid, signal.SIGCONT)
        await database.close()
