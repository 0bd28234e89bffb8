"""Backup while the bot writes, and putting a backup back."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from bot.backup import CannotError, back_up, restore
from rules.events import RosterReadDue
from store import inbox
from store.database import Database
from store.inbox_writer import InboxWriter

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def received(path: Path) -> list[str]:
    """What the inbox of a database file holds, in the order in which it came."""
    with closing(sqlite3.connect(path)) as connection:
        return [payload for (payload,) in connection.execute("SELECT payload FROM inbox ORDER BY id")]


async def write_one(url: str, key: str) -> None:
    database = await Database.open(url)
    async with database.write() as tx:
        event = RosterReadDue(at=NOW)
        await inbox.put(tx, source="timer", key=key, event=event, lane=2, ordering_key=None, due_at=NOW, now=NOW)
    await database.close()


async def test_a_backup_under_load_is_whole_and_comes_back(sqlite_url: str, tmp_path: Path) -> None:
    """While callbacks pour in a backup holds nobody up and sees one moment: a prefix of what came, with all that was
    there before it began; restored, it is a database that goes on where it was."""
    database = await Database.open(sqlite_url)
    writer = InboxWriter(database, wake=lambda: None)
    begun, stop, numbers, kept = asyncio.Event(), asyncio.Event(), count(), tmp_path / "backup.db"

    async def pour_in() -> int:
        while not stop.is_set():
            await asyncio.gather(*(writer.put(b"<xml>%d</xml>" % next(numbers), 2, None, NOW) for _ in range(20)))
            begun.set()
        return next(numbers)

    pouring = asyncio.create_task(pour_in())
    await begun.wait()
    before = len(await asyncio.to_thread(received, path_of(sqlite_url)))
    size = await asyncio.to_thread(back_up, sqlite_url, kept)
    stop.set()
    sent = await pouring
    await writer.close()
    await database.close()
    copied = received(kept)
    assert before <= len(copied) <= sent
    assert copied == received(path_of(sqlite_url))[: len(copied)]
    assert size == kept.stat().st_size

    old = restore(sqlite_url, kept, force=True, now=NOW)
    assert received(path_of(sqlite_url)) == copied
    assert old is not None
    assert len(received(old)) == sent
    await write_one(sqlite_url, "after")
    assert len(received(path_of(sqlite_url))) == len(copied) + 1


def test_a_backup_is_one_private_file(sqlite_url: str, tmp_path: Path) -> None:
    """It holds customers' names: only its owner reads it; and there is no second file beside it that could be lost."""
    kept = tmp_path / "folder"
    kept.mkdir()
    back_up(sqlite_url, kept / "backup.db")
    assert [each.name for each in kept.iterdir()] == ["backup.db"]
    assert stat.S_IMODE((kept / "backup.db").stat().st_mode) == 0o600


def test_nothing_is_overwritten(sqlite_url: str, tmp_path: Path) -> None:
    """Neither an older backup nor, without --force, a database."""
    kept = tmp_path / "backup.db"
    back_up(sqlite_url, kept)
    content = kept.read_bytes()
    with pytest.raises(CannotError, match="已经存在"):
        back_up(sqlite_url, kept)
    assert kept.read_bytes() == content
    with pytest.raises(CannotError, match="--force"):
        restore(sqlite_url, kept, force=False, now=NOW)


def test_a_backup_comes_back_where_there_is_no_database(sqlite_url: str, tmp_path: Path) -> None:
    """On a new machine nothing has to be forced."""
    back_up(sqlite_url, tmp_path / "backup.db")
    new = tmp_path / "new.db"
    assert restore(f"sqlite:///{new}", tmp_path / "backup.db", force=False, now=NOW) is None
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


async def test_a_bot_that_is_running_is_not_robbed_of_its_database(sqlite_url: str, tmp_path: Path) -> None:
    """Even one that is idle: it would go on writing to a file that has no name any more."""
    back_up(sqlite_url, tmp_path / "backup.db")
    database = await Database.open(sqlite_url)
    async with database.read() as tx:
        assert await inbox.last_callback(tx) is None
    with pytest.raises(CannotError, match="正在使用"):
        restore(sqlite_url, tmp_path / "backup.db", force=True, now=NOW)
    await database.close()
    assert restore(sqlite_url, tmp_path / "backup.db", force=True, now=NOW) is not None


def test_what_is_not_a_backup_is_not_restored(sqlite_url: str, tmp_path: Path) -> None:
    """A text file, somebody else's database, a damaged copy and one of a newer version leave the database as it is."""
    before = path_of(sqlite_url).read_bytes()
    text = tmp_path / "text.db"
    text.write_text("hello " * 1000)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE things (id)")
    damaged = tmp_path / "damaged.db"
    back_up(sqlite_url, damaged)
    content = bytearray(damaged.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    damaged.write_bytes(content)
    newer = tmp_path / "newer.db"
    back_up(sqlite_url, newer)
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for path in (text, other, damaged, newer, tmp_path / "missing.db"):
        with pytest.raises(CannotError):
            restore(sqlite_url, path, force=True, now=NOW)
    assert path_of(sqlite_url).read_bytes() == before


def test_a_failed_backup_leaves_no_file(tmp_path: Path) -> None:
    """Half a backup would be taken for a whole one."""
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database" * 1000)
    with pytest.raises(CannotError):
        back_up(f"sqlite:///{broken}", tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


def test_postgresql_is_sent_to_its_own_tools(tmp_path: Path) -> None:
    """The exact command, without the password in it."""
    url = "postgresql://me:hush@db.example.com:5433/steward"
    with pytest.raises(CannotError, match=r"pg_dump .*'postgresql://me@db.example.com:5433/steward'") as told:
        back_up(url, tmp_path / "backup.db")
    assert "hush" not in str(told.value)
    with pytest.raises(CannotError, match=r"pg_restore .*'postgresql://me@db.example.com:5433/steward'"):
        restore(url, tmp_path / "backup.db", force=False, now=NOW)
