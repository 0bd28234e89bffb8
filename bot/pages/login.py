"""`/login/…`: where WeChat, WeCom and the 公众号 send people back to, with a code that says who they are.

`/login/back` takes the code, finds the visitor, and sends them on to the page they came from. `/login/again` has them
say anew who they are; `/login/confirm` has the 公众号 ask them, upon their press; `/login/lend` and `/login/borrow` are
in bot/pages/lending.py.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.lending import lend, take_back
from bot.pages.network import network
from bot.pages.page import show
from bot.pages.visitor import (
    COOKIE,
    LOGIN_LIFE,
    Begun,
    Front,
    Said,
    Step,
    Stopped,
    begin,
    client_of,
    in_cookie,
    is_own,
    keep_begun,
    login_cookie,
    redirect,
    remember,
)
from handlers import identity
from rules.identity import Proof, is_other_company
from store import identities
from store.database import Clash, StoreUnavailable, Tx
from wecom import lookups
from wecom.errors import PlatformError

_GUESSED = ("lost", "expired")  # no login of this browser's, or a code that names nobody: many of them are tried out
_TRIES = 3  # where two transactions stood in each other's way


def login_pages(front: Front) -> APIRouter:
    """The addresses. None of them shows anything, but where a login came to nothing."""
    router = APIRouter()

    @router.get("/login/back")
    async def back(request: Request) -> Response:
        return await _answered(front, request, _come_back)

    @router.get("/login/again")
    async def again(request: Request) -> Response:
        return await _answered(front, request, _again)

    @router.get("/login/confirm")
    async def confirm(request: Request) -> Response:
        return await _answered(front, request, _confirm)

    @router.get("/login/lend")
    async def lends(request: Request) -> Response:
        return await _answered(front, request, lend)

    @router.get("/login/borrow")
    async def borrows(request: Request) -> Response:
        return await _answered(front, request, take_back)

    return router


async def _answered(front: Front, request: Request, work: Callable[[Front, Request], Awaitable[Response]]) -> Response:
    asker = network(request)
    try:
        if front.lost.locks(asker) or not front.logins.allows(asker):
            raise Stopped(429, "busy")
        return await work(front, request)
    except Stopped as stopped:
        if stopped.why in _GUESSED:
            front.lost.wrong(asker)
        again = f"{stopped.base or front.desk.links.public_url}{stopped.path}" if stopped.path else ""
        return show("login.html", stopped.status, why=stopped.why, again=again)
    except StoreUnavailable as error:
        logger.error("the database is not available for a login: {}", error)
        return show("login.html", 503, why="later", again="")


async def _again(front: Front, request: Request) -> Response:
    """`?to=` a page of ours: forget who this browser was."""
    response = redirect(f"{front.desk.links.public_url}{_to(request)}")
    response.delete_cookie(COOKIE)
    return response


async def _confirm(front: Front, request: Request) -> Response:
    """`?to=` a page of ours: have the 公众号 ask who this is, so that a unionid is told."""
    path, said = _to(request), in_cookie(front, request)
    if front.mp is None or said is None or said.kind != "customer":
        return redirect(f"{front.desk.links.public_url}{path}")
    return begin(front, path, "mp", said.home, ask=True)


def _to(request: Request) -> str:
    path = request.query_params.get("to", "")
    if not is_own(path):
        raise Stopped(403, "lost")
    return path


# --- back with a code -------------------------------------------------------------------------------------------------


async def _come_back(front: Front, request: Request) -> Response:
    begun = _begun(front, request)
    if begun.done:  # they went back, or loaded it again: their code is used, and who they are is known
        return _onward(front, begun)
    code = request.query_params.get("code", "")
    if begun.step == "mp":
        return await _from_mp(front, begun, code)
    if not code:
        raise Stopped(403, "denied", begun.path)
    return await _from_wecom(front, request, begun, code)


def _begun(front: Front, request: Request) -> Begun:
    """The login of this browser that the state belongs to. Raises Stopped."""
    state = request.query_params.get("state", "")
    match front.desk.links.unseal("login", request.cookies.get(login_cookie(state), "")):
        case [str(kept), str(path), str(step), int(home), int(done), int(issued_at)] if state and kept == state:
            pass
        case _:
            raise Stopped(403, "lost")
    if front.desk.clock.now() - datetime.fromtimestamp(issued_at, UTC) > LOGIN_LIFE:
        raise Stopped(410, "expired", path)
    return Begun(state, path, cast("Step", step), home, bool(done))


def _onward(front: Front, begun: Begun) -> Response:
    """To the page; the state is used up."""
    response = redirect(f"{front.desk.links.public_url}{begun.path}")
    keep_begun(front, response, Begun(begun.state, begun.path, begun.step, begun.home, done=True))
    return response


async def _from_wecom(front: Front, request: Request, begun: Begun, code: str) -> Response:
    try:
        login = await _login(front, code)
    except PlatformError as error:
        raise _stopped(error, begun) from None
    response = _onward(front, begun)
    if login.userid:
        return remember(front, request, response, Said("staff", userid=login.userid))
    if client_of(request) == "wecom" or is_other_company(login.external_userid):
        return remember(front, request, response, Said("other_company"))
    proofs = [Proof(kind="openid", value=login.openid, appid=front.corp_id, evidence="oauth")]
    if login.external_userid:
        proofs.append(Proof(kind="external_userid", value=login.external_userid, evidence="oauth"))
    home, unsure = await _arrive(front, proofs)
    if unsure and front.mp is not None:
        response = begin(front, begun.path, "mp", home)
        keep_begun(front, response, Begun(begun.state, begun.path, begun.step, home, done=True))
    return remember(front, request, response, Said("customer", home))


async def _login(front: Front, code: str) -> lookups.Login:
    """Asked a second time where WeCom is busy: somebody waits, and the code may still be good. Raises PlatformError."""
    try:
        return await lookups.login(front.wecom, code)
    except PlatformError as error:
        if error.treatment != "retry":
            raise
        logger.warning("asking once more who opens a page: {}", error)
        busy = error.again()
    try:
        return await lookups.login(front.wecom, code)
    except PlatformError as second:
        # A code is good for one question. Where that was answered and the answer was lost, it is no fault of theirs.
        raise (busy if second.treatment == "refused" else second) from None


async def _from_mp(front: Front, begun: Begun, code: str) -> Response:
    """Whatever goes wrong here, the page opens: who it is is known already, only not by all names."""
    if front.mp is None or not code:
        return _onward(front, begun)
    try:
        login = await front.mp.login(code)
    except PlatformError as error:
        logger.log("ERROR" if error.treatment == "alert" else "WARNING", "the 公众号 did not say who it is: {}", error)
        return _onward(front, begun)
    if login is not None:
        proofs = [Proof(kind="openid", value=login.openid, appid=front.mp.app_id, evidence="same_login")]
        if login.unionid:
            proofs.append(Proof(kind="unionid", value=login.unionid, evidence="mp_oauth"))
        await _write(front, lambda tx: identity.arrived_by_mp(tx, begun.home, proofs, now=front.desk.clock.now()))
    return _onward(front, begun)


async def _arrive(front: Front, proofs: Sequence[Proof]) -> tuple[int, bool]:
    """The row of the proof that was shown; and whether it would help to ask the 公众号."""
    result: list[tuple[int, bool]] = []

    async def arrive(tx: Tx) -> None:
        visitor = await identity.arrived(tx, proofs, now=front.desk.clock.now())
        row = await identities.find(tx, proofs[0])
        assert row is not None  # noqa: S101 - it has just been written
        known = await identities.external_of(tx, visitor.visitor_id)
        asked = front.mp and await identities.openid_of(tx, visitor.visitor_id, front.mp.app_id)
        result[:] = [(row.home, not known and not asked)]

    await _write(front, arrive)
    return result[0]


async def _write(front: Front, work: Callable[[Tx], Awaitable[object]]) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            async with front.desk.store.write() as tx:
                await work(tx)
            break
        except Clash:
            if not tries_left:
                raise Stopped(503, "later") from None
    front.desk.wake()


def _stopped(error: PlatformError, begun: Begun) -> Stopped:
    if error.treatment == "refused":
        return Stopped(410, "expired", begun.path)
    logger.log("ERROR" if error.treatment == "alert" else "WARNING", "nobody says who opens a page: {}", error)
    return Stopped(503, "away", begun.path)
