"""A copy of the database while the bot runs, and putting one back. SQLite only: PostgreSQL has tools of its own.

The copy is one read transaction through SQLite's backup interface: it sees one moment and holds up nobody.
"""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, make_url

from store.database import parse_url
from store.migrate import revisions


class CannotError(Exception):
    """It was not done, and nothing was changed. The text is Chinese: why, and what to do instead."""


def back_up(database_url: str, to: Path) -> int:
    """Copy the database to a new file that only its owner can read; says how many bytes it has. Blocks meanwhile.

    Raises CannotError: not SQLite, no database there, a file of that name there, no room, a copy that is not whole.
    """
    source = _sqlite(database_url, f"pg_dump --format=custom --file={to} '{_without_password(database_url)}'")
    if not source.exists():
        raise CannotError(f"没有找到数据库 {source}。先运行一次 steward serve，或检查 DATABASE_URL。")
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise CannotError(f"{to} 已经存在，不覆盖。请换一个文件名。") from None
    except OSError as error:
        raise CannotError(f"写不了 {to}：{error.strerror}。") from None
    try:
        _copy(source, to)
    except BaseException as error:
        to.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error | OSError):
            raise CannotError(f"备份没有成功：{error}。") from None
        raise
    return to.stat().st_size


def _copy(source: Path, to: Path) -> None:
    with closing(_open(source, "ro")) as old, closing(_open(to, "rw")) as new:
        old.backup(new)  # in one step: a copy in several begins anew whenever another process writes
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a -wal beside it
        _check(new, to)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def restore(database_url: str, backup: Path, *, force: bool, now: datetime) -> Path | None:
    """Put a backup in the database's place. Answers where the old database is kept; None where there was none.

    Raises CannotError: not SQLite, not a whole backup of ours, a bot is running, or a database is there and no `force`.
    """
    instead = f"pg_restore --clean --if-exists --dbname='{_without_password(database_url)}' {backup}"
    there = _sqlite(database_url, instead)
    _check_backup(backup)
    if there.exists() and not force:
        raise CannotError(f"已经有数据库 {there}。确定要换掉它（旧的会留在旁边），请加 --force。")
    new = there.with_name(f"{there.name}.restoring")
    new.unlink(missing_ok=True)
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(backup, new)
        kept = _set_aside(there, now) if there.exists() else None
        new.rename(there)
    except (OSError, sqlite3.Error) as error:
        raise CannotError(f"恢复没有成功：{error}。") from None
    finally:
        new.unlink(missing_ok=True)
    return kept


def _check_backup(backup: Path) -> None:
    if not backup.is_file():
        raise CannotError(f"没有找到备份 {backup}。")
    try:
        with closing(_open(backup, "ro")) as connection:
            _check(connection, backup)
            [(revision,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except (sqlite3.Error, ValueError):
        raise CannotError(f"{backup} 不是群管家的备份（steward backup 做的才是）。") from None
    if revision not in revisions():
        raise CannotError(f"{backup} 是更新版本的群管家做的（{revision}），这个版本不认识。请先升级，再恢复。")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise CannotError(f"{path} 不完整，不能用：{found[0][0]}。")


def _set_aside(there: Path, now: datetime) -> Path:
    """Rename the database to a name with the time in it. With nobody else in it, it first becomes one whole file."""
    try:
        with closing(_open(there, "rw")) as connection:
            # Leaving WAL needs the file for oneself: whoever has it open, even idle, is in the way. The bot sets WAL
            # again where it opens the file.
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError:
        mode = None
    except sqlite3.DatabaseError:
        mode = ("delete",)  # broken, and this is why somebody restores: it is kept as it is
    if mode != ("delete",):
        raise CannotError(f"{there} 正在使用：先停掉 steward serve，再恢复。")
    kept = there.with_name(f"{there.name}.{now:%Y%m%dT%H%M%SZ}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            there.with_name(there.name + suffix).rename(kept.with_name(kept.name + suffix))
    return kept


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=5)


def _sqlite(database_url: str, instead: str) -> Path:
    dialect, address = parse_url(database_url)
    if dialect == "postgresql":
        raise CannotError(f"数据库是 PostgreSQL，请用它自己的工具（密码写在 PGPASSWORD 或 ~/.pgpass）：\n  {instead}")
    return Path(address)


def _without_password(database_url: str) -> str:
    url = make_url(database_url)
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()
