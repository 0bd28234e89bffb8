"""`/winners/{token}`: who has won in one draw, by name, and how far each prize is; for managers and groups' owners."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.pages.page import Desk, Refused, admit, explained, show
from handlers.draw_news import who_may_see
from handlers.draw_view import winners_of
from store import draws


def winners_page(desk: Desk) -> APIRouter:
    """The page; it has no form."""
    router = APIRouter()

    @router.get("/winners/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "winners", token)
    async with desk.store.read() as tx:
        row = await draws.draw(tx, link.post_id)
        if row is None or link.userid not in await who_may_see(tx, desk.rules.book, row):
            raise Refused(410, "expired")
        found = await winners_of(tx, row)
    return show("winners.html", row=row, title=found.title, lines=found.lines, passed_on=found.passed_on)
