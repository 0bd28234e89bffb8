"""How often all processes of an installation together may call the platform (wecom/limits.py has the figures).

The minute is counted exactly, since a breach blocks the API for a minute; the hour would take 140,000 entries per API
and is weighed instead. Both in Redis; where that is away each process has a quarter for itself.
"""

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from bot.together.link import Link, RedisAway
from rules.clock import Clock
from wecom.limits import PER_HOUR, PER_MINUTE, ApiLimits


class SharedLimits:
    """A Limiter. `clock` must be the wall clock, which `limits` reads by itself. `prefix`: of this corp's keys."""

    def __init__(
        self, link: Link, prefix: str, clock: Clock, *, per_minute: int = PER_MINUTE, per_hour: int = PER_HOUR
    ) -> None:
        pool = link.client.connection_pool
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=f"{prefix}:calls",
            connection_pool=pool,  # type: ignore[arg-type]  # as its own page says; its types do not
        )
        self._link = link
        self._clock = clock
        self._windows: list[tuple[MovingWindowRateLimiter | SlidingWindowCounterRateLimiter, RateLimitItem]] = [
            (MovingWindowRateLimiter(storage), RateLimitItemPerMinute(per_minute)),
            (SlidingWindowCounterRateLimiter(storage), RateLimitItemPerHour(per_hour)),
        ]
        self._alone = ApiLimits(clock, per_minute=max(per_minute // 4, 1), per_hour=max(per_hour // 4, 1))

    async def wait_time(self, endpoint: str) -> float:
        try:
            return await self._link.ask(lambda _: self._asked(endpoint))
        except RedisAway:
            return await self._alone.wait_time(endpoint)

    async def _asked(self, endpoint: str) -> float:
        for window, most in self._windows:
            if not await window.hit(most, endpoint):
                opens_at = (await window.get_window_stats(most, endpoint)).reset_time
                return max(opens_at - self._clock.now().timestamp(), 0.1)
        return 0
