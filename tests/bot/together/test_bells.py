"""Bells: heard in milliseconds by all others; one that is not heard costs time and nothing else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bot.together.bells import Bells
from bot.together.link import Link

if TYPE_CHECKING:
    from tests.conftest import OwnRedis


class Ears:
    """What one process hears; `wait(bell, times)` until it has."""

    def __init__(self, bells: Bells) -> None:
        self.bells = bells
        self.heard: Counter[str] = Counter()
        self._more = asyncio.Event()

    def hear(self, bell: str) -> None:
        self.heard[bell] += 1
        self._more.set()

    async def wait(self, bell: str, times: int) -> None:
        async with asyncio.timeout(10):
            while self.heard[bell] < times:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def listening(*bells: Bells) -> AsyncIterator[list[Ears]]:
    """Each has begun to listen: that counts as one `work`, for what was rung before."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        ears = [Ears(each) for each in bells]
        for ear in ears:
            tasks.create_task(ear.bells.listen({"work": partial(ear.hear, "work")}, stop))
        for ear in ears:
            await ear.wait("work", 1)
        try:
            yield ears
        finally:
            stop.set()


async def test_a_bell_is_heard_by_the_others(redis_url: str, link_to: Callable[[str], Link]) -> None:
    """Everybody else hears it, who rang does not, and no other installation does."""
    names = ["bells", "bells", "bells", "others"]
    each = [Bells(link_to(redis_url), channel, str(number)) for number, channel in enumerate(names)]
    async with listening(*each) as ears:
        each[0].ring("work")
        each[0].ring("nobody waits for this one")
        await asyncio.gather(ears[1].wait("work", 2), ears[2].wait("work", 2))
        each[1].ring("work")
        await ears[0].wait("work", 2)
        await ears[2].wait("work", 3)
    assert [ear.heard["work"] for ear in ears] == [2, 2, 3, 1]


async def test_many_rings_are_few_messages(redis_url: str, link_to: Callable[[str], Link]) -> None:
    """A thousand rings at once are one or two: a busy front never floods Redis."""
    bells, others = (Bells(link_to(redis_url), "bells", name) for name in "ab")
    async with listening(others) as (ears,):
        for _ in range(1000):
            bells.ring("work")
        await ears.wait("work", 2)
        bells.ring("work")
        await ears.wait("work", 3)
    assert ears.heard["work"] == 3


async def test_ears_come_back_with_redis(own_redis: "OwnRedis", link_to: Callable[[str], Link]) -> None:
    """After a restart of Redis a process listens again, and first looks for what was rung meanwhile."""
    link = link_to(own_redis.url)
    bells = Bells(link_to(own_redis.url), "bells", "a")
    async with listening(Bells(link, "bells", "b")) as (ears,):
        own_redis.stop()
        bells.ring("work")  # heard by nobody, and does no harm
        own_redis.start()
        await ears.wait("work", 2)
        assert link.up
