"""A message source beside an empty database, and the lines that are logged."""

from collections.abc import Iterator

import pytest
from loguru import logger

from store.database import Database
from tests.bot.pages.source import Source
from tests.life.conftest import start_life

__all__ = ["lines", "source", "start_life"]  # fixtures; whole bots are wanted here, too


@pytest.fixture
def source(sqlite_db: Database) -> Source:
    """A program that knows the secret of a bot that has received nothing yet."""
    return Source(sqlite_db)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), format="{message}")
    yield said
    logger.remove(sink)
