"""`/appeal/{token}`: somebody who was warned, removed or blocked says that it is a mistake. Once for each case."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages import guest
from bot.pages.page import PRIVATE, Desk, Refused, admit, apologise, read_form, show
from handlers import appeal
from rules.actions import Link
from rules.events import AppealMade
from store import history
from store.database import Clash, StoreUnavailable, Tx
from store.removal import CaseRow

_TRIES = 3  # where two transactions stood in each other's way


def appeal_page(desk: Desk) -> APIRouter:
    """The page, and where its form goes."""
    router = APIRouter()

    @router.get("/appeal/{token}")
    async def look(request: Request, token: str) -> Response:
        try:
            return await _look(desk, admit(desk, request, "appeal", token), token, request.query_params.get("said", ""))
        except Refused as refused:
            return apologise(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return apologise(Refused(503, "later"))

    @router.post("/appeal/{token}")
    async def sent(request: Request, token: str) -> Response:
        try:
            link = admit(desk, request, "appeal", token)
            form = await read_form(desk, request, "appeal", token)
            text = guest.written(form, "text", appeal.MOST_WORDS)
            if text:
                await _take(desk, link, text)
        except Refused as refused:
            return apologise(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return apologise(Refused(503, "later"))
        # Seen by a GET, which shows how far the appeal is by what is in the store.
        return Response(status_code=303, headers={**PRIVATE, "location": "?" if text else "?said=empty"})

    return router


async def _case(tx: Tx, link: Link) -> CaseRow:
    """The case that the link is for. Raises Refused. Locks nothing."""
    case = await history.case(tx, link.case_id)
    if case is None or case.external_userid != link.userid:
        raise Refused(410, "no_case")
    return case


async def _look(desk: Desk, link: Link, token: str, said: str) -> Response:
    async with desk.store.read() as tx:
        case = await _case(tx, link)
        group, _ = await history.names_of(tx, case)
        state = await appeal.state(tx, case)
    return show(
        "appeal.html",
        group="" if group == case.chat_id else group,
        since=case.opened_at,
        number=case.number,
        state=state,
        said=said,
        most_words=appeal.MOST_WORDS,
        key=desk.links.form_key("appeal", token),
    )


async def _take(desk: Desk, link: Link, text: str) -> None:
    """Take the appeal; a second one about the same case changes nothing."""
    for tries_left in reversed(range(_TRIES)):
        now = desk.clock.now()
        event = AppealMade(at=now, external_userid=link.userid, case_id=link.case_id, text=text)
        try:
            async with desk.store.write() as tx:
                await _case(tx, link)
                await appeal.handle(event, None, tx, desk.rules.book, now)
            break
        except Clash:
            if not tries_left:
                raise Refused(503, "later") from None
    desk.wake()
    logger.info("an appeal about case #{} has come", link.case_id)
