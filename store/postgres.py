"""PostgreSQL under SQLModel's sessions: transactions are the driver's own, and the ORM is made when first used.

To SQLAlchemy the connections commit by themselves: so a statement may as well go straight to the driver (built.py).
"""

from collections.abc import Mapping
from typing import Any, cast

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Executable
from sqlalchemy.util import greenlet_spawn
from sqlmodel.ext.asyncio.session import AsyncSession

from store.built import Rows, as_sqlalchemys, built
from store.session import LazySession

CONNECT_SECONDS = 10.0

CONNECTIONS = 15
"""Of one process at most: what a worker does at once (bot/serve.py), with room for pages."""

STATEMENT_SECONDS = 60
"""For one statement, or the pause between two in one transaction. What we ask takes milliseconds, a bite of pruning a
second: what takes this long hangs, or waits for somebody who does.
"""

ANSWER_SECONDS = STATEMENT_SECONDS + 15.0
"""For a server that does not even end a statement: it is not there any more, or cannot be reached."""

SERVER_SETTINGS = {
    "application_name": "steward",
    "jit": "off",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{STATEMENT_SECONDS}s",
}


class PostgresServer:
    """A pool of connections."""

    def __init__(self, address: str, answer_within: float) -> None:
        async def connect() -> object:
            # The driver reads the address itself: it knows sslmode and the like. JIT costs more than such queries take.
            return await asyncpg.connect(
                address, timeout=CONNECT_SECONDS, command_timeout=answer_within, server_settings=SERVER_SETTINGS
            )

        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            pool_size=CONNECTIONS,  # kept: a new one costs as much as half an event, and knows no statement yet
            max_overflow=0,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
        )

    def writing(self) -> AsyncSession:
        """A session that may write."""
        return _Session(self._engine)

    def reading(self) -> AsyncSession:
        """A session that sees one moment and cannot write."""
        return _Session(self._engine, isolation="repeatable_read", readonly=True)

    async def ask(self, statement: Executable, values: Mapping[str, Any]) -> Rows:
        """What one statement finds, without a transaction around it: one trip to the server instead of three."""
        quick = built(statement, self._engine.dialect, values)
        if quick is None:
            raise ValueError("only a statement that is built once is asked by itself")
        connection = await _open_connection(self._engine)
        try:
            rows = await _driver_of(connection).fetch(quick.sql, *quick.values(values))
        finally:
            await connection.close()
        return quick.result(map(tuple, rows), len(rows))

    async def close(self) -> None:
        await self._engine.dispose()


class _Session(LazySession):
    """`how`: what kind of transaction, for asyncpg."""

    def __init__(self, engine: AsyncEngine, **how: Any) -> None:
        super().__init__()
        self._engine = engine
        self._how = how
        self._connection: _Connection | None = None

    async def connection(self, *arguments: Any, **options: Any) -> AsyncConnection:
        del arguments, options
        if self._connection is None:
            self._connection = await _Connection.begun(self._engine, self._how)
        return cast("AsyncConnection", self._connection)

    def begun(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("a transaction begins with asking for its connection")
        return cast("Connection", self._connection.sync_connection)

    async def commit(self) -> None:
        await self.flush()
        if self._connection is not None:
            await self._connection.transaction.commit()
        await self.close()

    async def rollback(self) -> None:
        await self.close()

    async def close(self) -> None:
        """What is not committed is undone."""
        orm, connection = self._orm, self._connection
        self._orm = self._connection = None
        if orm is not None:
            await greenlet_spawn(orm.close)
        if connection is not None:
            await connection.end()


class _Connection:
    """An AsyncConnection to those who use it, in a transaction of the driver's."""

    def __init__(self, connection: AsyncConnection, driver: Any, transaction: Any) -> None:
        self._connection = connection
        self._driver = driver
        self.transaction = transaction
        self.sync_connection = connection.sync_connection
        self.dialect = connection.dialect

    @classmethod
    async def begun(cls, engine: AsyncEngine, how: dict[str, Any]) -> "_Connection":
        connection = await _open_connection(engine)
        driver = _driver_of(connection)
        transaction = driver.transaction(**how)
        try:
            await transaction.start()
        except BaseException:
            await connection.invalidate()
            await connection.close()
            raise
        return cls(connection, driver, transaction)

    async def end(self) -> None:
        """Gives the connection back; one whose transaction cannot be ended is of no use to anybody."""
        try:
            if self._driver.is_in_transaction():
                await self.transaction.rollback()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._connection.invalidate()
        finally:
            await self._connection.close()

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        many = isinstance(parameters, list)
        quick = built(statement, self.dialect, (parameters[0] if many else parameters) or {})
        if quick is None or (many and quick.returns and len(parameters) > 1):
            return await self._connection.execute(statement, parameters)
        try:
            if many and not quick.returns:
                await self._driver.executemany(quick.sql, [quick.values(each) for each in parameters])
                return quick.result((), -1)
            values = quick.values((parameters[0] if many else parameters) or {})
            if quick.returns:
                rows = await self._driver.fetch(quick.sql, *values)
                return quick.result(map(tuple, rows), len(rows))
            said = await self._driver.execute(quick.sql, *values)  # such as "UPDATE 1"
            return quick.result((), int(said.rpartition(" ")[2]))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise as_sqlalchemys(error, quick.sql) from error

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Any:
        return await self._connection.exec_driver_sql(statement, parameters)

    async def run_sync(self, work: Any, *arguments: Any) -> Any:
        return await self._connection.run_sync(work, *arguments)


async def _open_connection(engine: AsyncEngine) -> AsyncConnection:
    """One of the pool's that the server has not closed while nobody used it."""
    connection = await engine.connect()
    while _driver_of(connection).is_closed():
        await connection.invalidate()
        await connection.close()
        connection = await engine.connect()
    return connection


def _driver_of(connection: AsyncConnection) -> Any:
    return cast("Connection", connection.sync_connection).connection.driver_connection
