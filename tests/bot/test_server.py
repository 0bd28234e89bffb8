"""Health, readiness, metrics, the domain file, pages for people, and the server itself."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from bot.metrics import Metrics
from bot.pages.lockout import Lockout
from bot.server import Check, ServerError, create_app, loop_factory, run_server, running
from simulator import VirtualClock


def visitor(app: FastAPI, peer: str = "203.0.113.9") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(peer, 1234), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://bot")


async def fine() -> tuple[bool, str]:
    return True, "1 ms"


async def broken() -> tuple[bool, str]:
    return False, "cannot write"


async def raising() -> tuple[bool, str]:
    raise OSError("a password perhaps")


async def hanging() -> tuple[bool, str]:
    await asyncio.Event().wait()
    return True, ""


async def test_healthz_says_ok() -> None:
    """A process that runs is healthy."""
    async with visitor(create_app(Metrics(), {})) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readyz_names_every_check() -> None:
    """Ready only where every check passes; each is shown by name with its detail."""
    async with visitor(create_app(Metrics(), {"database": fine, "config": fine})) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    shown = {"ok": True, "detail": "1 ms"}
    assert answer.json() == {"status": "ready", "checks": {"database": shown, "config": shown}}


@pytest.mark.parametrize(
    ("check", "detail"), [(broken, "cannot write"), (raising, "OSError"), (hanging, "no answer within 0.01 s")]
)
async def test_readyz_is_503_where_a_check_fails(check: Check, detail: str) -> None:
    """One check that fails, raises or never answers makes the bot unready; the others are shown; no message leaks."""
    app = create_app(Metrics(), {"database": fine, "token": check}, check_within=0.01 if check is hanging else 2)
    async with visitor(app) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is True
    assert answer.json()["checks"]["token"] == {"ok": False, "detail": detail}


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.9.10", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("203.0.113.9", {}, 403),
        ("10.0.0.1", {}, 403),
        ("::ffff:203.0.113.9", {}, 403),
        ("a-unix-socket", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, 403),
        ("203.0.113.9", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("203.0.113.9", {"authorization": "Bearer metrics-token"}, 200),
        ("203.0.113.9", {"authorization": "Bearer metrics-toke"}, 403),
        ("203.0.113.9", {"authorization": "metrics-token"}, 403),
        ("203.0.113.9", {"authorization": "Bearer "}, 403),
    ],
)
async def test_metrics_are_for_this_machine_and_token_holders(peer: str, headers: dict[str, str], status: int) -> None:
    """Loopback or the right token; a proxy on this machine does not open them to the world."""
    async with visitor(create_app(Metrics(), {}, metrics_token="metrics-token"), peer) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("steward_callbacks_accepted_total" in answer.text) == (status == 200)


@pytest.mark.parametrize("token", [None, ""])
async def test_without_a_token_nobody_has_it(token: str | None) -> None:
    """Where no token is set, neither "None" nor nothing is one."""
    async with visitor(create_app(Metrics(), {}, metrics_token=token)) as client:
        for given in ("Bearer ", "Bearer None", "Bearer"):
            assert (await client.get("/metrics", headers={"authorization": given})).status_code == 403


async def test_the_metrics_token_is_not_tried_out() -> None:
    """After three wrong tokens even the right one is not looked at, until the span is over."""
    clock = VirtualClock()
    guesses = Lockout(clock, most=3, span=timedelta(minutes=15))
    app = create_app(Metrics(), {}, metrics_token="right", guesses=guesses)
    async with visitor(app, "203.0.113.9") as client:

        async def status(token: str) -> int:
            return (await client.get("/metrics", headers={"authorization": f"Bearer {token}"})).status_code

        said = [await status(token) for token in ("right", "wrong", "wrong", "right", "wrong", "right")]
        assert said == [200, 403, 403, 200, 403, 403]
        clock.advance(timedelta(minutes=15))
        assert await status("right") == 200


async def test_the_domain_file_answers_known_codes_only() -> None:
    """The body is exactly the code; any other code, or none, is not found."""
    async with visitor(create_app(Metrics(), {}, domain_codes={"abc123"})) as client:
        answer = await client.get("/WW_verify_abc123.txt")
        assert (answer.status_code, answer.content) == (200, b"abc123")
        assert answer.headers["content-type"].startswith("text/plain")
        for path in ("/WW_verify_other.txt", "/WW_verify_.txt", "/WW_verify_abc123", "/WW_verify_ABC123.txt"):
            assert (await client.get(path)).status_code == 404


async def test_people_are_told_in_chinese_that_a_page_is_missing() -> None:
    """A browser gets a Chinese page, a program gets JSON."""
    async with visitor(create_app(Metrics(), {})) as client:
        page = await client.get("/nowhere", headers={"accept": "text/html,*/*"})
        data = await client.get("/nowhere")
    assert page.status_code == data.status_code == 404
    assert "没有这个页面" in page.text
    assert 'lang="zh-CN"' in page.text
    assert data.json() == {"detail": "Not Found"}


async def test_a_page_that_breaks_says_nothing_of_why() -> None:
    """An error in a page becomes a Chinese apology without a word of the error."""
    app = create_app(Metrics(), {})

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError("the secret reason")

    async with visitor(app) as client:
        answer = await client.get("/breaks", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "出了点问题" in answer.text
    assert "secret reason" not in answer.text


async def test_there_is_no_api_documentation_page() -> None:
    """FastAPI's own pages load scripts from elsewhere and tell strangers what there is: they are off."""
    async with visitor(create_app(Metrics(), {})) as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(path)).status_code == 404


async def test_every_answer_has_the_security_headers() -> None:
    """Good answers, errors and crashes alike; a page's own policy is left as it is."""
    app = create_app(Metrics(), {})

    @app.get("/own")
    async def own() -> PlainTextResponse:
        return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'none'"})

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError

    async with visitor(app) as client:
        for path in ("/healthz", "/nowhere", "/metrics", "/breaks"):
            headers = (await client.get(path)).headers
            assert len(headers.get_list("x-frame-options")) == 1
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert "default-src 'self'" in headers["content-security-policy"]
        assert (await client.get("/own")).headers.get_list("content-security-policy") == ["default-src 'none'"]


# --- the server -------------------------------------------------------------------------------------------------------


async def test_several_servers_run_in_one_loop_and_stop() -> None:
    """Each gets a free port, answers there, and is gone after its block; signal handlers stay as they were."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    one, other = create_app(Metrics(), {}), create_app(Metrics(), {})
    async with httpx2.AsyncClient(trust_env=False) as client:
        async with running(one, "127.0.0.1", 0) as first, running(other, "127.0.0.1", 0) as second:
            assert first != second
            for port in (first, second):
                answer = await client.get(f"http://127.0.0.1:{port}/healthz")
                assert answer.status_code == 200
                assert "server" not in answer.headers
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"http://127.0.0.1:{first}/healthz")


async def test_a_request_under_way_is_answered_before_the_server_stops() -> None:
    """Stopping is graceful."""
    app, begun, go_on = create_app(Metrics(), {}), asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    async with httpx2.AsyncClient(trust_env=False) as client:
        async with running(app, "127.0.0.1", 0) as port:
            request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert (await request).json() == "done"


async def test_it_serves_until_it_is_told_to_stop() -> None:
    """`run_server` returns when its event is set, and not before."""
    stop = asyncio.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = asyncio.create_task(run_server(create_app(Metrics(), {}), "127.0.0.1", port, stop))
    transport = httpx2.AsyncHTTPTransport(retries=5)
    async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
    assert not serving.done()
    stop.set()
    await asyncio.wait_for(serving, 10)


def test_the_loop_is_uvloop() -> None:
    """Where uvloop is installed, servers run on it."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert type(runner.get_loop()).__module__.startswith("uvloop")


async def test_a_taken_port_is_an_error_and_no_exit() -> None:
    """Where the address is in use, the caller learns it by an exception."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerError, match="cannot listen on"):
            async with running(create_app(Metrics(), {}), "127.0.0.1", taken.getsockname()[1]):
                pytest.fail("it started")


async def test_an_app_that_cannot_start_is_an_error_and_no_exit() -> None:
    """A failing lifespan ends in an exception, not in the end of the process."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    with pytest.raises(ServerError, match="start-up failed"):
        async with running(FastAPI(lifespan=lifespan), "127.0.0.1", 0):
            pytest.fail("it started")
