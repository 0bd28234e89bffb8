"""The schema: what the tables in the code say is what a migrated database has, on both engines."""

import asyncio
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import Database, StoreUnavailable
from store.migrate import open_engine, options, upgrade
from store.tables import metadata

AGAIN = "the tables and the migrations differ: run .venv/bin/python -m store.migrations.make"


def _indexes(connection: Connection) -> dict[str, str]:
    """Every index by name with its whole definition, partial ones with their condition."""
    question = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[connection.dialect.name]
    found = {name: " ".join(sql.split()) for name, sql in connection.execute(text(question))}
    return {name: sql for name, sql in found.items() if "alembic_version" not in name}


async def _indexes_in(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        return await connection.run_sync(_indexes)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgres"])
async def test_migrations_make_the_tables_in_the_code(request: pytest.FixtureRequest, engine_name: str) -> None:
    """A migrated database and the tables in the code are the same, down to the conditions of partial indexes."""
    migrated = open_engine(request.getfixturevalue(f"{engine_name}_url"))
    made = open_engine(request.getfixturevalue(f"empty_{engine_name}_url"))
    async with migrated.connect() as connection:

        def differences(sync: Connection) -> list[object]:
            context = MigrationContext.configure(sync, opts={**options, "target_metadata": metadata})
            return list(compare_metadata(context, metadata))

        assert await connection.run_sync(differences) == [], AGAIN
    async with made.begin() as connection:
        await connection.run_sync(metadata.create_all)
    expected = await _indexes_in(made)
    assert {"ix_inbox_next", "ix_outbox_begun"} <= expected.keys()
    assert await _indexes_in(migrated) == expected, AGAIN
    await migrated.dispose()
    await made.dispose()


async def test_processes_migrating_at_once(empty_db_url: str) -> None:
    """Processes that start together on a new database all come up, quietly; none trips over another."""
    program = f"import asyncio; from store.migrate import upgrade; asyncio.run(upgrade({empty_db_url!r}))"
    pipe, same = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=pipe, stderr=same) for _ in range(3)
    ]
    assert [((await process.communicate())[0], process.returncode) for process in processes] == [(b"", 0)] * 3
    await upgrade(empty_db_url)  # and again, when there is nothing to do
    database = await Database.open(empty_db_url)
    async with database.read() as tx:
        versions = await (await tx.connection()).exec_driver_sql("SELECT count(*) FROM alembic_version")
        assert versions.scalar_one() == 1
    await database.close()


async def test_a_failed_migration_leaves_nothing_behind(empty_db_url: str) -> None:
    """Where a migration cannot finish, the schema is as it was before: nothing is half made."""
    engine = open_engine(empty_db_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE outbox (in_the_way int)"))
    with pytest.raises(Exception, match="outbox"):
        await upgrade(empty_db_url)
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="inbox"):
            await connection.execute(text("SELECT * FROM inbox"))
    await engine.dispose()


async def test_a_database_that_is_not_there(postgres_url: str) -> None:
    """What cannot be reached is unavailable, not a crash with an address in it."""
    with pytest.raises(StoreUnavailable):
        await upgrade(postgres_url.replace("steward_", "nowhere_"))
