"""Who is wrong too often is not asked again for a while."""

from datetime import timedelta

from bot.pages import lockout
from bot.pages.lockout import Lockout
from simulator import VirtualClock

SPAN = timedelta(minutes=15)


def test_so_many_wrong_tries_lock_one_key() -> None:
    """The third wrong try locks, others are not locked along, and it ends by itself."""
    clock = VirtualClock()
    lock = Lockout(clock, most=3, span=SPAN)
    for _ in range(2):
        lock.wrong("a")
    assert not lock.locks("a")
    lock.wrong("a")
    assert lock.locks("a")
    assert not lock.locks("b")
    clock.advance(SPAN)
    assert not lock.locks("a")


def test_memory_is_bounded() -> None:
    """Whoever tries from many addresses makes us forget the oldest, and takes no more memory."""
    lock = Lockout(VirtualClock(), most=1, span=SPAN)
    for number in range(lockout.MOST_KEYS + 1):
        lock.wrong(str(number))
    assert not lock.locks("0")
    assert lock.locks("1")
    assert lock.locks(str(lockout.MOST_KEYS))
