"""How often the platform may be called (page 90454): per API 10,000 a minute and 150,000 an hour; we stay below.

The `limits` library reads the wall clock, so its implementation lives in `serve` only; virtual time has `Unlimited`.
"""

from collections import defaultdict, deque
from typing import Protocol

from limits import RateLimitItemPerHour
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from rules.clock import Clock

PER_MINUTE, PER_HOUR = 9_000, 140_000


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

    def __init__(self, clock: Clock, *, per_minute: int = PER_MINUTE, per_hour: int = PER_HOUR) -> None:
        self._clock = clock
        # The minute is counted exactly, since a breach blocks the API for a minute; by ourselves, since the library's
        # moving window starts a thread per call. The hour would take 140,000 entries per API and is weighed instead.
        self._per_minute = per_minute
        self._last_minute: defaultdict[str, deque[float]] = defaultdict(deque)
        self._hours = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._hour = RateLimitItemPerHour(per_hour)

    async def wait_time(self, endpoint: str) -> float:
        now = self._clock.now().timestamp()
        calls = self._last_minute[endpoint]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= self._per_minute:
            return max(calls[0] + 60 - now, 0.1)
        if not await self._hours.hit(self._hour, endpoint):
            opens_at = (await self._hours.get_window_stats(self._hour, endpoint)).reset_time
            return max(opens_at - now, 0.1)
        calls.append(now)
        return 0
