"""Our own limits stay below the platform's."""

from datetime import UTC, datetime

import pytest

from wecom.limits import ApiLimits, Unlimited


class WallClock:
    """`limits` reads the wall clock by itself, so its test does too."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.mark.parametrize("limits", [{"per_minute": 3}, {"per_hour": 3}])
async def test_calls_over_the_limit_are_told_how_long_to_wait(limits: dict[str, int]) -> None:
    """As many as allowed go at once; the next is told a time within the window, and other APIs are not held up."""
    limiter = ApiLimits(WallClock(), **limits)
    assert [await limiter.wait_time("user/get") for _ in range(3)] == [0, 0, 0]
    assert 0 < await limiter.wait_time("user/get") <= (60 if "per_minute" in limits else 7200)
    assert await limiter.wait_time("message/send") == 0


async def test_virtual_time_has_no_limits() -> None:
    """On virtual time the simulator counts, not we."""
    limiter = Unlimited()
    assert {await limiter.wait_time("user/get") for _ in range(1000)} == {0}
