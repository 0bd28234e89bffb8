"""The two clocks."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.clocks import SystemClock, VirtualClock
from rules.clock import Clock

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_both_clocks_tell_aware_utc() -> None:
    """Whatever zone a clock was set in, it answers in UTC."""
    clocks: list[Clock] = [SystemClock(), VirtualClock(NOON.astimezone(timezone(timedelta(hours=8))))]
    assert [clock.now().tzinfo for clock in clocks] == [UTC, UTC]
    assert clocks[1].now() == NOON


def test_the_virtual_clock_moves_only_when_told() -> None:
    """Time on the virtual clock is moved by hand, to a moment or by a span."""
    clock = VirtualClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(seconds=3)) == NOON + timedelta(seconds=3)
    clock.set(NOON + timedelta(days=1))
    assert clock.now() == NOON + timedelta(days=1)


def test_the_virtual_clock_never_goes_back() -> None:
    """A move into the past is refused and changes nothing; standing still is allowed."""
    clock = VirtualClock(NOON)
    clock.set(NOON)
    with pytest.raises(ValueError, match="never goes back"):
        clock.set(NOON - timedelta(microseconds=1))
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NOON


def test_a_naive_time_is_refused() -> None:
    """A time without a zone sets no clock."""
    with pytest.raises(ValueError, match="naive"):
        VirtualClock(NOON.replace(tzinfo=None))
