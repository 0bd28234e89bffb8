"""The load generator: many different callbacks over keep-alive connections, each sent when the one before is answered.

A process of its own, on raw HTTP/1.1 with prebuilt bytes: it must never be what is measured. Prints one JSON object.
"""

import argparse
import asyncio
import gc
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import md5
from itertools import cycle
from typing import cast

import uvloop

from simulator import corp
from simulator.callbacks import RosterChange, chat_event
from wecom.crypto import Crypto

WARM_UP = 0.2
"""The part of the time at the beginning whose answers are counted but not measured."""


@dataclass(frozen=True)
class Figures:
    """What one run showed. `answered`: HTTP status → how many, over the whole run; the rest is without the warm-up."""

    answered: dict[str, int]
    per_second: float
    p50: float
    p99: float
    cpu: float

    @property
    def accepted(self) -> int:
        return self.answered.get("200", 0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--prepare", type=int, required=True, help="how many different callbacks")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--again", action="store_true", help="begin anew where all have been sent")
    wanted = parser.parse_args()
    requests = [request(number) for number in range(wanted.prepare)]
    gc.freeze()
    gc.disable()
    run = _Run(cycle(requests) if wanted.again else iter(requests))
    cpu = time.process_time()
    took = uvloop.run(_send(run, wanted.port, wanted.connections, wanted.seconds))
    print(json.dumps(asdict(_figures(run, wanted.seconds, (time.process_time() - cpu) / took))))


def request(number: int) -> bytes:
    """A callback as WeCom posts it: somebody joined a group. Different in every byte that matters for each number."""
    chat = f"wrBenchmark{number % 1000:021d}"
    before, after = (md5(f"{chat}|{n}".encode(), usedforsecurity=False).hexdigest() for n in (number, number + 1))
    change = RosterChange(True, 3, [f"wm{number:030d}"], before, after)
    xml = chat_event(corp.CORP_ID, datetime.now(UTC), chat, "update", detail="add_member", roster=change)
    encrypted = _CRYPTO.encrypt(xml.encode(), secrets.token_bytes)
    timestamp, nonce = str(int(time.time())), str(number)
    signature = _CRYPTO.signature(timestamp, nonce, encrypted)
    body = (
        f"<xml><ToUserName><![CDATA[{corp.CORP_ID}]]></ToUserName><AgentID><![CDATA[{corp.AGENT_ID}]]></AgentID>"
        f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    )
    head = (
        f"POST /callback?msg_signature={signature}&timestamp={timestamp}&nonce={nonce} HTTP/1.1\r\n"
        f"host: 127.0.0.1\r\ncontent-type: text/xml\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


_CRYPTO = Crypto(corp.TOKEN, corp.AES_KEY, corp.CORP_ID)


@dataclass
class _Run:
    """`answers`: (sent at, answered at, status), times by the monotonic clock."""

    requests: Iterator[bytes]
    answers: list[tuple[float, float, bytes]] = field(default_factory=list)
    ends_at: float = 0.0


async def _send(run: _Run, port: int, connections: int, seconds: float) -> float:
    """Returns how long it took."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    run.ends_at = started + seconds
    done = [loop.create_future() for _ in range(connections)]
    for future in done:
        await loop.create_connection(partial(_Connection, run, future), "127.0.0.1", port)
    await asyncio.gather(*done)
    return time.perf_counter() - started


class _Connection(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not one by class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_whole(self._received):
            return
        now = time.perf_counter()
        self._run.answers.append((self._sent_at, now, self._received[9:12]))
        self._received = b""
        self._next(now)

    def _next(self, now: float | None = None) -> None:
        self._sent_at = now or time.perf_counter()
        request = next(self._run.requests, None) if self._sent_at < self._run.ends_at else None
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _is_whole(answer: bytes) -> bool:
    """All servers here say how long their answers are."""
    head_ends = answer.find(b"\r\n\r\n")
    if head_ends < 0:
        return False
    at = answer.find(b"content-length: ") + 16
    return len(answer) >= head_ends + 4 + int(answer[at : answer.find(b"\r", at)])


def _figures(run: _Run, seconds: float, cpu: float) -> Figures:
    answered: dict[str, int] = {}
    for _, _, status in run.answers:
        answered[status.decode()] = answered.get(status.decode(), 0) + 1
    from_ = run.ends_at - seconds * (1 - WARM_UP)
    if run.answers[-1][0] < from_:  # too few callbacks, or too slow a server, to leave anything out
        from_ = run.ends_at - seconds
    measured = [(answer[0], answer[1]) for answer in run.answers if answer[0] >= from_]
    took = max(answered_at for _, answered_at in measured) - from_
    latencies = sorted(answered_at - sent_at for sent_at, answered_at in measured)
    return Figures(
        answered=answered,
        per_second=len(measured) / took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[len(latencies) * 99 // 100],
        cpu=cpu,
    )


if __name__ == "__main__":
    main()
