"""The short way of events through uvicorn: what goes it, what does not, and that nobody can tell from outside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.callback import Receive, Scope, Send
from bot.server import running
from bot.shortcut import LARGEST, shortcut


@dataclass
class Desk:
    """Takes events on the short way and requests on the long one, and answers when it is told to."""

    taken: list[tuple[bytes, bytes, str]] = field(default_factory=list)
    answers: list[Callable[[int], None]] = field(default_factory=list)
    long_way: list[str] = field(default_factory=list)
    at_once: bool = True
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, query: bytes, body: bytes, peer: str, answer: Callable[[int], None]) -> None:
        self.taken.append((query, body, peer))
        self.came.set()
        if self.at_once:
            answer(200)
        else:
            self.answers.append(answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        self.long_way.append(f"{scope['method']} {scope['path']}")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def calling(desk: Desk) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """One connection to a server with the short cut."""
    async with running(desk, "127.0.0.1", 0, shortcut(desk)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


def event(body: bytes = b"<xml/>", *headers: str, path: str = "/callback?nonce=1", method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: bot", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and headers of an answer without a body."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
    assert b"content-length: 0\r\n" in head
    return int(head.split(b" ")[1]), head


async def test_an_event_is_taken_whole_and_answered() -> None:
    """Query, body and peer arrive, in whatever pieces they come; the status goes back, and the connection goes on."""
    desk = Desk()
    async with calling(desk) as (reader, writer):
        request = event(b"<xml>1</xml>")
        for piece in (request[:20], request[20:-5], request[-5:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[0] == 200
        writer.write(event(b"<xml>2</xml>"))
        assert (await answer(reader))[0] == 200
    assert desk.taken == [(b"nonce=1", b"<xml>1</xml>", "127.0.0.1"), (b"nonce=1", b"<xml>2</xml>", "127.0.0.1")]
    assert desk.long_way == []


async def test_both_ways_answer_alike() -> None:
    """The same head, but for the date, whichever way a request went."""
    desk = Desk()
    async with calling(desk) as (reader, writer):
        heads = []
        for path in ("/callback?a=1", "/elsewhere?a=1"):
            writer.write(event(path=path))
            lines = (await answer(reader))[1].lower().splitlines()
            heads.append(sorted(line for line in lines if not line.startswith(b"date")))
    assert heads[0] == heads[1]
    assert (len(desk.taken), desk.long_way) == (1, ["POST /elsewhere"])


@pytest.mark.parametrize(
    "request_bytes",
    [
        event(method="GET"),
        event(path="/callback"),
        event(path="/callback/x?nonce=1"),
        event(path="/%63allback?nonce=1"),
        event(b"x" * (LARGEST + 1)),
        event(b"x", "expect: 100-continue"),
        b"POST /callback?a=1 HTTP/1.1\r\nhost: bot\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    ],
    ids=["GET", "no query", "another path", "escaped", "large", "expect", "chunked"],
)
async def test_what_is_unusual_goes_the_long_way(request_bytes: bytes) -> None:
    """Only plain, small events take the short way."""
    desk = Desk()
    async with calling(desk) as (reader, writer):
        writer.write(request_bytes)
        status, head = await answer_after_continue(reader)
    assert (status, desk.taken, len(desk.long_way)) == (200, [], 1), head


async def answer_after_continue(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    return await answer(reader) if head.startswith(b"HTTP/1.1 100") else (int(head.split(b" ")[1]), head)


async def test_requests_that_come_at_once_are_answered_in_order() -> None:
    """Pipelined behind an event that is not written yet, others wait for their turn."""
    desk = Desk(at_once=False)
    async with calling(desk) as (reader, writer):
        writer.write(event(b"1") + event(path="/second") + event(b"3", path="/third"))
        await desk.came.wait()
        assert desk.long_way == []
        desk.answers[0](503)
        assert [(await answer(reader))[0] for _ in range(3)] == [503, 200, 200]
    assert desk.long_way == ["POST /second", "POST /third"]


async def test_a_connection_is_closed_where_the_caller_wants_it() -> None:
    """`Connection: close` is said back and done."""
    async with calling(Desk()) as (reader, writer):
        writer.write(event(b"1", "connection: close"))
        assert b"connection: close" in (await answer(reader))[1]
        assert await reader.read() == b""


async def test_a_caller_who_hung_up_breaks_nothing() -> None:
    """An answer to nobody is dropped."""
    desk = Desk(at_once=False)
    async with calling(desk) as (_, writer):
        writer.write(event())
        await desk.came.wait()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0)
        desk.answers[0](200)


async def test_a_server_that_stops_still_answers_what_it_took() -> None:
    """On the way down an event that was taken gets its answer, and then the connection ends."""
    desk = Desk(at_once=False)
    async with running(desk, "127.0.0.1", 0, shortcut(desk)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(event())
        await desk.came.wait()
        asyncio.get_running_loop().call_later(0.5, lambda: desk.answers[0](200))  # while it is stopping
    assert b"connection: close" in (await answer(reader))[1]
    assert await reader.read() == b""
    writer.close()
