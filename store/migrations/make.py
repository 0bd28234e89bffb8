"""Writes a migration from the difference between the tables in the code and the migrations so far.

    .venv/bin/python -m store.migrations.make                   # until the first release: 0001 anew, from the tables
    .venv/bin/python -m store.migrations.make "add the points"  # afterwards: the next one, 0002_add_the_points.py

Read what it wrote: a renamed column looks to it like one dropped and one added.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from store import migrate

VERSIONS = Path(__file__).parent / "versions"


def main() -> None:
    """Makes it against an empty SQLite file that goes away again."""
    message = " ".join(sys.argv[1:])
    replaced = {} if message else {path: path.read_text() for path in VERSIONS.glob("0*.py")}
    for path in replaced:
        path.unlink()
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(_make(f"sqlite:///{folder}/empty.db", message or "first"))
    except BaseException:
        for path, text in replaced.items():
            path.write_text(text)
        raise


async def _make(db_url: str, message: str) -> None:
    await migrate.upgrade(db_url)
    engine = migrate.open_engine(db_url)
    async with engine.begin() as connection:
        await connection.run_sync(_write, message)
    await engine.dispose()


def _write(connection: Connection, message: str) -> None:
    number = len(list(VERSIONS.glob("0*.py"))) + 1
    command.revision(migrate.config(connection), message, autogenerate=True, rev_id=f"{number:04d}")


if __name__ == "__main__":
    main()
