"""Pages at STEWARD_CAMPAIGN_URL know people by asking the public address, the only one that WeCom sends people back to.

The campaign page keeps a nonce in a cookie of its own host and sends the browser to `/login/lend` at the public one.
There it logs in, or is known already, and is sent back to `/login/borrow` with a sealed note of who it is, good for a
moment and for this nonce: a note that was sent to somebody else's browser is refused there.
"""

from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from bot.pages.visitor import (
    LIVES,
    LOGIN_LIFE,
    Front,
    Kind,
    Said,
    Stopped,
    begin,
    borrow_cookie,
    client_of,
    in_cookie,
    redirect,
    remember,
    remembered,
)

GOOD_FOR = timedelta(minutes=1)


async def lend(front: Front, request: Request) -> Response:
    """At the public address: say who this is, after asking where that is not known."""
    nonce = request.query_params.get("nonce", "")
    said = in_cookie(front, request)
    if said is None or await remembered(front, request) is None:
        return begin(front, f"/login/lend?{urlencode({'nonce': nonce})}")
    now = int(front.desk.clock.now().timestamp())
    note = front.desk.links.seal("lent", [said.kind, said.home, said.userid, client_of(request), nonce, now])
    return redirect(f"{front.campaign_url}/login/borrow?{urlencode({'nonce': nonce, 'lent': note})}")


async def take_back(front: Front, request: Request) -> Response:
    """At the campaign's address: keep who this is, and go on to the page."""
    nonce = request.query_params.get("nonce", "")
    path = _path(front, request, nonce)
    response = redirect(f"{front.campaign_url}{path}")
    match front.desk.links.unseal("lent", request.query_params.get("lent", "")):
        case [str(kind), int(home), str(userid), str(client), str(lent_to), int(issued_at)] if kind in LIVES:
            age = front.desk.clock.now() - datetime.fromtimestamp(issued_at, UTC)
            if age <= GOOD_FOR and lent_to == nonce and client == client_of(request):
                return remember(front, request, response, Said(cast("Kind", kind), home, userid))
    if await remembered(front, request) is not None:  # they went back
        return response
    raise Stopped(410, "expired", path, front.campaign_url)


def _path(front: Front, request: Request, nonce: str) -> str:
    """Where this browser wanted to go when it set out with this nonce. Raises Stopped."""
    match front.desk.links.unseal("borrow", request.cookies.get(borrow_cookie(nonce), "")):
        case [str(kept), str(path), int(issued_at)] if nonce and kept == nonce:
            if front.desk.clock.now() - datetime.fromtimestamp(issued_at, UTC) <= LOGIN_LIFE:
                return path
            raise Stopped(410, "expired", path, front.campaign_url)
    raise Stopped(403, "lost")
