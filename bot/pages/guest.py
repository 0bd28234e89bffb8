"""Who is there, on a page that anybody with its link may open: a browser, by a cookie of ours, and an address.

Neither is kept as such: of the address only a pseudonym, and the cookie is a random number that says nothing.
"""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from bot.pages.network import network
from bot.pages.page import Desk

COOKIE = "steward_guest"
A_YEAR = 365 * 24 * 3600  # seconds


def browser_of(desk: Desk, request: Request) -> str | None:
    """The browser's number, where we have given it one."""
    return desk.links.read_cookie(request.cookies.get(COOKIE, ""))


def remember(desk: Desk, response: Response, browser: str) -> Response:
    """Have the browser keep its number."""
    response.set_cookie(
        COOKIE,
        desk.links.sign_cookie(browser),
        max_age=A_YEAR,
        httponly=True,
        samesite="lax",
        secure=desk.links.public_url.startswith("https:"),
    )
    return response


def place_of(desk: Desk, request: Request) -> str:
    """A pseudonym of the address; of a home's many IPv6 addresses it is the same."""
    return desk.links.pseudonym("place", network(request))


def written(form: Mapping[str, list[str]], name: str, most: int) -> str:
    """What somebody wrote into a field: on one line, without what cannot be seen, at most so many characters."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in form.get(name, [""])[0]).split())
    return text[:most]
