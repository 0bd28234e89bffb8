"""On the way to say who it is: codes, states, what goes wrong, and going back."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bot.pages.visitor import is_own
from simulator.webview import AGENTS
from tests.bot.pages.house import BOT, MINUTES, House


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


async def test_logins_are_not_endless(house: House) -> None:
    """One address may not have the platform asked without end."""
    phone = house.phone(house.world.add_customer("安娜"))
    pages = [await phone.open("/login/back?state=x") for _ in range(41)]
    assert [page.status_code for page in pages] == [403] * 40 + [429]


async def test_a_platform_that_is_busy_is_asked_once_more(house: House) -> None:
    """WeCom is too busy to say who it is: the page asks a second time and opens, nobody has to press anything."""
    anna = house.world.add_customer("安娜")
    asked = 0

    async def busy_once(request: httpx2.Request) -> None:
        nonlocal asked
        asked += request.url.path.endswith("auth/getuserinfo")
        house.world.faults.platform_busy = 1.0 if request.url.path.endswith("getuserinfo") and asked == 1 else 0.0

    house.front.wecom._client.event_hooks["request"].append(busy_once)
    assert (await house.phone(anna).who())["kind"] == "customer"
    assert asked == 2


async def test_an_answer_that_is_lost_is_nobodys_fault(house: House) -> None:
    """The code is used up by the question whose answer was lost: the page says that WeCom does not answer, not that
    the visitor came too late."""
    asked = 0

    async def lost_once(request: httpx2.Request) -> None:
        nonlocal asked
        asked += request.url.path.endswith("auth/getuserinfo")
        first = request.url.path.endswith("getuserinfo") and asked == 1
        house.world.faults.error_5xx_after_effect = 1.0 if first else 0.0

    house.front.wecom._client.event_hooks["request"].append(lost_once)
    page = await house.phone(house.world.add_customer("安娜")).open("/who")
    assert (asked, page.status_code) == (2, 503)
    assert "微信暂时没有回应" in page.text


async def test_who_tries_logins_out_is_locked_out(house: House) -> None:
    """After so many logins that came to nothing an address gets no more tries, good or bad, until the span is over."""
    person = house.world.add_customer("小红")
    house.front.lost._most = 5
    phone = house.phone(person)
    for _ in range(5):
        assert (await phone.once(f"{BOT}/login/back?state=guessed&code=guessed")).status_code == 403
    assert (await phone.open("/who")).status_code == 429
    house.clock.advance(10 * MINUTES)
    assert (await phone.open("/who")).status_code == 200
