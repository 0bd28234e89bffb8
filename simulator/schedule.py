"""Everything that will happen at a time: deliveries of callbacks, retries, what people do."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.callbacks import Attempt

Deed = Callable[[], object]


@dataclass(frozen=True, order=True)
class Entry:
    """Entries of one instant happen in the order in which they were planned."""

    at: datetime
    order: int
    what: Attempt | Deed = field(compare=False)


class Schedule:
    """A heap. `wake` is set whenever something was planned, so that a server need not poll."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._order = 0
        self.wake = asyncio.Event()

    def plan(self, at: datetime, what: Attempt | Deed) -> None:
        self._order += 1
        heapq.heappush(self._heap, Entry(at, self._order, what))
        self.wake.set()

    def next_due(self) -> datetime | None:
        return self._heap[0].at if self._heap else None

    def take(self, now: datetime) -> Attempt | Deed | None:
        """The next thing due at `now`, or None."""
        if self._heap and self._heap[0].at <= now:
            return heapq.heappop(self._heap).what
        return None
