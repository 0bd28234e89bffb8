"""A real Chromium, one for all tests of a worker: to start it takes as long as most of them."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

STAYS: list[AsyncExitStack] = []
"""What ends with the session (conftest.py)."""

_RUNNING: list[Browser] = []


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser; each test has windows of its own, with nothing kept from those of another."""
    if not _RUNNING:
        _RUNNING.append(await STAYS[-1].enter_async_context(_launched()))
    [browser] = _RUNNING
    try:
        yield browser
    finally:
        for context in browser.contexts:
            await context.close()


@asynccontextmanager
async def _launched() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("not installed: chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            _RUNNING.clear()
            await browser.close()
