"""OAuth on the wire: the page that asks who somebody is, WeCom's answer to a code, and the 公众号's API.

In a real browser the page asks whom to be, unless the cookie `simulated_person` says so; `/phone` has browsers of its
own, that need not be asked (simulator/webview.py).
"""

import json
from collections.abc import Mapping
from html import escape
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.types import Receive, Scope, Send

from simulator.api.call import Call, Json
from simulator.errors import ApiError, ImpossibleError
from simulator.people import Customer, Staff
from simulator.world import World

AUTHORIZE = "/connect/oauth2/authorize"
SNS = "/sns/oauth2/access_token"
PREFIXES = (AUTHORIZE, SNS)
COOKIE = "simulated_person"


# --- below /cgi-bin/ --------------------------------------------------------------------------------------------------


def getuserinfo(world: World, call: Call) -> Json:
    """auth/getuserinfo (page 96442)."""
    return dict(world.logins.who(call.query.get("code", "")))


def convert_to_openid(world: World, call: Call) -> Json:
    return {"openid": world.logins.convert(call.text("external_userid", 41035))}


# --- beside it --------------------------------------------------------------------------------------------------------


async def answer(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """The page, or the 公众号's API."""
    del receive
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    if scope["path"] == SNS:
        said = json.dumps(_sns(world, query)).encode()
        await _reply(send, 200, said, (b"content-type", b"text/plain"))  # as the platform labels it
        return
    # A browser never sends the fragment.
    url = f"{AUTHORIZE}?{scope['query_string'].decode()}#wechat_redirect"
    person = _person(world, query.get("as") or _cookie(scope))
    if person is None:
        await _reply(send, 200, _choose(world, scope["query_string"].decode()), (b"content-type", b"text/html"))
        return
    try:
        back = world.logins.grant(person, url)
    except ImpossibleError as no:
        await _reply(send, 200, f"<h1>{escape(str(no))}</h1>".encode(), (b"content-type", b"text/html; charset=UTF-8"))
        return
    await _reply(send, 302, b"", (b"location", back.encode()))


def _sns(world: World, query: Mapping[str, str]) -> Json:
    """In its errors, as the platform does, there is nothing but the number and its text."""
    logins = world.logins
    try:
        if query.get("appid") != logins.mp_app_id:
            raise ApiError(40013)
        if query.get("secret") != logins.mp_secret:
            raise ApiError(40125)
        told = logins.who_to_mp(query.get("code", ""))
    except ApiError as refused:
        world.calls["sns/oauth2/access_token", refused.errcode] += 1
        return {"errcode": refused.errcode, "errmsg": refused.errmsg}
    world.calls["sns/oauth2/access_token", 0] += 1
    return {"access_token": world.new_id("sns-token", 40), "expires_in": 7200, "refresh_token": "unused", **told}


def _cookie(scope: Scope) -> str:
    header = dict(scope["headers"]).get(b"cookie", b"").decode()
    morsel = SimpleCookie(header).get(COOKIE)
    return morsel.value if morsel else ""


def _person(world: World, who: str) -> Customer | Staff | None:
    return world.staff.get(who) or world.customers.get(who)


def _choose(world: World, query: str) -> bytes:
    people: list[Customer | Staff] = [*world.customers.values(), *world.staff.values()]
    lines = [
        f'<li><a href="{AUTHORIZE}?{escape(query)}&amp;{urlencode({"as": each.id})}">{escape(each.name)}</a></li>'
        for each in people
    ]
    title = "模拟微信：您是谁？"
    text = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
    return f"{text}<ul>{''.join(lines)}</ul>".encode()


async def _reply(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
