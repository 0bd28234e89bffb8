"""The one door to the database: open it, write in a transaction, read in a transaction.

SQLite has one writer. Within a process writers queue fairly on a lock (`turn`), so nobody polls; between processes
SQLite's busy timeout waits. A transaction never waits for the network: everybody else waits for it.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Literal, Self

import asyncpg
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from store import sqlite_driver
from store.columns import BigId, Json, UtcTime, table_of

__all__ = ["BigId", "Database", "Json", "StoreUnavailable", "Tx", "UtcTime", "table_of"]

Tx = AsyncSession
"""A transaction: it commits where its `async with` ends well, and rolls back where it does not."""

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 10.0

_SQLITE_TROUBLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
# SQLSTATE: connection, authorisation, no such database, resources (disk full), shutdown, system, internal; a standby.
_POSTGRES_TROUBLE = ("08", "28", "3D", "53", "57P", "58", "XX", "25006")
_POSTGRES_CLASHES = {"40001", "40P01", "23505"}  # cannot serialize; a deadlock; both wrote the same new row


class Clash(Exception):  # noqa: N818  # says what happened
    """Two transactions stood in each other's way, and this one was undone: doing it again at once may help."""


class StoreUnavailable(Exception):  # noqa: N818  # says what is the case
    """The database cannot be reached or cannot write (disk full, gone, locked for too long). Trying later may help."""


def as_unavailable(error: BaseException) -> StoreUnavailable | None:
    """What `error` (SQLAlchemy's or a driver's) says of the database itself; None where the statement is at fault."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        trouble = code is not None and code & 0xFF in _SQLITE_TROUBLE
    elif sqlstate := getattr(cause, "sqlstate", None):
        trouble = sqlstate.startswith(_POSTGRES_TROUBLE)
    else:
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        trouble = lost or isinstance(cause, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)
    return StoreUnavailable(f"{type(cause).__name__}: {cause}") if trouble else None


def _as_clash(error: BaseException) -> Clash | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlstate", None)
    return Clash(f"{code}: {type(cause).__name__}") if code in _POSTGRES_CLASHES else None


@contextlib.contextmanager
def recognised(*errors: type[Exception]) -> Iterator[None]:
    """Of these errors, those that say that the database is at fault become StoreUnavailable, or Clash."""
    try:
        yield
    except errors as error:
        trouble = as_unavailable(error) or _as_clash(error)
        if trouble is None:
            raise
        raise trouble from error


class Database:
    """An open database. Made by `open`; one per process."""

    def __init__(
        self, dialect: Literal["sqlite", "postgresql"], address: str, writer: AsyncEngine, reader: AsyncEngine
    ) -> None:
        self.dialect = dialect
        self.address = address
        """For raw drivers: the file's path, or the `postgresql://` address (which holds the password)."""
        self._writer = writer
        self._reader = reader
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Opens `sqlite:///path` (made where missing, readable by its owner only) or `postgresql://…`.

        ValueError: another kind of address. StoreUnavailable: it does not answer.
        """
        dialect, address = parse_url(url)
        if dialect == "sqlite":
            with recognised(OSError):
                make_private(address)
            database = cls(dialect, address, _sqlite(address, "BEGIN IMMEDIATE"), _sqlite(address, "BEGIN"))
        else:
            engine = _postgres(address)
            reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            database = cls(dialect, address, engine, reading)
        try:
            async with database.read():
                pass
        except BaseException:
            await database.close()
            raise
        return database

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that may write. On SQLite it has the file's write lock from its first moment.

        StoreUnavailable: cannot write. RuntimeError: write() inside write(), which would wait for itself.
        """
        async with self.turn(), _transaction(self._writer) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A transaction that sees one moment and cannot write. It waits for no writer."""
        async with _transaction(self._reader) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """This process's turn to write, first come first served. PostgreSQL needs no turns."""
        if self.dialect == "postgresql":
            yield
            return
        task = asyncio.current_task()
        if self._holder is not None and self._holder is task:
            raise RuntimeError("this task is writing already: hand its transaction on")
        async with self._lock:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None

    async def close(self) -> None:
        """Closes all connections. Transactions must have ended."""
        await self._writer.dispose()
        if self.dialect == "sqlite":
            await self._reader.dispose()


def parse_url(url: str) -> tuple[Literal["sqlite", "postgresql"], str]:
    """DATABASE_URL → what it is, and the path or address for its driver. ValueError: neither of the two."""
    parsed = make_url(url)
    name = parsed.get_backend_name()
    if name == "sqlite" and parsed.database and parsed.database != ":memory:":
        return "sqlite", parsed.database
    if name in {"postgresql", "postgres"}:
        return "postgresql", parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    raise ValueError(f"DATABASE_URL must be sqlite:///path or postgresql://…, not {parsed.render_as_string()}")


def make_private(path: str) -> None:
    """Makes the file where it is missing, and readable by its owner only; SQLite gives its -wal the same rights."""
    file = Path(path)
    file.touch(mode=0o600)
    if file.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):  # somebody else's file: theirs to judge
            file.chmod(0o600)


@contextlib.asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[Tx]:
    async with AsyncSession(engine, expire_on_commit=False) as tx:
        with recognised(DBAPIError, sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await tx.connection()
        with recognised(DBAPIError):  # only the database raises these: an OSError in here may be anybody's
            yield tx
            await tx.commit()


def _sqlite(path: str, begin: str) -> AsyncEngine:
    """An engine whose transactions start with `begin`: writers share one connection, readers have a handful."""
    writes = begin == "BEGIN IMMEDIATE"
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        async_creator=partial(sqlite_driver.connect, path, busy_seconds=BUSY_SECONDS),
        pool_size=1 if writes else 5,
        max_overflow=0 if writes else 10,
        pool_reset_on_return=None,  # a session always ends its transaction: no second ROLLBACK to make sure
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"query_only={int(not writes)}"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)  # past SQLAlchemy: it would take longer than SQLite does

    return engine


def _postgres(address: str) -> AsyncEngine:
    async def connect() -> object:
        # The driver reads the address itself: it knows sslmode and the like. JIT costs more than such queries take.
        return await asyncpg.connect(address, timeout=CONNECT_SECONDS, server_settings=SERVER_SETTINGS)

    return create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=5, max_overflow=10, hide_parameters=True
    )


SERVER_SETTINGS = {"application_name": "steward", "jit": "off"}
