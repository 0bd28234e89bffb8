"""A short way through uvicorn for `POST /callback`: no scope, no task, one write. All else goes uvicorn's own way.

Parsing, keep-alive, pipelining and shutdown stay uvicorn's. What is replaced is its request-response cycle, by one that
has the names which uvicorn's protocol asks for: the lock pins uvicorn, and the tests go both ways.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LARGEST = 64 * 1024
"""Bytes of a body that goes this way (beyond, uvicorn pauses reading). A callback has one or two thousand."""

_ADDRESS = b"/callback?"


class Taker(Protocol):
    """Takes an event as it came; calls `answer` once with the HTTP status, now or later. Raises nothing."""

    def take(self, query: bytes, body: bytes, peer: str, answer: Callable[[int], None]) -> None: ...


def shortcut(callback: Taker) -> Callable[..., asyncio.Protocol]:
    """What uvicorn makes its protocols with (`http=`)."""
    return partial(_ShortCut, callback)


class _ShortCut(HttpToolsProtocol):
    def __init__(self, callback: Taker, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._callback = callback
        self._short: _Cycle | None = None

    def on_headers_complete(self) -> None:
        if self.url.startswith(_ADDRESS) and self._is_plain():
            self._short = _Cycle(self)
            self.cycle = cast("Any", self._short)
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        cycle, self._short = self._short, None
        if cycle is not None:
            peer = self.client[0] if self.client else "unknown"
            self._callback.take(self.url[len(_ADDRESS) :], bytes(cycle.body), peer, cycle.answer)

    def _is_plain(self) -> bool:
        """A POST of known, small size, while nothing else is under way on the connection."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        if self.parser.get_method() != b"POST" or self.expect_100_continue or self.parser.should_upgrade():
            return False
        lengths = [value for name, value in self.headers if name == b"content-length"]
        return len(lengths) == 1 and lengths[0].isdigit() and int(lengths[0]) <= LARGEST


class _Cycle:
    """One callback and its answer, under the names of uvicorn's RequestResponseCycle."""

    def __init__(self, protocol: _ShortCut) -> None:
        self._protocol = protocol
        self.body = bytearray()
        self.more_body = True
        self.keep_alive = protocol.parser.should_keep_alive()
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY

    def answer(self, status: int) -> None:
        """Answers with an empty body."""
        self.response_complete = True
        if self.disconnected:
            return
        protocol = self._protocol
        lines = [b"%b: %b\r\n" % header for header in protocol.server_state.default_headers]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        protocol.transport.write(b"".join([STATUS_LINE[status], *lines, b"content-length: 0\r\n\r\n"]))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


class _Nobody:
    """Where uvicorn's own cycle waits for more of the body, nobody does."""

    def set(self) -> None:
        """Wakes nobody."""


_NOBODY = _Nobody()
