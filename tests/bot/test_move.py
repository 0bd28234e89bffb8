"""`steward move`: all of a SQLite file to PostgreSQL, whatever interrupts it, and nothing that is not the same."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary, Table
from typer.testing import CliRunner

from bot.backup import CannotError
from bot.cli import app
from bot.move import SCHEMA, compare, move
from store.columns import BigId, Json, UtcTime, utc_text
from store.database import Database, parse_url
from store.tables import metadata
from tests.promises.conftest import everything

START = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
ROWS = 3


def value_of(column: Column[Any], number: int) -> Any:
    """What this column holds in the row of this number, as SQLite has it. Rows point at those of the same number."""
    if column.foreign_keys:
        [key] = column.foreign_keys
        return value_of(key.column, number)
    values = {
        UtcTime: utc_text(START + timedelta(hours=number)),
        Date: (date(2026, 11, 22) + timedelta(days=number)).isoformat(),
        Boolean: number % 2,
        Integer: number,
        BigId: number,
        LargeBinary: bytes([number % 256, 0, 255]),
        Json: f'{{"群":[{number},null,"a\\"b"]}}',
        JSON: f'{{"群":[{number},null,"a\\"b"]}}',
    }
    words = f"{column.name}-{number} 茶 🍵 'x' \\"
    return next((value for kind, value in values.items() if isinstance(column.type, kind)), words)


def fill(path: Path, numbers: range) -> None:
    """Rows in every table; what may be missing is, in every other row."""
    with closing(sqlite3.connect(path)) as file, file:
        for table in metadata.sorted_tables:
            file.executemany(_insert(table), [_row(table, number) for number in numbers])


def _insert(table: Table) -> str:
    names, marks = ", ".join(f'"{each.name}"' for each in table.columns), ", ".join("?" * len(table.columns))
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of ours


def _row(table: Table, number: int) -> list[Any]:
    return [None if each.nullable and number % 2 else value_of(each, number) for each in table.columns]


@pytest.fixture
def source(sqlite_url: str) -> str:
    """A file with something in every table."""
    fill(path_of(sqlite_url), range(1, ROWS + 1))
    return sqlite_url


def path_of(url: str) -> Path:
    return Path(parse_url(url)[1])


async def all_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    database = await Database.open(url)
    try:
        return await everything(database)
    finally:
        await database.close()


async def in_target(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def ignore(table: str, copied: int) -> None:
    """Nobody watches."""


async def test_everything_arrives(source: str, empty_postgres_url: str) -> None:
    """Every row of every table is there, read back as the same values; the file is as it was. A number that was given
    once is not given again, though its row is gone. Afterwards one bit that differs is found, in its table only."""
    with closing(sqlite3.connect(path_of(source))) as file, file:
        file.execute("UPDATE sqlite_sequence SET seq = 41 WHERE name = 'inbox'")
    before = await all_of(source)
    assert all(len(rows) == ROWS for rows in before.values())
    compared = await move(source, empty_postgres_url, ignore)
    assert [(each.here, each.there, each.same) for each in compared] == [(ROWS, ROWS, True)] * len(before)
    assert await all_of(empty_postgres_url) == before == await all_of(source)
    assert await in_target(empty_postgres_url, f"SELECT to_regnamespace('{SCHEMA}')") is None
    next_of = "SELECT nextval(pg_get_serial_sequence('{}', 'id'))"
    assert await in_target(empty_postgres_url, next_of.format("inbox")) == 42
    assert await in_target(empty_postgres_url, next_of.format("outbox")) == ROWS + 1

    assert all(each.same for each in await compare(source, empty_postgres_url))
    later = "UPDATE inbox SET received_at = received_at + interval '1 microsecond' WHERE id = 2"
    await in_target(empty_postgres_url, later)
    await in_target(empty_postgres_url, "DELETE FROM configs WHERE id = 1")
    compared = await compare(source, empty_postgres_url)
    assert {each.table for each in compared if not each.same} == {"inbox", "configs"}


class KilledError(Exception):
    pass


async def test_what_was_interrupted_goes_on(source: str, empty_postgres_url: str) -> None:
    """Interrupted in the middle of tables and between them, the move goes on where it was, copies nothing twice, and
    until its end there is no database to start on."""
    before, points = await all_of(source), {("inbox", 2), ("posts", 2), ("outbox", ROWS)}
    told, interrupted = list[tuple[str, int]](), 0

    def watch(table: str, copied: int) -> None:
        told.append((table, copied))
        if (table, copied) in points:
            points.remove((table, copied))
            raise KilledError

    while points:
        with pytest.raises(KilledError):
            await move(source, empty_postgres_url, watch, piece=2)
        interrupted += 1
        assert await in_target(empty_postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert all(each.same for each in await move(source, empty_postgres_url, watch, piece=2))
    assert interrupted == 3
    assert told.count(("inbox", 0)) == 1, "what is there is not copied anew"
    assert await all_of(empty_postgres_url) == before


async def test_a_difference_keeps_the_copy_out_of_use(source: str, empty_postgres_url: str) -> None:
    """Where the file changed between two tries, the copy is not the same, and stays where no bot looks."""

    def stop_late(table: str, copied: int) -> None:
        if table == metadata.sorted_tables[-1].name and copied:
            raise KilledError

    with pytest.raises(KilledError):
        await move(source, empty_postgres_url, stop_late)
    with closing(sqlite3.connect(path_of(source))) as file, file:
        file.execute("UPDATE inbox SET payload = 'another' WHERE id = 1")
    compared = await move(source, empty_postgres_url, ignore)
    assert [each.table for each in compared if not each.same] == ["inbox"]
    assert await in_target(empty_postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_nothing_is_overwritten(source: str, postgres_url: str) -> None:
    """Where a bot's tables are already, be they empty, nothing is moved."""
    with pytest.raises(CannotError, match="已经有群管家的数据"):
        await move(source, postgres_url, ignore)


async def test_the_file_has_to_be_left_alone(source: str, empty_postgres_url: str) -> None:
    """While a bot has the file open nothing is moved."""
    database = await Database.open(source)
    try:
        async with database.write():
            pass
        with pytest.raises(CannotError, match="先停掉 steward serve"):
            await move(source, empty_postgres_url, ignore)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("source", "to", "why"),
    [
        ("sqlite:///nowhere.db", "postgresql://127.0.0.1:1/x", "没有找到数据库"),
        ("postgresql://a@b/c", "postgresql://127.0.0.1:1/x", "来源不是 SQLite"),
        ("sqlite:///nowhere.db", "sqlite:///other.db", "目标要写成"),
        ("mysql://x", "y", "地址的写法不对"),
    ],
)
async def test_what_cannot_be_moved_is_said(source: str, to: str, why: str) -> None:
    """Wrong addresses are named before anything is touched."""
    with pytest.raises(CannotError, match=why):
        await move(source, to, ignore)


async def test_no_password_is_told(sqlite_url: str) -> None:
    """A server that is not there is said to be, without its address."""
    with pytest.raises(CannotError) as failed:
        await move(sqlite_url, "postgresql://steward:geheim@127.0.0.1:1/x", ignore)
    assert "PostgreSQL 那边没有成功" in str(failed.value)
    assert "geheim" not in str(failed.value)


def test_the_command_says_what_it_did(source: str, empty_postgres_url: str) -> None:
    """It shows each table with its rows, ends with what to do next, and a second time refuses with exit code 2."""
    arguments = ["move", "--from", source, "--to", empty_postgres_url]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "行数和校验和都一致" in done.output
    assert "DATABASE_URL" in done.output
    assert CliRunner().invoke(app, [*arguments, "--check"]).exit_code == 0
    assert CliRunner().invoke(app, arguments).exit_code == 2
