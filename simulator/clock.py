"""What time it is in the simulated world. Answers are always aware and in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime: ...


class VirtualClock:
    """A clock that stands still until it is moved. It never runs backwards."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        """Move to `at`. Raises ValueError for a time that has passed."""
        if at < self._now:
            raise ValueError(f"time does not run backwards: it is {self._now}, not {at}")
        self._now = at

    def advance(self, by: timedelta) -> None:
        self.set(self._now + by)


class WallClock:
    """The real time, for the simulator's own server."""

    def now(self) -> datetime:
        return datetime.now(UTC)
