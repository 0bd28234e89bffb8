"""The callback's address: what is accepted, what is refused and how, and that refusing is cheap and quiet."""

import base64
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from loguru import logger
from wechatpy.crypto import WeChatCrypto

from bot.callback import AsgiApp, Callback, Message, Receive, Scope, Send, in_front
from bot.clocks import VirtualClock
from bot.metrics import Metrics
from bot.server import running
from store.database import StoreUnavailable
from wecom.crypto import Crypto

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
TOKEN, KEY, CORP = "tokentoken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1234567890abcdef"
JOIN = (
    "<xml><ToUserName>ww1234567890abcdef</ToUserName><FromUserName>sys</FromUserName><CreateTime>1795608000</CreateTime>"
    "<MsgType>event</MsgType><Event>change_external_chat</Event><ChatId>wrA</ChatId><ChangeType>update</ChangeType>"
    "<UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene><MemChangeCnt>1</MemChangeCnt></xml>"
)


class FakeInbox:
    """Remembers what was put; refuses while it is out of order."""

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, int, str | None, datetime]] = []
        self.out_of_order = False

    def put_soon(
        self,
        xml: bytes,
        lane: int,
        ordering_key: str | None,
        received_at: datetime,
        written: Callable[[StoreUnavailable | None], None],
    ) -> None:
        if self.out_of_order:
            written(StoreUnavailable("disk full"))
            return
        self.rows.append((xml, lane, ordering_key, received_at))
        written(None)


@dataclass
class House:
    """A callback address with everything around it in sight."""

    inbox: FakeInbox = field(default_factory=FakeInbox)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW))
    metrics: Metrics = field(default_factory=Metrics)
    lines: list[str] = field(default_factory=list)
    max_age: float = 300

    def __post_init__(self) -> None:
        self.app = Callback(Crypto(TOKEN, KEY, CORP), self.inbox, self.clock, self.metrics, self.max_age)

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url="http://bot")

    def count(self, name: str) -> float:
        wanted = [line for line in self.metrics.text().decode().splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)

    def refused(self, cause: str) -> float:
        return self.count(f'steward_callbacks_refused_total{{cause="{cause}"}}')


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    sink = logger.add(lambda line: house.lines.append(str(line)), format="{message}")
    yield house
    logger.remove(sink)


def signed(encrypted: str, *, at: datetime = NOW, token: str = TOKEN) -> dict[str, str]:
    """The query that goes with this ciphertext."""
    timestamp, nonce = str(int(at.timestamp())), "nonce1"
    signature = Crypto(token, KEY, CORP).signature(timestamp, nonce, encrypted)
    return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}


def sealed(message: str = JOIN, *, corp: str = CORP) -> str:
    return Crypto(TOKEN, KEY, corp).encrypt(message.encode(), secrets.token_bytes)


def envelope(encrypted: str) -> bytes:
    return f"<xml><ToUserName>{CORP}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def raw_sealed(plain: bytes) -> str:
    """Encrypts bytes as they are, so that tests can get the inside wrong."""
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def plain_text(message: bytes = JOIN.encode()) -> bytes:
    return bytes(16) + len(message).to_bytes(4, "big") + message + CORP.encode()


def padded(plain: bytes) -> bytes:
    padding = 32 - len(plain) % 32
    return plain + bytes([padding]) * padding


async def post(house: House, query: dict[str, str], body: bytes) -> httpx2.Response:
    async with house.client() as client:
        return await client.post("/callback", params=query, content=body)


# --- accepted ---------------------------------------------------------------------------------------------------------


async def test_an_event_is_kept_and_acknowledged_with_nothing(house: House) -> None:
    """A genuine callback: 200 with an empty body, one row with its lane and ordering key, counted."""
    encrypted = sealed()
    answer = await post(house, signed(encrypted), envelope(encrypted))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    ((xml, _lane, ordering_key, received_at),) = house.inbox.rows
    assert (xml, ordering_key, received_at) == (JOIN.encode(), "group:wrA", NOW)
    assert house.count("steward_callbacks_accepted_total") == 1
    assert house.lines == []


async def test_what_wechatpy_sends_is_understood(house: House) -> None:
    """Another's crypto makes the same envelope: it is accepted, signature and all."""
    body = WeChatCrypto(TOKEN, KEY, CORP).encrypt_message(JOIN, "n0nce", str(int(NOW.timestamp())))
    fields = {name: body.split(f"<{name}>")[1].split(f"</{name}>")[0] for name in ("MsgSignature", "TimeStamp")}
    signature = fields["MsgSignature"].removeprefix("<![CDATA[").removesuffix("]]>")
    query = {"msg_signature": signature, "timestamp": fields["TimeStamp"], "nonce": "n0nce"}
    assert (await post(house, query, body.encode())).status_code == 200
    assert house.inbox.rows[0][0] == JOIN.encode()


async def test_ten_deliveries_are_ten_times_fine(house: House) -> None:
    """A callback that comes again is acknowledged again: only the store knows that it has it already."""
    encrypted = sealed()
    answers = [await post(house, signed(encrypted), envelope(encrypted)) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(house.inbox.rows) == 10
    assert len({row[0] for row in house.inbox.rows}) == 1


async def test_an_unknown_event_is_kept_too(house: House) -> None:
    """What no code knows is written down all the same, in no order and the ordinary lane."""
    encrypted = sealed("<xml><Event>brand_new</Event></xml>")
    assert (await post(house, signed(encrypted), envelope(encrypted))).status_code == 200
    assert house.inbox.rows[0][2] is None


async def test_url_verification_answers_exactly_the_echo(house: House) -> None:
    """GET: the decrypted echostr and nothing else, whatever base64 characters the query carried."""
    echo = '1616140317555161061"<&'
    async with house.client() as client:
        for _ in range(20):  # so that + / = all occur
            encrypted = sealed(echo)
            answer = await client.get("/callback", params={**signed(encrypted), "echostr": encrypted})
            assert (answer.status_code, answer.content) == (200, echo.encode())
            assert answer.headers["content-type"].startswith("text/plain")


async def test_a_literal_plus_in_the_query_is_a_plus(house: House) -> None:
    """Base64 that somebody on the way decoded once too often (`%2B` → `+`) still verifies."""
    encrypted = next(text for text in (sealed("echo") for _ in range(1000)) if "+" in text)
    query = "&".join(f"{name}={value}" for name, value in {**signed(encrypted), "echostr": encrypted}.items())
    async with house.client() as client:
        assert (await client.get(f"/callback?{query}")).content == b"echo"


# --- refused ----------------------------------------------------------------------------------------------------------

BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
SHORT = raw_sealed(padded(plain_text())[:-32])
LYING = raw_sealed(padded(bytes(16) + (9999).to_bytes(4, "big") + JOIN.encode() + CORP.encode()))
BAD_PADDING = raw_sealed(padded(plain_text())[:-2] + b"\x07" + padded(plain_text())[-1:])
ZERO_PADDING = raw_sealed(plain_text() + bytes(32 - len(plain_text()) % 32))

MALFORMED = {
    "bad base64": ("base64", 403, "@@not base64@@", None),
    "its last block lost": ("padding", 403, SHORT, None),
    "no whole block": ("length", 403, base64.b64encode(b"x" * 33).decode(), None),
    "nothing inside": ("padding", 403, raw_sealed(bytes(32)), None),
    "a length beyond the end": ("length", 403, LYING, None),
    "one padding byte wrong": ("padding", 403, BAD_PADDING, None),
    "no padding": ("padding", 403, ZERO_PADDING, None),
    "another corp": ("receive_id", 403, sealed(corp="ww_another_corp"), None),
    "no XML inside": ("xml", 403, sealed("hello"), None),
    "a bomb inside": ("xml", 403, sealed(BOMB.decode()), None),
    "plain XML without <Encrypt>": ("no_encrypt", 403, "", JOIN.encode()),
    "an XML bomb": ("xml", 403, "", BOMB),
    "no XML at all": ("xml", 403, "", b'{"json": 1}'),
    "an empty body": ("xml", 403, "", b""),
    "cut in the middle": ("xml", 403, "", envelope(sealed())[:-40]),
    "2 MiB": ("size", 413, "", b"<xml>" + b"x" * (2 << 20)),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_callbacks_leave_a_count_and_a_line(house: House, name: str) -> None:
    """Whatever is wrong, correctly signed or not: the right status, one line however often, a count, and no row."""
    cause, status, encrypted, body = MALFORMED[name]
    answers = [await post(house, signed(encrypted), envelope(encrypted) if body is None else body) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(status, b"")] * 3
    assert house.inbox.rows == []
    assert house.refused(cause) == 3
    assert house.count("steward_callbacks_accepted_total") == 0
    (line,) = house.lines
    assert f"refused: {cause} → {status}" in line


@pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce"])
async def test_an_incomplete_query_is_the_callers_mistake(house: House, missing: str) -> None:
    """400 where a parameter is absent or empty."""
    encrypted = sealed()
    query = signed(encrypted)
    del query[missing]
    assert (await post(house, query, envelope(encrypted))).status_code == 400
    assert (await post(house, {**query, missing: ""}, envelope(encrypted))).status_code == 400
    assert house.refused("query") == 2
    assert house.inbox.rows == []


@pytest.mark.parametrize("delta", [-301, 301])
async def test_an_old_or_future_signature_is_refused(house: House, delta: int) -> None:
    """A signature further from now than the age allows is refused: nobody replays what they recorded."""
    encrypted = sealed()
    query = signed(encrypted, at=NOW + timedelta(seconds=delta))
    assert (await post(house, query, envelope(encrypted))).status_code == 403
    assert house.refused("age") == 1
    assert (await post(House(max_age=0), query, envelope(encrypted))).status_code == 200


@pytest.mark.parametrize("changes", [{"msg_signature": "0" * 40}, {"nonce": "other"}, {"msg_signature": "é%"}])
async def test_a_bad_signature_is_refused(house: House, changes: dict[str, str]) -> None:
    """A callback that was not signed with our token is refused, whatever else is right about it."""
    encrypted = sealed()
    assert (await post(house, signed(encrypted) | changes, envelope(encrypted))).status_code == 403
    assert (await post(house, signed(encrypted, token="stolen?"), envelope(encrypted))).status_code == 403
    assert house.refused("signature") == 2
    assert house.inbox.rows == []


@pytest.mark.parametrize("query", [{}, {"echostr": "x"}, {"msg_signature": "x", "timestamp": "1", "nonce": "n"}])
async def test_url_verification_refuses_with_403_only(house: House, query: dict[str, str]) -> None:
    """GET knows 200 and 403, also where the query is incomplete."""
    async with house.client() as client:
        assert (await client.get("/callback", params=query)).status_code == 403
        encrypted = sealed("echo", corp="ww_another_corp")
        answer = await client.get("/callback", params={**signed(encrypted), "echostr": encrypted})
        assert (answer.status_code, answer.content) == (403, b"")


async def test_other_methods_are_not_allowed(house: House) -> None:
    """Only GET and POST exist here."""
    async with house.client() as client:
        for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
            answer = await client.request(method, "/callback")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_store_that_cannot_write_is_never_acknowledged(house: House) -> None:
    """503 while the inbox is out of order, and 200 with the row when it is back."""
    encrypted = sealed()
    house.inbox.out_of_order = True
    assert (await post(house, signed(encrypted), envelope(encrypted))).status_code == 503
    assert house.refused("store") == 1
    assert "store → 503" in house.lines[0]
    house.inbox.out_of_order = False
    assert (await post(house, signed(encrypted), envelope(encrypted))).status_code == 200
    assert len(house.inbox.rows) == 1


async def test_a_flood_is_logged_once_a_second_for_each_cause(house: House) -> None:
    """A hundred bad callbacks are a hundred in the count and one line; the next second's line says how many."""
    for _ in range(100):
        await post(house, signed(""), b"<xml/>")
    await post(house, {}, b"")
    assert len(house.lines) == 2
    assert house.refused("no_encrypt") == 100
    house.clock.advance(timedelta(seconds=1))
    await post(house, signed(""), b"<xml/>")
    assert len(house.lines) == 3
    assert "99 more" in house.lines[2]


async def test_no_line_shows_what_was_sent(house: House) -> None:
    """Neither body nor query nor secrets reach the log: a stranger writes none of our lines."""
    await post(house, {"msg_signature": "EVIL\n", "timestamp": "1", "nonce": "EVIL"}, envelope("EVIL"))
    assert house.lines
    assert not [line for line in house.lines if "EVIL" in line or TOKEN in line or KEY in line]


# --- reading the body -------------------------------------------------------------------------------------------------


def http_scope(method: str = "POST", path: str = "/callback", headers: dict[bytes, bytes] | None = None) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": list((headers or {}).items()),
        "client": None,
    }


class Wire:
    """Plays the server's side of ASGI: hands over these messages and keeps the answers."""

    def __init__(self, *messages: Message) -> None:
        self.left, self.sent = list(messages), list[Message]()

    async def receive(self) -> Message:
        return self.left.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def chunk(size: int, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


async def test_an_announced_giant_is_refused_unread(house: House) -> None:
    """With a Content-Length over 1 MiB not a byte of the body is read."""
    wire = Wire(chunk(1))
    await house.app(http_scope(headers={b"content-length": b"1048577"}), wire.receive, wire.send)
    assert wire.sent[0]["status"] == 413
    assert len(wire.left) == 1


async def test_an_endless_body_is_read_no_further_than_the_limit(house: House) -> None:
    """Without a length, reading stops at the chunk that goes over 1 MiB."""
    wire = Wire(*[chunk(1 << 18) for _ in range(8)])
    await house.app(http_scope(), wire.receive, wire.send)
    assert wire.sent[0]["status"] == 413
    assert len(wire.left) == 3


async def test_exactly_one_mebibyte_is_not_too_large(house: House) -> None:
    """The limit itself is allowed (and then refused for its query)."""
    wire = Wire(chunk(1 << 19), chunk(1 << 19, more=False))
    await house.app(http_scope(), wire.receive, wire.send)
    assert wire.sent[0]["status"] == 400


async def test_a_caller_who_hangs_up_gets_no_answer_and_leaves_no_row(house: House) -> None:
    """A body that never ends is no callback."""
    wire = Wire(chunk(10), {"type": "http.disconnect"})
    await house.app(http_scope(), wire.receive, wire.send)
    assert wire.sent == []
    assert house.inbox.rows == []


# --- in front of the app ----------------------------------------------------------------------------------------------


async def test_everything_else_falls_through() -> None:
    """Other paths and the lifespan go to the app behind; `/callback` never does."""
    seen: list[str] = []

    def noting(name: str) -> AsgiApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(f"{name} {scope.get('path', scope['type'])}")

        return app

    front = in_front(noting("callback"), noting("app"))
    wire = Wire()
    for scope in (http_scope(), http_scope(path="/callback/x"), http_scope(path="/"), {"type": "lifespan"}):
        await front(scope, wire.receive, wire.send)
    assert seen == ["callback /callback", "app /callback/x", "app /", "app lifespan"]


async def test_giants_are_refused_over_real_http(house: House) -> None:
    """2 MiB in one piece and in chunks: the caller reads 413 and may go on using the connection."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield b"x" * (1 << 16)

    encrypted = sealed()
    async with (
        running(house.app, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        assert (await client.post("/callback", params=signed(""), content=b"x" * (2 << 20))).status_code == 413
        assert (await client.post("/callback", params=signed(""), content=chunks())).status_code == 413
        answer = await client.post("/callback", params=signed(encrypted), content=envelope(encrypted))
        assert (answer.status_code, answer.content) == (200, b"")
    assert house.refused("size") == 2
    assert len(house.inbox.rows) == 1
    assert len(house.lines) == 1
