"""`/checkins/{token}`: how far everybody got in each check-in, for one manager."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from bot.checkins.words import GIVEN, REWARDS
from bot.pages.checkin_chart import chart
from bot.pages.page import Desk, Refused, admit, explained, show
from handlers import asking, checkin_report
from rules.checkin_report import STATES, say_share, say_stopped
from rules.money import say_money

SHOWN = 12  # cohorts, the newest


def checkin_report_page(desk: Desk) -> APIRouter:
    """The page; it has no form."""
    router = APIRouter()

    @router.get("/checkins/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "checkins", token)
    book = desk.rules.book
    async with desk.store.read() as tx:
        if link.userid not in await asking.called(tx, book.managers, "managers"):
            raise Refused(410, "expired")
        found = [await checkin_report.build(tx, each, now=desk.clock.now()) for each in book.checkins]
    return show(
        "checkins.html",
        found=[(each, Markup(chart(each.total, each.title))) for each in found],  # noqa: S704  # escaped where it is made
        states=STATES,
        shown=SHOWN,
        say_share=say_share,
        say_stopped=say_stopped,
        say_money=say_money,
        rewards=REWARDS,
        given=GIVEN,
    )
