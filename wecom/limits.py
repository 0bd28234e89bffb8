"""How often the platform may be called (page 90454): per API 10,000 a minute and 150,000 an hour; we stay below.

The `limits` library reads the wall clock, so its implementation lives in `serve` only; virtual time has `Unlimited`.
"""

from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from rules.clock import Clock


class Limiter(Protocol):
    """Asked once before every call."""

    async def wait_time(self, endpoint: str) -> float:
        """Seconds until a call is allowed; 0 = go, and it is counted."""


class Unlimited:
    """For virtual time: the simulator counts on its own clock and answers 45009."""

    async def wait_time(self, endpoint: str) -> float:  # noqa: ARG002 - the Protocol's shape
        return 0


class ApiLimits:
    """The limits of one process on real time. `clock` must be the wall clock, which `limits` reads by itself."""

    def __init__(self, clock: Clock, *, per_minute: int = 9_000, per_hour: int = 140_000) -> None:
        self._clock = clock
        storage = MemoryStorage()
        # The minute is counted exactly, since a breach blocks the API for a minute; the hour would take 140,000
        # entries per API for that and is weighed instead.
        self._limits: tuple[tuple[RateLimiter, RateLimitItem], ...] = (
            (MovingWindowRateLimiter(storage), RateLimitItemPerMinute(per_minute)),
            (SlidingWindowCounterRateLimiter(storage), RateLimitItemPerHour(per_hour)),
        )

    async def wait_time(self, endpoint: str) -> float:
        for limiter, item in self._limits:
            if not await limiter.hit(item, endpoint):
                opens_at = (await limiter.get_window_stats(item, endpoint)).reset_time
                return max(opens_at - self._clock.now().timestamp(), 0.1)
        return 0
