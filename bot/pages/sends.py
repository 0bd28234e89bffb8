"""`/sends/{token}`: what a member of staff is to send by hand: text and pictures to copy, and 已发 for each group."""

from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.content_files import file_answer, files_of
from bot.pages.page import PRIVATE, Desk, Number, Refused, admit, explained, read_form, show
from handlers import by_hand
from handlers.by_hand import ToSend
from rules.actions import Link
from rules.events import SendSaid
from store import sends


def sends_page(desk: Desk, folder: Path) -> APIRouter:
    """The page, its pictures (from `folder`), and where its form goes."""
    router = APIRouter()

    @router.get("/sends/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    @router.get("/sends/{token}/file/{send_id}/{place}")
    async def file(request: Request, token: str, send_id: Number, place: Number) -> Response:
        return await explained(_file(desk, folder, request, token, (send_id, place)))

    @router.post("/sends/{token}")
    async def pressed(request: Request, token: str) -> Response:
        return await explained(_pressed(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "sends", token)
    async with desk.store.read() as tx:
        theirs = await by_hand.open_for(tx, link.userid)
    return show(
        "sends.html",
        sends=theirs,
        files={each.send_id: files_of(each.attachments, f"{token}/file/{each.send_id}") for each in theirs},
        opens=_opens(desk, link, theirs),
        key=desk.links.form_key("sends", token),
        said=request.query_params.get("said", ""),
    )


async def _file(desk: Desk, folder: Path, request: Request, token: str, which: tuple[int, int]) -> Response:
    """`which`: of which send, and which of its attachments. Only for whom the send is."""
    link = admit(desk, request, "sends", token)
    async with desk.store.read() as tx:
        row = await sends.send(tx, which[0])
    if row is None or row.sender != link.userid:
        raise Refused(404, "forged")
    return file_answer(folder, by_hand.attachments_of(row), which[1])


async def _pressed(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "sends", token)
    form = await read_form(desk, request, "sends", token)
    said = await _press(desk, link, form.get("press", [""])[0])
    return Response(status_code=303, headers={**PRIVATE, "location": f"?{urlencode(said)}"})


def _opens(desk: Desk, link: Link, theirs: list[ToSend]) -> dict[str, str]:
    """chat_id → the token that opens this group's chat, where the config wants such buttons."""
    if not desk.rules.book.removal.open_group:
        return {}
    return {
        chat_id: desk.links.token(Link(page="open", userid=link.userid, issued_at=link.issued_at, chat_id=chat_id))
        for each in theirs
        for chat_id in each.groups
    }


async def _press(desk: Desk, link: Link, pressed: str) -> dict[str, str]:
    """`said:{send}:{chat}`: sent to this group; `said:{send}`: to all of them."""
    what, _, rest = pressed.partition(":")
    number, _, chat_id = rest.partition(":")
    if what != "said" or not (number.isascii() and number.isdigit() and len(number) < 12):
        return {}
    now = desk.clock.now()
    async with desk.store.write() as tx:
        row = await sends.send(tx, int(number), lock=True)
        if row is None or row.sender != link.userid:
            return {}
        chat_ids = (chat_id,) if chat_id else tuple(row.targets)
        event = SendSaid(at=now, userid=link.userid, send_id=row.id, chat_ids=chat_ids)
        await by_hand.handle(event, None, tx, desk.rules.book, now)
    desk.wake()
    logger.info("{} says that send {} is out in {} group(s)", link.userid, number, len(chat_ids))
    return {"said": "sent"}
