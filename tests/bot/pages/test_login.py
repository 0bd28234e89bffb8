"""Who opens a public page: through WeChat's and WeCom's OAuth as the simulator plays it, on a page that only tells."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bot.links import Links
from bot.pages.login import login_pages
from bot.pages.page import Desk
from bot.pages.throttle import Throttle
from bot.pages.visitor import Front, is_own, turned_away, who_is_there
from bot.worker import Rules
from handlers import identity
from rules.book import Book
from rules.facts import Member
from simulator import Customer, Staff, VirtualClock, World, create_app
from simulator.webview import AGENTS
from store import identities, openids, roster
from store.database import Database
from store.roster import GroupRow
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.mp import Mp
from wecom.tokens import MemoryTokens

BOT, CAMPAIGN, WECHAT = "http://bot.test", "http://draw.test", "http://open.test"
MINUTES, DAYS = timedelta(minutes=1), timedelta(days=1)


@dataclass
class Phone:
    """Somebody's browser: it goes wherever it is sent. `trail`: every address of ours that it was at."""

    world: World
    person: Customer | Staff
    client: httpx2.AsyncClient
    agent: str
    trail: list[str] = field(default_factory=list)

    async def open(self, path: str, **headers: str) -> httpx2.Response:
        return await self.go(f"{BOT}{path}", **headers)

    async def go(self, url: str, **headers: str) -> httpx2.Response:
        """Follow redirects, and be asked who this is on the way."""
        for _ in range(9):
            if url.startswith(WECHAT):
                url = self.world.logins.grant(self.person, url)
            self.trail.append(url)
            answer = await self.once(url, **headers)
            if answer.status_code != 302:
                return answer
            url = answer.headers["location"]
        raise AssertionError(f"round and round: {self.trail}")

    async def once(self, url: str, **headers: str) -> httpx2.Response:
        return await self.client.get(url, headers={"user-agent": AGENTS[self.agent], **headers})

    async def who(self, path: str = "/who") -> dict[str, object]:
        answer = await self.open(path)
        assert answer.status_code == 200, answer.text
        said: dict[str, object] = answer.json()
        return said


@dataclass
class House:
    """A bot that has only a page that tells who is there, beside a world. `mp`: with a 公众号."""

    world: World
    clock: VirtualClock
    store: Database
    app: FastAPI
    front: Front

    def phone(self, person: Customer | Staff, agent: str = "wechat") -> Phone:
        transport = httpx2.ASGITransport(app=self.app)
        return Phone(self.world, person, httpx2.AsyncClient(transport=transport, base_url=BOT), agent)

    async def external_of(self, visitor_id: object) -> str | None:
        assert isinstance(visitor_id, int)
        async with self.store.read() as tx:
            return await identities.external_of(tx, visitor_id)


def _build(world: World, clock: VirtualClock, store: Database, to_world: httpx2.AsyncClient, mp: Mp | None) -> House:
    tokens = (f"token{n:012}" for n in count())
    front = Front(
        desk=Desk(
            store=store,
            rules=Rules(Book()),
            links=Links(BOT, "a-key-for-tests-only", clock),
            clock=clock,
            wake=lambda: None,
            guests=Throttle(clock, per_minute=60),
            strangers=Throttle(clock, per_minute=30),
        ),
        wecom=Gateway(
            to_world,
            base="http://127.0.0.1",
            corp_id=world.corp_id,
            secret=world.secret,
            agent_id=world.agent_id,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        ),
        corp_id=world.corp_id,
        agent_id=world.agent_id,
        oauth_base=WECHAT,
        mp=mp,
        logins=Throttle(clock, per_minute=40),
        new_token=lambda: next(tokens),
        campaign_url=CAMPAIGN,
    )
    app = FastAPI()
    app.include_router(login_pages(front))

    @app.get("/who")
    @app.get("/who/{name}")
    async def tell(request: Request) -> Response:
        who = await who_is_there(front, request)
        if isinstance(who, Response):
            return who
        if who.kind in ("outside", "other_company"):
            return turned_away(front, who, "/code.png")
        at = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return JSONResponse({"kind": who.kind, "visitor": who.visitor_id, "userid": who.userid, "at": at})

    @app.get("/d/{name}")
    async def tell_campaign(request: Request) -> Response:
        who = await who_is_there(front, request, campaign=True)
        if isinstance(who, Response):
            return who
        said = {"kind": who.kind, "visitor": who.visitor_id, "userid": who.userid, "host": request.url.netloc}
        return JSONResponse(said)

    return House(world, clock, store, app, front)


@pytest.fixture
async def house(sqlite_db: Database) -> AsyncIterator[House]:
    clock = VirtualClock()
    world = World(clock=clock, seed=5)
    world.add_staff("wangwu", "王五")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as to_world:
        yield _build(world, clock, sqlite_db, to_world, None)


@pytest.fixture
async def house_with_mp(sqlite_db: Database) -> AsyncIterator[House]:
    clock = VirtualClock()
    world = World(clock=clock, seed=5)
    world.add_staff("wangwu", "王五")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as to_world:
        mp = Mp(to_world, "http://127.0.0.1", world.logins.mp_app_id, world.logins.mp_secret)
        yield _build(world, clock, sqlite_db, to_world, mp)


async def test_a_customer_is_the_same_one_every_time(house: House) -> None:
    """The first time WeChat says who it is, then the cookie does; another phone of theirs is the same visitor."""
    anna, bert = house.world.add_customer("安娜"), house.world.add_customer("伯特")
    phone = house.phone(anna)
    first = await phone.who("/who?from=shop-12")
    assert (first["kind"], first["at"]) == ("customer", "/who?from=shop-12")
    assert await house.external_of(first["visitor"]) is None
    before = len(phone.trail)
    assert (await phone.who())["visitor"] == first["visitor"]
    assert len(phone.trail) == before + 1  # nobody was asked again
    assert (await house.phone(anna).who())["visitor"] == first["visitor"]
    assert (await house.phone(bert).who())["visitor"] != first["visitor"]


async def test_whom_staff_have_added_is_known_to_the_roster(house: House) -> None:
    """Step (a): OAuth names the external_userid of contacts; (e): of whoever is added later, at the next login."""
    friend, stranger = house.world.add_customer("朋友"), house.world.add_customer("路人")
    house.world.make_contact("wangwu", friend)
    assert await house.external_of((await house.phone(friend).who())["visitor"]) == friend.id
    phone = house.phone(stranger)
    visitor = (await phone.who())["visitor"]
    assert await house.external_of(visitor) is None
    house.world.make_contact("wangwu", stranger)
    house.clock.advance(8 * DAYS)
    assert (await phone.who())["visitor"] == visitor
    assert await house.external_of(visitor) == stranger.id


async def test_a_computed_openid_names_who_opens_the_page(house: House) -> None:
    """Step (c): somebody who is only in a group is known, where their openid was computed beforehand."""
    anna = house.world.add_customer("安娜")
    async with house.store.write() as tx:
        openid = house.world.logins.openid(anna)
        await openids.note(tx, anna.id, openid=openid, errcode=0, now=house.clock.now())
    assert await house.external_of((await house.phone(anna).who())["visitor"]) == anna.id


async def test_staff_are_known_by_userid(house: House) -> None:
    """A member of our corp is told apart from customers, in WeCom and in WeChat, and is no visitor."""
    staff = house.world.staff["wangwu"]
    for agent in ("wecom", "wechat"):
        said = await house.phone(staff, agent).who()
        assert (said["kind"], said["userid"], said["visitor"]) == ("staff", "wangwu", 0)


@pytest.mark.parametrize("agent", ["wecom", "wechat"])
async def test_another_companys_wecom_is_asked_to_use_wechat(house: House, agent: str) -> None:
    """Whoever comes with WeCom and is none of ours gets a page that says so, with the code, and no visitor is made."""
    rival = house.world.add_rival("张三", "对手公司")
    house.world.make_contact("wangwu", rival)
    page = await house.phone(rival, agent).open("/who")
    assert page.status_code == 200
    assert "请用微信扫码" in page.text
    assert f'src="{BOT}/code.png"' in page.text
    async with house.store.read() as tx:
        assert await identities.visitor_now(tx, 1) is None


async def test_a_browser_outside_wechat_is_told_so(house: House) -> None:
    """No login is begun where it cannot end: the page says to use WeChat, with the code to scan."""
    phone = house.phone(house.world.add_customer("安娜"), "other")
    page = await phone.open("/who")
    assert "请用微信打开" in page.text
    assert "/code.png" in page.text
    assert len(phone.trail) == 1


async def test_back_and_reload_are_safe(house: House) -> None:
    """Going back to the login, or loading it again, leads on to the page: the code is used once, the state likewise."""
    phone = house.phone(house.world.add_customer("安娜"))
    await phone.who("/who/茶?from=a&b=%E8%8C%B6")
    [login] = [url for url in phone.trail if "/login/back" in url]
    calls = house.world.calls["auth/getuserinfo", 0]
    again = await phone.go(login)
    assert again.json()["at"] == "/who/茶?from=a&b=%E8%8C%B6"
    assert house.world.calls["auth/getuserinfo", 0] == calls
    assert house.world.calls["auth/getuserinfo", 40029] == 0


async def test_two_pages_may_be_opened_at_once(house: House) -> None:
    """Each login comes back to its own page, whichever ends first."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    starts = [(await phone.once(f"{BOT}/who/{name}")).headers["location"] for name in ("one", "two")]
    backs = [house.world.logins.grant(anna, start) for start in starts]
    assert [(await phone.go(back)).json()["at"] for back in reversed(backs)] == ["/who/two", "/who/one"]


async def test_a_state_that_is_not_this_browsers_is_refused(house: House) -> None:
    """Nobody can log somebody else in as themselves: a code comes back only to the browser that asked for it."""
    anna, mallory = house.world.add_customer("安娜"), house.world.add_customer("马洛里")
    start = (await house.phone(mallory).once(f"{BOT}/who")).headers["location"]
    back = house.world.logins.grant(mallory, start)
    victim = house.phone(anna)
    refused = await victim.go(back)
    assert refused.status_code == 403
    assert "请回到微信" in refused.text
    assert "steward_visitor" not in victim.client.cookies
    assert house.world.calls["auth/getuserinfo", 0] == 0


@pytest.mark.parametrize("forged", ["", "state=", "state=abc&code=x", "code=x"])
async def test_a_made_up_return_is_refused(house: House, forged: str) -> None:
    """An address without a state of ours explains itself and asks the platform nothing."""
    page = await house.phone(house.world.add_customer("安娜")).open(f"/login/back?{forged}")
    assert page.status_code == 403
    assert "没有认出这次打开" in page.text


async def test_a_code_that_is_wrong_or_late_explains_itself(house: House) -> None:
    """A code that the platform refuses, or a login that took too long, gives a page with a way to open it again."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    start = (await phone.once(f"{BOT}/who/x?a=1")).headers["location"]
    back = house.world.logins.grant(anna, start)
    wrong = await phone.go(back.replace("code=", "code=no"))
    assert wrong.status_code == 410
    assert f'href="{BOT}/who/x?a=1"' in wrong.text
    house.clock.advance(6 * MINUTES)
    assert (await phone.go(back)).status_code == 410  # five minutes are over
    house.clock.advance(6 * MINUTES)
    late = await phone.go(back)
    assert (late.status_code, "重新打开" in late.text) == (410, True)
    assert (await phone.who("/who/x?a=1"))["kind"] == "customer"


async def test_a_platform_that_is_away_is_said_to_be(house: House) -> None:
    """Where WeCom does not answer, the page says to try again in a while, and it then works."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    house.world.faults.error_5xx = 1.0
    page = await phone.open("/who")
    assert (page.status_code, "过一会儿再试" in page.text) == (503, True)
    house.world.faults.error_5xx = 0.0
    house.clock.advance(MINUTES)
    assert (await phone.who())["kind"] == "customer"


async def test_who_refuses_to_be_known_is_told_why(house: House) -> None:
    """Back without a code, the page says what it needs to know and what it does not take."""
    phone = house.phone(house.world.add_customer("安娜"))
    start = (await phone.once(f"{BOT}/who")).headers["location"]
    state = parse_qs(urlsplit(start).query)["state"][0]
    page = await phone.open(f"/login/back?state={state}")
    assert (page.status_code, "不会取得您的头像" in page.text) == (403, True)


async def test_the_address_is_as_wechat_wants_it(house: House) -> None:
    """The parameters in order, the fragment, our host, a state within 128 bytes (page 96441)."""
    start = (await house.phone(house.world.add_customer("安娜")).once(f"{BOT}/who")).headers["location"]
    parts = urlsplit(start)
    query = parse_qs(parts.query)
    assert list(query) == ["appid", "redirect_uri", "response_type", "scope", "state", "agentid"]
    assert (parts.path, parts.fragment) == ("/connect/oauth2/authorize", "wechat_redirect")
    assert query["redirect_uri"] == [f"{BOT}/login/back"]
    assert query["scope"] == ["snsapi_base"]
    assert len(query["state"][0]) <= 128


async def test_a_cookie_of_ours_cannot_be_made_up_or_carried_over(house: House) -> None:
    """A forged cookie, one of another client, and one that is too old all lead to being asked again."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    await phone.who()
    cookie = phone.client.cookies["steward_visitor"]
    for agent, value, advance in (("wechat", cookie[:-2] + "xx", 0), ("wecom", cookie, 0), ("wechat", cookie, 8)):
        house.clock.advance(advance * DAYS)
        other = house.phone(anna, agent)
        answer = await other.once(f"{BOT}/who", cookie=f"steward_visitor={value}")
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(WECHAT)


async def test_a_cookie_follows_the_proof_through_merge_and_split(house: House) -> None:
    """After two visitors were merged, and split again, each phone is who it was."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    mine = (await phone.who())["visitor"]
    now = house.clock.now()
    async with house.store.write() as tx:
        assert isinstance(mine, int)
        bound = await identity.bind_by_state(tx, mine, "seat-1", ["wmX"], now=now)
        assert bound is not None
    assert (await phone.who())["visitor"] == mine
    async with house.store.write() as tx:
        await identity.bind_by_state(tx, mine, "seat-1", ["wmX", "wmY"], now=now)
    assert (await phone.who())["visitor"] == mine
    async with house.store.write() as tx:
        await identities.forget(tx, mine, now=now)
    assert (await phone.who())["visitor"] != mine


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/e/tea?from=a", True),
        ("/", True),
        ("//evil.test/x", False),
        ("/\\evil.test", False),
        ("https://evil.test", False),
        ("javascript:alert(1)", False),
        ("/x\r\nset-cookie: a=b", False),
        ("", False),
        ("e/tea", False),
        ("/" + "x" * 2000, False),
    ],
)
async def test_nobody_is_sent_to_another_host(house: House, path: str, own: bool) -> None:
    """Where a login is asked to lead is a page of ours, or nothing happens."""
    assert is_own(path) is own
    phone = house.phone(house.world.add_customer("安娜"))
    answer = await phone.client.get(f"{BOT}/login/again", params={"to": path}, headers={"user-agent": AGENTS["wechat"]})
    assert answer.status_code == (302 if own else 403)
    assert answer.headers.get("location", BOT).startswith(BOT)


async def test_somebody_else_may_use_the_phone(house: House) -> None:
    """`/login/again` forgets who this browser was, and asks anew."""
    anna, bert = house.world.add_customer("安娜"), house.world.add_customer("伯特")
    phone = house.phone(anna)
    mine = (await phone.who())["visitor"]
    phone.person = bert
    assert (await phone.who())["visitor"] == mine
    assert (await phone.who("/login/again?to=/who"))["visitor"] != mine


async def test_logins_are_not_endless(house: House) -> None:
    """One address may not have the platform asked without end."""
    phone = house.phone(house.world.add_customer("安娜"))
    pages = [await phone.open("/login/back?state=x") for _ in range(41)]
    assert [page.status_code for page in pages] == [403] * 40 + [429]


# --- another address --------------------------------------------------------------------------------------------------


async def test_a_campaign_page_knows_the_same_visitor(house: House) -> None:
    """At an address of its own, to which WeCom sends nobody back, a page has the public one say who it is."""
    anna = house.world.add_customer("安娜")
    house.world.logins.trusted.add("bot.test")
    phone = house.phone(anna)
    at_campaign = (await phone.go(f"{CAMPAIGN}/d/lucky?x=1")).json()
    assert (at_campaign["kind"], at_campaign["host"]) == ("customer", "draw.test")
    assert phone.trail[-1] == f"{CAMPAIGN}/d/lucky?x=1"
    before = len(phone.trail)
    assert (await phone.go(f"{CAMPAIGN}/d/lucky")).json() == at_campaign
    assert len(phone.trail) == before + 1  # known there, too, from now on
    assert (await phone.who())["visitor"] == at_campaign["visitor"]
    [note] = [url for url in phone.trail if "/login/borrow" in url]
    house.clock.advance(5 * MINUTES)
    assert (await phone.go(note)).json() == at_campaign  # back, long after
    staff = (await house.phone(house.world.staff["wangwu"], "wecom").go(f"{CAMPAIGN}/d/lucky")).json()
    assert (staff["kind"], staff["userid"]) == ("staff", "wangwu")


async def test_a_note_is_good_for_one_browser_and_a_moment(house: House) -> None:
    """Nobody can log somebody else in at the campaign's address with a note of their own, or with an old one."""
    anna, mallory = house.world.add_customer("安娜"), house.world.add_customer("马洛里")
    hers = house.phone(mallory)
    await hers.go(f"{CAMPAIGN}/d/lucky")
    [note] = [url for url in hers.trail if "/login/borrow" in url]
    victim = house.phone(anna)
    assert (await victim.go(note)).status_code == 403
    start = (await victim.once(f"{CAMPAIGN}/d/lucky")).headers["location"]
    nonce = parse_qs(urlsplit(start).query)["nonce"][0]
    lent = parse_qs(urlsplit(note).query)["lent"][0]
    refused = await victim.client.get(
        f"{CAMPAIGN}/login/borrow", params={"nonce": nonce, "lent": lent}, headers={"user-agent": AGENTS["wechat"]}
    )
    assert refused.status_code == 410
    assert f'href="{CAMPAIGN}/d/lucky"' in refused.text
    house.clock.advance(11 * MINUTES)
    hers.client.cookies.delete("steward_visitor", domain="draw.test")
    assert (await hers.go(note)).status_code == 410


# --- the 公众号 -------------------------------------------------------------------------------------------------------


async def on_the_roster(house: House, person: Customer) -> None:
    async with house.store.write() as tx:
        tx.add(GroupRow(chat_id="wr1", watched_since=house.clock.now()))
        await tx.flush()
        member = Member(external_userid=person.id, unionid=person.unionid, joined_at=house.clock.now())
        await roster.write_members(tx, "wr1", [member], announced=(), now=house.clock.now())


async def test_the_mp_names_who_allowed_it_before(house_with_mp: House) -> None:
    """Step (d): silently, in the same redirect; its unionid is found on the roster of a group."""
    anna = house_with_mp.world.add_customer("安娜")
    await on_the_roster(house_with_mp, anna)
    house_with_mp.world.logins._allowed.add(anna.id)
    phone = house_with_mp.phone(anna)
    said = await phone.who("/who/x")
    assert said["at"] == "/who/x"
    assert await house_with_mp.external_of(said["visitor"]) == anna.id
    assert len([url for url in phone.trail if "/login/back" in url]) == 2


async def test_the_mp_asks_upon_a_press_only(house_with_mp: House) -> None:
    """Who never allowed it is not asked by opening a page; after pressing, the page knows them."""
    anna = house_with_mp.world.add_customer("安娜")
    await on_the_roster(house_with_mp, anna)
    phone = house_with_mp.phone(anna)
    visitor = (await phone.who())["visitor"]
    assert await house_with_mp.external_of(visitor) is None
    house_with_mp.world.logins.refuse.add(anna.id)
    assert (await phone.who("/login/confirm?to=/who/y"))["at"] == "/who/y"
    assert await house_with_mp.external_of(visitor) is None
    house_with_mp.world.logins.refuse.clear()
    assert (await phone.who("/login/confirm?to=/who/y"))["visitor"] == visitor
    assert await house_with_mp.external_of(visitor) == anna.id


async def test_made_up_people_are_not_taken_for_real(house_with_mp: House) -> None:
    """On a snapshot page WeChat makes up an openid and a unionid: neither is kept (is_snapshotuser)."""
    anna = house_with_mp.world.add_customer("安娜")
    house_with_mp.world.logins.snapshots.add(anna.id)
    visitor = (await house_with_mp.phone(anna).who())["visitor"]
    assert isinstance(visitor, int)
    async with house_with_mp.store.read() as tx:
        assert [row.kind for row in await identities.proofs_of(tx, visitor)] == ["openid"]


async def test_contacts_are_not_sent_to_the_mp(house_with_mp: House) -> None:
    """Who is known to the roster already is sent nowhere else, and a 公众号 that fails keeps nobody from the page."""
    anna, bert = house_with_mp.world.add_customer("安娜"), house_with_mp.world.add_customer("伯特")
    house_with_mp.world.make_contact("wangwu", anna)
    phone = house_with_mp.phone(anna)
    await phone.who()
    assert len([url for url in phone.trail if "/login/back" in url]) == 1
    house_with_mp.world.logins.mp_secret = "changed"
    assert (await house_with_mp.phone(bert).who())["kind"] == "customer"
