"""The one door to the database: open it, write in a transaction, read in a transaction.

SQLite has one writer. Within a process writers queue fairly on a lock (`turn`), so nobody polls; between processes
SQLite's busy timeout waits. A transaction never waits for the network: everybody else waits for it.
"""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal, Self

import asyncpg
from sqlalchemy import Select, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from store import rows
from store.built import Rows
from store.columns import BigId, Json, UtcTime, table_of
from store.postgres import ANSWER_SECONDS, PostgresServer
from store.rows import Row
from store.sqlite_file import SqliteFile
from store.turns import Turns

__all__ = ["BigId", "Database", "Json", "StoreUnavailable", "Tx", "UtcTime", "table_of"]

Tx = AsyncSession
"""A transaction: it commits where its `async with` ends well, and rolls back where it does not."""

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
# SQLSTATE: connection, authorisation, no such database, resources (disk full), database lets nobody in, shutdown,
# system, internal; a standby; a statement, and a pause within a transaction, that took too long.
_POSTGRES_TROUBLE = ("08", "28", "3D", "53", "55000", "57P", "58", "XX", "25006", "57014", "25P03")
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

    def __init__(self, dialect: Literal["sqlite", "postgresql"], address: str, answer_within: float) -> None:
        self.dialect = dialect
        self.address = address
        """For raw drivers: the file's path, or the `postgresql://` address (which holds the password)."""
        self._turns = Turns(self._commit_file)
        if dialect == "sqlite":
            self._file = SqliteFile(address)
        else:
            self._server = PostgresServer(address, answer_within)

    @classmethod
    async def open(cls, url: str, *, answer_within: float = ANSWER_SECONDS) -> Self:
        """Opens `sqlite:///path` (made where missing, readable by its owner only) or `postgresql://…`, whose server
        gets `answer_within` seconds for each answer.

        ValueError: another kind of address. StoreUnavailable: it does not answer.
        """
        dialect, address = parse_url(url)
        if dialect == "sqlite":
            with recognised(OSError):
                make_private(address)
        database = cls(dialect, address, answer_within)
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
        if self.dialect == "postgresql":
            async with _transaction(self._server.writing()) as tx:
                yield tx
            return
        async with self._turns.shared() as written:
            with recognised(sqlite3.Error):
                await self._file.begin()
            async with _transaction(self._file.writing()) as tx:
                yield tx
        error = await written
        if error is not None:
            raise (as_unavailable(error) or error) from error

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A transaction that sees one moment and cannot write. It waits for no writer."""
        session = self._file.reading() if self.dialect == "sqlite" else self._server.reading()
        async with _transaction(session) as tx:
            yield tx

    async def ask(self, statement: Executable, **values: Any) -> Rows:
        """What one statement (`once`, store/built.py) finds: for a question that comes so often that even a transaction
        around it is too much.
        """
        with recognised(TimeoutError, sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return await (self._file if self.dialect == "sqlite" else self._server).ask(statement, values)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """This process's turn to write on a connection of one's own. PostgreSQL needs no turns."""
        if self.dialect == "postgresql":
            yield
            return
        async with self._turns.alone():
            yield

    async def _commit_file(self) -> Exception | None:
        try:
            await self._file.commit()
        except Exception as error:  # noqa: BLE001  # it belongs to those who wait for the commit
            return error
        return None

    async def close(self) -> None:
        """Closes all connections. Transactions must have ended."""
        if self.dialect == "sqlite":
            await self._turns.quiet()
            await self._file.close()
        else:
            await self._server.close()


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


def keep_in_step(tx: Tx, row: SQLModel) -> None:
    """A row that a statement has just inserted as it is here: changes of it are written, as if it had been loaded."""
    rows.keep_in_step(tx.sync_session, row)


async def by_key(tx: Tx, model: type[Row], key: object) -> Row | None:
    """A row of a table with one key, kept in step."""
    if (known := rows.known(tx.sync_session, model, key)) is not None:
        return known
    if tx.sync_session.new:
        await tx.flush()
    return await row_found(tx, model, rows.by_key(model), key=key)


async def row_found(tx: Tx, model: type[Row], statement: Select[Any], **values: Any) -> Row | None:
    """The row that a statement finds with all its columns, kept in step. Changes not yet written are not seen."""
    found = (await (await tx.connection()).execute(statement, values)).first()
    if found is None:
        return None
    session, (key,) = tx.sync_session, (column.name for column in table_of(model).primary_key)
    known = rows.known(session, model, found._mapping[key])
    return known or rows.keep_in_step(session, rows.row_of(model, found._mapping))


async def rows_found(tx: Tx, model: type[Row], statement: Select[Any], **values: Any) -> list[Row]:
    """All rows that a statement finds with all their columns, likewise. For tables with one key."""
    found = (await (await tx.connection()).execute(statement, values)).all()
    session, (key,) = tx.sync_session, (column.name for column in table_of(model).primary_key)
    return [
        rows.known(session, model, row._mapping[key]) or rows.keep_in_step(session, rows.row_of(model, row._mapping))
        for row in found
    ]


async def one(tx: Tx, statement: Select[Any], **values: Any) -> Any:
    """The one value that a statement finds; None where it finds none. Changes not yet written are not seen."""
    return (await (await tx.connection()).execute(statement, values)).scalar_one_or_none()


@contextlib.asynccontextmanager
async def _transaction(session: Tx) -> AsyncIterator[Tx]:
    # A TimeoutError is the driver's, also when the transaction is rolled back: nothing else is waited for in one.
    with recognised(TimeoutError):
        async with session as tx:
            with recognised(DBAPIError, sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await tx.connection()
            # Only the database raises these: an OSError in here may be anybody's.
            with recognised(DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError):
                yield tx
                await tx.commit()
