"""`/report/{token}`: a customer reports a member of their group. The link stands in the group's rules, for everybody.

Members are looked for by nickname and shown under it alone; a form names them by a pseudonym. Needs no JavaScript.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.pages import guest
from bot.pages.page import PRIVATE, Desk, Refused, admit, apologise, read_form, show
from handlers import report
from rules.actions import Link
from rules.events import MemberReported
from rules.report import MOST_A_DAY, MOST_WORDS, REASONS
from rules.text import normalise
from rules.value import Value
from store import roster
from store.database import Clash, StoreUnavailable, Tx
from store.roster import GroupRow, MemberRow

MOST_FOUND = 10
MOST_SOUGHT = 40  # characters of a nickname
_TRIES = 3  # where two transactions stood in each other's way


class Choice(Value):
    """One line to choose: `value` is the pseudonym of whom it is about, or of several who have the same name."""

    value: str
    name: str
    which: str = ""


def report_page(desk: Desk, new_token: Callable[[], str]) -> APIRouter:
    """The page, and where its form goes. `new_token`: random, to know a browser by."""
    router = APIRouter()

    @router.get("/report/{token}")
    async def look(request: Request, token: str) -> Response:
        try:
            link = _admit(desk, request, token)
            browser = guest.browser_of(desk, request) or new_token()
            return guest.remember(desk, await _look(desk, request, link, _form_of(token, browser)), browser)
        except Refused as refused:
            return apologise(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return apologise(Refused(503, "later"))

    @router.post("/report/{token}")
    async def sent(request: Request, token: str) -> Response:
        try:
            link = _admit(desk, request, token)
            browser = guest.browser_of(desk, request)
            if browser is None:
                raise Refused(403, "no_cookie")
            form = await read_form(desk, request, "report", _form_of(token, browser))
            said = await _take(desk, link, form, browser, guest.place_of(desk, request))
        except Refused as refused:
            return apologise(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for a page: {}", error)
            return apologise(Refused(503, "later"))
        # Seen by a GET: going back, or loading the page again, reports nobody twice.
        return Response(status_code=303, headers={**PRIVATE, "location": f"?{urlencode(said)}"})

    return router


def _admit(desk: Desk, request: Request, token: str) -> Link:
    return admit(desk, request, "report", token, who=guest.place_of(desk, request))


def _form_of(token: str, browser: str) -> str:
    """A form is for one browser: what another was given is of no use."""
    return f"{token}:{browser}"


async def _look(desk: Desk, request: Request, link: Link, form_of: str) -> Response:
    sought = request.query_params.get("q", "").strip()[:MOST_SOUGHT]
    async with desk.store.read() as tx:
        group = await _group(desk, tx, link)
        members = _by_coming(await roster.present(tx, link.chat_id)) if sought else []
    found = _found(members, sought)
    return show(
        "report.html",
        group=group,
        sought=sought,
        choices=_choices(desk, group.chat_id, found[:MOST_FOUND]),
        more=len(found) > MOST_FOUND,
        reasons=REASONS,
        most_words=MOST_WORDS,
        most_sought=MOST_SOUGHT,
        most_a_day=MOST_A_DAY,
        key=desk.links.form_key("report", form_of),
        said=request.query_params.get("said", ""),
    )


async def _group(desk: Desk, tx: Tx, link: Link) -> GroupRow:
    """The group, where somebody would hear a report. Raises Refused."""
    group = await roster.group(tx, link.chat_id)
    if group is None or group.dismissed_at is not None:
        raise Refused(410, "no_group")
    if not any(rule.covers(group.facts()) for rule in desk.rules.book.about(MemberReported)):
        raise Refused(404, "no_reports")
    return group


# --- whom -------------------------------------------------------------------------------------------------------------


def _by_coming(members: dict[str, MemberRow]) -> list[MemberRow]:
    """Members whose name is known, in the order in which they came."""
    named = [each for each in members.values() if each.name]
    return sorted(named, key=lambda each: (each.joined_at or each.seen_at, each.external_userid))


def _found(members: Sequence[MemberRow], sought: str) -> list[MemberRow]:
    """Whose nickname has it in it, as written or as read; those who are called just so first."""
    if not sought:
        return []
    written, read = sought.casefold(), normalise(sought)
    fits = [each for each in members if written in each.name.casefold() or (read and read in normalise(each.name))]
    return sorted(fits, key=lambda each: (each.name.casefold() != written, each.name))


def _choices(desk: Desk, chat_id: str, found: Sequence[MemberRow]) -> list[Choice]:
    """One line each; who has the same name is told apart by place only, and may be chosen together."""
    names = Counter(each.name for each in found)
    choices: list[Choice] = []
    alike: list[str] = []
    for each in found:
        value = _pseudonym(desk, chat_id, each.external_userid)
        if names[each.name] == 1:
            choices.append(Choice(value=value, name=each.name))
            continue
        alike.append(value)
        choices.append(Choice(value=value, name=each.name, which=f"同名，先进群的第 {len(alike)} 位"))
        if len(alike) == names[each.name]:
            if len(alike) <= MOST_A_DAY:
                choices.append(Choice(value=",".join(alike), name=each.name, which=f"分不清，这 {len(alike)} 位都选"))
            alike = []
    return choices


def _pseudonym(desk: Desk, chat_id: str, external_userid: str) -> str:
    return desk.links.pseudonym("member", f"{chat_id} {external_userid}")


def _chosen(desk: Desk, chat_id: str, members: Sequence[MemberRow], value: str) -> list[str]:
    """Whom a line is about: one, or several of one name. What our own page never offered is nobody."""
    picked = set(value.split(",", MOST_A_DAY))
    chosen = [each for each in members if _pseudonym(desk, chat_id, each.external_userid) in picked]
    alike = len({each.name for each in chosen}) == 1 and len(chosen) <= MOST_A_DAY
    return [each.external_userid for each in chosen] if alike else []


# --- take it ----------------------------------------------------------------------------------------------------------


async def _take(desk: Desk, link: Link, form: Mapping[str, list[str]], browser: str, place: str) -> dict[str, str]:
    """Take the report. Returns what the page is to say of it. Raises Refused."""
    reason = form.get("reason", [""])[0]
    words = guest.written(form, "words", MOST_WORDS)
    for tries_left in reversed(range(_TRIES)):
        try:
            async with desk.store.write() as tx:
                group = await _group(desk, tx, link)
                members = _by_coming(await roster.present(tx, link.chat_id))
                chosen = _chosen(desk, link.chat_id, members, form.get("who", [""])[0])
                if not chosen or reason not in REASONS:
                    return {"said": "incomplete", "q": form.get("q", [""])[0][:MOST_SOUGHT]}
                taken = [
                    await report.take(
                        tx,
                        MemberReported(
                            at=(now := desk.clock.now()),
                            chat_id=group.chat_id,
                            external_userid=who,
                            reporter=browser,
                            reason=reason,
                        ),
                        words=words,
                        place=place,
                        now=now,
                    )
                    for who in chosen
                ]
            break
        except Clash:
            if not tries_left:
                raise Refused(503, "later") from None
    desk.wake()
    logger.info("a report about {} member(s) of {}: {}", len(chosen), link.chat_id, ", ".join(taken))
    return {"said": "too_many" if set(taken) == {"too_many"} else "thanks"}
