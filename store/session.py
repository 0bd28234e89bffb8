"""A session that makes the ORM's own session, and with it the ORM's own transaction, when it is first needed.

Most transactions need a connection only.
"""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from store.rows import changes


class LazySession(AsyncSession):
    """An AsyncSession to those who use it. Whoever inherits says how a transaction begins and ends."""

    def __init__(self) -> None:
        self._orm: Session | None = None

    def begun(self) -> Connection:
        """The connection, in a transaction."""
        raise NotImplementedError

    @property
    def sync_session(self) -> Session:  # type: ignore[override]  # the base sets it at once
        if self._orm is None:
            self._orm = Session(self.begun(), expire_on_commit=False)
        return self._orm

    @property
    def _proxied(self) -> Session:  # type: ignore[override]  # likewise
        return self.sync_session

    async def flush(self, objects: Any = None) -> None:
        """Write what was changed. New rows are left to the ORM."""
        if self._orm is None:
            return
        if objects or self._orm.new or self._orm.deleted:
            await super().flush(objects)
            return
        connection = await self.connection()
        for change in list(changes(self._orm)):
            if (await connection.execute(change.statement, change.parameters)).rowcount != 1:
                raise StaleDataError(f"a row of {change.row.__tablename__} is not there any more")
            change.is_written()
