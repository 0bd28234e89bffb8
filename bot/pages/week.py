"""`/week/{token}`: what became of the posts of some days, for one manager."""

from datetime import date, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.pages.page import Desk, Refused, admit, explained, show
from handlers import asking, post_report
from rules.actions import Link
from rules.events import PostReportDue
from rules.post_report import FATES, Report, say_days, say_late, say_not_out, say_reason

MOST_LINES = 60


def week_page(desk: Desk) -> APIRouter:
    """The page; it has no form."""
    router = APIRouter()

    @router.get("/week/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "week", token)
    first, last = _days(link.days)
    async with desk.store.read() as tx:
        if link.userid not in await asking.called(tx, desk.rules.book.managers, "managers"):
            raise Refused(410, "expired")
        report = await post_report.build(tx, PostReportDue(at=link.issued_at, first=first, last=last))
    page = Link(page="checkins", userid=link.userid, issued_at=link.issued_at)
    return _page(report, desk.links.url(page) if desk.rules.book.checkins else "")


def _days(written: str) -> tuple[date, date]:
    try:
        first, last = (datetime.strptime(each, "%Y-%m-%d").date() for each in written.split("~"))  # noqa: DTZ007  # a day
    except ValueError:
        raise Refused(404, "forged") from None
    return first, last


def _page(report: Report, checkins: str) -> Response:
    reasons = [say_reason(each) for each in report.reasons]
    return show(
        "week.html",
        days=say_days(report),
        report=report,
        counts=[(what, report.counts[fate]) for fate, what in FATES.items() if report.counts.get(fate)],
        late=[say_late(each) for each in report.late],
        reasons=reasons[:MOST_LINES],
        more=len(reasons) - MOST_LINES,
        not_out=[say_not_out(each) for each in report.not_out],
        checkins=checkins,
    )
