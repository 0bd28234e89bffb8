"""HTTP/1.1 to the platform with little in between: a request costs 0.2 ms of processor time in place of 0.6.

It knows what the platform's API needs: small requests, small answers, connections that are kept. httpx2's client stands
in front of it as before. Where the environment names a proxy it is not used: httpx2's own transport knows the way.
"""

import asyncio
import ssl
from urllib.request import getproxies

import httptools
import httpx2

KEPT_IDLE = 5.0
"""Seconds; a connection that nobody used for longer may be about to be closed by the other side."""


def mounts(base: str) -> dict[str, httpx2.AsyncBaseTransport | None]:
    """For `httpx2.AsyncClient(mounts=…)`: the way to this address, scheme and host."""
    return {} if getproxies() else {base: PlainTransport()}


class PlainTransport(httpx2.AsyncBaseTransport):
    """Keeps its connections for `kept_idle` seconds. Of a request's timeouts `connect` and `read` count, and `read` is
    for the whole answer.
    """

    def __init__(self, kept_idle: float = KEPT_IDLE) -> None:
        self._kept_idle = kept_idle
        self._idle: dict[tuple[str, str, int], list[_Line]] = {}
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2's errors: ConnectError and ConnectTimeout where nothing was sent."""
        body = await request.aread()
        url, timeouts = request.url, request.extensions.get("timeout", {})
        where = (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))
        line = self._kept(where) or await self._connect(*where, timeouts.get("connect"))
        try:
            answer = await line.ask(_written(request, body), timeouts.get("read"))
        except BaseException:
            line.close()
            raise
        if line.is_open:
            self._idle.setdefault(where, []).append(line)
        return answer

    async def aclose(self) -> None:
        """Closes all connections that nobody uses."""
        for lines in self._idle.values():
            for line in lines:
                line.close()
        self._idle.clear()

    def _kept(self, where: tuple[str, str, int]) -> "_Line | None":
        """The connection that was used last; those that were left for too long are closed."""
        lines = self._idle.get(where, [])
        while lines:
            line = lines.pop()
            if line.is_open and line.idle_for < self._kept_idle:
                return line
            line.close()
        return None

    async def _connect(self, scheme: str, host: str, port: int, seconds: float | None) -> "_Line":
        if scheme == "https" and self._tls is None:
            self._tls = httpx2.create_ssl_context()
        try:
            async with asyncio.timeout(seconds):
                tls = self._tls if scheme == "https" else None
                _, line = await asyncio.get_running_loop().create_connection(_Line, host, port, ssl=tls)
                return line
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(str(error)) from error
        except OSError as error:  # a certificate that is not believed, too
            raise httpx2.ConnectError(str(error)) from error


def _written(request: httpx2.Request, body: bytes) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    skipped = (b"content-length", b"transfer-encoding")
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.raw if name.lower() not in skipped]
    if body or request.method != "GET":
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


class _Line(asyncio.Protocol):
    """One connection, one request at a time. asyncio calls what Protocol has, httptools what begins with `on_`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[httpx2.Response] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._ends_with_connection = False
        self.is_open = True
        self._used_at = self._loop.time()

    @property
    def idle_for(self) -> float:
        """Seconds since the last answer."""
        return self._loop.time() - self._used_at

    async def ask(self, request: bytes, seconds: float | None) -> httpx2.Response:
        """Send a request and wait for all of its answer. After an error the connection is of no use any more."""
        answer: asyncio.Future[httpx2.Response] = self._loop.create_future()
        self._answer, self._parser = answer, httptools.HttpResponseParser(self)
        self._headers, self._body, self._ends_with_connection = [], [], False
        late = self._loop.call_later(seconds, self._fail, httpx2.ReadTimeout("no answer")) if seconds else None
        self._transport.write(request)
        try:
            return await answer
        finally:
            self._answer = None
            self._used_at = self._loop.time()
            if late is not None:
                late.cancel()

    def close(self) -> None:
        """At once; nobody waits for what may still be on its way."""
        self.is_open = False
        self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx2.RemoteProtocolError(str(error)))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and self._ends_with_connection and error is None:
            self.on_message_complete()
        self._fail(httpx2.ReadError(str(error)) if error else httpx2.RemoteProtocolError("closed without an answer"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        known = {name.lower() for name, _ in self._headers}
        self._ends_with_connection = not known & {b"content-length", b"transfer-encoding"}

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # the answer itself comes after it
            self._headers, self._body = [], []
            return
        if not self._parser.should_keep_alive() or self._ends_with_connection:
            self.is_open = False
            self._transport.close()
        try:
            answer = httpx2.Response(status, headers=self._headers, content=b"".join(self._body))
        except httpx2.DecodingError as error:
            self._fail(error)
        else:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(answer)
