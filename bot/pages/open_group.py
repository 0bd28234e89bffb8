"""`/open/{token}`: opens a group's chat in the WeCom client (page 98183), by WeCom's own script.

The only page of ours that loads anything from another host. It needs a trusted domain; whether the client follows is
its own affair [NV], so the page always says how to find the group by hand.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.page import Desk, Refused, admit, explain, show
from store import roster
from store.database import StoreUnavailable
from store.roster import GroupRow
from wecom.errors import PlatformError
from wecom.tokens import TokenKeeper

SDK_HOST = "https://wwcdn.weixin.qq.com"
SDK = f"{SDK_HOST}/node/open/js/wecom-jssdk-2.0.2.js"  # as on page 98416
POLICY = (
    f"default-src 'self'; script-src 'self' {SDK_HOST}; connect-src 'self' {SDK_HOST}; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class App:
    """Which app of which corp signs. `tickets`: its jsapi_ticket, kept and renewed like an access token."""

    corp_id: str
    agent_id: int
    tickets: TokenKeeper
    new_token: Callable[[], str]


def open_page(desk: Desk, app: App) -> APIRouter:
    """The page. It is closed (404) unless `removal.open_group` is set."""
    router = APIRouter()

    @router.get("/open/{token}")
    async def look(request: Request, token: str) -> Response:
        try:
            group = await _group(desk, request, token)
        except Refused as refused:
            return explain(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return explain(Refused(503, "away"))
        url = f"{desk.links.public_url}/open/{token}"
        signed = await _signed(desk, app, url)
        headers = {"content-security-policy": POLICY} if signed else {}
        return show("open.html", headers=headers, group=group, app=app, signed=signed, sdk=SDK)

    return router


async def _group(desk: Desk, request: Request, token: str) -> GroupRow:
    link = admit(desk, request, "open", token)
    if not desk.rules.book.removal.open_group:
        raise Refused(404, "closed")
    async with desk.store.read() as tx:
        group = await roster.group(tx, link.chat_id)
    if group is None or group.dismissed_at is not None or link.userid not in group.can_remove():
        raise Refused(410, "not_yours")
    return group


@dataclass(frozen=True)
class Signed:
    """What the client checks (page 90506)."""

    timestamp: int
    nonce: str
    signature: str


async def _signed(desk: Desk, app: App, url: str) -> Signed | None:
    """None where the platform gives no ticket: then the page only says how to do it by hand."""
    try:
        ticket = await app.tickets.current()
    except PlatformError as error:
        logger.warning("no jsapi_ticket, so that no group can be opened from a page: {}", error)
        return None
    timestamp, nonce = int(desk.clock.now().timestamp()), app.new_token()
    return Signed(timestamp, nonce, sign(ticket.value, nonce, timestamp, url))


def sign(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """The signature of page 90506; `url` without what follows a #."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
