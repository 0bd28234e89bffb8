"""The access token of several processes: renewed by one while the others wait for what it gets.

Every process has a copy that it uses while it is good, so an ordinary call asks Redis nothing, and a Redis that is
away or flushed changes nothing until the token has to be renewed. Without Redis each process then gets its own:
gettoken gives the same token again while that is good (page 91039).
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.together.link import Link, RedisAway
from rules.clock import Clock
from wecom.errors import NO_ANSWER, PlatformError
from wecom.tokens import Token

HELD_FOR = timedelta(seconds=10)
"""The turn to renew; longer than one gettoken takes (wecom/gateway.py). Whoever died with it is waited out."""

LOOK_EVERY = 0.05  # seconds
FAILED_FOR = timedelta(seconds=4)  # less than whoever failed rests (wecom/tokens.py): its next try is a real one

_LET_GO = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class SharedTokens:
    """A TokenCache. `prefix`: of this installation's keys. `new_token`: a random word for each turn. `pause`: waits so
    many seconds while another process renews it.
    """

    def __init__(
        self,
        link: Link,
        prefix: str,
        clock: Clock,
        new_token: Callable[[], str],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        self._link = link
        self._prefix = prefix
        self._clock = clock
        self._new_token = new_token
        self._pause = pause
        self._copies: dict[str, Token] = {}

    async def get(self, key: str) -> Token | None:
        if (copy := self._good_copy(key)) is not None:
            return copy
        try:
            kept = await self._link.ask(lambda redis: redis.get(self._name("token", key)))
        except RedisAway:
            return self._good_copy(key)  # another caller of this process may have got one while we waited
        token = _read(kept)
        if token is not None:
            self._copies[key] = token
        return token

    async def drop(self, key: str, token: Token) -> None:
        if self._copies.get(key) == token:
            del self._copies[key]
        try:
            await self._link.ask(lambda redis: redis.eval(_LET_GO, 1, self._name("token", key), _written(token)))
        except RedisAway:
            return

    async def once(self, key: str, fetch: Callable[[], Awaitable[Token]]) -> Token:
        turn = self._new_token()
        for _ in range(int(HELD_FOR.total_seconds() / LOOK_EVERY) + 1):
            try:
                if await self._take(key, turn):
                    return await self._renew(key, turn, fetch)
                if (token := await self._brought(key)) is not None:
                    return token
            except RedisAway:
                token = self._good_copy(key) or await fetch()
                self._copies[key] = token
                return token
            await self._pause(LOOK_EVERY)
        raise PlatformError(NO_ANSWER, "gettoken")

    def _good_copy(self, key: str) -> Token | None:
        copy = self._copies.get(key)
        return copy if copy is not None and self._clock.now() < copy.good_until else None

    async def _take(self, key: str, turn: str) -> bool:
        name = self._name("turn", key)
        return bool(await self._link.ask(lambda redis: redis.set(name, turn, nx=True, px=_milliseconds(HELD_FOR))))

    async def _renew(self, key: str, turn: str, fetch: Callable[[], Awaitable[Token]]) -> Token:
        try:
            # Somebody may have brought it between our look and our turn.
            return await self._brought(key) or await self._fetched(key, fetch)
        finally:
            await self._let_go(key, turn)

    async def _fetched(self, key: str, fetch: Callable[[], Awaitable[Token]]) -> Token:
        try:
            token = await fetch()
        except PlatformError as error:
            failure = json.dumps([error.errcode, error.endpoint])
            await self._keep(self._name("failed", key), failure, error.retry_after or FAILED_FOR)
            raise
        await self._put(key, token)
        return token

    async def _put(self, key: str, token: Token) -> None:
        self._copies[key] = token
        left = token.good_until - self._clock.now()
        if left > timedelta(0):
            await self._keep(self._name("token", key), _written(token), left)

    async def _brought(self, key: str) -> Token | None:
        """The token that another process got; None where there is none yet. Raises PlatformError: it got an error."""
        names = [self._name("token", key), self._name("failed", key)]
        kept, failed = await self._link.ask(lambda redis: redis.mget(names))
        token = _read(kept)
        if token is not None and self._clock.now() < token.good_until:
            self._copies[key] = token
            return token
        if failed is not None:
            errcode, endpoint = json.loads(failed)
            raise PlatformError(errcode, endpoint)
        return None

    async def _let_go(self, key: str, turn: str) -> None:
        try:
            await self._link.ask(lambda redis: redis.eval(_LET_GO, 1, self._name("turn", key), turn))
        except RedisAway:
            return

    async def _keep(self, name: str, text: str, life: timedelta) -> None:
        try:
            await self._link.ask(lambda redis: redis.set(name, text, px=_milliseconds(life)))
        except RedisAway:
            return

    def _name(self, what: str, key: str) -> str:
        return f"{self._prefix}:{what}:{key}"


def _milliseconds(span: timedelta) -> int:
    return max(int(span.total_seconds() * 1000), 1)


def _written(token: Token) -> str:
    return json.dumps([token.value, token.good_until.isoformat()])


def _read(text: bytes | str | None) -> Token | None:
    if text is None:
        return None
    value, good_until = json.loads(text)
    return Token(value, datetime.fromisoformat(good_until))
