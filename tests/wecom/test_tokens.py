"""One token for all: renewed once, whoever asks, and never in a stampede."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from wecom.errors import PlatformError
from wecom.tokens import MemoryTokens, Token, TokenKeeper

if TYPE_CHECKING:
    from tests.wecom.conftest import StillClock


class Source:
    """gettoken, slow enough for others to arrive meanwhile."""

    def __init__(self, clock: "StillClock") -> None:
        self.clock = clock
        self.calls = 0
        self.fails_with: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self) -> Token:
        self.calls += 1
        await self.may_answer.wait()
        if self.fails_with:
            raise self.fails_with
        return Token(f"T{self.calls}", self.clock.now() + timedelta(seconds=7000))


@pytest.fixture
def source(clock: "StillClock") -> Source:
    return Source(clock)


@pytest.fixture
def keeper(source: Source, clock: "StillClock") -> TokenKeeper:
    return TokenKeeper(source.fetch, key="app", cache=MemoryTokens(), clock=clock)


async def test_a_hundred_callers_make_one_gettoken(keeper: TokenKeeper, source: Source) -> None:
    """All who ask at once wait for the same token, and later ones get it from the cache."""
    tokens = await asyncio.gather(*(keeper.current() for _ in range(100)))
    assert {token.value for token in tokens} == {"T1"}
    await keeper.current()
    assert source.calls == 1


async def test_a_token_is_renewed_when_its_time_is_up(keeper: TokenKeeper, source: Source, clock: "StillClock") -> None:
    """The token is good until its time and not a moment longer."""
    await keeper.current()
    clock.pass_seconds(6999)
    assert (await keeper.current()).value == "T1"
    clock.pass_seconds(1)
    assert (await keeper.current()).value == "T2"


async def test_a_refused_token_is_replaced_once_for_all(keeper: TokenKeeper, source: Source) -> None:
    """A hundred callers whose token was refused cause one renewal; a late one does not throw the new token away."""
    bad = await keeper.current()
    tokens = await asyncio.gather(*(keeper.replace(bad) for _ in range(100)))
    assert {token.value for token in tokens} == {"T2"}
    assert (await keeper.replace(bad)).value == "T2"
    assert source.calls == 2


async def test_a_failure_is_shared_and_followed_by_a_pause(
    keeper: TokenKeeper, source: Source, clock: "StillClock"
) -> None:
    """A failing gettoken is called once for all who wait, and not again until the pause is over."""
    source.fails_with = PlatformError(60020, "gettoken")
    answers = await asyncio.gather(*(keeper.current() for _ in range(100)), return_exceptions=True)
    assert {answer.errcode for answer in answers if isinstance(answer, PlatformError)} == {60020}
    assert len({id(answer) for answer in answers}) == 100
    with pytest.raises(PlatformError):
        await keeper.current()
    assert source.calls == 1
    source.fails_with = None
    clock.pass_seconds(5)
    assert (await keeper.current()).value == "T2"


async def test_a_failure_pauses_as_long_as_the_platform_wants(
    keeper: TokenKeeper, source: Source, clock: "StillClock"
) -> None:
    """After 45009 nobody asks for a token within the minute."""
    source.fails_with = PlatformError(45009, "gettoken")
    for _ in range(59):
        with pytest.raises(PlatformError):
            await keeper.current()
        clock.pass_seconds(1)
    assert source.calls == 1


async def test_one_who_leaves_does_not_take_the_token_along(keeper: TokenKeeper, source: Source) -> None:
    """Cancelling the caller who began the renewal leaves the others their answer."""
    source.may_answer.clear()
    first = asyncio.create_task(keeper.current())
    second = asyncio.create_task(keeper.current())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.may_answer.set()
    assert (await second).value == "T1"
    assert first.cancelled()
    assert source.calls == 1


async def test_a_programming_error_does_not_block_the_next_renewal(keeper: TokenKeeper, source: Source) -> None:
    """Whatever breaks inside one renewal reaches its callers, and the next one starts afresh."""
    source.fails_with = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await keeper.current()
    source.fails_with = None
    assert (await keeper.current()).value == "T2"


async def test_the_cache_drops_only_the_token_it_is_told(clock: "StillClock") -> None:
    """Dropping a token that has been replaced already changes nothing."""
    cache = MemoryTokens()
    old, new = Token("old", clock.now()), Token("new", clock.now())

    async def fetch() -> Token:
        return new

    await cache.once("app", fetch)
    await cache.drop("app", old)
    assert await cache.get("app") == new
    await cache.drop("app", new)
    assert await cache.get("app") is None


def test_a_token_does_not_show_itself(clock: "StillClock") -> None:
    """Printing a token prints no secret."""
    assert "T0PS3CRET" not in repr(Token("T0PS3CRET", clock.now()))
