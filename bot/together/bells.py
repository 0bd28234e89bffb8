"""Bells between processes, by Redis' pub/sub: there is work, or another configuration is in force.

Nothing hangs on a bell being heard: everybody looks by themselves, too, only later.
"""

import asyncio
from collections.abc import Callable, Mapping

from redis.exceptions import RedisError

from bot.together.link import Link, RedisAway

LISTEN_AGAIN_AFTER = 1.0  # seconds
LOOK_UP_EVERY = 0.5  # seconds: whether to stop


class Bells:
    """One per process. `me`: a random name, so that nobody answers their own bell."""

    def __init__(self, link: Link, channel: str, me: str) -> None:
        self._link = link
        self._channel = channel
        self._me = me
        self._rung: set[str] = set()
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, bell: str) -> None:
        """Let the others hear. What is rung again before it has gone out goes out once."""
        self._rung.add(bell)
        if self._ringing is None:
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        try:
            while self._rung:
                await self._say(f"{self._me} {self._rung.pop()}")
        except RedisAway:
            self._rung.clear()
        finally:
            self._ringing = None

    async def _say(self, text: str) -> None:
        await self._link.ask(lambda redis: redis.publish(self._channel, text))

    async def listen(self, heard: Mapping[str, Callable[[], None]], stop: asyncio.Event) -> None:
        """Call what belongs to each bell that another process rings, until `stop`."""
        while not stop.is_set():
            try:
                await self._listen(heard, stop)
            except (RedisError, OSError) as error:
                self._link.lost(error)
                await _either(stop, LISTEN_AGAIN_AFTER)

    async def _listen(self, heard: Mapping[str, Callable[[], None]], stop: asyncio.Event) -> None:
        async with self._link.client.pubsub(ignore_subscribe_messages=True) as ears:
            await ears.subscribe(self._channel)
            self._link.found()
            for answer in heard.values():  # what was rung while nobody listened
                answer()
            while not stop.is_set():
                message = await ears.get_message(timeout=LOOK_UP_EVERY)
                if message is None:
                    continue
                who, _, bell = str(message["data"]).partition(" ")
                if who != self._me and bell in heard:
                    heard[bell]()


async def _either(stop: asyncio.Event, seconds: float) -> None:
    """Return when stopped, or after this long."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
