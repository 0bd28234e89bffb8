"""Keeps the configuration in force up to date while the bot runs: from the file, and from what other processes took up.

A file that was found good becomes the newest row of `configs`, and every process follows the newest row. What is wrong
with a file is logged once, told by /readyz and counted; the last good configuration goes on. A file is taken up when
it has looked the same twice in a row, so that nobody reads it half written. The word files that a configuration names
are part of it: a change in one of them is a change of the configuration.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from loguru import logger

from bot.config.needs import parse_book
from bot.config.read import ConfigError, Written, read_written
from bot.metrics import Metrics
from bot.worker import Rules
from rules.book import Book
from store import configs
from store.configs import ConfigRow
from store.database import Database

LOOK_EVERY = 1.0  # seconds
FOLLOW_EVERY = timedelta(seconds=3)
READ_ANYHOW_EVERY = timedelta(minutes=1)
"""Some file systems tell times so coarsely that a quick second change looks like none."""

_Looks = tuple[tuple[int, int, int] | None, ...]


@dataclass
class Reloader:
    """Changes `rules`, which the worker reads, and nothing else in memory. One per process; one call at a time.

    `there`: names of the settings that are given; a configuration that needs another one is refused. `activated` is
    called when this process has put one in force.
    `_named`: the word files that were named when the file was last read. `_seen`: how it and they looked a moment ago;
    `_taken`: how they looked when they were read. `_dealt_with`: the content that was read last, good or bad; `_good`:
    the last good one. `_row`: the newest row that was looked at.
    """

    path: Path
    rules: Rules
    store: Database
    metrics: Metrics
    there: frozenset[str] = frozenset()
    activated: Callable[[], None] = lambda: None
    _named: tuple[str, ...] = ()
    _seen: _Looks | None = None
    _taken: _Looks | None = None
    _read_at: datetime | None = None
    _followed_at: datetime | None = None
    _dealt_with: str = ""
    _good: str = ""
    _row: int | None = None
    _file_refused: str = ""
    _row_refused: str = ""

    async def start(self, now: datetime) -> None:
        """Put the file in force; where it cannot be used, go on with the newest row.

        Raises ConfigError where there is no such row either, StoreUnavailable where the database is away.
        """
        self._seen = self._taken = await self._looks()
        self._read_at = self._followed_at = now
        try:
            config = await self._read()
            book = await asyncio.to_thread(parse_book, config, self.path.name, self.there)
        except ConfigError as error:
            if not await self._follow():
                raise
            self._refuse_file(error, str(error))
        else:
            await self._activate(config, book, now)

    async def look(self, now: datetime) -> None:
        """To be called every LOOK_EVERY. Raises StoreUnavailable; the next call tries the same again."""
        looks = await self._looks()
        settled, self._seen = looks == self._seen, looks
        if settled and (looks != self._taken or _over(self._read_at, now, READ_ANYHOW_EVERY)):
            await self._read_file(now)
            self._taken, self._read_at = looks, now
        if _over(self._followed_at, now, FOLLOW_EVERY):
            await self._follow()
            self._followed_at = now

    def hurry(self) -> None:
        """Another process has put one in force: the next `look` sees to it, however soon it comes."""
        self._followed_at = None

    # --- the files ----------------------------------------------------------------------------------------------------

    async def _read_file(self, now: datetime) -> None:
        content = ""
        try:
            before = self._named
            config = await self._read()
            if await self._looks(before) != self._seen:
                return  # it is being written at this very moment
            content = config.hash
            if content == self._dealt_with:
                return
            book = await asyncio.to_thread(parse_book, config, self.path.name, self.there)
        except ConfigError as error:
            self._refuse_file(error, content or str(error))
            return
        if content != self._good:
            await self._activate(config, book, now)
            return
        # A slip was taken back. What others have put in force meanwhile stays.
        self._dealt_with, self._file_refused = content, ""
        self._tell()
        logger.info("{} is as it was before; configuration {} goes on", self.path, self.rules.config[:8])

    async def _looks(self, named: tuple[str, ...] | None = None) -> _Looks:
        names = self._named if named is None else named
        paths = [self.path, *(self.path.parent / name for name in names)]
        return await asyncio.to_thread(lambda: tuple(map(_looks_of, paths)))

    async def _read(self) -> Written:
        config = await asyncio.to_thread(read_written, self.path)
        self._named = tuple(config.files)
        return config

    async def _activate(self, config: Written, book: Book, now: datetime) -> None:
        files = {name: text for name, text in config.files.items() if isinstance(text, str)}
        async with self.store.write() as tx:
            row = await configs.activate(tx, config.text, files=files, config_hash=config.hash, now=now)
        self._dealt_with = self._good = config.hash
        self._file_refused = ""
        self._put_in_force(row, book)
        self.activated()

    def _refuse_file(self, error: ConfigError, content: str) -> None:
        if content == self._dealt_with:
            return
        self._dealt_with = content
        count, line = len(error.problems), error.problems[0].line
        first = f", the first in line {line}" if line else ""
        self._file_refused = f"{self.path.name} on disk is refused: {count} problem(s){first}; run steward check"
        self._tell()
        logger.error("{} is refused, configuration {} goes on:\n{}", self.path, self.rules.config[:8], error)

    # --- the newest row -----------------------------------------------------------------------------------------------

    async def _follow(self) -> bool:
        """Take up the newest row, if it is a new one. True: the newest row is in force."""
        async with self.store.read() as tx:
            row = await configs.newest(tx) if await configs.newest_id(tx) != self._row else None
        if row is None:
            return self._row is not None and not self._row_refused
        try:
            config = Written(row.text, row.files)
            book = await asyncio.to_thread(parse_book, config, self.path.name, self.there)
        except ConfigError as error:  # another version of this program wrote it
            self._row = row.id
            self._row_refused = f"configuration {row.hash[:8]} is not understood by this version"
            self._tell()
            logger.error("{}; {} goes on:\n{}", self._row_refused, self.rules.config[:8], error)
            return False
        self._put_in_force(row, book)
        return True

    def _put_in_force(self, row: ConfigRow, book: Book) -> None:
        self._row, self._row_refused = row.id, ""
        if row.hash != self.rules.config:
            self.rules.book, self.rules.config = book, row.hash
            logger.info("configuration {} is in force", row.hash[:8])
        self._tell()

    def _tell(self) -> None:
        self.rules.refused = "; ".join(filter(None, (self._file_refused, self._row_refused)))
        self.metrics.config_refused(refused=bool(self.rules.refused))


def _looks_of(path: Path) -> tuple[int, int, int] | None:
    """The file's time of change, size and inode; None where it is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a word file's name with a null character
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _over(since: datetime | None, now: datetime, span: timedelta) -> bool:
    return since is None or now - since >= span
