"""Logging of requests that are refused: a flood of rubbish must not become a flood of logs."""

from datetime import datetime, timedelta

from loguru import logger

LOG_EVERY = timedelta(seconds=1)


class RefusalLog:
    """At most one line a second for each cause, for one address of ours (`path`)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._said: dict[str, datetime] = {}
        self._held_back: dict[str, int] = {}

    def say(self, cause: str, status: int, method: str, peer: str, now: datetime) -> None:
        """A request was answered with `status` because of `cause` (a word of ours)."""
        if cause in self._said and now - self._said[cause] < LOG_EVERY:
            self._held_back[cause] = self._held_back.get(cause, 0) + 1
            return
        self._said[cause] = now
        held_back = self._held_back.pop(cause, 0)
        more = f"; {held_back} more since the last such line" if held_back else ""
        logger.warning("{} {} refused: {} → {} (from {}{})", method, self._path, cause, status, peer, more)
