"""Who opens a web page: WeCom's OAuth, and that of the brand's 公众号 (pages 96441, 96442; api_snsaccesstoken).

A code is good once and for five minutes. WeCom names our own people by userid; everybody else by an openid of the
corp's own, and by external_userid only where somebody whom the app sees has added them. The 公众号 has openids of its
own; it tells a unionid to whom the person has allowed it.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from simulator import corp
from simulator.errors import ApiError, ImpossibleError
from simulator.people import Customer, Staff

if TYPE_CHECKING:
    from simulator.world import World

CODE_LIFE = timedelta(minutes=5)
IN_ORDER = ["appid", "redirect_uri", "response_type", "scope", "state"]
MOST_STATE = 128


@dataclass
class Grant:
    """A code that was given to somebody for one app."""

    person: Customer | Staff
    appid: str
    scope: str
    at: datetime
    used: bool = False


class Logins:
    """`trusted`: hosts that pages may be on; empty: any. `converts`: of whom convert_to_openid tells, "all" on WeChat
    or only "contacts" [NV]. `refuse`: people who do not allow the 公众号 to know them. `snapshots`: who sees a page as
    a snapshot, so that the 公众号 is told of somebody made up.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.mp_app_id, self.mp_secret = corp.MP_APP_ID, corp.MP_SECRET
        self.trusted: set[str] = set()
        self.converts = "all"
        self.refuse: set[str] = set()
        self.snapshots: set[str] = set()
        self._codes: dict[str, Grant] = {}
        self._allowed: set[str] = set()

    def openid(self, person: Customer | Staff, appid: str = "") -> str:
        """What an app (else: the corp) calls somebody; the same for ever."""
        return self._made_up("openid", person.id, appid or self._world.corp_id)

    def grant(self, person: Customer | Staff, url: str) -> str:
        """Somebody is sent to the page that asks who they are. Answers where that sends them: back, with a code.

        Raises ImpossibleError with what the page would show them.
        """
        parts = urlsplit(url)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        query = dict(asked)
        if [name for name, _ in asked if name in IN_ORDER] != IN_ORDER or parts.fragment != "wechat_redirect":
            raise ImpossibleError("该链接无法访问")
        if query["appid"] not in (self._world.corp_id, self.mp_app_id) or query["response_type"] != "code":
            raise ImpossibleError("appid 参数错误")
        if len(query["state"].encode()) > MOST_STATE or query["scope"] not in ("snsapi_base", "snsapi_userinfo"):
            raise ImpossibleError("参数错误")
        back = urlsplit(query["redirect_uri"])
        if back.scheme not in ("http", "https") or (self.trusted and back.netloc not in self.trusted):
            raise ImpossibleError("redirect_uri 参数错误")
        if query["scope"] == "snsapi_userinfo" and person.id in self.refuse:
            return _with(query["redirect_uri"], state=query["state"])
        if query["appid"] == self.mp_app_id and query["scope"] == "snsapi_userinfo":
            self._allowed.add(person.id)
        code = self._world.new_id("oauth-code", 43)
        self._codes[code] = Grant(person, query["appid"], query["scope"], self._world.clock.now())
        return _with(query["redirect_uri"], code=code, state=query["state"])

    def who(self, code: str) -> dict[str, str]:
        """What WeCom tells of the bearer of a code. Raises ApiError 40029."""
        person = self._redeem(code, self._world.corp_id).person
        if isinstance(person, Staff):
            return {"userid": person.userid}
        openid = {"openid": self.openid(person)}
        return openid | ({"external_userid": person.id} if self._is_contact(person) else {})

    def who_to_mp(self, code: str) -> dict[str, str | int]:
        """What the 公众号 is told. Raises ApiError 40029, 40163."""
        grant = self._redeem(code, self.mp_app_id, used=40163)
        person = grant.person
        if person.id in self.snapshots:
            made_up = self._made_up("snapshot", code, "")
            return {"openid": made_up, "unionid": made_up, "scope": grant.scope, "is_snapshotuser": 1}
        told: dict[str, str | int] = {"openid": self.openid(person, self.mp_app_id), "scope": grant.scope}
        if isinstance(person, Customer) and person.unionid and person.id in self._allowed:
            told["unionid"] = person.unionid
        return told

    def convert(self, external_userid: str) -> str:
        """convert_to_openid (page 92323): of WeChat people only. Raises ApiError."""
        person = self._world.customers.get(external_userid)
        if person is None or person.type != 1:
            raise ApiError(40096)
        if self.converts != "all" and not self._is_contact(person):
            raise ApiError(84061)
        return self.openid(person)

    def _is_contact(self, person: Customer) -> bool:
        now, staff = self._world.clock.now(), self._world.staff
        return any(each.readable_at <= now and staff[each.userid].visible for each in person.follows.values())

    def _redeem(self, code: str, appid: str, used: int = 40029) -> Grant:
        grant = self._codes.get(code)
        if grant is None or grant.appid != appid or self._world.clock.now() - grant.at > CODE_LIFE:
            raise ApiError(40029)
        if grant.used:
            raise ApiError(used)
        grant.used = True
        return grant

    def _made_up(self, *of: str) -> str:
        digest = hashlib.sha256("|".join((str(self._world.seed), *of)).encode()).digest()
        return "o" + base64.b64encode(digest, altchars=b"-_").decode()[:27]


def _with(url: str, **query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
