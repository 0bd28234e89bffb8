"""The way of a callback into the inbox: on disk before `put` returns, and many at once share one commit.

Nothing waits on purpose: while one batch is being committed the next one gathers. Through the raw drivers, because
this is the path that every callback takes (SQLAlchemy's costs several times as much per row).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import asyncpg

from store.columns import utc_text
from store.database import Database, StoreUnavailable, as_unavailable
from store.inbox import digest
from store.postgres import SERVER_SETTINGS
from store.sqlite_file import SQLITE_WRITES

BATCH = 256
MOST_WAITING = 5_000
ANSWER_SECONDS = 2.0
"""WeCom hangs up after 5 s (page 90930): saying "cannot write" earlier makes it come again."""


class _Callback(NamedTuple):
    digest: str
    payload: str
    lane: int
    ordering_key: str | None
    received_at: datetime


Written = Callable[[StoreUnavailable | None], None]


class _Way(Protocol):
    """How a batch gets into the inbox, in one commit. Raises what its driver raises, and works again afterwards."""

    async def insert(self, batch: Sequence[_Callback]) -> None: ...

    async def close(self) -> None: ...


class InboxWriter:
    """Made once per process, in its event loop. `wake` is called after each commit: there is work."""

    def __init__(self, database: Database, *, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._way: _Way = _Sqlite(database) if database.dialect == "sqlite" else _Postgres(database.address)
        self._waiting: deque[tuple[_Callback, Written]] = deque()
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, xml: bytes, lane: int, ordering_key: str | None, received_at: datetime) -> None:
        """Returns once this callback is durably in the inbox, be it the first time or the tenth.

        StoreUnavailable: it may not be there; the sender must try again. ValueError: `received_at` is naive.
        """
        outcome: asyncio.Future[StoreUnavailable | None] = asyncio.get_running_loop().create_future()

        def written(error: StoreUnavailable | None) -> None:
            if not outcome.done():  # whoever waited was cancelled
                outcome.set_result(error)

        self.put_soon(xml, lane, ordering_key, received_at, written)
        error = await outcome
        if error is not None:
            raise error

    def put_soon(
        self, xml: bytes, lane: int, ordering_key: str | None, received_at: datetime, written: Written
    ) -> None:
        """The same for callers who do not wait: `written` is told None, or what would be raised."""
        if received_at.tzinfo is None:
            raise ValueError(f"a stored time must be aware, this one is naive: {received_at!r}")
        if len(self._waiting) >= MOST_WAITING:
            written(StoreUnavailable(f"{MOST_WAITING} callbacks are waiting to be written already"))
            return
        # PostgreSQL has no NUL in text, and XML has none either: what is not XML is kept readable, for the curious.
        payload = xml.decode(errors="backslashreplace").replace("\x00", "\\x00")
        self._waiting.append((_Callback(digest(xml), payload, lane, ordering_key, received_at), written))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def close(self) -> None:
        """Writes what is waiting, then lets go of the database."""
        if self._flushing is not None:
            await self._flushing
        await self._way.close()

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                error = await self._commit([callback for callback, _ in batch])
                if error is not None and len(batch) > 1 and not isinstance(error, StoreUnavailable):
                    await self._one_by_one(batch)
                    continue
                _tell(batch, error)
                if error is None:
                    self._wake()
        finally:
            self._flushing = None

    async def _one_by_one(self, batch: list[tuple[_Callback, Written]]) -> None:
        """One callback that the database does not like must not sink those that came with it."""
        for callback, written in batch:
            _tell([(callback, written)], await self._commit([callback]))
        self._wake()

    async def _commit(self, callbacks: list[_Callback]) -> Exception | None:
        try:
            await self._way.insert(callbacks)
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to those who wait, not to this task
            return as_unavailable(error) or error
        return None


def _tell(batch: list[tuple[_Callback, Written]], error: Exception | None) -> None:
    for _, written in batch:
        trouble = None
        if error is not None:  # one for each: an exception collects the traces of all who raise it
            trouble = StoreUnavailable(str(error))
            trouble.__cause__ = error
        written(trouble)


class _Sqlite:
    """A connection of its own, on a thread of its own, taking turns with the process's other writers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox-writer")
        self._connection: sqlite3.Connection | None = None

    async def insert(self, batch: Sequence[_Callback]) -> None:
        values: list[Any] = []
        for callback in batch:
            values += callback[:4]
            values.append(utc_text(callback.received_at))
        async with self._database.turn():
            await asyncio.get_running_loop().run_in_executor(self._thread, self._run, len(batch), values)

    def _run(self, rows: int, values: list[Any]) -> None:
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_sqlite_insert(rows), values)
            self._connection.execute("COMMIT")
        except BaseException:
            self._drop()  # rolls back; after an I/O error a new connection is the safe one
            raise

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a database that was moved away is an error, not a new empty one
        connection = sqlite3.connect(
            f"{Path(self._database.address).absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=ANSWER_SECONDS,
            cached_statements=BATCH + 8,
        )
        for pragma in SQLITE_WRITES:
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown()


@cache
def _sqlite_insert(rows: int) -> str:
    """One statement for all rows: each step of a statement waits for the interpreter's lock, which the loop holds."""
    return f"""INSERT INTO inbox
            (source, digest, payload, lane, ordering_key, received_at, due_at, created_at, state, attempts)
        SELECT 'callback', column1, column2, column3, column4, column5, column5, column5, 'open', 0
        FROM (VALUES {",".join(["(?,?,?,?,?)"] * rows)}) WHERE true
        ON CONFLICT (digest) DO NOTHING"""  # noqa: S608  # made of constants and a number


# Ids follow arrival; rows go in by digest, so that two machines given the same callbacks cannot wait for each other.
_POSTGRES_INSERT = """INSERT INTO inbox
        (id, source, digest, payload, lane, ordering_key, received_at, due_at, created_at, state, attempts)
    SELECT id, 'callback', digest, payload, lane, ordering_key, received_at, received_at, received_at, 'open', 0
    FROM (
        SELECT nextval('inbox_id_seq') AS id, arrived.*
        FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[])
            AS arrived (digest, payload, lane, ordering_key, received_at)
    ) AS numbered
    ORDER BY digest
    ON CONFLICT (digest) DO NOTHING"""


class _Postgres:
    """A connection of its own; made again after any failure."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: asyncpg.Connection | None = None

    async def insert(self, batch: Sequence[_Callback]) -> None:
        if self._connection is not None and self._connection.is_closed():
            self._drop()
        try:
            if self._connection is None:
                self._connection = await asyncpg.connect(
                    self._address,
                    timeout=ANSWER_SECONDS,
                    command_timeout=ANSWER_SECONDS,
                    server_settings=SERVER_SETTINGS,
                )
            await self._connection.execute(_POSTGRES_INSERT, *zip(*batch, strict=True))
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=ANSWER_SECONDS)
            self._connection = None
