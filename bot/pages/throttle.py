"""How often somebody may ask for a page. In memory, per process, on our own clock: enough to stop a loop."""

from collections import Counter

from rules.clock import Clock

MOST_KEYS = 100_000  # at eight in the evening a big draw has that many addresses within a minute


class Throttle:
    """So many times a minute for each key; counting begins anew with every minute of the clock."""

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def allows(self, key: str) -> bool:
        """Counts this time. Among too many different keys, new ones are refused."""
        minute = int(self._clock.now().timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        if key not in self._counts and len(self._counts) >= MOST_KEYS:
            return False
        self._counts[key] += 1
        return self._counts[key] <= self._per_minute
