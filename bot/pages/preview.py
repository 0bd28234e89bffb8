"""`/preview/{token}`: a post before it goes out, as it will look, with 通过, 改期 and 取消."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.content_files import file_answer, files_of
from bot.pages.page import PRIVATE, Desk, Number, Refused, admit, explained, read_form, show
from handlers import post_preview, posts
from handlers.post_preview import Preview
from rules.actions import Link
from rules.clock import BEIJING
from rules.events import PostDecided

MOST_VARIANTS = 8
"""So many wordings are shown; with more the text differs from group to group anyway."""


def preview_page(desk: Desk, folder: Path) -> APIRouter:
    """The page, its pictures (from `folder`), and where its form goes."""
    router = APIRouter()

    @router.get("/preview/{token}")
    async def look(request: Request, token: str) -> Response:
        return await explained(_look(desk, request, token))

    @router.get("/preview/{token}/file/{variant}/{place}")
    async def file(request: Request, token: str, variant: Number, place: Number) -> Response:
        return await explained(_file(desk, folder, request, token, (variant, place)))

    @router.post("/preview/{token}")
    async def pressed(request: Request, token: str) -> Response:
        return await explained(_pressed(desk, request, token))

    return router


async def _look(desk: Desk, request: Request, token: str) -> Response:
    preview = await _preview(desk, admit(desk, request, "preview", token))
    return _page(desk, token, preview, request.query_params.get("said", ""))


async def _file(desk: Desk, folder: Path, request: Request, token: str, which: tuple[int, int]) -> Response:
    """`which`: of which wording, and which of its attachments."""
    preview = await _preview(desk, admit(desk, request, "preview", token))
    variant, place = which
    if not 0 <= variant < len(preview.variants):
        raise Refused(404, "forged")
    return file_answer(folder, preview.variants[variant].attachments, place)


async def _pressed(desk: Desk, request: Request, token: str) -> Response:
    link = admit(desk, request, "preview", token)
    form = await read_form(desk, request, "preview", token)
    said = await _decide(desk, link, form.get("press", [""])[0], form.get("when", [""])[0])
    return Response(status_code=303, headers={**PRIVATE, "location": f"?{urlencode({'said': said})}"})


async def _preview(desk: Desk, link: Link) -> Preview:
    async with desk.store.read() as tx:
        found = await post_preview.look(tx, desk.rules.book, link.post_id, link.userid)
    if found is None:
        raise Refused(410, "expired")
    return found


def _page(desk: Desk, token: str, preview: Preview, said: str) -> Response:
    shown = [
        {**each._asdict(), "files": files_of(each.attachments, f"{token}/file/{place}")}
        for place, each in enumerate(preview.variants[:MOST_VARIANTS])
    ]
    return show(
        "preview.html",
        name=preview.name,
        say_at=preview.say_at,
        state=preview.state,
        to_staff=preview.to_staff,
        total=preview.total,
        variants=shown,
        more=len(preview.variants) - len(shown),
        verdicts=preview.verdicts,
        moved_to=preview.say_at.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M"),
        key=desk.links.form_key("preview", token),
        said=said,
    )


async def _decide(desk: Desk, link: Link, pressed: str, when: str) -> str:
    """Take the verdict. Returns what the page is to say of it."""
    now = desk.clock.now()
    say_at = _moment(when) if pressed == "move" else None
    if pressed == "move" and not posts.may_move_to(say_at, now):
        return "when"
    if pressed not in (await _preview(desk, link)).verdicts:
        return "nobody"
    values = {"at": now, "userid": link.userid, "post_id": link.post_id, "verdict": pressed, "say_at": say_at}
    async with desk.store.write() as tx:
        await posts.handle(PostDecided.model_validate(values), None, tx, desk.rules.book, now)
    desk.wake()
    logger.info("{} decided about post {} on the page: {}", link.userid, link.post_id, pressed)
    return pressed


def _moment(text: str) -> datetime | None:
    """`2026-12-24T19:00` of a form, Beijing's, in UTC; None where it is nothing of the kind."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        return None
