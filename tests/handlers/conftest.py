"""A group that is known, and fairs with draws."""

from typing import Any

import pytest

from store.database import Database
from tests.handlers.fair import Fair, OpenFair, book_with, settings
from tests.handlers.town import READ, SOON, Town, chat


@pytest.fixture
async def town(sqlite_db: Database) -> Town:
    """A group that was read at noon: version v1, members wmA and wmB."""
    town = Town(sqlite_db)
    await town.hear(READ, chat("v1", "wmA", "wmB"))
    await town.wait(SOON)
    return town


@pytest.fixture
async def fair_with(sqlite_db: Database) -> OpenFair:
    """`await fair_with({"enter": …}, people=[…])`: a fair with this draw, before it is announced."""

    async def make(more: dict[str, Any] | None = None, people: tuple[str, ...] = (), **opened: Any) -> Fair:
        monthly = opened.pop("monthly", "5000元")
        fair = Fair(sqlite_db, book_with(settings(**(more or {})), monthly=monthly))
        await fair.open(people=people, **opened)
        return fair

    return make
