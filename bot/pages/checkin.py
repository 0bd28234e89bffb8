"""`/c/{name}`: a check-in. Today's theme and one button; the calendar, the streak, what can still be made up for; rules
and what is kept of people. For staff: their customers, for whom they can check in.

On the campaign address. Nothing on it needs a script. What the form came to is seen by a GET, so pressing twice, going
back and loading again are the same as pressing once.
"""

from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.pages.campaign import apologised
from bot.pages.page import PRIVATE, Number, Refused, must_come_from, read_form, show
from bot.pages.throttle import Throttle
from bot.pages.uploads import Photo, read_upload
from bot.pages.visitor import Front, Someone, ask_mp, turned_away, who_is_there
from handlers import checkins, journeys
from handlers.checkin_view import View, lines_for, view
from handlers.journeys import Seen
from rules.checkin_days import date_of
from rules.checkin_words import privacy_of, say_day
from rules.checkins import MOST_WORDS, PICTURE, Checkin
from rules.decision import Decision
from rules.events import CheckedIn, CheckinUndone, LeaveTaken, MadeUp, OptedOut
from rules.lanes import NORMAL
from store import checkin_pictures, inbox
from store import checkins as rows
from store.database import Clash, Tx

_TRIES = 5  # where two transactions stood in each other's way
MOST_LINES = 50
_WISHES = {"quiet": "no_reminders", "remind": "reminders", "out": "leave", "back": "return"}
Form = Mapping[str, list[str]]


def checkin_page(front: Front, crowd: Throttle) -> APIRouter:
    """All addresses. `crowd`: how often one network may ask."""
    router = APIRouter()

    @router.get("/c/{name}")
    async def look(request: Request, name: str) -> Response:
        return await apologised(crowd, request, lambda: _look(front, request, name), "a check-in")

    @router.get("/c/{name}/picture/{whose}/{digest}")
    async def picture(request: Request, name: str, whose: Number, digest: str) -> Response:
        return await apologised(crowd, request, lambda: _picture(front, request, name, digest, whose), "a check-in")

    @router.post("/c/{name}")
    async def press(request: Request, name: str) -> Response:
        return await apologised(crowd, request, lambda: _press(front, request, name), "a check-in")

    return router


async def _admit(front: Front, request: Request, name: str) -> tuple[Someone, Checkin] | Response:
    """A customer, or one of our staff. Everybody else is told to use WeChat."""
    checkin = front.desk.rules.book.checkin(name)
    if checkin is None:
        raise Refused(404, "no_checkin")
    who = await who_is_there(front, request, campaign=True)
    if isinstance(who, Response):
        return who
    if who.kind not in ("customer", "staff"):
        return turned_away(front, who)
    if not front.desk.guests.allows(f"checkin:{who.visitor_id or who.userid}"):
        raise Refused(429, "busy")
    return who, checkin


def _form_of(name: str, who: Someone) -> str:
    return f"{name}:{who.visitor_id or who.userid}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# --- looking ----------------------------------------------------------------------------------------------------------


async def _look(front: Front, request: Request, name: str) -> Response:
    admitted = await _admit(front, request, name)
    if isinstance(admitted, Response):
        return admitted
    who, checkin = admitted
    now = front.desk.clock.now()
    key = front.desk.links.form_key("checkin", _form_of(name, who))
    said = _said(front, request)
    if who.kind == "staff":
        sought = request.query_params.get("q", "").strip()[:40]
        async with front.desk.store.read() as tx:
            lines = await lines_for(tx, checkin, who.userid, sought=sought, at_most=MOST_LINES, now=now)
        return show("checkin_staff.html", checkin=checkin, lines=lines, said=said, key=key, sought=sought)
    make_up = _day(request.query_params.get("makeup", ""))
    async with front.desk.store.read() as tx:
        found = await view(tx, front.desk.rules.book, checkin, who.visitor_id, make_up=make_up, now=now)
    return show(
        "checkin.html",
        it=found,
        checkin=checkin,
        said=said,
        key=key,
        headline=_headline(checkin, found),
        contact=_contact(front),
        rules=found.rules,
        privacy=privacy_of(checkin.contact or "您的导购"),
        say_day=say_day,
        today=date_of(now),
        public_url=front.desk.links.public_url,
        by_mp=front.mp is not None,
        most_words=MOST_WORDS,
    )


def _headline(checkin: Checkin, found: View) -> str:
    """The one sentence under the title."""
    state = found.state
    row = f"已连续 {state.streak} 天" if checkin.count == "consecutive" else f"已累计 {state.counted} 天"
    if checkin.count == "consecutive" and state.streak == 0:
        row = f"打了 {state.counted} 天，没关系，今天接着打"
    return {
        "new": f"一共 {checkin.target} 天，今天开始第 1 天",
        "soon": f"{say_day(found.started_on)}开始，到时候再来",
        "open": row if state.counted else f"一共 {checkin.target} 天，打第一次卡吧",
        "done_today": f"今天打过卡了，{row}",
        "graduated": f"恭喜毕业，您打满了 {checkin.target} 天",
        "over": f"这一期结束了，您一共打了 {state.counted} 天",
        "opted_out": "您已经退出了这个打卡",
    }[found.stage]


def _contact(front: Front) -> str:
    """The entrance by which people add staff, who then know them by name; "" where there is none."""
    found = next((each for each in front.desk.rules.book.entrances if each.via == "contact"), None)
    return f"{front.desk.links.public_url}/e/{found.name}" if found else ""


def _said(front: Front, request: Request) -> str:
    """What the form of a moment ago came to: ours, not whoever's made up the address."""
    match front.desk.links.unseal("checkin-said", request.query_params.get("said", "")):
        case [str(text)]:
            return text
    return ""


async def _picture(front: Front, request: Request, name: str, digest: str, whose: int) -> Response:
    """A picture, for the one whose it is and for staff of their group."""
    admitted = await _admit(front, request, name)
    if isinstance(admitted, Response):
        return admitted
    who, _ = admitted
    async with front.desk.store.read() as tx:
        visitor_id = who.visitor_id
        if who.kind == "staff":
            row = await rows.of_visitor(tx, name, whose)
            shared = row is not None and row.chat_id in await rows.groups_with(tx, who.userid)
            visitor_id = whose if shared else 0
        found = await checkin_pictures.picture(tx, visitor_id, digest)
    if found is None:
        raise Refused(404, "no_checkin")
    return Response(found, media_type="image/jpeg", headers=PRIVATE)


# --- pressing ---------------------------------------------------------------------------------------------------------


async def _press(front: Front, request: Request, name: str) -> Response:
    admitted = await _admit(front, request, name)
    if isinstance(admitted, Response):
        return admitted
    who, _ = admitted
    form, photo = await _form(front, request, _form_of(name, who))
    if who.kind == "staff":
        said = await _for_somebody(front, name, who.userid, form)
    else:
        if _one(form, "act") == "openid" and (response := ask_mp(front, request, f"/c/{quote(name)}")) is not None:
            return response
        said = await _do(front, name, who.visitor_id, form, photo)
    front.desk.wake()
    query = f"?{urlencode({'said': front.desk.links.seal('checkin-said', [said])})}" if said else ""
    return Response(status_code=303, headers={**PRIVATE, "location": f"{quote(name)}{query}"})


async def _form(front: Front, request: Request, token: str) -> tuple[Form, Photo | None]:
    """What our own form sent, and the picture with it."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await read_form(front.desk, request, "checkin", token, base=front.campaign_url), None
    must_come_from(front.campaign_url, request)
    form, photo = await read_upload(request)
    if not front.desk.links.is_form_key("checkin", token, _one(form, "key")):
        raise Refused(403, "foreign")
    return form, photo


async def _do(front: Front, name: str, visitor_id: int, form: Form, photo: Photo | None) -> str:
    """Why not; "" where it is done."""
    desk = front.desk
    act, on = _one(form, "act"), _day(_one(form, "on"))
    for _ in range(_TRIES):
        now = desk.clock.now()
        who = {"at": now, "checkin": name, "visitor_id": visitor_id}
        evidence = f"{PICTURE}{photo.digest}" if photo else _one(form, "evidence").strip()[:MOST_WORDS]
        words = {"evidence": evidence, "answer": _one(form, "answer")}
        try:
            if act in _WISHES:
                wish = OptedOut.model_validate({**who, "wish": _WISHES[act]})
                async with desk.store.write() as tx:
                    return _why(await journeys.handle(wish, Seen(), tx, desk.rules.book, now))
            deed = _deed(act, who, on, words)
            seen = await checkins.look_up(deed, front.wecom, desk.store, now)
            async with desk.store.write() as tx:
                because = _why(await checkins.handle(deed, seen, tx, desk.rules.book, now))
                if photo is not None and not because:
                    await _keep(tx, name, visitor_id, photo, now)
                return because
        except Clash:
            continue
    raise Refused(503, "away")


async def _keep(tx: Tx, name: str, visitor_id: int, photo: Photo, now: datetime) -> None:
    """The picture, if a day is done by it: of two that were sent for one day the first counts."""
    row = await rows.of_visitor(tx, name, visitor_id)
    days = await rows.days_of(tx, row.id) if row else []
    if row and any(day.evidence == f"{PICTURE}{photo.digest}" for day in days):
        await checkin_pictures.keep(tx, row.visitor_id, photo.digest, photo.jpeg, now=now)


def _deed(act: str, who: Mapping[str, object], on: date | None, words: Mapping[str, str]) -> checkins.Deed:
    if act == "tap":
        return CheckedIn.model_validate({**who, **words, "on": on})
    if on is None or act not in ("make_up", "leave", "undo"):
        raise Refused(400, "foreign")
    if act == "make_up":
        return MadeUp.model_validate({**who, **words, "on": on})
    return (LeaveTaken if act == "leave" else CheckinUndone).model_validate({**who, "on": on})


def _one(form: Form, key: str) -> str:
    return form.get(key, [""])[0]


def _why(decisions: list[Decision]) -> str:
    if not decisions:
        raise Refused(404, "no_checkin")
    return decisions[0].because if decisions[0].verdict == "miss" else ""


async def _for_somebody(front: Front, name: str, userid: str, form: Form) -> str:
    """A member of staff checks in for a customer: through the inbox, so that the trace has who did it, and for whom."""
    who, on = _one(form, "who"), _day(_one(form, "on"))
    if not (who.isascii() and who.isdigit() and len(who) < 15) or on is None:
        raise Refused(400, "foreign")
    now = front.desk.clock.now()
    async with front.desk.store.write() as tx:
        await inbox.put(
            tx,
            source="page",
            key=f"checkin-for:{name}:{who}:{on.isoformat()}:{userid}:{now.isoformat()}",
            event=CheckedIn(at=now, checkin=name, visitor_id=int(who), on=on, by=userid),
            lane=NORMAL,
            ordering_key=f"visitor:{who}",
            due_at=now,
            now=now,
        )
    return "记下了，马上生效。是您代办的，记录里会写明。"
