"""The web side beside `/callback`: health, readiness, metrics, the domain file, and the server that runs it all."""

import asyncio
import hmac
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Literal, cast

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from loguru import logger
from starlette.exceptions import HTTPException

from bot.callback import AsgiApp, Message, Receive, Scope, Send
from bot.metrics import CONTENT_TYPE, Metrics
from bot.pages.doorman import Doorman
from bot.pages.lockout import Lockout
from bot.pages.network import network
from bot.pages.throttle import Throttle

Check = Callable[[], Awaitable[tuple[bool, str]]]
"""Is one thing the bot needs in order? (yes or no, a few words without secrets: `/readyz` is public)."""

_STOP_WITHIN = 5  # seconds that open requests get to end

_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
]
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
_FOR_PEOPLE = {
    404: ("没有这个页面", "链接可能不完整，或者活动已经结束。请回到群里重新打开，或联系店员。"),
    405: ("这个地址不能这样打开", "请回到群里重新打开，或联系店员。"),
    500: ("出了点问题", "请稍后再试。如果一直打不开，请联系店员。"),
}


def create_app(
    metrics: Metrics,
    checks: Mapping[str, Check],
    *,
    metrics_token: str | None = None,
    domain_codes: Collection[str] = (),
    check_within: float = 2.0,
    https: bool = False,
    crowd: Throttle | None = None,
    guesses: Lockout | None = None,
) -> FastAPI:
    """The FastAPI app; pages are added to it by whoever wires the bot. `checks` by the name `/readyz` shows.

    `metrics_token`: lets others than this machine read `/metrics`. `domain_codes`: what `/WW_verify_{code}.txt` knows.
    `check_within`: seconds a check may take. `https`: browsers are told to come by it from now on. `crowd`: how often
    one network may ask for anything. `guesses`: of the metrics' token, by network.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if crowd is not None:
        app.add_middleware(Doorman, crowd=crowd)
    app.add_middleware(SecurityHeaders, headers=[*_SECURITY, _HTTPS_ONLY] if https else _SECURITY)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(500, _apologise)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        results = await asyncio.gather(*(_run(check, check_within) for check in checks.values()))
        ready = all(ok for ok, _ in results)
        shown = {name: {"ok": ok, "detail": detail} for name, (ok, detail) in zip(checks, results, strict=True)}
        return JSONResponse({"status": "ready" if ready else "not ready", "checks": shown}, 200 if ready else 503)

    @app.get("/metrics")
    async def show_metrics(request: Request) -> Response:
        if not (_is_local(request) or _has_token(request, metrics_token, guesses)):
            raise HTTPException(403)
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    @app.get("/WW_verify_{code}.txt")
    async def domain_file(code: str) -> PlainTextResponse:
        if code not in domain_codes:
            raise HTTPException(404)
        return PlainTextResponse(code)

    return app


async def _run(check: Check, within: float) -> tuple[bool, str]:
    try:
        return await asyncio.wait_for(check(), within)
    except TimeoutError:
        return False, f"no answer within {within:g} s"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one check, the others are still shown
        logger.opt(exception=error).warning("a readiness check failed")
        return False, type(error).__name__  # never its message: this page is public


def _is_local(request: Request) -> bool:
    """From this machine, and not through a proxy on it that speaks for somebody else."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _has_token(request: Request, token: str | None, guesses: Lockout | None) -> bool:
    given, asker = request.headers.get("authorization", ""), network(request)
    if not token or not given or (guesses is not None and guesses.locks(asker)):
        return False
    if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if guesses is not None:
        guesses.wrong(asker)
    return False


async def _explain(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status in _FOR_PEOPLE and "text/html" in request.headers.get("accept", ""):
        title, text = _FOR_PEOPLE[status]
        return HTMLResponse(_PAGE.format(title=title, text=text), status, headers)
    return JSONResponse({"detail": HTTPStatus(status).phrase}, status, headers)


async def _apologise(request: Request, error: Exception) -> Response:
    """Starlette calls this outside all middleware, and has the error logged where no request id is known."""
    # The route, not the address: that may hold a token.
    logger.error(
        "{} {} failed: {}", request.method, getattr(request.scope.get("route"), "path", "?"), type(error).__name__
    )
    response = await _explain(request, HTTPException(500))
    response.raw_headers.extend(_SECURITY)
    return response


class SecurityHeaders:
    """Puts the security headers on every answer that does not set its own."""

    def __init__(self, app: AsgiApp, headers: Sequence[tuple[bytes, bytes]] = _SECURITY) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", ())}
                missing = [header for header in self._headers if header[0] not in own]
                message = {**message, "headers": [*message.get("headers", ()), *missing]}
            await send(message)

        await self._app(scope, receive, with_headers)


class RequestIds:
    """Around everything: an id on every log line about a request and, as X-Request-Id, on its answer."""

    def __init__(self, app: AsgiApp, new_id: Callable[[], str]) -> None:
        self._app, self._new_id = app, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = (b"x-request-id", request_id.encode())
                message = {**message, "headers": [*message.get("headers", ()), named]}
            await send(message)

        with logger.contextualize(request=request_id):
            await self._app(scope, receive, with_id)


# --- the server -------------------------------------------------------------------------------------------------------


class ServerError(Exception):
    """The server could not start: it cannot listen, or the app's own start-up failed. The text is English, for logs."""


class CannotListenError(ServerError):
    """`host:port` cannot be listened on. `number`: the errno, or what getaddrinfo gave."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        self.host, self.port, self.number = host, port, error.errno
        super().__init__(f"cannot listen on {host}:{port}: {error.strerror}")


Http = Callable[..., asyncio.Protocol] | Literal["httptools"]
"""What speaks HTTP: uvicorn's protocol, or what makes another one."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """For `asyncio.Runner(loop_factory=…)`: uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


@asynccontextmanager
async def running(app: AsgiApp, host: str, port: int, http: Http = "httptools") -> AsyncIterator[int]:
    """Serve `app` on `host:port` while the block runs; gives the bound port (`port` 0 = any free one).

    Several may run in one loop. Signals are the caller's: leaving the block stops gracefully, open requests get
    `_STOP_WITHIN` seconds. Raises ServerError.
    """
    listener = _bind(host, port)
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", http),  # anything that makes a protocol does
        loop="none",
        lifespan="auto",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anybody can write X-Forwarded-For; nothing here believes it
        timeout_graceful_shutdown=_STOP_WITHIN,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.up.wait()
        if not server.started:
            raise ServerError("the app's start-up failed; the log says why")
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def run_server(app: AsgiApp, host: str, port: int, stop: asyncio.Event, http: Http = "httptools") -> None:
    """Serve until `stop` is set. Raises ServerError."""
    async with running(app, host, port, http) as bound:
        logger.info("listening on http://{}:{}", host, bound)
        await stop.wait()
        logger.info("stopping")


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListenError(host, port, error) from None
    return listener


class _Server(uvicorn.Server):
    """A server that tells when it is up, leaves signals alone, and never ends the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # same use, another helper
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit:
            self.should_exit = True  # uvicorn's answer to a failed start-up
        finally:
            self.up.set()
