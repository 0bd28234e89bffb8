"""From a SQLite file to PostgreSQL: everything is copied, compared, and only then put in its place.

The copy is made in a schema of its own, piece by piece, each with how far it has come: what was interrupted goes on
there. When every table is the same on both sides, one transaction moves them all to where the bot looks. So there is
never half a database to start on. The file itself stays as it is.
"""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Boolean, Date, Table, make_url

from bot.backup import CannotError
from store.columns import UtcTime, utc_text
from store.database import StoreUnavailable, parse_url
from store.migrate import revisions, upgrade
from store.postgres import CONNECT_SECONDS
from store.tables import metadata

SCHEMA = "steward_moving"
PIECE = 5_000  # rows
_ONE_AT_A_TIME = 0x57E3A4E


@dataclass(frozen=True)
class Compared:
    """One table: how many rows there are on each side, and whether they say the same."""

    table: str
    here: int
    there: int
    same: bool


Tell = Callable[[str, int], None]
"""Called with a table and how many of its rows have been copied now."""


async def move(source_url: str, to: str, tell: Tell, *, piece: int = PIECE) -> list[Compared]:
    """Copy all, or what was left; compare; where all is the same, put it in its place. Nobody may use either meanwhile.

    Raises CannotError: nothing is lost, and the same again goes on where it ended.
    """
    async with _both(source_url, to) as (source, target):
        await _expect_empty(target)
        await target.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        with _explained():
            await upgrade(_within(to))
        await target.execute(f"SET search_path TO {SCHEMA}")
        await target.execute(
            "CREATE TABLE IF NOT EXISTS move_progress (name text PRIMARY KEY, last_row bigint NOT NULL)"
        )
        for table in metadata.sorted_tables:
            await _copy(source, target, table, tell, piece)
        compared = [await _compare(source, target, table) for table in metadata.sorted_tables]
        if all(each.same for each in compared):
            await _put_in_place(source, target)
        return compared


async def compare(source_url: str, to: str) -> list[Compared]:
    """Whether the two are the same. Changes nothing. Raises CannotError."""
    async with _both(source_url, to) as (source, target):
        if not await _there(target):
            raise CannotError("目标数据库里还没有群管家的数据：先不带 --check 运行一次。")
        return [await _compare(source, target, table) for table in metadata.sorted_tables]


# --- the two sides ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _both(source_url: str, to: str) -> AsyncIterator[tuple[sqlite3.Connection, asyncpg.Connection]]:
    """The file, which nobody else can open meanwhile, and the server, where only we are moving."""
    path, address = _addresses(source_url, to)
    with closing(_open_alone(path)) as source, _explained():
        target = await asyncpg.connect(address, timeout=CONNECT_SECONDS)
        try:
            if not await target.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
                raise CannotError("另一个 steward move 正在往这个数据库里搬，等它做完。")
            yield source, target
        finally:
            await target.close()


def _addresses(source_url: str, to: str) -> tuple[Path, str]:
    try:
        (source_kind, path), (target_kind, address) = parse_url(source_url), parse_url(to)
    except ValueError:
        raise CannotError("地址的写法不对：来源是 sqlite:///文件，目标是 postgresql://用户:密码@主机/库名。") from None
    if source_kind != "sqlite":
        raise CannotError("来源不是 SQLite：用 --from sqlite:///steward.db 写明从哪个文件搬。")
    if target_kind != "postgresql":
        raise CannotError("目标要写成 postgresql://用户:密码@主机/库名。")
    if not Path(path).is_file():
        raise CannotError(f"没有找到数据库 {path}。在放 .env 的文件夹里运行，或用 --from 写明。")
    return Path(path), address


def _open_alone(path: Path) -> sqlite3.Connection:
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=2)
    try:
        # Leaving WAL needs the file for oneself; the bot sets it again where it opens the file.
        alone = source.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
        source.execute("BEGIN EXCLUSIVE")
        revision = source.execute("SELECT version_num FROM alembic_version").fetchall() if alone else []
    except sqlite3.DatabaseError as error:
        source.close()
        raise CannotError(f"{path} 打不开（{error}）：先停掉 steward serve，再搬。") from None
    if not alone:
        source.close()
        raise CannotError(f"{path} 正在使用：先停掉 steward serve，再搬。")
    if revision != [(revisions()[0],)]:
        source.close()
        raise CannotError("数据库的版本和程序不一致：先用这个版本的 steward serve 启动一次，停掉，再搬。")
    return source


def _within(to: str) -> str:
    """The same address, where tables are looked for and made in the schema of the move."""
    return make_url(to).update_query_dict({"search_path": SCHEMA}).render_as_string(hide_password=False)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, StoreUnavailable) as error:
        # Never its text where it may hold the address: a password stands in that.
        said = error.args[0] if isinstance(error, asyncpg.PostgresError) else type(error).__name__
        raise CannotError(f"PostgreSQL 那边没有成功：{said}。改好以后再运行一次，会接着搬。") from None


async def _there(target: asyncpg.Connection) -> list[str]:
    """Which of our tables are where the bot looks for them."""
    rows = await target.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return sorted({row[0] for row in rows} & {*metadata.tables, "alembic_version"})


async def _expect_empty(target: asyncpg.Connection) -> None:
    if await _there(target):
        raise CannotError("目标数据库里已经有群管家的数据，不覆盖。要重新搬，请换一个空的库；只想核对，请加 --check。")


# --- copying ----------------------------------------------------------------------------------------------------------


async def _copy(source: sqlite3.Connection, target: asyncpg.Connection, table: Table, tell: Tell, piece: int) -> None:
    columns = [column.name for column in table.columns]
    readers = [_reader(column.type) for column in table.columns]
    last = await target.fetchval("SELECT last_row FROM move_progress WHERE name = $1", table.name)
    copied = await target.fetchval(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608 - a name of ours
    tell(table.name, copied)
    statement = f'SELECT rowid, {_names(columns)} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid LIMIT ?'  # noqa: S608 - names of ours
    while rows := source.execute(statement, (-(2**63) if last is None else last, piece)).fetchall():
        last = rows[-1][0]
        records = [
            tuple(None if value is None else read(value) for read, value in zip(readers, row[1:], strict=True))
            for row in rows
        ]
        async with target.transaction():
            await target.copy_records_to_table(table.name, records=records, columns=columns)
            await target.execute(
                "INSERT INTO move_progress VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last_row = $2",
                table.name,
                last,
            )
        copied += len(rows)
        tell(table.name, copied)


def _reader(kind: object) -> Callable[[Any], Any]:
    """What makes of a value in the file what PostgreSQL's driver wants for it."""
    if isinstance(kind, UtcTime):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    return bool if isinstance(kind, Boolean) else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


# --- comparing --------------------------------------------------------------------------------------------------------


async def _compare(source: sqlite3.Connection, target: asyncpg.Connection, table: Table) -> Compared:
    select = f'SELECT {_names(column.name for column in table.columns)} FROM "{table.name}"'  # noqa: S608 - names of ours
    here, there = _Checksum(), _Checksum()
    for row in source.execute(select):
        here.add(row)
    async with target.transaction():
        async for record in target.cursor(select, prefetch=PIECE):
            there.add(record)
    return Compared(table.name, here.rows, there.rows, (here.rows, here.sum) == (there.rows, there.sum))


class _Checksum:
    """The sum of the SHA-256 of all rows, in whatever order they come."""

    def __init__(self) -> None:
        self.rows, self.sum = 0, 0

    def add(self, row: Iterable[Any]) -> None:
        text = repr([_plain(value) for value in row])
        self.rows += 1
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(text.encode()).digest())) % 2**256


def _plain(value: Any) -> Any:
    """As it stands in the file."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


# --- the end ----------------------------------------------------------------------------------------------------------


async def _put_in_place(source: sqlite3.Connection, target: asyncpg.Connection) -> None:
    """All tables at once to where the bot looks; numbers go on where they were."""
    used = dict(source.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    async with target.transaction():
        for table in metadata.sorted_tables:
            await _go_on_counting(target, table, used.get(table.name, 0))
        await target.execute("RESET search_path")
        await _expect_empty(target)  # somebody may have started a bot there meanwhile
        home = await target.fetchval("SELECT current_schema()")
        for name in (*metadata.tables, "alembic_version"):
            await target.execute(f'ALTER TABLE {SCHEMA}."{name}" SET SCHEMA "{home}"')
        await target.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


async def _go_on_counting(target: asyncpg.Connection, table: Table, used: int) -> None:
    """`used`: the largest number that SQLite has ever given, whose row may be gone."""
    if len(table.primary_key) != 1:
        return
    [key] = table.primary_key
    sequence = await target.fetchval("SELECT pg_get_serial_sequence($1, $2)", f'{SCHEMA}."{table.name}"', key.name)
    if sequence is None:
        return
    largest = await target.fetchval(f'SELECT max("{key.name}") FROM "{table.name}"')  # noqa: S608 - names of ours
    if (number := max(largest or 0, used)) > 0:
        await target.execute("SELECT setval($1::text::regclass, $2)", sequence, number)
