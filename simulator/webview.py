"""WeChat's browser, and WeCom's: somebody opens an address, is logged in on the way, and sees codes to be pressed.

Each person has a browser of their own, with its cookies. It runs no scripts; pages that need none are what is tested.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx2
import zxingcpp
from PIL import Image, UnidentifiedImageError

from simulator.errors import ImpossibleError

if TYPE_CHECKING:
    from simulator.people import Customer, Staff
    from simulator.world import World

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
AGENTS = {
    "wechat": f"{_IPHONE} MicroMessenger/8.0.50",
    "wecom": f"{_IPHONE} wxwork/4.1.30 MicroMessenger/7.0.1",
    "other": f"{_IPHONE} Safari/604.1",
}
"""User-Agents. WeCom's says that it is WeChat's, too."""

AUTHORIZE = "/connect/oauth2/authorize"
MOST_STEPS = 10  # redirects


@dataclass
class Form:
    """What a page lets somebody send. `fields`: what stands in it from the start; `buttons`: what its buttons say."""

    action: str
    fields: dict[str, str]
    buttons: list[str]


@dataclass(frozen=True)
class Seen:
    """A page as somebody sees it. `url`: where they ended. `codes`: what the QR codes in its pictures say.

    `refresh`: after how many seconds it opens which address by itself. `links`: words and address of each.
    `headings`: the largest words. `forms`: what can be sent.
    """

    url: str
    status: int
    html: str
    text: str
    codes: tuple[str, ...] = ()
    refresh: tuple[int, str] | None = None
    links: tuple[tuple[str, str], ...] = ()
    headings: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()


class WebView:
    """One person's browser. `client` is theirs alone: it keeps their cookies."""

    def __init__(self, world: "World", person: "Customer | Staff", client: httpx2.AsyncClient, agent: str) -> None:
        self._world, self._person, self._client, self._agent = world, person, client, AGENTS[agent]
        self.seen: Seen | None = None

    async def open(self, url: str) -> Seen:
        """Open an address, going wherever it leads. Raises ImpossibleError."""
        for _ in range(MOST_STEPS):
            answer = await self._get(url)
            if answer.status_code not in (301, 302, 303, 307):
                self.seen = await self._look(url, answer)
                return self.seen
            url = str(httpx2.URL(url).join(answer.headers["location"]))
            if httpx2.URL(url).path == AUTHORIZE and self._agent != AGENTS["other"]:
                url = self._world.logins.grant(self._person, url)
        raise ImpossibleError("这个网页转来转去，打不开")

    async def again(self) -> Seen:
        """Let the page look again, as it does by itself; else load it anew. Raises ImpossibleError."""
        if self.seen is None:
            raise ImpossibleError("还没有打开网页")
        return await self.open(self.seen.refresh[1] if self.seen.refresh else self.seen.url)

    async def press(self, button: str, picture: bytes | None = None, **answers: str) -> Seen:
        """Press the first button on the page that says this, having chosen and written `answers`; `picture`: a JPEG
        for the form's file. Raises ImpossibleError.
        """
        page = self.seen
        form = next((each for each in page.forms if button in " ".join(each.buttons)), None) if page else None
        if page is None or form is None:
            raise ImpossibleError(f"网页上没有「{button}」这个按钮")
        url = str(httpx2.URL(page.url).join(form.action))
        files = {"picture": ("photo.jpg", picture, "image/jpeg")} if picture else None
        headers = {"user-agent": self._agent, "sec-fetch-site": "same-origin", "origin": "null"}
        try:
            answer = await self._client.post(url, data={**form.fields, **answers}, files=files, headers=headers)
        except httpx2.HTTPError as error:
            raise ImpossibleError(f"网页打不开（{type(error).__name__}）") from None
        if answer.is_redirect:
            return await self.open(str(httpx2.URL(url).join(answer.headers["location"])))
        self.seen = await self._look(url, answer)
        return self.seen

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, url: str) -> httpx2.Response:
        if httpx2.URL(url).scheme not in ("http", "https"):
            raise ImpossibleError("打不开这个网址")
        try:
            return await self._client.get(url, headers={"user-agent": self._agent, "accept": "text/html,*/*"})
        except httpx2.HTTPError as error:
            raise ImpossibleError(f"网页打不开（{type(error).__name__}）") from None

    async def _look(self, url: str, answer: httpx2.Response) -> Seen:
        page = _Reader()
        page.feed(answer.text)
        codes: list[str] = []
        for source in page.pictures:
            codes += decode((await self._get(str(httpx2.URL(url).join(source)))).content)
        refresh = (page.after, str(httpx2.URL(url).join(page.to))) if page.after else None
        links = tuple((label, str(httpx2.URL(url).join(to))) for label, to in page.links)
        return Seen(
            url,
            answer.status_code,
            answer.text,
            " ".join(page.words),
            tuple(codes),
            refresh,
            links,
            tuple(page.headings),
            tuple(page.forms),
        )


class WebViews:
    """Everybody's browsers. `make_client`: a new client, that reaches the bot's pages and this simulator."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._views: dict[tuple[str, str], WebView] = {}
        self.make_client: Callable[[], httpx2.AsyncClient] = lambda: httpx2.AsyncClient(trust_env=False)

    def of(self, person: "Customer | Staff", agent: str = "") -> WebView:
        """Their browser: WeChat for people on WeChat, WeCom for staff and people of other companies; or another."""
        agent = agent or ("wechat" if getattr(person, "type", 2) == 1 else "wecom")
        key = (person.id, agent)
        if key not in self._views:
            self._views[key] = WebView(self._world, person, self.make_client(), agent)
        return self._views[key]

    async def close(self) -> None:
        """Nobody looks at anything any more."""
        for each in self._views.values():
            await each.close()
        self._views.clear()


def decode(picture: bytes) -> list[str]:
    """What the QR codes in a picture say; nothing where it is no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            return [each.text for each in zxingcpp.read_barcodes(opened.convert("L"))]
    except (UnidentifiedImageError, OSError):
        return []


class _Reader(HTMLParser):
    """What can be seen on a page, pressed, and what it does by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.headings: list[str] = []
        self.forms: list[Form] = []
        self.after, self.to = 0, ""
        self._in_form = self._in_button = False
        self._hidden = 0
        self._link = ""
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.pictures.append(given.get("src", ""))
        elif tag == "a":
            self._link = given.get("href", "")
        elif tag == "meta" and given.get("http-equiv") == "refresh":
            after, _, to = given["content"].partition(";")
            self.after, self.to = int(after), to.strip().removeprefix("url=")
        elif tag == "h1":
            self._in_heading = True
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), {}, []))
            self._in_form = True
        elif self._in_form and tag == "input" and given.get("type") == "hidden":
            self.forms[-1].fields[given.get("name", "")] = given.get("value", "")
        elif self._in_form and tag == "button":
            self._in_button = True
        elif tag in ("style", "script", "title"):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._hidden -= 1
        elif tag == "h1":
            self._in_heading = False
        elif tag == "a":
            self._link = ""
        elif tag == "form":
            self._in_form = False
        elif tag == "button":
            self._in_button = False

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if not words or self._hidden:
            return
        self.words.append(words)
        if self._in_heading:
            self.headings.append(words)
        if self._in_button:
            self.forms[-1].buttons.append(words)
        if self._link:
            self.links.append((words, self._link))
