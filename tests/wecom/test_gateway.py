"""The way out to the platform, and what happens to it on the way."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from wecom.errors import BAD_ANSWER, NO_ANSWER, NOT_SENT, OUTCOME_UNKNOWN, OVER_OUR_LIMIT, PlatformError
from wecom.gateway import TIMEOUT, WHOLE_CALL, Gateway, is_loopback
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

if TYPE_CHECKING:
    from tests.wecom.conftest import Platform, StillClock

SEND = "message/send"


async def failure(call: Any) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        await call
    return caught.value


async def test_a_call_carries_the_token_and_returns_the_answer(gateway: Gateway, platform: "Platform") -> None:
    """One gettoken, then calls with its token; errcode 0 and no errcode at all are both fine."""
    platform.answers["user/get"] = [{"errcode": 0, "name": "王五"}, {"name": "王五"}]
    assert (await gateway.get("user/get", userid="wangwu"))["name"] == "王五"
    assert (await gateway.get("user/get", userid="wangwu"))["name"] == "王五"
    assert platform.asked == [
        ("gettoken", {"corpid": "wwCorp", "corpsecret": "S3CRET"}, None),
        ("user/get", {"userid": "wangwu", "access_token": "TOKEN-1"}, None),
        ("user/get", {"userid": "wangwu", "access_token": "TOKEN-1"}, None),
    ]


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_stale_token_is_renewed_and_the_call_made_once_more(
    gateway: Gateway, platform: "Platform", errcode: int
) -> None:
    """The caller does not notice that a token was withdrawn early."""
    platform.answers[SEND] = [{"errcode": errcode}, {"errcode": 0, "msgid": "m"}]
    assert (await gateway.post(SEND, {}))["msgid"] == "m"
    assert platform.paths() == ["gettoken", SEND, "gettoken", SEND]


async def test_a_persistent_40014_raises_and_never_goes_round(
    gateway: Gateway, platform: "Platform", clock: "StillClock"
) -> None:
    """Exactly one retry; then an error, and for a minute nobody asks for new tokens, then it is tried again."""
    platform.answers[SEND] = [{"errcode": 40014}]
    error = await failure(gateway.post(SEND, {}))
    assert (error.errcode, error.treatment, error.endpoint) == (40014, "retry", SEND)
    assert platform.paths() == ["gettoken", SEND, "gettoken", SEND]
    for _ in range(20):
        await failure(gateway.post(SEND, {}))
    assert platform.tokens_given == 2
    clock.pass_seconds(60)
    platform.answers[SEND] = [{"errcode": 40014}, {"errcode": 0}]
    await gateway.post(SEND, {})
    assert platform.tokens_given == 3


async def test_a_hundred_calls_share_one_renewal(gateway: Gateway, platform: "Platform") -> None:
    """When a token is withdrawn under a hundred calls, one new token serves them all."""
    platform.tells = lambda path, query, _body: (
        {"errcode": 40014} if path == SEND and query["access_token"] == "TOKEN-1" else None
    )
    await asyncio.gather(*(gateway.post(SEND, {}) for _ in range(100)))
    assert platform.tokens_given == 2


async def test_tokens_are_renewed_before_they_run_out(
    gateway: Gateway, platform: "Platform", clock: "StillClock"
) -> None:
    """A token of two hours is used for 115 minutes; none is sent in its last moments."""
    await gateway.get("user/get")
    clock.pass_seconds(7200 - 301)
    await gateway.get("user/get")
    assert platform.tokens_given == 1
    clock.pass_seconds(1)
    await gateway.get("user/get")
    assert platform.tokens_given == 2


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": "x"}, {"access_token": 5, "expires_in": 5}])
async def test_a_gettoken_without_a_token_is_an_error(
    gateway: Gateway, platform: "Platform", answer: dict[str, Any]
) -> None:
    """What looks like success without a token is not used as one."""
    platform.answers["gettoken"] = [answer]
    assert (await failure(gateway.get("user/get"))).errcode == BAD_ANSWER
    assert platform.paths() == ["gettoken"]


NOTHING_SENT = [httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.PoolTimeout("x")]
LOST = [
    httpx2.ReadTimeout("x"),
    httpx2.ReadError("x"),
    httpx2.WriteError("x"),
    httpx2.WriteTimeout("x"),
    httpx2.RemoteProtocolError("x"),
    httpx2.DecodingError("x"),
    httpx2.Response(500, json={"errcode": 0}),
    httpx2.Response(502, text="<html>"),
    httpx2.Response(302, headers={"location": "http://127.0.0.1:9/elsewhere"}),
    httpx2.Response(200, text="<html>"),
    httpx2.Response(200, text=""),
    httpx2.Response(200, content=b"\xff\xfe\xfd"),
    httpx2.Response(200, text="[]"),
    httpx2.Response(200, text="null"),
    httpx2.Response(200, text='{"errcode": "0"}'),
]


@pytest.mark.parametrize("trouble", NOTHING_SENT, ids=repr)
async def test_what_was_not_sent_can_be_sent_again(gateway: Gateway, platform: "Platform", trouble: Exception) -> None:
    """Without a connection nothing happened: command and lookup alike are simply tried again."""
    platform.answers[SEND] = [trouble]
    for reads in (True, False):
        error = await failure(gateway.post(SEND, {}, reads=reads))
        assert (error.errcode, error.treatment) == (NOT_SENT, "retry")


@pytest.mark.parametrize("trouble", LOST, ids=repr)
async def test_a_lost_answer_is_unknown_for_commands_only(
    gateway: Gateway, platform: "Platform", trouble: Exception | httpx2.Response
) -> None:
    """A command whose answer never came may have been done; a lookup can be repeated without harm."""
    platform.answers[SEND] = [trouble]
    error = await failure(gateway.post(SEND, {}))
    assert (error.errcode, error.treatment) == (OUTCOME_UNKNOWN, "unknown_outcome")
    error = await failure(gateway.post(SEND, {}, reads=True))
    assert (error.errcode, error.treatment) == (NO_ANSWER, "retry")
    error = await failure(gateway.get(SEND))
    assert (error.errcode, error.treatment) == (NO_ANSWER, "retry")


@pytest.mark.parametrize("trouble", [*NOTHING_SENT, *LOST], ids=repr)
async def test_a_failed_gettoken_leaves_nothing_unknown(
    gateway: Gateway, platform: "Platform", trouble: Exception | httpx2.Response
) -> None:
    """When there is no token the command itself was never sent, and is simply due again."""
    platform.answers["gettoken"] = [trouble]
    assert (await failure(gateway.post(SEND, {}))).treatment == "retry"
    assert platform.paths() == ["gettoken"]


async def test_the_whole_call_stays_below_a_third_of_a_lease() -> None:
    """Neither a whole call nor any of its steps lasts 10 seconds."""
    steps = (TIMEOUT.connect, TIMEOUT.read, TIMEOUT.write, TIMEOUT.pool)
    assert all(step is not None and step < WHOLE_CALL for step in steps)
    assert WHOLE_CALL < 30 / 3


@pytest.mark.parametrize(("stuck", "errcode"), [("gettoken", NOT_SENT), (SEND, OUTCOME_UNKNOWN)])
async def test_a_call_that_hangs_is_given_up(
    clock: "StillClock", monkeypatch: pytest.MonkeyPatch, stuck: str, errcode: int
) -> None:
    """However a server dawdles, the call ends in time, and says whether the command was on its way."""
    loop = asyncio.get_running_loop()
    later = asyncio.Event()

    async def dawdle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(stuck):
            # The deadline is the loop's: moving the loop's clock is quicker than waiting.
            real = loop.time
            monkeypatch.setattr(loop, "time", lambda: real() + 2 * WHOLE_CALL)
            await later.wait()
        return httpx2.Response(200, json={"access_token": "T", "expires_in": 7200})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(dawdle)) as client:
        error = await failure(make(client, clock).post(SEND, {}))
    assert error.errcode == errcode
