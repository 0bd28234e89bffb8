"""The commands that look after an installation: exit codes, next steps, and what programs read."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from bot.cli import app
from rules.actions import SendText
from store import observations, outbox, queue
from store.database import Database
from store.outbox import Outbox

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
Steward = Callable[..., Result]


@pytest.fixture
def steward(sqlite_url: str, tmp_path: Path) -> Steward:
    """`steward("status")` in an empty folder, with nothing in its environment but the database."""

    def run(*words: str, **env: str) -> Result:
        with contextlib.chdir(tmp_path):  # there is no .env here
            return CliRunner().invoke(app, list(words), env={"DATABASE_URL": sqlite_url, "COLUMNS": "80", **env})

    return run


async def give_up_a_message(url: str) -> None:
    database = await Database.open(url)
    async with database.write() as tx:
        deed = SendText(to=("wangwu",), text="hello")
        await outbox.put(tx, deed, key="k", lane=1, ordering_key=None, due_at=NOW, now=NOW)
    async with database.write() as tx:
        row = await queue.claim(tx, Outbox, now=NOW, lease=timedelta(minutes=1), token="t")
        assert row is not None
        await queue.bury(tx, Outbox, row.id, "t", now=NOW, error="message/send: errcode 60020")
    await database.close()


def test_a_dead_letter_is_shown_dropped_and_gone(steward: Steward, sqlite_url: str) -> None:
    """`status` ends with 1 while something was given up, and says how to go on; dropping it ends that."""
    asyncio.run(give_up_a_message(sqlite_url))
    told = steward("status")
    assert told.exit_code == 1
    assert "errcode 60020" in told.output
    assert "steward status --retry out1" in told.output
    assert max(map(cell_len, told.output.splitlines())) <= 80
    dropped = steward("status", "--drop", "out1")
    assert (dropped.exit_code, "不再管：out1" in dropped.output) == (0, True)
    again = steward("status", "--drop", "out1")
    assert (again.exit_code, "没有 out1" in again.output) == (1, True)


def test_a_status_can_be_read_by_programs(steward: Steward, sqlite_url: str) -> None:
    """--json is the whole status and nothing else."""
    asyncio.run(give_up_a_message(sqlite_url))
    told = steward("status", "--json")
    assert told.exit_code == 1
    status = json.loads(told.output)
    assert [letter["id"] for letter in status["dead_letters"]] == ["out1"]


def test_a_backup_and_the_way_back(steward: Steward, sqlite_url: str, tmp_path: Path) -> None:
    """Both say where the file is and what to do next; what is refused ends with 2 and changes nothing."""
    kept = str(tmp_path / "backup.db")
    made = steward("backup", kept)
    assert made.exit_code == 0, made.output
    assert "steward restore" in made.output
    refused = steward("backup", kept)
    assert (refused.exit_code, "已经存在" in refused.output) == (2, True)
    not_forced = steward("restore", kept)
    assert (not_forced.exit_code, "--force" in not_forced.output) == (2, True)
    back = steward("restore", kept, "--force")
    assert back.exit_code == 0, back.output
    assert "steward serve" in back.output


def test_a_database_that_was_never_made_is_not_made_by_looking(steward: Steward, tmp_path: Path) -> None:
    """A typo in DATABASE_URL is exit code 2 for each of them, and leaves no file."""
    nowhere = tmp_path / "nowhere.db"
    for words in (["status"], ["explain", "1"], ["backup", str(tmp_path / "b.db")], ["doctor", "--confirm", "防骚扰"]):
        told = steward(*words, DATABASE_URL=f"sqlite:///{nowhere}")
        assert told.exit_code == 2, words
    assert not nowhere.exists()
    assert steward("status", DATABASE_URL="mysql://x").exit_code == 2


def test_the_doctor_names_missing_settings(steward: Steward) -> None:
    """An empty installation is told what to fill in, in words and for programs, with exit code 1."""
    told = steward("doctor")
    assert told.exit_code == 1
    assert "WECOM_SECRET" in told.output
    assert "下一步" in told.output
    findings = json.loads(steward("doctor", "--json").output)
    assert {each["state"] for each in findings} == {"wrong", "skipped"}


def test_a_manager_confirms_a_native_switch(steward: Steward, sqlite_url: str) -> None:
    """Who looked is written down; what is no switch is refused with the names of those that are."""
    assert steward("doctor", "--confirm", "防骚扰", "--by", "李华").exit_code == 0
    unknown = steward("doctor", "--confirm", "防晒")
    assert unknown.exit_code == 2
    assert "防骚扰" in unknown.output

    async def confirmed() -> str | None:
        database = await Database.open(sqlite_url)
        async with database.read() as tx:
            row = await observations.seen(tx, "confirmed:防骚扰")
        await database.close()
        return row.by if row else None

    assert asyncio.run(confirmed()) == "李华"
