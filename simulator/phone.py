"""/phone: be anybody. Plain HTML forms, so that it works without JavaScript and for tests that drive it by HTTP.

Somebody's browser is on it, too (`/phone/{person}/web?url=…`, simulator/webview.py): what they opened is shown in a
frame, and below it each code in its pictures, to be pressed and held.
"""

import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.deeds import DEEDS
from simulator.errors import ImpossibleError
from simulator.messages import LINK
from simulator.people import Staff
from simulator.pictures import picture_route
from simulator.webview import Seen
from simulator.world import Person, World

HERE = Path(__file__).parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
ADDRESS = re.compile(r"https?://[^\s<>\"'，。）]+")


def phone_app(world: World) -> Starlette:
    """GET /phone, /phone/{person} and its /web; POST /phone/new and /phone/{person}/{deed}, one of `DEEDS`."""
    phone = Phone(world)
    return Starlette(
        routes=[
            Route("/phone", phone.choose, methods=["GET"]),
            Route("/phone/new", phone.new, methods=["POST"]),
            Route("/phone/{person}", phone.person, methods=["GET"]),
            Route("/phone/{person}/web", phone.web, methods=["GET"]),
            Route("/phone/{person}/{deed}", phone.deed, methods=["POST"]),
            picture_route(world),
        ]
    )


class Phone:
    """The pages. Whatever is done answers 303 to the person's page, with what came of it in `said`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
        self._pages.filters["linked"] = _linked
        self._pages.filters["tappable"] = _tappable
        self._pages.filters["clock"] = lambda at: at.astimezone(SHANGHAI).strftime("%H:%M")

    def _page(self, name: str, request: Request, **values: Any) -> Response:
        said = request.query_params.get("said", "")
        return HTMLResponse(self._pages.get_template(name).render(world=self._world, said=said, **values))

    def _who(self, request: Request) -> Person | None:
        who = request.path_params["person"]
        return self._world.staff.get(who) or self._world.customers.get(who)

    async def choose(self, request: Request) -> Response:
        return self._page("choose.html", request)

    async def person(self, request: Request) -> Response:
        who = self._who(request)
        if who is None:
            return HTMLResponse("没有这个人", status_code=404)
        groups = [each for each in self._world.groups.values() if not each.dismissed]
        return self._page(
            "person.html",
            request,
            me=who,
            staff=isinstance(who, Staff),
            mine=[each for each in groups if who.id in each.members],
            others=[each for each in groups if who.id not in each.members],
            to_send=self._world.group_messages.open_for(who.id),
            greetings=self._world.welcomes.seen_by(who.id),
            inbox=self._world.inbox(who.id) if isinstance(who, Staff) else [],
            asking=[each for each in self._world.joins.asking if who.id in self._world.groups[each.chat_id].removers],
            friends=[each for each in self._world.joins.friends if each.userid == who.id],
        )

    async def web(self, request: Request) -> Response:
        """Their browser: `url` is opened, or (`again`) the page that is open looks again."""
        who = self._who(request)
        if who is None:
            return HTMLResponse("没有这个人", status_code=404)
        view, url = self._world.web.of(who), request.query_params.get("url", "").strip()
        try:
            seen = await (view.again() if request.query_params.get("again") else view.open(url))
        except ImpossibleError as no:
            return _back(f"/phone/{who.id}", f"做不到：{no}")
        return self._page("web.html", request, me=who, seen=seen, framed=_framed(seen))

    async def new(self, request: Request) -> Response:
        form = await _form(request)
        name, company = form.get("name", "").strip(), form.get("company", "").strip()
        if not name:
            return _back("/phone", "请填写姓名")
        who = self._world.add_rival(name, company) if company else self._world.add_customer(name)
        return _back(f"/phone/{who.id}", "")

    async def deed(self, request: Request) -> Response:
        who, act = self._who(request), DEEDS.get(request.path_params["deed"])
        if who is None or act is None:
            return HTMLResponse("没有这个页面", status_code=404)
        try:
            said = act(self._world, who, await _form(request))
        except ImpossibleError as no:
            said = f"做不到：{no}"
        except KeyError:
            said = "做不到：没有这个人、群或卡片"
        return _back(f"/phone/{who.id}", said)


def _framed(seen: Seen) -> str:
    """The page for a frame: it finds its pictures and styles, and does nothing by itself."""
    quiet = re.sub(r'<meta http-equiv="refresh"[^>]*>', "", seen.html)
    return quiet.replace("<head>", f'<head><base href="{escape(seen.url)}" target="_blank">', 1)


def _tappable(text: str, person: str) -> Markup:
    """A text in a chat: an address in it opens in the reader's own browser."""
    made, end = Markup(), 0
    for found in ADDRESS.finditer(text):
        link = Markup('<a href="/phone/{}/web?url={}">{}</a>')
        made += escape(text[end : found.start()]) + link.format(person, quote(found[0], safe=""), found[0])
        end = found.end()
    return made + escape(text[end:])


def _linked(text: str) -> Markup:
    """A text as the client shows it: its links can be pressed, everything else is plain."""
    parts = LINK.split(text)  # plain, address, words, plain, …
    made = Markup(escape(parts[0]))  # noqa: S704 (escaped)
    for url, words, plain in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        link = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>')
        made += link.format(unescape(url), unescape(words)) + escape(plain)
    return made


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _back(path: str, said: str) -> Response:
    return RedirectResponse(path + (f"?said={quote(said)}" if said else ""), status_code=303)
