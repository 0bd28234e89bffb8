"""When what failed is tried again: after the last of these waits it is given up and shown."""

from datetime import timedelta

from store.queue import QueueRow

EVENTS = tuple(timedelta(seconds=s) for s in (1, 5, 15, 45, 90))
DEEDS = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 1800, 3600, 7200, 7200))
GREETINGS = tuple(timedelta(seconds=s) for s in (1, 2, 3, 4, 5))  # a welcome code lives 20 seconds


def wait(waits: tuple[timedelta, ...], row: QueueRow, retry_after: timedelta | None) -> timedelta | None:
    """How long to wait before the next try; None after the last. `attempts` counts the one that just failed."""
    if row.attempts > len(waits):
        return None
    return max(waits[row.attempts - 1], retry_after or timedelta(0))
