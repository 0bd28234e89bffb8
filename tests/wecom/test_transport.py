"""The short way over HTTP to the platform, against a server that can be told what to do."""

import asyncio
import gzip
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest

from wecom.transport import KEPT_IDLE, PlainTransport, mounts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """Answers request after request with what it was told; None: with nothing at all. Counts connections."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = deque(answers)
        self.asked: list[bytes] = []
        self.connections = 0
        self.base = ""
        self.hang_up = False
        self.let_go = asyncio.Event()

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0
                )
                self.asked.append(head + await reader.readexactly(length))
                answer = self.answers.popleft()
                if answer is None:
                    await self.let_go.wait()
                    return
                writer.write(answer)
                if self.hang_up:
                    return
            await self.let_go.wait()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def peer(
    *answers: bytes | None, hang_up: bool = False, kept_idle: float = KEPT_IDLE
) -> AsyncIterator[tuple[Peer, httpx2.AsyncClient]]:
    told = Peer(*answers)
    told.hang_up = hang_up
    server = await asyncio.start_server(told.listen, "127.0.0.1", 0)
    told.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with httpx2.AsyncClient(mounts={told.base: PlainTransport(kept_idle)}, trust_env=False) as client:
        try:
            yield told, client
        finally:
            told.let_go.set()
            server.close()


async def test_a_connection_is_used_again() -> None:
    """Ten calls one after the other use one connection, and each gets the answer to its own request."""
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % n for n in range(10)]
    async with peer(*answers) as (told, client):
        got = [(await client.post(f"{told.base}/cgi-bin/x?n={n}", content=f"body {n}")).text for n in range(10)]
    assert got == [str(n) for n in range(10)]
    assert told.connections == 1
    assert told.asked[3].startswith(b"POST /cgi-bin/x?n=3 HTTP/1.1\r\n")
    assert told.asked[3].endswith(b"\r\n\r\nbody 3")


async def test_calls_at_once_have_connections_of_their_own() -> None:
    """Two calls at the same moment do not mix their answers."""
    async with peer(OK, OK) as (told, client):
        both = await asyncio.gather(client.get(told.base), client.get(told.base))
    assert [each.text for each in both] == ["ok", "ok"]
    assert told.connections == 2


def chunked(text: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text)


def zipped(text: bytes) -> bytes:
    packed = gzip.compress(text)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed


def after_an_interim_answer(text: bytes) -> bytes:
    return b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


@pytest.mark.parametrize("written", [chunked, zipped, after_an_interim_answer])
async def test_an_answer_is_read_in_every_form(written: Callable[[bytes], bytes]) -> None:
    """Chunked, zipped, after a 100: the text is what was meant, and the connection goes on."""
    async with peer(written("群主".encode()), OK) as (told, client):
        assert (await client.get(told.base)).text == "群主"
        assert (await client.get(told.base)).text == "ok"
    assert told.connections == 1


async def test_an_answer_that_ends_with_the_connection() -> None:
    """Without a length the end of the connection is the end of the answer; the next call makes a new connection."""
    async with peer(b"HTTP/1.1 200 OK\r\n\r\nall of it", OK, hang_up=True) as (told, client):
        assert (await client.get(told.base)).text == "all of it"
        assert (await client.get(told.base)).text == "ok"
    assert told.connections == 2


@pytest.mark.parametrize(
    "cut",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", chunked(b"x")[:-5]],
)
async def test_an_answer_that_is_cut_off_is_no_answer(cut: bytes) -> None:
    """A connection that ends before the answer does is an error, never half an answer."""
    async with peer(cut, hang_up=True) as (told, client):
        with pytest.raises(httpx2.TransportError):
            await client.post(told.base, content=b"{}")


async def test_what_is_no_http_is_an_error() -> None:
    """Garbage in place of an answer is an error."""
    async with peer(b"\x15\x03\x01 what?\r\n\r\n") as (told, client):
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(told.base)


async def test_an_answer_that_does_not_come_in_time() -> None:
    """A silent server ends in ReadTimeout, and its connection is not used again."""
    async with peer(None, OK) as (told, client):
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(told.base, timeout=0.05)
        assert (await client.get(told.base)).text == "ok"
    assert told.connections == 2


async def test_a_call_that_is_given_up_takes_its_connection_with_it() -> None:
    """The late answer to a cancelled call is never taken for the answer to the next one."""
    async with peer(None, OK) as (told, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get(told.base)
        assert (await client.get(told.base)).text == "ok"
    assert told.connections == 2


async def test_a_connection_closed_while_idle_is_not_used() -> None:
    """A server may close a connection between two calls: the second one makes a new one."""
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with peer(closing, OK) as (told, client):
        await client.get(told.base)
        assert (await client.get(told.base)).text == "ok"
    assert told.connections == 2


async def test_a_connection_that_lay_idle_for_long_is_not_used() -> None:
    """After `kept_idle` seconds the other side may be about to close: a new connection is made."""
    async with peer(OK, OK, kept_idle=0.0) as (told, client):
        await client.get(told.base)
        await client.get(told.base)
    assert told.connections == 2


async def test_nobody_listens() -> None:
    """A refused connection is a ConnectError: nothing was sent."""
    async with httpx2.AsyncClient(mounts={"http://127.0.0.1:9": PlainTransport()}, trust_env=False) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://127.0.0.1:9/")


async def test_a_proxy_is_left_to_httpx2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, nothing goes past it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert mounts("https://qyapi.weixin.qq.com") == {}
