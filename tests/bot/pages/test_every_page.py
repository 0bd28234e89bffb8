"""What holds for every address of the bot, whichever feature it belongs to: read off the app itself, not listed."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast, get_args
from urllib.parse import quote, urlencode

import httpx2
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlmodel import select

from bot.cli import EXAMPLE
from bot.config.read import read_config
from bot.links import LINK_LIFE, LIVES, Links
from bot.pages.ingest import sign
from bot.pages.page import HERE
from bot.pages.throttle import Throttle
from bot.step import settle
from rules.actions import Link
from rules.book import Book
from simulator.webview import AGENTS
from store.inbox import Inbox
from tests.life.conftest import INGEST_SECRET, Life, StartLife
from wecom import callbacks

EVIL = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PAGES = get_args(Link.model_fields["page"].annotation)
SIGNED_ELSEWHERE = {"/ingest/messages"}  # by a secret, not by a form
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass
class House:
    """A bot with the example's configuration, seen by a browser of ours in WeChat that is a member of staff."""

    life: Life = field(repr=False)
    links: Links = field(repr=False)

    def routes(self, method: str) -> list[str]:
        """The paths of all routes that take this method."""
        site = self.life.bot.site
        within = [getattr(each, "original_router", None) for each in site.routes]
        routes = [*site.routes, *(each for router in within if router is not None for each in router.routes)]
        return sorted(each.path for each in routes if isinstance(each, APIRoute) and method in (each.methods or ()))

    def link(self, page: str, issued_at: datetime | None = None) -> str:
        values = {"page": page, "userid": "lihua", "issued_at": issued_at or self.life.clock.now(), "chat_id": "wrA"}
        return self.links.token(Link.model_validate(values))

    def fill(self, path: str, said: str = "1") -> str:
        """An address of this route: a good link where it takes one, and else what is `said`."""
        page = path.split("/")[1]
        token = self.link(page) if page in PAGES else "nothing"
        return re.sub(r"\{(\w+)\}", lambda found: token if found[1] == "token" else said, path)

    async def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        now = int(self.life.clock.now().timestamp())
        cookie = self.links.seal("visitor", ["staff", 0, "lihua", now, "wechat"])
        headers = {"user-agent": AGENTS["wechat"], "cookie": f"steward_visitor={cookie}", **more.pop("headers", {})}
        return await self.life.browser.request(method, f"http://127.0.0.1{path}", headers=headers, **more)


@pytest.fixture
async def house(start_life: StartLife) -> AsyncIterator[House]:
    async with start_life(read_config(EXAMPLE, Book)) as life:
        yield House(life, Links("http://127.0.0.1", "a-key-for-tests-only", life.clock))


async def test_every_answer_has_the_security_headers(house: House) -> None:
    """Pages, pictures, redirects and refusals of every route say that nobody may frame or guess them."""
    paths = house.routes("GET")
    assert len(paths) > 30
    for path in paths:
        answer = await house.ask("GET", house.fill(path))
        assert answer.status_code < 500, path
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path


async def test_no_form_of_another_site_is_taken(house: House) -> None:
    """Every POST is refused where it comes from another site, and where it has no key of our own form."""
    paths = [path for path in house.routes("POST") if path not in SIGNED_ELSEWHERE]
    assert len(paths) >= 7
    for path in paths:
        for headers in (EVIL, {"origin": "http://127.0.0.1"}, {"origin": "http://127.0.0.1.evil.example"}):
            answer = await house.ask("POST", house.fill(path), headers={**FORM, **headers}, content=b"key=forged&x=1")
            assert answer.status_code in {403, 404, 410}, (path, headers, answer.status_code)


async def test_every_link_ends(house: House) -> None:
    """A link for one page opens no other; a good one is over after its life, but for the one printed in group rules."""
    for page in PAGES:
        path = f"/{page}/{{}}"
        life = LIVES.get(page, LINK_LIFE)
        if life is not None:
            old = house.link(page, house.life.clock.now() - life - timedelta(seconds=1))
            assert (await house.ask("GET", path.format(old))).status_code == 410, page
        other = next(each for each in PAGES if each != page)
        assert (await house.ask("GET", path.format(house.link(other)))).status_code == 403, page
    assert [page for page in PAGES if LIVES.get(page, LINK_LIFE) is None] == ["report"]


async def test_one_network_does_not_flood_us(house: House) -> None:
    """Beyond a bound that no crowd reaches, one network is told to wait; others go on."""
    [doorman] = [each for each in house.life.bot.site.user_middleware if "crowd" in each.kwargs]
    throttle = cast("Throttle", doorman.kwargs["crowd"])
    assert all(throttle.allows("203.0.113.7") for _ in range(12_000))
    answer = await house.ask("GET", "/healthz", headers={"x-forwarded-for": "203.0.113.7"})
    assert answer.status_code == 429
    assert "请过一分钟再打开" in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert (await house.ask("GET", "/healthz", headers={"x-forwarded-for": "203.0.113.8"})).status_code == 200


async def test_no_number_is_too_large(house: House) -> None:
    """A number that no database holds is a number of nothing."""
    for path in house.routes("GET"):
        assert (await house.ask("GET", house.fill(path, "9" * 20))).status_code < 500, path


# --- nonsense ---------------------------------------------------------------------------------------------------------

words = some.one_of(
    some.text(max_size=40),
    some.sampled_from(
        ["", "0", "-1", "99999999999999999999", "../../etc/passwd", "%00", "\x00", "{{7*7}}", "'--", "你好"]
    ),
)
fields_of_messages = some.sampled_from(["msgid", "chat_id", "sender", "time", "type", "text", "x"])
FIELDS_OF_CALLBACKS = [
    "ChatId",
    "UpdateDetail",
    "JoinScene",
    "QuitScene",
    "MemChangeCnt",
    "MemChangeList",
    "LastMemVer",
    "CurMemVer",
    "UserID",
    "ExternalUserID",
    "State",
    "WelcomeCode",
    "Source",
    "FailReason",
    "TaskId",
    "EventKey",
    "CardType",
    "ResponseCode",
    "FromUserName",
    "SelectedItems",
    "Id",
    "TagType",
    "StrategyId",
]
FIELDS_OF_FORMS = sorted(
    {name for page in (HERE / "templates").glob("*.html") for name in re.findall(r'name="(\w+)"', page.read_text())}
)


def in_xml(text: str) -> str:
    """What XML can hold within CDATA."""
    return "".join(letter for letter in text if letter.isprintable()).replace("]]>", "")


def forms(house: House, address: str) -> some.SearchStrategy[bytes]:
    """Our own form, with its right key, as somebody might fill it in who means no good."""
    _, page, *rest = address.split("/")
    key = house.links.form_key(page, rest[0] if rest else "")
    filled = some.dictionaries(some.sampled_from(FIELDS_OF_FORMS), words, max_size=5)
    return filled.map(lambda fields: urlencode({**fields, "key": key}).encode())


whatever = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@whatever
@given(data=some.data())
async def test_nonsense_breaks_no_page(house: House, data: some.DataObject) -> None:
    """Whatever stands in an address, a query, a cookie or a form, nobody gets a crash for an answer."""
    house.life.clock.advance(timedelta(minutes=1))  # nobody is told to wait
    method = data.draw(some.sampled_from(["GET", "POST"]))
    path = data.draw(some.sampled_from([each for each in house.routes(method) if each not in SIGNED_ELSEWHERE]))
    if data.draw(some.booleans()):
        address = re.sub(r"\{\w+\}", lambda _: quote(data.draw(words), safe=""), path)
    else:
        address = house.fill(path)
    names = some.sampled_from(["said", "q", "to", "code", "state", "show", "r", "from", "size", "key", "nonce"])
    query = data.draw(some.dictionaries(names, words, max_size=3))
    more: dict[str, Any] = {"params": query}
    if data.draw(some.booleans()):
        more["headers"] = {"cookie": quote(data.draw(words))}
    if method == "POST":
        more["content"] = data.draw(some.one_of(some.binary(max_size=60), forms(house, address)))
        more["headers"] = {**more.get("headers", {}), **data.draw(some.sampled_from([FORM, {}]))}
    answer = await house.ask(method, address, **more)
    assert answer.status_code < 500, (method, address, query)


@whatever
@given(
    name=some.dictionaries(some.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), words),
    body=some.one_of(some.binary(max_size=200), some.text(max_size=200).map(str.encode)),
)
async def test_nonsense_is_no_callback(house: House, name: dict[str, str], body: bytes) -> None:
    """Whatever is posted without our token's signature is refused as a fault of the caller's, and never kept."""
    answer = await house.ask("POST", "/callback", params=name, content=body)
    assert answer.status_code in {400, 403, 413}


@whatever
@given(
    kind=some.sampled_from(sorted(callbacks._READERS, key=str)),
    fields=some.dictionaries(some.sampled_from(FIELDS_OF_CALLBACKS), words.map(in_xml), max_size=6),
)
async def test_a_signed_callback_may_say_anything(
    house: House, kind: tuple[str, str | None], fields: dict[str, str]
) -> None:
    """Whatever an event that the platform signs says in its fields, it is acknowledged, and the worker finishes it or
    waits for the platform: nothing in it makes our own code fail."""
    clock = house.life.clock
    clock.advance(timedelta(minutes=3))
    said = {"MsgType": "event", "CreateTime": str(int(clock.now().timestamp())), "Event": kind[0], **fields}
    said |= {"ChangeType": kind[1]} if kind[1] else {}
    text = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in said.items())
    query, sealed = house.life.world.courier.sealed(f"<xml>{text}</xml>", clock.now())
    answer = await house.ask("POST", "/callback", params=query, content=sealed.encode())
    assert answer.status_code == 200
    await settle(house.life.bot.worker)
    async with house.life.bot.store.read() as tx:
        errors = {row.last_error for row in (await tx.exec(select(Inbox))).all() if row.last_error}
    assert {error for error in errors if ": errcode " not in error} == set()


@whatever
@given(
    body=some.one_of(
        some.binary(max_size=100),
        some.recursive(
            some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), words),
            lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(fields_of_messages, inner)),
            max_leaves=8,
        ).map(lambda value: json.dumps({"messages": [value]}).encode()),
    )
)
async def test_a_signed_batch_may_say_anything(house: House, body: bytes) -> None:
    """Whatever the message source signs is taken, or refused with a reason: never a crash."""
    timestamp = str(int(house.life.clock.now().timestamp()))
    signed = {"x-steward-timestamp": timestamp, "x-steward-signature": sign(INGEST_SECRET, timestamp, body).decode()}
    answer = await house.ask("POST", "/ingest/messages", content=body, headers=signed)
    assert answer.status_code in {200, 400, 413}, answer.text
