"""One token for all processes: renewed by one of them, and not in a stampede, whatever becomes of Redis."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from signal import SIGSTOP
from typing import TYPE_CHECKING

import pytest

from bot.clocks import VirtualClock
from bot.together.link import Link
from bot.together.tokens import HELD_FOR, SharedTokens
from wecom.errors import PlatformError
from wecom.tokens import TokenKeeper

if TYPE_CHECKING:
    from tests.bot.together.conftest import Platform
    from tests.conftest import OwnRedis

MakeKeepers = Callable[..., list[TokenKeeper]]


@pytest.fixture
def keepers(
    link_to: Callable[..., Link], clock: VirtualClock, platform: "Platform", new_turn: Callable[[], str]
) -> MakeKeepers:
    """`keepers(url, 4)`: those of four processes."""

    def make(url: str, number: int, within: float = 20) -> list[TokenKeeper]:
        caches = [
            SharedTokens(link_to(url, within), "steward:test", clock, new_turn, asyncio.sleep) for _ in range(number)
        ]
        return [TokenKeeper(platform.fetch, key="app", cache=cache, clock=clock) for cache in caches]

    return make


async def ask_all(keepers: list[TokenKeeper], each: int = 10) -> set[str]:
    return {token.value for token in await asyncio.gather(*(keeper.current() for keeper in keepers * each))}


async def test_eight_processes_make_one_gettoken(redis_url: str, keepers: MakeKeepers, platform: "Platform") -> None:
    """All calls of all processes at once cost one gettoken, and everybody has the token that it brought."""
    together = keepers(redis_url, 8)
    platform.may_answer.clear()
    asking = asyncio.create_task(ask_all(together))
    await platform.asked.wait()
    platform.may_answer.set()
    assert await asking == {"T1"}
    assert await ask_all(keepers(redis_url, 2)) == {"T1"}
    assert platform.calls == 1


async def test_a_token_whose_time_is_up_is_renewed_once(
    redis_url: str, keepers: MakeKeepers, platform: "Platform", clock: VirtualClock
) -> None:
    """At the end of a token's time one process renews it for all."""
    together = keepers(redis_url, 4)
    await ask_all(together)
    clock.advance(timedelta(seconds=7000))
    assert await ask_all(together) == {"T2"}
    assert platform.calls == 2


async def test_a_refused_token_is_replaced_once_for_all(
    redis_url: str, keepers: MakeKeepers, platform: "Platform"
) -> None:
    """Where the platform refuses the token early, one process renews it, and a late one drops nothing but the old."""
    together = keepers(redis_url, 4)
    bad = [await keeper.current() for keeper in together]
    renewed = await asyncio.gather(*(keeper.replace(token) for keeper, token in zip(together, bad, strict=True)))
    assert {token.value for token in renewed} == {"T2"}
    assert (await together[0].replace(bad[0])).value == "T2"
    assert platform.calls == 2


async def test_a_failure_is_everybodys(redis_url: str, keepers: MakeKeepers, platform: "Platform") -> None:
    """A gettoken that fails is not tried by one process after the other."""
    platform.fails_with = PlatformError(60020, "gettoken")
    together = keepers(redis_url, 6)
    answers = await asyncio.gather(*(keeper.current() for keeper in together), return_exceptions=True)
    assert [error.errcode for error in answers if isinstance(error, PlatformError)] == [60020] * 6
    assert platform.calls == 1


async def test_flushing_costs_no_gettoken(redis_url: str, keepers: MakeKeepers, platform: "Platform") -> None:
    """Who has a good token needs nothing of Redis; who comes later asks once."""
    together = keepers(redis_url, 4)
    await ask_all(together)
    await connect_and_flush(redis_url)
    assert await ask_all(together) == {"T1"}
    assert platform.calls == 1
    assert await ask_all(keepers(redis_url, 4)) == {"T2"}
    assert platform.calls == 2


async def connect_and_flush(url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as client:
        await client.flushall()


async def test_one_who_dies_with_the_turn_is_waited_out(
    redis_url: str, keepers: MakeKeepers, platform: "Platform", link_to: Callable[[str], Link]
) -> None:
    """The turn of a process that was killed ends by itself; until then nobody hurries past it."""
    link = link_to(redis_url)
    await link.client.set("steward:test:turn:app", "somebody who died", px=300)
    assert timedelta(seconds=9) < HELD_FOR, "longer than a gettoken may take"
    assert await ask_all(keepers(redis_url, 3)) == {"T1"}
    assert platform.calls == 1
    assert not await link.client.exists("steward:test:turn:app"), "the turn is given back"


async def test_without_redis_each_process_asks_once(
    own_redis: "OwnRedis", keepers: MakeKeepers, platform: "Platform", clock: VirtualClock
) -> None:
    """While Redis is gone a good token goes on; one that ends costs one gettoken a process. Then all share again."""
    together = keepers(own_redis.url, 3)
    await ask_all(together)
    own_redis.stop()
    await ask_all(together)
    assert platform.calls == 1
    clock.advance(timedelta(seconds=7000))
    await ask_all(together)
    await ask_all(together)
    assert platform.calls == 1 + 3


async def test_a_redis_that_hangs_is_given_up_soon(
    own_redis: "OwnRedis", keepers: MakeKeepers, platform: "Platform"
) -> None:
    """A frozen Redis holds up the first token for a moment and nothing after it."""
    own_redis.signal(SIGSTOP)
    async with asyncio.timeout(10):
        assert len(await ask_all(keepers(own_redis.url, 2, 0.1))) == 2
    assert platform.calls == 2, "one for each process, though all its callers waited for Redis"


async def test_a_lost_turn_is_not_taken_from_the_next(
    redis_url: str, keepers: MakeKeepers, platform: "Platform", link_to: Callable[[str], Link]
) -> None:
    """Who took longer than their turn does not end somebody else's."""
    keeper, client = keepers(redis_url, 1)[0], link_to(redis_url).client
    platform.may_answer.clear()
    asking = asyncio.create_task(keeper.current())
    await platform.asked.wait()
    await client.set("steward:test:turn:app", "the next one")
    platform.may_answer.set()
    await asking
    assert await client.get("steward:test:turn:app") == "the next one"


async def test_a_token_does_not_outlive_itself_in_redis(
    redis_url: str, keepers: MakeKeepers, link_to: Callable[[str], Link]
) -> None:
    """What is kept goes away with the token's time."""
    await ask_all(keepers(redis_url, 1))
    assert 6_900 < await link_to(redis_url).client.ttl("steward:test:token:app") <= 7_000
