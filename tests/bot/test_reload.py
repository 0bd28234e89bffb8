"""Hot reload: a good file takes over whole, a wrong one changes nothing and is told, and all processes follow."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loguru import logger

from bot.clocks import VirtualClock
from bot.config.read import ConfigError, config_hash
from bot.config.reload import Reloader
from bot.health import Pulse, checks
from bot.metrics import Metrics
from bot.worker import Rules
from rules.book import Book
from rules.keywords import Keywords
from store import configs
from store.database import Database

LI, WANG = "managers: [李华]\n", "managers: [王小明]\n"
WRONG = "managers: [李华]\nmangers: [王小明]\n"
START = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass
class Process:
    """One process of the bot, as far as its configuration goes."""

    path: Path
    db: Database
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    rules: Rules = field(default_factory=lambda: Rules(Book()))
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.reloader = Reloader(self.path, self.rules, self.db, self.metrics)

    async def start(self) -> "Process":
        await self.reloader.start(self.clock.now())
        return self

    async def look(self, seconds: int = 2) -> None:
        """Time passes, and the file is looked at every second."""
        for _ in range(seconds):
            await self.reloader.look(self.clock.advance(timedelta(seconds=1)))

    @property
    def managers(self) -> tuple[str, ...]:
        return self.rules.book.managers

    async def ready(self) -> tuple[bool, str]:
        return await checks(self.db, Pulse(), self.clock, self.rules)["config"]()

    @property
    def gauge(self) -> str:
        return next(line for line in self.metrics.text().decode().splitlines() if line.startswith("steward_config_ref"))


async def kept(db: Database) -> list[str]:
    """The texts that were ever in force, oldest first."""
    async with db.read() as tx:
        newest = await configs.newest(tx)
        rows = [await tx.get(configs.ConfigRow, number + 1) for number in range(newest.id if newest else 0)]
    return [row.text for row in rows if row]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(LI, encoding="utf-8")
    return path


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(lines.append, format="{level} {message}")
    yield lines
    logger.remove(number)


def save(path: Path, text: str) -> None:
    """As editors do it: a new file in the place of the old one."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def write_over(path: Path, text: str) -> None:
    """As other editors do it: into the file that is there."""
    path.write_text(text, encoding="utf-8")


def write_in_the_same_tick(path: Path, text: str) -> None:
    """Into the file that is there, leaving its date."""
    before = path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def clear(path: Path) -> None:
    """Whatever is there goes away."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)


def make_a_folder(path: Path) -> None:
    clear(path)
    path.mkdir()


def make_a_loop(path: Path) -> None:
    clear(path)
    path.symlink_to(path)


# --- start ------------------------------------------------------------------------------------------------------------


async def test_the_first_good_file_becomes_the_row_in_force(db: Database, path: Path) -> None:
    """A start puts the file in force and writes it down; the next start with the same file writes nothing."""
    process = await Process(path, db).start()
    assert process.managers == ("李华",)
    assert process.rules.config == config_hash(LI)
    await Process(path, db).start()
    assert await kept(db) == [LI]


async def test_a_first_start_with_a_wrong_file_is_refused(sqlite_db: Database, path: Path) -> None:
    """Without any good configuration there is nothing to run on: the start fails with all problems, and no row."""
    save(path, WRONG)
    process = Process(path, sqlite_db)
    with pytest.raises(ConfigError, match=r"config\.yaml:2:1  mangers"):
        await process.start()
    assert await kept(sqlite_db) == []


@pytest.mark.parametrize("spoil", [lambda path: save(path, WRONG), clear])
async def test_a_later_start_with_a_wrong_file_goes_on_with_the_last_good_one(
    sqlite_db: Database, path: Path, log: list[str], spoil: Callable[[Path], None]
) -> None:
    """A machine that restarts over a half-edited or lost file is up again with what was in force, and says so."""
    await Process(path, sqlite_db).start()
    spoil(path)
    process = await Process(path, sqlite_db).start()
    assert process.managers == ("李华",)
    assert "is refused" in process.rules.refused
    assert process.gauge == "steward_config_refused 1.0"
    assert len([line for line in log if "is refused" in line]) == 1
    save(path, WANG)
    await process.look()
    assert (process.managers, process.rules.refused) == (("王小明",), "")


# --- a new file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [save, write_over])
async def test_a_new_file_takes_over_without_a_restart(
    sqlite_db: Database, path: Path, write: Callable[[Path, str], None]
) -> None:
    """Whether the editor replaces the file or writes over it: the worker's next event is judged by the new one."""
    process = await Process(path, sqlite_db).start()
    write(path, WANG)
    await process.look()
    assert process.managers == ("王小明",)
    assert process.rules.config == config_hash(WANG)
    assert await kept(sqlite_db) == [LI, WANG]


async def test_going_back_to_an_earlier_file_is_a_change_too(sqlite_db: Database, path: Path) -> None:
    """What was in force once can be in force again; each time is written down."""
    process = await Process(path, sqlite_db).start()
    for text in (WANG, LI):
        save(path, text)
        await process.look()
    assert process.managers == ("李华",)
    assert await kept(sqlite_db) == [LI, WANG, LI]


async def test_a_file_that_is_touched_changes_nothing(sqlite_db: Database, path: Path) -> None:
    """The same text under a new date is the same configuration."""
    process = await Process(path, sqlite_db).start()
    book = process.rules.book
    save(path, LI)
    await process.look()
    assert process.rules.book is book
    assert await kept(sqlite_db) == [LI]


async def test_a_change_that_a_coarse_file_system_hides_is_found(sqlite_db: Database, path: Path) -> None:
    """A change that keeps the size and, on a file system that tells times coarsely, the date is found in a minute."""
    process = await Process(path, sqlite_db).start()
    write_in_the_same_tick(path, LI.replace("李华", "李明"))
    await process.look(5)
    assert process.managers == ("李华",)
    await process.look(60)
    assert process.managers == ("李明",)


# --- a poisoned file --------------------------------------------------------------------------------------------------


def _tear(path: Path) -> None:
    path.write_bytes((LI + 'groups:\n  vip: "VIP·*"\n').encode()[:-5])


POISONS: dict[str, Callable[[Path], object]] = {
    "an unknown key": lambda path: save(path, WRONG),
    "no YAML": lambda path: save(path, "managers: [李华\n"),
    "binary": lambda path: path.write_bytes(b"\xff\xfe\x00managers"),
    "empty": lambda path: save(path, ""),
    "half a file": _tear,
    "deleted": clear,
    "a folder": make_a_folder,
    "a link to itself": make_a_loop,
}


@pytest.mark.parametrize("poison", POISONS)
async def test_a_poisoned_file_changes_nothing_and_is_told(
    sqlite_db: Database, path: Path, log: list[str], poison: str
) -> None:
    """Promise 9: the last good configuration goes on; the log says what is wrong, once; /readyz and metrics say so."""
    process = await Process(path, sqlite_db).start()
    POISONS[poison](path)
    await process.look(90)
    assert process.managers == ("李华",)
    assert process.rules.config == config_hash(LI)
    assert await kept(sqlite_db) == [LI]
    (told,) = [line for line in log if line.startswith("ERROR")]
    assert "is refused" in told
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told)
    ok, detail = await process.ready()
    assert ok
    assert detail == f"{config_hash(LI)[:8]} in force; a newer one is refused, see the log"
    assert process.gauge == "steward_config_refused 1.0"
    clear(path)
    save(path, WANG)
    await process.look()
    assert process.managers == ("王小明",)
    assert await process.ready() == (True, f"{config_hash(WANG)[:8]} in force")
    assert process.gauge == "steward_config_refused 0.0"


async def test_each_new_mistake_is_told_anew(sqlite_db: Database, path: Path, log: list[str]) -> None:
    """Somebody who mends one thing and breaks another sees the second mistake as well."""
    process = await Process(path, sqlite_db).start()
    for text in (WRONG, "x: 1\n", WRONG):
        save(path, text)
        await process.look(3)
    assert len([line for line in log if line.startswith("ERROR")]) == 3


async def test_a_slip_that_is_taken_back_leaves_no_trace(sqlite_db: Database, path: Path) -> None:
    """Back to the text in force: nothing is refused any more, and nothing new is written down."""
    process = await Process(path, sqlite_db).start()
    for text in (WRONG, LI):
        save(path, text)
        await process.look()
    assert (process.managers, process.rules.refused) == (("李华",), "")
    assert await kept(sqlite_db) == [LI]


async def test_a_file_that_is_still_being_written_is_waited_for(sqlite_db: Database, path: Path) -> None:
    """Half a file that would be good by itself is not taken up while it grows."""
    process = await Process(path, sqlite_db).start()
    for size in range(1, 6):
        write_over(path, WANG + "groups:\n" + "".join(f"  kind-{n}: 群{n}*\n" for n in range(size)))
        await process.look(1)
        assert process.managers == ("李华",)
    await process.look(1)
    assert process.managers == ("王小明",)
    assert len(process.rules.book.groups) == 5


# --- several processes ------------------------------------------------------------------------------------------------


async def test_all_processes_follow_the_newest(db: Database, path: Path, tmp_path: Path) -> None:
    """A process elsewhere, with a file of its own, takes up what another has found good, and does not fight over it."""
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(path, tmp_path / "elsewhere" / "config.yaml")
    here = await Process(path, db).start()
    there = await Process(tmp_path / "elsewhere" / "config.yaml", db).start()
    save(path, WANG)
    for _ in range(40):
        await here.look()
        await there.look()
    assert here.managers == there.managers == ("王小明",)
    assert await kept(db) == [LI, WANG]
    save(there.path, "managers: [赵六]\n")
    for _ in range(3):
        await here.look()
        await there.look()
    assert here.managers == there.managers == ("赵六",)


async def test_who_is_told_follows_at_once(db: Database, path: Path, tmp_path: Path) -> None:
    """A process that has put a configuration in force says so; one that is told follows at its next look, however
    soon that comes, and one that is not follows later."""
    other = tmp_path / "there" / "config.yaml"
    other.parent.mkdir()
    shutil.copy(path, other)
    here, told, not_told = [await Process(each, db).start() for each in (path, other, other)]
    rung: list[str] = []
    here.reloader.activated = lambda: rung.append("config")
    save(path, WANG)
    await here.look()
    assert (here.managers, rung) == (("王小明",), ["config"])
    told.reloader.hurry()
    for process in (told, not_told):
        await process.reloader.look(process.clock.now())
    assert (told.managers, not_told.managers) == (("王小明",), ("李华",))


async def test_a_row_of_a_newer_version_of_the_program_is_not_followed(
    sqlite_db: Database, path: Path, log: list[str]
) -> None:
    """While machines are updated one by one, the old program goes on with what it understands, and says so once."""
    process = await Process(path, sqlite_db).start()
    async with sqlite_db.write() as tx:
        await configs.activate(tx, "tomorrow: 1\n", config_hash=config_hash("tomorrow: 1\n"), now=START)
    await process.look(10)
    assert process.managers == ("李华",)
    assert "a newer one is refused" in (await process.ready())[1]
    assert "is not understood by this version" in process.rules.refused
    assert len([line for line in log if line.startswith("ERROR")]) == 1
    save(path, WANG)
    await process.look()
    assert (process.managers, process.rules.refused) == (("王小明",), "")


# --- word files -------------------------------------------------------------------------------------------------------

WORDY = "rules:\n- rule: keywords\n  word_files: content/words.txt\n"


@pytest.fixture
def words(path: Path) -> Path:
    """The word file of WORDY, which `path` holds."""
    path.write_text(WORDY, encoding="utf-8")
    (path.parent / "content").mkdir()
    (path.parent / "content" / "words.txt").write_text("刷单\n", encoding="utf-8")
    return path.parent / "content" / "words.txt"


def finds(process: Process, word: str) -> bool:
    (rule,) = process.rules.book.rules
    assert isinstance(rule, Keywords)
    return rule.word_list.find(word, word) is not None


@pytest.mark.parametrize("write", [save, write_over])
async def test_a_changed_word_file_alone_takes_over(
    sqlite_db: Database, path: Path, words: Path, write: Callable[[Path, str], None]
) -> None:
    """It is part of the configuration: a new version, a new row, and the rules look for the new words."""
    process = await Process(path, sqlite_db).start()
    await process.look()
    before = process.rules.config
    assert finds(process, "刷单")
    write(words, "兼职\n")
    await process.look(3)
    assert (finds(process, "刷单"), finds(process, "兼职")) == (False, True)
    assert process.rules.config != before
    assert await kept(sqlite_db) == [WORDY, WORDY]


async def test_a_word_file_that_goes_wrong_changes_nothing_and_is_told(
    sqlite_db: Database, path: Path, words: Path, log: list[str]
) -> None:
    """Lost or emptied, the last good words go on; each mistake is told once; put back, nothing is refused any more."""
    process = await Process(path, sqlite_db).start()
    for spoil in (clear, lambda file: save(file, "# 空的\n")):
        spoil(words)
        await process.look(5)
        assert finds(process, "刷单")
        assert "1 problem(s), the first in line 3" in process.rules.refused
    assert len([line for line in log if line.startswith("ERROR")]) == 2
    save(words, "刷单\n")
    await process.look(3)
    assert process.rules.refused == ""
    assert await kept(sqlite_db) == [WORDY]


async def test_a_config_that_begins_to_name_a_word_file_is_taken_up(sqlite_db: Database, path: Path) -> None:
    """First the config, then the file it names: when both are there, they are in force."""
    process = await Process(path, sqlite_db).start()
    save(path, WORDY)
    await process.look(3)
    assert process.managers == ("李华",)
    (path.parent / "content").mkdir()
    save(path.parent / "content" / "words.txt", "刷单\n")
    await process.look(3)
    assert finds(process, "刷单")


async def test_the_words_travel_to_other_machines(db: Database, path: Path, words: Path, tmp_path: Path) -> None:
    """A process elsewhere, without the file, looks for the same words under the same version."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    save(elsewhere / "config.yaml", LI)
    there = await Process(elsewhere / "config.yaml", db).start()
    here = await Process(path, db).start()
    await there.look(5)
    assert finds(there, "刷单")
    assert there.rules.config == here.rules.config
