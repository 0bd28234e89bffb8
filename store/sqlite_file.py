"""A SQLite file under SQLModel's sessions, without threads where nothing waits.

A statement of ours takes microseconds, a trip to a thread takes longer: so statements run where they are called. What
may wait has a thread: BEGIN IMMEDIATE for another process, COMMIT for the disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql import Executable
from sqlalchemy.util import LRUCache
from sqlmodel.ext.asyncio.session import AsyncSession

from store.built import Rows, as_sqlalchemys, built
from store.session import LazySession

WAIT_SECONDS = 5.0
"""For another process that is writing."""

SQLITE_WRITES = ("synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-16000")
"""Pragmas of every connection that writes: a commit is on disk; the WAL may grow to 16 MB, since moving what is in it
into the file takes as long as a few commits do; and the indexes' pages stay in 16 MB of memory.
"""


class SqliteFile:
    """An open file: one connection that writes, as many as it takes that read.

    Writers use the first one after the other, each in a savepoint; `begin` and `commit` are around all of them.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = _new_thread()
        self._writer: _Writer | None = None
        self._writing = _engine(self._connect_writer, size=1)
        self._reading = _engine(partial(_connect, path, _Reader, writes=False), size=5)

    def writing(self) -> AsyncSession:
        """A session for whoever's turn it is, after `begin`."""
        return _Session(self._writing)

    def reading(self) -> AsyncSession:
        """A session that sees one moment and cannot write."""
        return _Session(self._reading)

    async def ask(self, statement: Executable, values: Mapping[str, Any]) -> Rows:
        """What one statement finds, without a transaction around it. Raises sqlite3.Error."""
        quick = built(statement, self._reading.dialect, values)
        if quick is None:
            raise ValueError("only a statement that is built once is asked by itself")
        connection = self._reading.raw_connection()
        try:
            driver = cast("sqlite3.Connection", connection.driver_connection)
            return quick.result(driver.execute(quick.sql, quick.values(values)).fetchall(), -1)
        finally:
            connection.close()

    async def begin(self) -> None:
        """Takes the file's write lock, unless it is ours; waits for other processes. Raises sqlite3.Error."""
        writer = self._writer or await self._in_thread(self._connect_writer)
        try:
            writer.begin_all()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._in_thread(writer.begin_all, WAIT_SECONDS)

    async def commit(self) -> None:
        """All that was kept since `begin` is on disk. Raises sqlite3.Error: none of it is."""
        writer = self._writer
        if writer is None:
            return
        if writer.in_transaction and not writer.has_changes:
            writer.commit_all()
        else:  # also where a cancelled `begin` is still waiting in the thread
            await self._in_thread(writer.commit_all)

    async def close(self) -> None:
        """Closes all connections; whoever comes later opens new ones."""
        self._writing.dispose()
        self._reading.dispose()
        self._writer = None
        self._thread.shutdown()
        self._thread = _new_thread()

    def _connect_writer(self) -> "_Writer":
        if self._writer is None:
            self._writer = _connect(self._path, _Writer, writes=True)
        return self._writer

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _new_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="sqlite")


class _Reader(sqlite3.Connection):
    def begin(self) -> None:
        self.execute("BEGIN")


class _Writer(sqlite3.Connection):
    """What SQLAlchemy takes for a transaction is a savepoint here: `commit` keeps it, `rollback` undoes it.

    What was kept and then lost (SQLite undoes everything where the disk is full) makes `commit_all` fail.
    """

    kept = 0
    changes_before = 0
    inside = False

    @property
    def has_changes(self) -> bool:
        return self.total_changes != self.changes_before

    def begin_all(self, busy_seconds: float = 0) -> None:
        if self.in_transaction:
            return
        self._check_nothing_is_lost()
        self.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")
        self.execute("BEGIN IMMEDIATE")
        self.changes_before = self.total_changes

    def begin(self) -> None:
        self.execute("SAVEPOINT one")
        self.inside = True

    def commit(self) -> None:
        self.execute("RELEASE one")
        self.inside = False
        self.kept += 1

    def rollback(self) -> None:
        if self.inside and self.in_transaction:
            self.execute("ROLLBACK TO one")
            self.execute("RELEASE one")
        self.inside = False

    def commit_all(self) -> None:
        try:
            self._check_nothing_is_lost()
            super().commit()
        except BaseException:
            super().rollback()
            raise
        finally:
            self.kept = 0

    def _check_nothing_is_lost(self) -> None:
        if self.kept and not self.in_transaction:
            error = sqlite3.OperationalError("the transaction has been undone")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error


Sqlite = TypeVar("Sqlite", _Reader, _Writer)


def _connect(path: str, kind: type[Sqlite], *, writes: bool) -> Sqlite:
    connection = sqlite3.connect(
        path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False, factory=kind
    )
    for pragma in ("journal_mode=WAL", *SQLITE_WRITES, "foreign_keys=ON", f"query_only={int(not writes)}"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def _dialect() -> Dialect:
    engine = create_engine("sqlite://")
    with engine.connect():  # from here on it knows this SQLite
        return engine.dialect


_DIALECT = _dialect()
_COMPILED = LRUCache[Any, Any](500)


def _engine(connect: Callable[[], _Reader | _Writer], *, size: int) -> Engine:
    """Nobody ever waits for its pool: that would stop the loop. All engines share what SQLAlchemy compiled for one."""
    pool = QueuePool(
        connect,  # type: ignore[arg-type]  # a sqlite3.Connection is all that it is used as
        pool_size=size,
        max_overflow=-1,
        reset_on_return=None,  # a session always ends its transaction: no second ROLLBACK to make sure
        dialect=_DIALECT,
    )
    engine = Engine(pool, _DIALECT, make_url("sqlite://"), hide_parameters=True)
    engine.update_execution_options(compiled_cache=_COMPILED)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw = cast("_Reader | _Writer", connection.connection.dbapi_connection)
        raw.begin()  # past SQLAlchemy: it would take longer than SQLite does

    return engine


class _Session(LazySession):
    """Beneath it nothing is asynchronous."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._connection: _Connection | None = None

    def begun(self) -> Connection:
        return self._begun().sync_connection

    def _begun(self) -> "_Connection":
        if self._connection is None:
            connection = self._engine.connect()
            connection.begin()
            self._connection = _Connection(connection)
        return self._connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connection(self, *arguments: Any, **options: Any) -> AsyncConnection:
        del arguments, options
        return cast("AsyncConnection", self._begun())

    async def exec(self, statement: Any, **options: Any) -> Any:
        return self.sync_session.exec(statement, **options)

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.sync_session.execute(statement, params, **options)

    async def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        return self.sync_session.get(entity, ident, **options)

    async def refresh(self, instance: object, *arguments: Any, **options: Any) -> None:
        self.sync_session.refresh(instance, *arguments, **options)

    async def commit(self) -> None:
        await self.flush()
        if self._connection is not None:
            self._connection.sync_connection.commit()
        await self.close()

    async def rollback(self) -> None:
        await self.close()

    async def close(self) -> None:
        """What is not committed is undone."""
        if self._orm is not None:
            self._orm.close()
        if self._connection is not None:
            self._connection.sync_connection.close()
        self._orm = self._connection = None


class _Connection:
    """An AsyncConnection to those who use it, likewise."""

    def __init__(self, connection: Connection) -> None:
        self.sync_connection = connection
        self.dialect = connection.dialect
        self._driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        many = isinstance(parameters, list)
        quick = built(statement, self.dialect, (parameters[0] if many else parameters) or {})
        if quick is None or (many and quick.returns and len(parameters) > 1):
            return self.sync_connection.execute(statement, parameters)
        try:
            if many and not quick.returns:
                cursor = self._driver.executemany(quick.sql, [quick.values(each) for each in parameters])
            else:
                cursor = self._driver.execute(quick.sql, quick.values((parameters[0] if many else parameters) or {}))
            return quick.result(cursor.fetchall(), cursor.rowcount)
        except sqlite3.Error as error:
            raise as_sqlalchemys(error, quick.sql) from error

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Any:
        return self.sync_connection.exec_driver_sql(statement, parameters)

    async def run_sync(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return work(self.sync_connection, *arguments)
