"""The access token (page 91039): kept in a cache, renewed by one caller while the others wait for the same answer.

gettoken is itself limited by frequency, so a failure is shared by all who wait and followed by a pause.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from rules.clock import Clock
from wecom.errors import PlatformError


@dataclass(frozen=True)
class Token:
    """`good_until`: aware UTC; a little before the platform's own limit. The value is kept out of repr()."""

    value: str = field(repr=False)
    good_until: datetime


class TokenCache(Protocol):
    """Where tokens are kept, by key (one per app): a process's memory, or Redis for several processes."""

    async def get(self, key: str) -> Token | None: ...

    async def drop(self, key: str, token: Token) -> None:
        """Forgets `token`, if it is still the one that is kept."""

    async def once(self, key: str, fetch: Callable[[], Awaitable[Token]]) -> Token:
        """The token that `fetch` brings, kept. Of all processes with this cache one fetches, the others get the same.

        Raises PlatformError, as `fetch` does. Within a process it is called by one at a time.
        """


class MemoryTokens:
    """The cache of one process."""

    def __init__(self) -> None:
        self._kept: dict[str, Token] = {}

    async def get(self, key: str) -> Token | None:
        return self._kept.get(key)

    async def drop(self, key: str, token: Token) -> None:
        if self._kept.get(key) == token:
            del self._kept[key]

    async def once(self, key: str, fetch: Callable[[], Awaitable[Token]]) -> Token:
        self._kept[key] = token = await fetch()
        return token


class TokenKeeper:
    """One app's token. `fetch` calls gettoken; `pause` follows its failures, where these say nothing themselves."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        *,
        key: str,
        cache: TokenCache,
        clock: Clock,
        pause: timedelta = timedelta(seconds=5),
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._cache = cache
        self._clock = clock
        self._pause = pause
        self._flight: asyncio.Task[Token | PlatformError] | None = None
        self._failure: PlatformError | None = None
        self._paused_until: datetime | None = None

    async def current(self) -> Token:
        """A token that should work. Raises PlatformError."""
        token = await self._cache.get(self._key)
        if token is not None and self._clock.now() < token.good_until:
            return token
        answer = await self._renew()
        if isinstance(answer, PlatformError):
            raise answer.again()
        return answer

    async def replace(self, failed: Token) -> Token:
        """A token other than the one the platform just refused. Raises PlatformError."""
        if failure := self._resting():
            raise failure.again()
        await self._cache.drop(self._key, failed)
        return await self.current()

    def rest(self, failure: PlatformError) -> None:
        """Stops renewing for a while: either gettoken failed, or what it gave was refused at once."""
        self._failure = failure
        self._paused_until = self._clock.now() + (failure.retry_after or self._pause)

    def _resting(self) -> PlatformError | None:
        if self._paused_until is not None and self._clock.now() < self._paused_until:
            return self._failure
        return None

    async def _renew(self) -> Token | PlatformError:
        if failure := self._resting():
            return failure
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        # A caller who is cancelled must not take the others' answer away.
        return await asyncio.shield(self._flight)

    async def _fly(self) -> Token | PlatformError:
        try:
            token = await self._cache.once(self._key, self._fetch)
        except PlatformError as error:
            self.rest(error)
            return error
        finally:
            self._flight = None
        return token
