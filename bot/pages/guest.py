"""Who is there, on a page that anybody with its link may open: a browser, by a cookie of ours, and an address.

Neither is kept as such: of the address only a pseudonym, and the cookie is a random number that says nothing.
"""

import ipaddress
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from bot.pages.page import Desk

COOKIE = "steward_guest"
A_YEAR = 365 * 24 * 3600  # seconds

_NEAR = [
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]
"""Where a proxy of ours can be: nobody outside has such an address."""


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


def network(request: Request) -> str:
    """The address that a request came from, as far as it can be believed; "" where it is none.

    What a proxy of ours (on this machine, or beside it) has put last into X-Forwarded-For is what it saw itself; all
    that stands before may be made up, and from anybody else so may all of it.
    """
    peer = _address(request.client.host if request.client else "")
    if peer is not None and any(peer in network for network in _NEAR):
        told = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        peer = _address(told) or peer
    if peer is None:
        return ""
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, 64), strict=False))
    return str(peer)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def written(form: Mapping[str, list[str]], name: str, most: int) -> str:
    """What somebody wrote into a field: on one line, without what cannot be seen, at most so many characters."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in form.get(name, [""])[0]).split())
    return text[:most]
