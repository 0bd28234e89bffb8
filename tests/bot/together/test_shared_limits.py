"""All processes together stay below the platform's limits, with Redis and without."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bot.clocks import SystemClock
from bot.together.limits import SharedLimits
from bot.together.link import Link

if TYPE_CHECKING:
    from tests.conftest import OwnRedis


@pytest.mark.parametrize("most", [{"per_minute": 20}, {"per_hour": 20}])
async def test_two_processes_share_one_limit(
    redis_url: str, link_to: Callable[[str], Link], most: dict[str, int]
) -> None:
    """As many calls as allowed go, whoever makes them; the next is told when; other APIs and corps are not held up."""
    first, second = [SharedLimits(link_to(redis_url), "steward:a", SystemClock(), **most) for _ in range(2)]
    asked = [limiter.wait_time("user/get") for _ in range(15) for limiter in (first, second)]
    waits = await asyncio.gather(*asked)
    assert waits.count(0) == 20
    assert all(0 < wait <= (60 if "per_minute" in most else 7200) for wait in waits if wait)
    assert await second.wait_time("message/send") == 0
    assert await SharedLimits(link_to(redis_url), "steward:b", SystemClock(), **most).wait_time("user/get") == 0


async def test_without_redis_each_has_a_quarter(own_redis: "OwnRedis", link_to: Callable[[str], Link]) -> None:
    """Where nobody can count together, four processes cannot break the limit; flushed or back, it counts anew."""
    limiter = SharedLimits(link_to(own_redis.url), "steward:a", SystemClock(), per_minute=20)
    assert [await limiter.wait_time("user/get") for _ in range(3)] == [0, 0, 0]
    own_redis.stop()
    assert [await limiter.wait_time("user/get") == 0 for _ in range(8)] == [True] * 5 + [False] * 3
