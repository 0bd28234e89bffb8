"""The way out to the platform, and what happens to it on the way."""

import asyncio
import logging
import traceback
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


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": ""}, {"access_token": "x"}, {"access_token": 5, "expires_in": 5}]
)
async def test_a_gettoken_without_a_token_is_an_error(
    gateway: Gateway, platform: "Platform", answer: dict[str, Any]
) -> None:
    """What looks like success without a token is not used as one."""
    platform.answers["gettoken"] = [answer]
    assert (await failure(gateway.get("user/get"))).errcode == BAD_ANSWER
    assert platform.paths() == ["gettoken"]


@pytest.mark.parametrize("errcode", [40014, 42001, 40001])
async def test_a_refused_gettoken_is_told_as_it_is(gateway: Gateway, platform: "Platform", errcode: int) -> None:
    """Nobody outside is ever asked to refresh a token: it is a retry, or an alert."""
    platform.answers["gettoken"] = [{"errcode": errcode}]
    error = await failure(gateway.get("user/get"))
    assert (error.errcode, error.treatment) == (errcode, "alert" if errcode == 40001 else "retry")
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
async def test_a_call_that_hangs_is_given_up(clock: "StillClock", stuck: str, errcode: int) -> None:
    """However a server dawdles, the call ends in time, and says whether the command was on its way."""

    async def dawdle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(stuck):
            await asyncio.Event().wait()
        return httpx2.Response(200, json={"access_token": "T", "expires_in": 7200})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(dawdle)) as client:
        error = await failure(make(client, clock, whole_call=0.02).post(SEND, {}))
    assert error.errcode == errcode


def make(client: httpx2.AsyncClient, clock: "StillClock", **more: Any) -> Gateway:
    settings: dict[str, Any] = {
        "base": "http://127.0.0.1:9/",
        "corp_id": "wwCorp",
        "secret": "S3CRET",
        "agent_id": 7,
        "clock": clock,
        "tokens": MemoryTokens(),
        "limiter": Unlimited(),
    }
    return Gateway(client, **(settings | more))


class Strict:
    """Lets nothing through to message/send."""

    async def wait_time(self, endpoint: str) -> float:
        return 12.5 if endpoint == SEND else 0


async def test_over_our_own_limit_nothing_is_sent(platform: "Platform", clock: "StillClock") -> None:
    """The caller is told when to come back; the gateway neither sends nor sleeps."""
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(platform.handle)) as client:
        gateway = make(client, clock, limiter=Strict())
        error = await failure(gateway.post(SEND, {}))
        await gateway.get("user/get")
    assert (error.errcode, error.treatment) == (OVER_OUR_LIMIT, "retry")
    assert error.retry_after == timedelta(seconds=12.5)
    assert SEND not in platform.paths()


async def test_after_45009_an_api_is_left_alone_for_a_minute(
    gateway: Gateway, platform: "Platform", clock: "StillClock"
) -> None:
    """Calls during a block would prolong it: they fail here, with what is left of the minute; other APIs go on."""
    platform.answers[SEND] = [{"errcode": 45009}, {"errcode": 0}]
    assert (await failure(gateway.post(SEND, {}))).retry_after == timedelta(seconds=60)
    clock.pass_seconds(20)
    assert (await failure(gateway.post(SEND, {}))).retry_after == timedelta(seconds=40)
    await gateway.get("user/get")
    assert platform.paths().count(SEND) == 1
    clock.pass_seconds(40)
    await gateway.post(SEND, {})
    assert platform.paths().count(SEND) == 2


async def test_every_answer_is_counted(platform: "Platform", clock: "StillClock") -> None:
    """Metrics hear of successes, refusals and lost answers, per endpoint."""
    seen: list[tuple[str, int]] = []
    platform.answers[SEND] = [{"errcode": 0}, {"errcode": 81013}, httpx2.ReadTimeout("x")]
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(platform.handle)) as client:
        gateway = make(client, clock, observe=lambda endpoint, errcode: seen.append((endpoint, errcode)))
        await gateway.post(SEND, {})
        await failure(gateway.post(SEND, {}))
        await failure(gateway.post(SEND, {}))
    assert seen == [("gettoken", 0), (SEND, 0), (SEND, 81013), (SEND, OUTCOME_UNKNOWN)]


@pytest.mark.parametrize(
    ("base", "allowed"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.9.1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("https://qyapi.weixin.qq.com", False),
        ("http://127.0.0.1@qyapi.weixin.qq.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("", False),
    ],
)
async def test_a_loopback_gateway_goes_nowhere_else(clock: "StillClock", base: str, allowed: bool) -> None:
    """Demo, rehearsal and tests cannot reach the real platform, whatever address slips in."""
    assert is_loopback(base) is allowed
    async with httpx2.AsyncClient() as client:
        if allowed:
            make(client, clock, base=base, loopback_only=True)
        else:
            with pytest.raises(ValueError, match="loopback"):
                make(client, clock, base=base, loopback_only=True)


# --- secrets ----------------------------------------------------------------------------------------------------------

ALL_TROUBLES = [*NOTHING_SENT, *LOST, {"errcode": 40001, "errmsg": "S3CRET TOKEN-1"}, {"errcode": 40014}]


def everything_about(error: BaseException) -> str:
    """All that any logger could print of an error and of those it came from."""
    told = "".join(traceback.format_exception(error, chain=True))
    chain: BaseException | None = error
    while chain is not None:
        request = getattr(chain, "_request", None)
        told += repr(chain) + str(chain) + repr(vars(chain)) + (str(request.url) if request else "")
        chain = chain.__cause__ or chain.__context__
    return told


@pytest.mark.parametrize("path", ["gettoken", SEND])
@pytest.mark.parametrize("trouble", ALL_TROUBLES, ids=repr)
async def test_no_error_tells_a_secret(gateway: Gateway, platform: "Platform", path: str, trouble: Any) -> None:
    """Secret and token are in no error of any kind: not in text, traceback, attributes or what it came from."""
    platform.answers[path] = [trouble]
    told = everything_about(await failure(gateway.post(SEND, {"text": "hello"})))
    assert "S3CRET" not in told
    assert "TOKEN-" not in told
    assert SEND in told or "gettoken" in told


async def test_a_refused_connection_tells_no_secret(clock: "StillClock") -> None:
    """The same over a real socket, where nobody listens."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        error = await failure(make(client, clock, base="http://127.0.0.1:9").get("user/get"))
    assert error.errcode == NOT_SENT
    assert "S3CRET" not in everything_about(error)


async def test_no_log_tells_a_secret(gateway: Gateway, platform: "Platform", caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP client's own log lines lose their query, at every level."""
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="httpx2"):
        await gateway.post(SEND, {})
    assert SEND in caplog.text
    assert "S3CRET" not in caplog.text
    assert "TOKEN-1" not in caplog.text
