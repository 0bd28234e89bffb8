"""`/redeem/{token}`: staff tick off a coupon in the shop (到店核销): type the code, see what it is, hand it over."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.page import PRIVATE, Desk, admit, explained, read_form, show
from handlers import coupons
from rules.events import CouponRedeemed

SAID_FOR = 120  # seconds


def redeem_page(desk: Desk) -> APIRouter:
    """The page, and where its form goes."""
    router = APIRouter()

    @router.get("/redeem/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    @router.post("/redeem/{token}")
    async def pressed(request: Request, token: str) -> Response:
        return await explained(_pressed(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    admit(desk, request, "redeem", token)
    code = coupons.tidy(request.query_params.get("code", ""))
    async with desk.store.read() as tx:
        coupon = await coupons.look(tx, code, desk.clock.now()) if code else None
    said = _said(desk, request.query_params.get("said", ""), code)
    return show("redeem.html", code=code, coupon=coupon, said=said, key=desk.links.form_key("redeem", token))


async def _pressed(desk: Desk, request: Request, token: str) -> Response:
    """Seen by a GET afterwards: loading the page again ticks nothing off."""
    link = admit(desk, request, "redeem", token)
    form = await read_form(desk, request, "redeem", token)
    code, now = coupons.tidy(form.get("code", [""])[0]), desk.clock.now()
    async with desk.store.write() as tx:
        event = CouponRedeemed(at=now, userid=link.userid, code=code)
        [decision] = await coupons.handle(event, None, tx, desk.rules.book, now)
    logger.info("{} ticks off a coupon: {}", link.userid, decision.verdict)
    said = desk.links.seal("redeem-said", [decision.verdict, code, int(now.timestamp())])
    return Response(status_code=303, headers={**PRIVATE, "location": f"?{urlencode({'said': said, 'code': code})}"})


def _said(desk: Desk, sealed: str, code: str) -> str:
    """ "done": this very code was ticked off here a moment ago. A page that a phone opens again later does not say so:
    somebody might hand the gift over a second time.
    """
    match desk.links.unseal("redeem-said", sealed):
        case ["hit", str(ticked), int(at)] if ticked == code and desk.clock.now().timestamp() < at + SAID_FOR:
            return "done"
    return ""
