"""`/callback`: the one address WeCom calls. A plain ASGI function that stands in front of FastAPI.

In front, because this is the hot path and FastAPI halves it; raw also means that what is answered is
exactly what stands here. A callback is acknowledged (200, empty) only after the inbox has it on disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote

from bot.metrics import Metrics
from bot.refusals import RefusalLog
from rules.clock import Clock
from store.database import StoreUnavailable
from wecom.callbacks import route
from wecom.crypto import Crypto, Refused
from wecom.envelope import LARGEST_BODY, open_callback, open_echo

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_STATUS = {"query": 400, "size": 413, "store": 503, "method": 405}  # every other cause is 403
_EMPTY = [(b"content-length", b"0")]


class InboxWriter(Protocol):
    """Keeps what is to be worked on. `written` is told None after the commit, and why where there is none.

    The same XML put twice is kept once, and is no error.
    """

    def put_soon(
        self,
        xml: bytes,
        lane: int,
        ordering_key: str | None,
        received_at: datetime,
        written: Callable[[StoreUnavailable | None], None],
    ) -> None: ...


def in_front(callback: AsgiApp, app: AsgiApp) -> AsgiApp:
    """`/callback` goes to the first; all other paths, and the lifespan, to the second."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/callback":
            await callback(scope, receive, send)
        else:
            await app(scope, receive, send)

    return front


class Callback:
    """Answers `GET` (URL verification) and `POST` (an event) as the contract says.

    `max_age`: seconds a signature stays good, 0 = for ever.
    """

    def __init__(self, crypto: Crypto, inbox: InboxWriter, clock: Clock, metrics: Metrics, max_age: float) -> None:
        self._crypto = crypto
        self._inbox = inbox
        self._clock = clock
        self._metrics = metrics
        self._max_age = max_age
        self._log = RefusalLog("/callback")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "POST":
            await self._event(scope, receive, send)
        elif method == "GET":
            await self._verification(scope, send)
        else:
            await _answer(send, self._refused("method", method, _peer(scope)))

    def take(self, query: bytes, body: bytes, peer: str, answer: Callable[[int], None]) -> None:
        """An event as it came. `answer` is called once with the status: at once, or when the row is on disk."""
        now = self._clock.now()

        def written(error: StoreUnavailable | None) -> None:
            if error is None:
                self._metrics.callback_accepted()
                answer(200)
            else:
                answer(self._refused("store", "POST", peer))

        try:
            xml = open_callback(_query(query), body, self._crypto, now, self._max_age)
            lane, ordering_key = route(xml)
        except Refused as refused:
            answer(self._refused(refused.cause, "POST", peer))
        else:
            self._inbox.put_soon(xml, lane, ordering_key, now, written)

    async def _event(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(scope, receive)
        except Refused as refused:
            await _answer(send, self._refused(refused.cause, "POST", _peer(scope)))
            return
        if body is None:
            return
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answer(status: int) -> None:
            if not answered.done():  # whoever waited was cancelled
                answered.set_result(status)

        self.take(scope["query_string"], body, _peer(scope), answer)
        await _answer(send, await answered)

    async def _verification(self, scope: Scope, send: Send) -> None:
        try:
            echo = open_echo(_query(scope["query_string"]), self._crypto, self._clock.now(), self._max_age)
        except Refused as refused:
            self._refused(refused.cause, "GET", _peer(scope))
            await _answer(send, 403)
        else:
            await _answer(send, 200, echo)

    def _refused(self, cause: str, method: str, peer: str) -> int:
        """The status to answer with."""
        status = _STATUS.get(cause, 403)
        self._metrics.callback_refused(cause)
        self._log.say(cause, status, method, peer, self._clock.now())
        return status


def _peer(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "unknown"


def _query(query: bytes) -> dict[str, str]:
    """The query string, decoded. `+` stays itself: base64 has it and no value of the platform's has a space."""
    fields = {}
    for part in query.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        fields[name] = unquote(value) if "%" in value else value
    return fields


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None where the caller hung up. Raises Refused("size") as soon as it is clear, reading no more.

    What is left unread is dropped by the server, which keeps none of it.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and not (value.isdigit() and int(value) <= LARGEST_BODY):
            raise Refused("size")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise Refused("size")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunk if len(chunks) == 1 else b"".join(chunks)


async def _answer(send: Send, status: int, body: bytes = b"") -> None:
    headers = _EMPTY
    if body:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    elif status == 405:
        headers = [*_EMPTY, (b"allow", b"GET, POST")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
