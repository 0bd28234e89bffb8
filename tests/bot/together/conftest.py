"""What tests of several processes on one Redis share: links that are closed, and a gettoken that counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.clocks import VirtualClock
from bot.together.link import Link, connect
from wecom.tokens import Token

START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
async def link_to() -> AsyncIterator[Callable[..., Link]]:
    """`link_to(url)`: as a process of its own has it, but patient: this machine may be busy."""
    async with AsyncExitStack() as stack:

        def link(url: str, within: float = 20) -> Link:
            client = connect(url, within)
            stack.push_async_callback(client.aclose)
            return Link(client)

        yield link


@pytest.fixture
def new_turn() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"turn-{next(numbers)}"


class Platform:
    """gettoken: slow enough for others to arrive meanwhile, and it counts."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.calls = 0
        self.fails_with: Exception | None = None
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def fetch(self) -> Token:
        self.calls += 1
        number = self.calls
        self.asked.set()
        await self.may_answer.wait()
        if self.fails_with is not None:
            raise self.fails_with
        return Token(f"T{number}", self.clock.now() + timedelta(seconds=7000))


@pytest.fixture
def platform(clock: VirtualClock) -> Platform:
    return Platform(clock)
