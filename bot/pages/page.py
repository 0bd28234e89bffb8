"""What every page is made with: who is there, how a page is rendered, refused, and what a form may send."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi import Path as PathParam
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from loguru import logger
from starlette.exceptions import HTTPException

from bot.links import LinkRefused, Links
from bot.pages.network import network
from bot.pages.throttle import Throttle
from bot.worker import Rules
from rules.actions import Link
from rules.clock import BEIJING, Clock
from store.database import Database, StoreUnavailable

HERE = Path(__file__).parent
MOST_BYTES = 64 * 1024
"""Of a form: three hundred people, each ticked, are about 5 KB."""

Number = Annotated[int, PathParam(ge=0, le=2**31 - 1)]
"""Of a row, in an address: a larger one is refused before a database trips over it."""

PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


@dataclass(frozen=True)
class Desk:
    """What the pages work with. `wake`: there may be work. `guests`: those with a good link; `strangers`: without."""

    store: Database
    rules: Rules
    links: Links
    clock: Clock
    wake: Callable[[], None]
    guests: Throttle
    strangers: Throttle


class Refused(Exception):  # noqa: N818 - says what happened
    """Somebody gets an explanation instead of the page. `why` is a key of refused.html or sorry.html."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(why)


# --- who asks ---------------------------------------------------------------------------------------------------------


def admit(desk: Desk, request: Request, page: str, token: str, *, who: str = "") -> Link:
    """What the link in the address says. `who`: who asks, where that is not whom the link is for. Raises Refused."""
    try:
        link = desk.links.read(page, token)
    except LinkRefused as refused:
        if not desk.strangers.allows(network(request)):
            raise Refused(429, "busy") from None
        raise Refused(410, "expired") if refused.expired else Refused(403, "forged") from None
    if not desk.guests.allows(f"{page}:{who or link.userid}"):
        raise Refused(429, "busy")
    return link


async def read_form(desk: Desk, request: Request, page: str, token: str, *, base: str = "") -> Mapping[str, list[str]]:
    """What our own form on this very page sent. `base`: the address that the page is at, where it is not the public
    one. Raises Refused.
    """
    must_come_from(base or desk.links.public_url, request)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused(415, "foreign")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(413, "foreign")
    try:
        form = parse_qs(body.decode(), max_num_fields=2000, errors="strict")
    except ValueError:
        raise Refused(400, "foreign") from None
    if not desk.links.is_form_key(page, token, form.get("key", [""])[0]):
        raise Refused(403, "foreign")
    return form


def must_come_from(base: str, request: Request) -> None:
    """A form is sent by a page at this address of ours. Raises Refused.

    Our pages send no referrer, so browsers give their forms the origin "null"; what they say of the site then decides.
    """
    origin, site = request.headers.get("origin", "null"), request.headers.get("sec-fetch-site", "same-origin")
    if origin not in ("null", _origin(base)) or site not in ("same-origin", "none"):
        raise Refused(403, "foreign")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# --- what they get ----------------------------------------------------------------------------------------------------


def _clock_face(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M")


_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {path.name: (path.read_bytes(), _KINDS[path.suffix]) for path in sorted((HERE / "static").iterdir())}
VERSION = hashlib.sha256(b"".join(content for content, _ in FILES.values())).hexdigest()[:8]

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["clock"] = _clock_face
_TEMPLATES.globals["version"] = VERSION


def show(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    """A page that only whom it was made for may keep."""
    text = _TEMPLATES.get_template(template).render(**values)
    return HTMLResponse(text, status, {**PRIVATE, **(headers or {})})


def explain(refused: Refused) -> Response:
    """The page that says to staff why there is no page."""
    return show("refused.html", refused.status, why=refused.why)


async def explained(page: Awaitable[Response]) -> Response:
    """What a page for staff answers; where there is none, why."""
    try:
        return await page
    except Refused as refused:
        return explain(refused)
    except StoreUnavailable as error:
        logger.error("the database is not available for a page: {}", error)
        return explain(Refused(503, "away"))


def apologise(refused: Refused) -> Response:
    """Likewise to a customer, who knows of no list and of no bot."""
    return show("sorry.html", refused.status, why=refused.why)


def static_files() -> APIRouter:
    """`/static/{name}`: our own style sheet and script. Their address changes when they do."""
    router = APIRouter()

    @router.get("/static/{name}")
    async def static_file(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        content, kind = FILES[name]
        return Response(content, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"})

    return router
