"""`/todo/{token}`: everything that is open for one member of staff, and the buttons of the cards for all of it.

Opened from a signed link in a message. A press is an event like a card's, handled in the same way, in one transaction.
"""

from typing import Literal, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.page import PRIVATE, Desk, Refused, admit, explain, read_form, show
from handlers import appeal, matters, press, todo
from rules.actions import Link
from rules.events import AppealDecided, CasesPressed, MattersPressed
from store.database import StoreUnavailable

Button = Literal["removed", "warned", "release", "release_company", "later"]
FOLDED_ABOVE = 20
"""With more people than this, groups are shown folded."""

MOST_CASES = 1000


def todo_page(desk: Desk) -> APIRouter:
    """The page, and where its form goes."""
    router = APIRouter()

    @router.get("/todo/{token}")
    async def look(request: Request, token: str) -> Response:
        try:
            return await _look(desk, request, admit(desk, request, "todo", token), token)
        except Refused as refused:
            return explain(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return explain(Refused(503, "away"))

    @router.post("/todo/{token}")
    async def pressed(request: Request, token: str) -> Response:
        try:
            link = admit(desk, request, "todo", token)
            form = await read_form(desk, request, "todo", token)
            pressed = form.get("press", [""])[0]
            if pressed.startswith("matter:"):
                said = await _done(desk, link, _case_number(pressed.removeprefix("matter:")))
            elif pressed.startswith("appeal:"):
                said = await _decide(desk, link, *pressed.removeprefix("appeal:").partition(":")[::2])
            else:
                said = await _press(desk, link, *_chosen(pressed, form.get("case", [])))
        except Refused as refused:
            return explain(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return explain(Refused(503, "away"))
        # Seen by a GET: going back, or loading the page again, presses nothing.
        place = f"#g-{quote(str(said['at']))}" if said.get("at") else ""
        return Response(status_code=303, headers={**PRIVATE, "location": f"?{urlencode(said)}{place}"})

    return router


async def _look(desk: Desk, request: Request, link: Link, token: str) -> Response:
    async with desk.store.read() as tx:
        groups, others = await todo.everything_for(tx, desk.rules.book, link.userid)
    opens = {}
    if desk.rules.book.removal.open_group:
        for group in groups:
            to_group = Link(page="open", userid=link.userid, issued_at=link.issued_at, chat_id=group.chat_id)
            opens[group.chat_id] = desk.links.token(to_group)
    appeals = {
        each.case_id: desk.links.url(
            Link(page="appeal", userid=each.external_userid, issued_at=link.issued_at, case_id=each.case_id)
        )
        for group in groups
        for each in group.people
    }
    total = sum(len(group.people) for group in groups)
    query = request.query_params
    return show(
        "todo.html",
        groups=groups,
        matters=others,
        total=total,
        folded=total > FOLDED_ABOVE,
        opens=opens,
        appeals=appeals,
        key=desk.links.form_key("todo", token),
        said=query.get("said", ""),
        at=query.get("at", ""),
        taken=_number(query.get("n")),
        over=_number(query.get("over")),
    )


def _number(text: str | None) -> int:
    return min(int(text), MOST_CASES) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def _chosen(value: str, ticked: list[str]) -> tuple[Button | None, tuple[int, ...]]:
    """Which button, and for whom: `removed` for all who are ticked, `removed:3,7` for these."""
    name, _, listed = value.partition(":")
    button = next((each for each in get_args(Button) if each == name), None)
    numbers = [_case_number(text) for text in (listed.split(",") if listed else ticked)]
    return button, tuple(dict.fromkeys(number for number in numbers if number))[:MOST_CASES]


def _case_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _done(desk: Desk, link: Link, matter_id: int) -> dict[str, str | int]:
    """Somebody says that a matter is done."""
    now = desk.clock.now()
    event = MattersPressed(at=now, userid=link.userid, matter_ids=(matter_id,))
    async with desk.store.write() as tx:
        await matters.handle(event, None, tx, desk.rules.book, now)
    logger.info("{} settled matter {} on the page", link.userid, matter_id)
    return {"said": "done"}


async def _decide(desk: Desk, link: Link, verdict: str, matter_id: str) -> dict[str, str | int]:
    """A manager has looked at an appeal."""
    if verdict not in ("release", "uphold"):
        return {"said": "nobody"}
    now = desk.clock.now()
    event = AppealDecided(
        at=now,
        userid=link.userid,
        matter_id=_case_number(matter_id),
        verdict="release" if verdict == "release" else "uphold",
    )
    async with desk.store.write() as tx:
        await appeal.handle(event, None, tx, desk.rules.book, now)
    desk.wake()
    logger.info("{} decided the appeal of matter {} on the page: {}", link.userid, matter_id, verdict)
    return {"said": "decided"}


async def _press(desk: Desk, link: Link, button: Button | None, case_ids: tuple[int, ...]) -> dict[str, str | int]:
    """Take the press. Returns what the page is to say of it."""
    if button is None or not case_ids:
        return {"said": "nobody"}
    now = desk.clock.now()
    event = CasesPressed(at=now, userid=link.userid, case_ids=case_ids, button=button)
    async with desk.store.write() as tx:
        theirs = await press.open_for_presser(tx, event)
        await press.handle(event, None, tx, desk.rules.book, now)
    desk.wake()
    places = {case.chat_id for case in theirs}
    logger.info("{} pressed {} on the page about {} case(s)", link.userid, button, len(theirs))
    return {
        "said": button,
        "n": len(theirs),
        "over": len(case_ids) - len(theirs),
        "at": places.pop() if len(places) == 1 else "",
    }
