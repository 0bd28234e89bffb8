"""`/d/{name}`: a draw. Its rules, how long until it opens, closes and is drawn, who takes part, what came of it.

On the campaign address. Nothing on it needs a script. Entering and claiming are forms; what they come to is seen by a
GET, so pressing twice, going back and loading again are the same as pressing once. `?show=check`: the steps of the
check, worked out anew; `/d/proof/{number}.json`: the file that anybody can check by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from bot.pages.campaign import apologised
from bot.pages.page import PRIVATE, Number, Refused, read_form, show
from bot.pages.throttle import Throttle
from bot.pages.visitor import Front, Someone, ask_mp, turned_away, who_is_there
from handlers import draw_entry, prizes
from handlers.draw_pick import proof_of
from handlers.draw_view import View, view
from rules.draw_proof import verify
from rules.events import DrawEntered, PrizeClaimed
from store import draws
from store.database import Clash

_TRIES = 5  # where two transactions stood in each other's way
SOONEST, RARELY = 2, 60  # seconds until a page looks again
MOST_LINES = 200
MOST_CHECKED = 50_000
"""Entrants up to whom the page works everything out anew; beyond it the file is for those who want to know."""


def draw_page(front: Front, crowd: Throttle) -> APIRouter:
    """All addresses. `crowd`: how often one network may ask."""
    router = APIRouter()

    @router.get("/d/proof/{number}.json")
    async def proof(request: Request, number: Number) -> Response:
        return await apologised(crowd, request, lambda: _proof(front, number), "a draw")

    @router.get("/d/{name}")
    async def look(request: Request, name: str) -> Response:
        return await apologised(crowd, request, lambda: _look(front, request, name), "a draw")

    @router.post("/d/{name}")
    async def press(request: Request, name: str) -> Response:
        return await apologised(crowd, request, lambda: _press(front, request, name), "a draw")

    return router


# --- looking ----------------------------------------------------------------------------------------------------------


async def _look(front: Front, request: Request, name: str) -> Response:
    who = await _admit(front, request)
    if isinstance(who, Response):
        return who
    now = front.desk.clock.now()
    async with front.desk.store.read() as tx:
        found = await view(tx, name, who.visitor_id, now=now)
        if found is None:
            raise Refused(404, "no_draw")
        wanted = request.query_params.get("show") == "check" and found.row.entrants <= MOST_CHECKED
        is_there = wanted and found.row.drawn_at is not None and found.stage in ("drawn", "over")
        proof = await proof_of(tx, found.row) if is_there else None
    # Beside the loop: of many entrants it takes a while, and everybody else waits for theirs.
    checks = await asyncio.to_thread(verify, proof.model_dump()) if proof else []
    return show(
        "draw.html",
        it=found,
        row=found.row,
        draw=found.draw,
        now=now,
        staff=who.kind == "staff",
        said=_said(front, request),
        lines=[line for place, line in enumerate(found.lines) if place < MOST_LINES or line.mine],
        checks=checks,
        until=_until(found),
        left=_left(found, now),
        to_draw=say_left(found.row.draw_at - now),
        can_check=found.row.entrants <= MOST_CHECKED,
        after=_look_again(found, now),
        contact=_contact(front),
        key=front.desk.links.form_key("draw", _form_of(name, who)),
    )


async def _admit(front: Front, request: Request) -> Someone | Response:
    """A customer; staff may look. Everybody else is told to use WeChat."""
    who = await who_is_there(front, request, campaign=True)
    if isinstance(who, Response):
        return who
    if who.kind not in ("customer", "staff"):
        return turned_away(front, who)
    guest = f"draw:{who.visitor_id}" if who.kind == "customer" else f"draw:{who.userid}"
    if not front.desk.guests.allows(guest):
        raise Refused(429, "busy")
    return who


def _form_of(name: str, who: Someone) -> str:
    return f"{name}:{who.visitor_id or who.userid}"


def _until(found: View) -> datetime | None:
    """What everybody waits for."""
    row = found.row
    return {"soon": row.open_at, "open": row.close_at, "waiting": row.draw_at}.get(found.stage)


def _left(found: View, now: datetime) -> str:
    """`2 天 3 小时`, `5 分钟`, `20 秒`: how long until then."""
    until = _until(found)
    return say_left(until - now) if until else ""


def say_left(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} 天 {hours} 小时"
    if hours:
        return f"{hours} 小时 {minutes} 分钟"
    return f"{minutes} 分钟" if minutes else f"{seconds} 秒"


def _look_again(found: View, now: datetime) -> int:
    """Seconds until the page looks again by itself; 0: it does not."""
    until = _until(found)
    if until is None:
        return 0
    return min(RARELY, max(SOONEST, int((until - now).total_seconds()) + 1))


def _contact(front: Front) -> str:
    """The entrance by which people add staff, who then know them by name; "" where there is none."""
    found = next((each for each in front.desk.rules.book.entrances if each.via == "contact"), None)
    return f"{front.desk.links.public_url}/e/{found.name}" if found else ""


def _said(front: Front, request: Request) -> str:
    """What the form of a moment ago came to: ours, not whoever's made up the address."""
    match front.desk.links.unseal("draw-said", request.query_params.get("said", "")):
        case [str(text)]:
            return text
    return ""


# --- pressing ---------------------------------------------------------------------------------------------------------


async def _press(front: Front, request: Request, name: str) -> Response:
    who = await _admit(front, request)
    if isinstance(who, Response):
        return who
    form = await read_form(front.desk, request, "draw", _form_of(name, who), base=front.campaign_url)
    if who.kind != "customer":
        raise Refused(403, "foreign")
    draw_id, act, answer = (form.get(each, [""])[0] for each in ("draw", "act", "answer"))
    if not (draw_id.isascii() and draw_id.isdigit() and len(draw_id) < 15):
        raise Refused(400, "foreign")
    claims = act == "claim"
    if claims:
        because = await _claim(front, int(draw_id), who.visitor_id)
    else:
        because = await _enter(front, int(draw_id), who.visitor_id, answer)
    front.desk.wake()
    asks = claims and because == prizes.NEEDS_OPENID
    if asks and (response := ask_mp(front, request, f"/d/{quote(name)}")) is not None:
        return response
    query = f"?{urlencode({'said': front.desk.links.seal('draw-said', [because])})}" if because else ""
    return Response(status_code=303, headers={**PRIVATE, "location": f"{quote(name)}{query}"})


async def _enter(front: Front, draw_id: int, visitor_id: int, answer: str) -> str:
    """Why not; "" where they take part."""
    desk = front.desk

    async def once() -> str:
        now = desk.clock.now()
        event = DrawEntered(at=now, draw_id=draw_id, visitor_id=visitor_id, answer=answer)
        seen = await draw_entry.look_up(event, front.wecom, desk.store, now)
        if seen.answer is not None:
            return seen.answer
        async with desk.store.write() as tx:
            return _why(await draw_entry.handle(event, seen, tx, desk.rules.book, now))

    return await _tried(once)


async def _claim(front: Front, draw_id: int, visitor_id: int) -> str:
    """Why not; "" where the prize is on its way."""
    desk = front.desk

    async def once() -> str:
        now = desk.clock.now()
        event = PrizeClaimed(at=now, draw_id=draw_id, visitor_id=visitor_id)
        seen = await prizes.look_up(event, front.wecom, desk.store, now)
        async with desk.store.write() as tx:
            return _why(await prizes.handle(event, seen, tx, desk.rules.book, now))

    return await _tried(once)


async def _tried(once: Callable[[], Awaitable[str]]) -> str:
    for _ in range(_TRIES):
        try:
            return await once()
        except Clash:
            continue
    raise Refused(503, "away")


def _why(decisions: list[Any]) -> str:
    if not decisions:
        raise Refused(404, "no_draw")
    return decisions[0].because if decisions[0].verdict == "miss" else ""


# --- the proof --------------------------------------------------------------------------------------------------------


async def _proof(front: Front, number: int) -> Response:
    async with front.desk.store.read() as tx:
        row = await draws.draw(tx, number)
        try:
            proof = await proof_of(tx, row) if row else None
        except LookupError:
            proof = None
    if proof is None or row is None:
        raise Refused(404, "no_draw")
    name = f"{row.name}-{row.id}.json"
    return JSONResponse(
        proof.model_dump(), headers={**PRIVATE, "content-disposition": f'attachment; filename="{name}"'}
    )
