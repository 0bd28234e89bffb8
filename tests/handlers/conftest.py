"""A group that is known."""

import pytest

from store.database import Database
from tests.handlers.town import READ, SOON, Town, chat


@pytest.fixture
async def town(sqlite_db: Database) -> Town:
    """A group that was read at noon: version v1, members wmA and wmB."""
    town = Town(sqlite_db)
    await town.hear(READ, chat("v1", "wmA", "wmB"))
    await town.wait(SOON)
    return town
