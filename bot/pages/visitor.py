"""Who opens a public page: a customer, one of our staff, somebody of another company, or a browser outside WeChat.

Every public page begins with `who_is_there`. WeChat and WeCom say who it is (page 96441), once in a while; in between
a signed cookie does. The cookie names the proof that was shown, by the number of the visitor who was made with it
(`home`): whatever is merged or split later, it leads to whoever has that proof then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response

from bot.pages.lockout import Lockout
from bot.pages.page import PRIVATE, Desk, Refused, show
from bot.pages.throttle import Throttle
from store import identities
from wecom.gateway import Gateway
from wecom.mp import Mp

COOKIE = "steward_visitor"
LIVES = {"customer": timedelta(days=7), "staff": timedelta(days=1), "other_company": timedelta(minutes=10)}
"""How long who somebody is need not be asked again; asking again costs them a moment and nothing else."""

LOGIN_LIFE = timedelta(minutes=10)  # a code lives five
MOST_PATH = 1000  # characters of an address to come back to

Client = Literal["wechat", "wecom", "other"]
Kind = Literal["customer", "staff", "other_company", "outside"]
Step = Literal["wecom", "mp"]


@dataclass(frozen=True)
class Front:
    """What the public pages know visitors by. `mp`: the brand's 公众号, if it is set.

    `campaign_url`: where draws and check-ins live. WeCom sends people back to one trusted host only, the public one:
    another address learns from it who is there (bot/pages/lending.py).
    """

    desk: Desk
    wecom: Gateway
    corp_id: str
    agent_id: int
    oauth_base: str
    mp: Mp | None
    logins: Throttle
    lost: Lockout
    new_token: Callable[[], str]
    campaign_url: str


@dataclass(frozen=True)
class Someone:
    """Who is there. A customer has a `visitor_id`, one of our staff a `userid`; the others have neither."""

    kind: Kind
    visitor_id: int = 0
    userid: str = ""


async def who_is_there(front: Front, request: Request, *, campaign: bool = False) -> Someone | Response:
    """Who opens this page; or, where that has to be asked, the redirect to answer with: they come back to this address.

    `campaign`: the page is one of those at `campaign_url`. Raises StoreUnavailable.
    """
    client = client_of(request)
    if client == "other":
        return Someone("outside")
    found = await remembered(front, request)
    if found is not None:
        return found
    if campaign and front.campaign_url != front.desk.links.public_url:
        return borrow(front, _address(request))
    return begin(front, _address(request))


def client_of(request: Request) -> Client:
    """What shows the page, by its User-Agent. WeCom's says that it is WeChat's, too."""
    agent = request.headers.get("user-agent", "").lower()
    if "wxwork" in agent:
        return "wecom"
    return "wechat" if "micromessenger" in agent else "other"


def turned_away(front: Front, who: Someone, code: str = "") -> Response:
    """The page for "outside" and "other_company": it says to use WeChat. `code`: the address of the code to scan, of
    ours, beginning with a slash.
    """
    return show("turned_away.html", who=who.kind, code=f"{front.desk.links.public_url}{code}" if code else "")


# --- the cookie -------------------------------------------------------------------------------------------------------


async def remembered(front: Front, request: Request) -> Someone | None:
    """Who our cookie says it is; None where it says nothing, is too old, or is from another client."""
    said = in_cookie(front, request)
    if said is None:
        return None
    if said.kind != "customer":
        return Someone(said.kind, userid=said.userid)
    async with front.desk.store.read() as tx:
        proof = await identities.proof_at(tx, said.home)
    return Someone("customer", visitor_id=proof.visitor_id) if proof is not None else None


@dataclass(frozen=True)
class Said:
    """What a browser keeps: a customer's `home`, or a `userid` of ours."""

    kind: Kind
    home: int = 0
    userid: str = ""


def in_cookie(front: Front, request: Request) -> Said | None:
    """What the cookie says, where it is ours, of this client, and not too old."""
    match front.desk.links.unseal("visitor", request.cookies.get(COOKIE, "")):
        case [str(kind), int(home), str(userid), int(issued_at), str(client)] if kind in LIVES:
            age = front.desk.clock.now() - datetime.fromtimestamp(issued_at, UTC)
            if age <= LIVES[kind] and client == client_of(request):
                return Said(cast("Kind", kind), home, userid)
    return None


def remember(front: Front, request: Request, response: Response, said: Said) -> Response:
    """Have the browser keep who it is."""
    now = int(front.desk.clock.now().timestamp())
    sealed = front.desk.links.seal("visitor", [said.kind, said.home, said.userid, now, client_of(request)])
    set_cookie(front, response, COOKIE, sealed, LIVES[said.kind])
    return response


def set_cookie(front: Front, response: Response, name: str, value: str, life: timedelta) -> None:
    """Lax: WeChat's redirect brings it back, and no other site's form does."""
    public = front.desk.links.public_url
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=public.startswith("https:"),
    )


class Stopped(Refused):
    """A login that came to nothing; `path`: the page from which to try again, "" where nobody knows. `base`: where it
    is, "" for the public address.
    """

    def __init__(self, status: int, why: str, path: str = "", base: str = "") -> None:
        super().__init__(status, why)
        self.path, self.base = path, base


# --- off to say who it is ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Begun:
    """A login on its way. `path`: where to come back to. `home`: whose it is already, on the step to the 公众号."""

    state: str
    path: str
    step: Step
    home: int = 0
    done: bool = False


def begin(front: Front, path: str, step: Step = "wecom", home: int = 0, *, ask: bool = False) -> Response:
    """Send the browser to say who it is. The state goes with it and stays in a cookie: only this browser can come back
    with it. `ask`: have the 公众号 ask the person, which it may only upon a press of theirs.
    """
    begun = Begun(front.new_token(), path, step, home)
    query = {
        "appid": front.mp.app_id if step == "mp" and front.mp else front.corp_id,
        "redirect_uri": f"{front.desk.links.public_url}/login/back",
        "response_type": "code",
        "scope": "snsapi_userinfo" if ask else "snsapi_base",
        "state": begun.state,
    }
    if step == "wecom":
        query["agentid"] = str(front.agent_id)
    # In this very order, and with the fragment: WeChat refuses anything else.
    response = redirect(f"{front.oauth_base}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect")
    keep_begun(front, response, begun)
    return response


def ask_mp(front: Front, request: Request, path: str) -> Response | None:
    """Off to the 公众号, which knows by which openid they are paid, and back to this page of a campaign; None: there is
    no 公众号.
    """
    said = in_cookie(front, request)
    if front.mp is None or said is None:
        return None
    if front.campaign_url != front.desk.links.public_url:
        return redirect(f"{front.desk.links.public_url}/login/confirm?{urlencode({'to': path})}")
    return begin(front, path, "mp", said.home)


def keep_begun(front: Front, response: Response, begun: Begun) -> None:
    """Have the browser keep a login on its way; each under its own name, so that two pages may open at once."""
    now = int(front.desk.clock.now().timestamp())
    said: list[str | int] = [begun.state, begun.path, begun.step, begun.home, int(begun.done), now]
    set_cookie(front, response, login_cookie(begun.state), front.desk.links.seal("login", said), LOGIN_LIFE)


def login_cookie(state: str) -> str:
    return f"steward_login_{quote(state[-12:], safe='')}"


def borrow(front: Front, path: str) -> Response:
    """Send the browser from a campaign page to the public address, to say there who it is (bot/pages/lending.py)."""
    nonce, now = front.new_token(), int(front.desk.clock.now().timestamp())
    response = redirect(f"{front.desk.links.public_url}/login/lend?{urlencode({'nonce': nonce})}")
    set_cookie(front, response, borrow_cookie(nonce), front.desk.links.seal("borrow", [nonce, path, now]), LOGIN_LIFE)
    return response


def borrow_cookie(nonce: str) -> str:
    return f"steward_borrow_{quote(nonce[-12:], safe='')}"


def redirect(url: str) -> Response:
    """Seen by nobody and kept by nobody: going back leads past it."""
    return Response(status_code=302, headers={**PRIVATE, "location": url})


def _address(request: Request) -> str:
    path, query = quote(request.url.path, safe="/~:@!$&'()*+,;=-._"), request.url.query
    address = f"{path}?{query}" if query else path
    return address if len(address) <= MOST_PATH else path[:MOST_PATH]


def is_own(path: str) -> bool:
    """Whether an address to go to stays with us: a path, and nothing that a browser reads as another host."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return plain and len(path) <= MOST_PATH and path.startswith("/") and not path.startswith("//")
