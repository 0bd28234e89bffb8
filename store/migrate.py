"""Brings a database to the newest schema: at every start, by whichever process is first; the others wait.

All migrations run in one transaction, on both engines, so a failed one leaves the schema as it was.
"""

import sqlite3
from pathlib import Path
from typing import Any, Literal

import asyncpg
from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import AutoString

from store.columns import BigId, Json, UtcTime
from store.database import Tx, make_private, parse_url, recognised
from store.postgres import CONNECT_SECONDS

WAIT_SECONDS = 60.0
"""How long a process waits for another one that is migrating."""

_LOCK = 0x57E3A4D


async def upgrade(db_url: str) -> None:
    """Migrates to the newest revision. Does nothing where it is there. StoreUnavailable: cannot reach or write it."""
    engine = open_engine(db_url)
    try:
        with recognised(DBAPIError, OSError, asyncpg.PostgresError):
            async with engine.begin() as connection:
                if engine.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def revisions() -> list[str]:
    """The revisions that this program knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(_settings()).walk_revisions()]


async def revision(tx: Tx) -> str | None:
    """The database's revision; None where nobody has ever migrated it."""
    connection = await tx.connection()
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def config(connection: Connection) -> Config:
    """Alembic's settings, without a file; `connection` is in a transaction that somebody else commits."""
    settings = _settings()
    settings.attributes["connection"] = connection
    return settings


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", (Path(__file__).parent / "migrations").as_posix().replace("%", "%%"))
    return settings


def _upgrade(connection: Connection) -> None:
    command.upgrade(config(connection), "head")
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"the migration left rows that point nowhere: {broken[:5]}")


def open_engine(db_url: str) -> AsyncEngine:
    dialect, address = parse_url(db_url)
    if dialect == "postgresql":
        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: asyncpg.connect(address, timeout=CONNECT_SECONDS),
            poolclass=NullPool,
        )
    with recognised(OSError):
        make_private(address)
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{address}",
        connect_args={"isolation_level": None, "timeout": WAIT_SECONDS},
        poolclass=NullPool,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Changing a SQLite table means making it anew; with foreign keys on, dropping the old one would drop its rows'
        # children. They are checked at the end instead.
        for pragma in ("synchronous=FULL", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    return engine


def _plain(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Writes our column types into a migration as plain ones, so that it means the same when they have changed."""
    if kind != "type":
        return False
    plain = {
        UtcTime: 'sa.TIMESTAMP(timezone=True).with_variant(sa.String(27), "sqlite")',
        BigId: 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")',
        Json: "sa.Text()",
        AutoString: "sa.String()",
    }
    return plain.get(type(thing), False)


options: dict[str, Any] = {"render_item": _plain, "render_as_batch": True, "compare_type": True}
"""How Alembic compares and writes: the same for making migrations, for running them and for the test of both."""
