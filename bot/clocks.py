"""The two clocks: the wall's, and one that a test, the demo or a rehearsal moves by hand (see rules/clock.py)."""

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The wall clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """Stands still until somebody moves it, and never goes back."""

    def __init__(self, start: datetime) -> None:
        """`start`: aware. Raises ValueError where it is naive."""
        self._now = _utc(start)

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        """Move to `at` (aware). Raises ValueError where that is naive or earlier than now."""
        at = _utc(at)
        if at < self._now:
            raise ValueError(f"a clock never goes back: {at.isoformat()} is before {self._now.isoformat()}")
        self._now = at

    def advance(self, delta: timedelta) -> datetime:
        """Move on by `delta` and tell the new time. Raises ValueError where `delta` is negative."""
        self.set(self._now + delta)
        return self._now


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a naive time names no instant: give one with a time zone")
    return at.astimezone(UTC)
