"""Somebody's browser: it goes where a page sends it, is logged in on the way, and reads the codes in pictures."""

from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from simulator import ImpossibleError
from simulator.pictures import png
from simulator.webview import AGENTS

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk

OAUTH = (
    "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wwsimulated000001"
    "&redirect_uri=http%3A%2F%2Fsite%2Fback&response_type=code&scope=snsapi_base&state=s1#wechat_redirect"
)
PAGE = """<!doctype html><html><head><title>进群</title><meta http-equiv="refresh" content="3; url=?r=1">
<style>p { color: red }</style></head><body><h1>您好</h1><img src="picture.png"><p>长按
二维码</p><a href="/more">更多</a></body></html>"""


class Site:
    """A page behind a login, as a bot might have it. `asked`: every path with its query, and the cookie sent."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path, query = scope["path"], scope["query_string"].decode()
        self.asked.append((f"{path}?{query}", headers.get("cookie", ""), headers["user-agent"]))
        status, answer, body = 200, [(b"content-type", b"text/html; charset=utf-8")], PAGE.encode()
        if path == "/picture.png":
            body = png("https://work.weixin.qq.com/gm/abc")
        elif path == "/back":
            status, answer, body = 302, [(b"location", b"/page"), (b"set-cookie", b"who=me; Path=/")], b""
        elif path == "/circle":
            status, answer, body = 302, [(b"location", b"/circle")], b""
        elif "who=me" not in headers.get("cookie", "") and headers["user-agent"] != AGENTS["other"]:
            status, answer, body = 302, [(b"location", OAUTH.encode())], b""
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def site(desk: "Desk") -> Site:
    made = Site()
    desk.world.web.make_client = lambda: httpx2.AsyncClient(transport=httpx2.ASGITransport(app=made))
    return made


async def test_a_page_is_opened_through_the_login(desk: "Desk", site: Site) -> None:
    """OAuth gives a code for this very person; the page's words, codes, links and refresh are what they see."""
    person = desk.world.add_customer("陈晨")
    seen = await desk.world.web.of(person).open("http://site/page?from=shop")
    assert (seen.status, seen.url) == (200, "http://site/page")
    assert seen.text == "您好 长按 二维码 更多"
    assert seen.codes == ("https://work.weixin.qq.com/gm/abc",)
    assert seen.links == (("更多", "http://site/more"),)
    assert seen.refresh == (3, "http://site/page?r=1")
    back = next(path for path, _, _ in site.asked if path.startswith("/back"))
    code = back.partition("code=")[2].partition("&")[0]
    assert desk.world.logins.who(code) == {"openid": desk.world.logins.openid(person)}


async def test_everybody_has_cookies_of_their_own(desk: "Desk", site: Site) -> None:
    """Loading again needs no login; another person does; staff say that they are WeCom."""
    one, other = desk.world.add_customer("陈晨"), desk.world.add_customer("林琳")
    view = desk.world.web.of(one)
    await view.open("http://site/page")
    site.asked.clear()
    seen = await view.again()
    assert seen.url == "http://site/page?r=1"
    assert site.asked[0] == ("/page?r=1", "who=me", AGENTS["wechat"])
    for person, agent in ((other, "wechat"), (desk.world.staff["wangwu"], "wecom")):
        site.asked.clear()
        await desk.world.web.of(person).open("http://site/page")
        assert site.asked[0] == ("/page?", "", AGENTS[agent])


FORMS = """<h1>打卡</h1><form method="post" action="sent"><input type="hidden" name="key" value="k1">
<button>撤销</button></form>
<form method="post" action="sent"><input type="hidden" name="act" value="tap"><button>打卡</button></form>"""


async def test_a_form_is_sent_with_what_stands_in_it(desk: "Desk") -> None:
    """The button says which form; its hidden fields go with the answers, a picture as a file; then where it leads."""
    sent: list[tuple[str, str, bytes]] = []

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        sent.append((scope["method"], scope["path"], body))
        posted = scope["method"] == "POST"
        headers = [(b"location", b"done")] if posted else [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 303 if posted else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if posted else FORMS.encode()})

    desk.world.web.make_client = lambda: httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site))
    view = desk.world.web.of(desk.world.add_customer("陈晨"))
    with pytest.raises(ImpossibleError, match="按钮"):
        await view.press("打卡")
    await view.open("http://site/c/day")
    assert (await view.press("打卡", evidence="tea")).url == "http://site/c/done"
    assert sent[1] == ("POST", "/c/sent", b"act=tap&evidence=tea")
    await view.press("撤销", b"a jpeg")
    _, path, body = sent[3]
    assert (path, b"a jpeg" in body, b"k1" in body) == ("/c/sent", True, True)
    with pytest.raises(ImpossibleError, match="按钮"):
        await view.press("退出")


async def test_what_cannot_be_opened(desk: "Desk", site: Site) -> None:
    """Circles, other schemes, and nothing to load again: each says what it is."""
    view = desk.world.web.of(desk.world.add_customer("陈晨"))
    for url in ("http://site/circle", "javascript:alert(1)", ""):
        with pytest.raises(ImpossibleError, match="打不开"):
            await view.open(url)
    with pytest.raises(ImpossibleError, match="还没有"):
        await view.again()


async def test_the_phone_shows_the_page_and_its_code(desk: "Desk", site: Site) -> None:
    """On /phone the page is in a frame that does nothing by itself; the code below it is pressed, and lets them in."""
    group, person = desk.world.create_group("VIP·1", "wangwu"), desk.world.add_customer("陈晨")
    answer = await desk.http.get(f"/phone/{person.id}/web", params={"url": "http://site/page"})
    assert "长按图片" in answer.text
    assert 'value="https://work.weixin.qq.com/gm/abc"' in answer.text
    assert "http-equiv" not in answer.text
    assert "&lt;base href=" in answer.text
    wrong = await desk.http.post(f"/phone/{person.id}/scan", data={"code": "https://work.weixin.qq.com/gm/abc"})
    assert "做不到" in (await desk.http.get(wrong.headers["location"])).text
    await desk.http.post(f"/phone/{person.id}/scan", data={"code": group.code})
    assert person.id in group.members
    nowhere = await desk.http.get(f"/phone/{person.id}/web", params={"url": "http://site/circle"})
    assert "做不到" in (await desk.http.get(nowhere.headers["location"])).text
    assert (await desk.http.get("/phone/nobody/web")).status_code == 404
