"""/phone: be anybody. Plain HTML forms, so that it works without JavaScript and for tests that drive it by HTTP."""

from collections.abc import Callable
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

from simulator.errors import ImpossibleError
from simulator.groups import Group
from simulator.messages import LINK
from simulator.people import Staff
from simulator.world import Person, World

HERE = Path(__file__).parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
Form = dict[str, str]


def phone_app(world: World) -> Starlette:
    """GET /phone and /phone/{person}; POST /phone/new and /phone/{person}/{deed}, where deed is one of `DEEDS`."""
    phone = Phone(world)
    return Starlette(
        routes=[
            Route("/phone", phone.choose, methods=["GET"]),
            Route("/phone/new", phone.new, methods=["POST"]),
            Route("/phone/{person}", phone.person, methods=["GET"]),
            Route("/phone/{person}/{deed}", phone.deed, methods=["POST"]),
        ]
    )


class Phone:
    """The pages. Whatever is done answers 303 to the person's page, with what came of it in `said`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
        self._pages.filters["linked"] = _linked
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
            greetings=self._world.welcomes.seen_by(who.id),
            inbox=self._world.inbox(who.id) if isinstance(who, Staff) else [],
        )

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


def _linked(text: str) -> Markup:
    """A text as the client shows it: its links can be pressed, everything else is plain."""
    parts = LINK.split(text)  # plain, address, words, plain, …
    made = Markup(escape(parts[0]))  # noqa: S704 (escaped)
    for url, words, plain in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        link = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>')
        made += link.format(unescape(url), unescape(words)) + escape(plain)
    return made


async def _form(request: Request) -> Form:
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _back(path: str, said: str) -> Response:
    return RedirectResponse(path + (f"?said={quote(said)}" if said else ""), status_code=303)


def _press(world: World, who: Person, form: Form) -> str:
    choice, question = form.get("choice"), form.get("question")
    selected = {question: [choice]} if question and choice else None
    world.press(who.id, form["task_id"], form["key"], selected)
    return "已点按钮，等机器人更新卡片"


def _remove(world: World, who: Person, form: Form) -> str:
    world.remove(form["chat_id"], form["person"], by=who.id)
    return f"已移出 {world.customers[form['person']].name}"


def _join(world: World, who: Person, form: Form) -> str:
    group = _by_code(world, form.get("code", ""))
    world.join(group, who)
    return f"已进入群「{group.name}」"


def _by_code(world: World, code: str) -> Group:
    for group in world.groups.values():
        if group.code == code.strip():
            return group
    raise ImpossibleError("没有这个入群码")


def _leave(world: World, who: Person, form: Form) -> str:
    world.leave(form["chat_id"], who)
    return "已退出群"


def _add(world: World, who: Person, form: Form) -> str:
    """A customer and a member of staff become contacts."""
    world.make_contact(form["userid"], who.id)
    return f"已加 {world.staff[form['userid']].name} 为好友"


def _attach(world: World, who: Person, form: Form) -> str:
    """The owner chooses the group's welcome."""
    world.welcomes.attach(world.groups[form["chat_id"]], form.get("template", ""), by=who.id)
    return "已设置入群欢迎语"


def _say(world: World, who: Person, form: Form) -> str:
    text = form.get("text", "").strip()
    if not text:
        raise ImpossibleError("什么也没写")
    world.says(who, form["chat_id"], text)
    return ""


DEEDS: dict[str, Callable[[World, Person, Form], str]] = {
    "press": _press,
    "remove": _remove,
    "join": _join,
    "leave": _leave,
    "add": _add,
    "attach": _attach,
    "say": _say,
}
