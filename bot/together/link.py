"""The way to Redis. Whoever asks has an answer of their own for when it is away: it is never the record of anything."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from loguru import logger
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

Answer = TypeVar("Answer")

ANSWERS_WITHIN = 0.5  # seconds
AWAY_FOR = 2.0  # seconds in which nobody asks again: else every call to the platform would wait for Redis first


class RedisAway(Exception):  # noqa: N818 - says what happened
    """Redis does not answer, or did not a moment ago."""


def connect(url: str, within: float = ANSWERS_WITHIN) -> Redis:
    """A client that tries once and gives up after so many seconds. It connects when it is first asked."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=within,
        socket_connect_timeout=within,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 0),
    )


class Link:
    """One per process. `up`: it answered when it was asked last."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.up = True
        self._ask_again_at = 0.0

    async def ask(self, question: Callable[[Redis], Awaitable[Answer]]) -> Answer:
        """What Redis answers. Raises RedisAway."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_again_at:
            raise RedisAway
        try:
            answer = await question(self.client)
        except (RedisError, OSError) as error:
            self.lost(error)
            raise RedisAway from error
        self.found()
        return answer

    def found(self) -> None:
        """It answers."""
        if not self.up:
            logger.info("Redis answers again")
        self.up, self._ask_again_at = True, 0.0

    def lost(self, error: Exception) -> None:
        """It does not; logged once."""
        self._ask_again_at = asyncio.get_running_loop().time() + AWAY_FOR
        if self.up:
            # Never its text: a wrong password or address stands in some of them.
            logger.warning("Redis does not answer ({}): slower without it, nothing is lost", type(error).__name__)
        self.up = False
