"""The API as a small ASGI application, with the faults of the wire: slow, cut before or after the effect, 5xx."""

import asyncio
import json
from urllib.parse import parse_qsl

import httpx2
from starlette.types import Receive, Scope, Send

from simulator.api import gate
from simulator.api.call import Json
from simulator.errors import ApiError
from simulator.world import World

PREFIX = "/cgi-bin/"
MAKES_CODES = ("/add_join_way", "/add_contact_way")
JSON_TYPE = b"application/json; charset=UTF-8"


class CutError(httpx2.RemoteProtocolError):
    """The connection is gone. In process the caller gets this error itself; a server closes the socket on it."""


async def answer(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """One call. Its effect, where it has one, comes between the faults "before" and "after"."""
    endpoint = scope["path"].removeprefix(PREFIX)
    body = await read_body(receive)
    try:
        world.usage.enter(endpoint)
    except ApiError as refused:
        world.calls[endpoint, refused.errcode] += 1
        await _send_json(send, gate.refusal(refused))
        return
    try:
        await _answer(world, scope, endpoint, body, send)
    finally:
        world.usage.leave(endpoint)


async def _answer(world: World, scope: Scope, endpoint: str, body: bytes, send: Send) -> None:
    slow = world.strikes("slow")
    # One turn of the loop even on virtual time, so that calls made together are calls at once.
    await asyncio.sleep(world.faults.slow_by.total_seconds() if slow and world.real_time else 0)
    if world.strikes("cut"):
        await cut(send)
    if world.strikes("error_5xx"):
        await send_bytes(send, 502, b"text/html", b"<html>502 Bad Gateway</html>")
        return
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    result = gate.answer(world, scope["method"], endpoint, query, body)
    if slow and not world.real_time:
        raise httpx2.ReadTimeout("simulated: no answer in time")
    if world.strikes("cut_after_effect") or (endpoint.endswith(MAKES_CODES) and world.strikes("code_answer_lost")):
        await cut(send)
    if world.strikes("error_5xx_after_effect"):
        await send_bytes(send, 502, b"text/html", b"<html>502 Bad Gateway</html>")
        return
    await _send_json(send, result)


async def cut(send: Send) -> None:
    """An answer that was begun and fails: servers close the connection, ASGITransport raises the error."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    raise CutError("simulated: connection cut")


async def read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send_json(send: Send, answer: Json) -> None:
    await send_bytes(send, 200, JSON_TYPE, json.dumps(answer, ensure_ascii=False).encode())


async def send_bytes(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
