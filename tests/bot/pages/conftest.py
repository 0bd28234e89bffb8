"""A message source beside an empty database, the lines that are logged, and one browser for all."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from loguru import logger

from store.database import Database
from tests.bot.pages.browser import STAYS
from tests.bot.pages.house import House, open_house
from tests.bot.pages.source import Source
from tests.life.conftest import start_life

__all__ = ["lines", "source", "start_life"]  # fixtures; whole bots are wanted here, too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name.endswith("_in_chromium.py"):  # all in one loop: the browser belongs to it
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def what_stays() -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        STAYS.append(stack)
        yield


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


@pytest.fixture
async def house(sqlite_db: Database) -> AsyncIterator[House]:
    async with open_house(sqlite_db, mp=False) as opened:
        yield opened


@pytest.fixture
async def house_with_mp(sqlite_db: Database) -> AsyncIterator[House]:
    async with open_house(sqlite_db, mp=True) as opened:
        yield opened
