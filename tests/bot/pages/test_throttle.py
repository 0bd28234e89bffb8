"""How often somebody may ask."""

from datetime import timedelta

from bot.pages import throttle
from bot.pages.throttle import Throttle
from simulator import VirtualClock


def test_so_many_a_minute_for_each() -> None:
    """One key's limit is no other's, and it is over with the minute."""
    clock = VirtualClock()
    limit = Throttle(clock, per_minute=2)
    assert [limit.allows("a") for _ in range(3)] == [True, True, False]
    assert limit.allows("b")
    clock.advance(timedelta(minutes=1))
    assert limit.allows("a")


def test_memory_is_bounded() -> None:
    """Among too many different keys new ones are refused, and those that are known go on."""
    clock = VirtualClock()
    limit = Throttle(clock, per_minute=2)
    assert all(limit.allows(str(number)) for number in range(throttle.MOST_KEYS))
    assert not limit.allows("one more")
    assert limit.allows("7")
