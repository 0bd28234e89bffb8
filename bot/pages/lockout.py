"""Who was wrong too often is not asked again for a while. In memory, per process, on our own clock."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.clock import Clock

MOST_KEYS = 10_000


@dataclass
class _Tries:
    """`wrong` so often since `since`."""

    since: datetime
    wrong: int = 0


class Lockout:
    """After `most` wrong tries within `span` a key is locked until `span` after the first of them."""

    def __init__(self, clock: Clock, *, most: int, span: timedelta) -> None:
        self._clock = clock
        self._most = most
        self._span = span
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def locks(self, key: str) -> bool:
        """Whether it is locked now: then nothing it brings is looked at, right or wrong."""
        tries = self._current(key)
        return tries is not None and tries.wrong >= self._most

    def wrong(self, key: str) -> None:
        """One more wrong try. Among too many keys the oldest is forgotten."""
        tries = self._current(key) or self._tries.setdefault(key, _Tries(self._clock.now()))
        tries.wrong += 1
        while len(self._tries) > MOST_KEYS:
            self._tries.popitem(last=False)

    def right(self, key: str) -> None:
        """A right one: all is forgotten."""
        self._tries.pop(key, None)

    def _current(self, key: str) -> _Tries | None:
        tries = self._tries.get(key)
        if tries is not None and self._clock.now() - tries.since >= self._span:
            del self._tries[key]
            return None
        return tries
