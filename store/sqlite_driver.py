"""aiosqlite with one trip to its thread per statement, where SQLAlchemy's use of it makes four.

A trip takes longer than most statements of ours do. So a statement is executed and its rows are fetched in one go:
results are held whole, which all of ours are anyway.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite


class _Cursor:
    """What SQLAlchemy asks of an aiosqlite cursor."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        return await self._run(lambda cursor: cursor.execute(sql, tuple(parameters)))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def _run(self, work: Callable[[sqlite3.Cursor], object]) -> Self:
        self._rows, self.description, self.rowcount, self.lastrowid = await self._connection.in_thread(work)
        return self

    async def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int = arraysize) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    async def close(self) -> None:
        self._rows.clear()


class _Connection(aiosqlite.Connection):
    def cursor(self) -> _Cursor:  # type: ignore[override]  # to SQLAlchemy it is the same
        return _Cursor(self)

    async def in_thread(self, work: Callable[[sqlite3.Cursor], object]) -> tuple[deque[Any], Any, int, int | None]:
        def run() -> tuple[deque[Any], Any, int, int | None]:
            cursor = self._conn.cursor()
            try:
                work(cursor)
                return deque(cursor.fetchall()), cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        result: tuple[deque[Any], Any, int, int | None] = await self._execute(run)  # type: ignore[no-untyped-call]
        return result


async def connect(path: str, *, busy_seconds: float) -> aiosqlite.Connection:
    """Opens a file. Begins nothing by itself; waits up to `busy_seconds` for another process that is writing."""
    connection = _Connection(lambda: sqlite3.connect(path, timeout=busy_seconds, isolation_level=None), 64)
    connection._thread.daemon = True  # as SQLAlchemy does it: a connection left open must not keep the process alive
    return await connection
