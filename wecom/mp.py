"""The brand's own 公众号: who opened a page, by its OAuth. It says a unionid, which the rosters of groups say too.

Its `snsapi_base` asks nobody anything and tells the unionid only of people who have allowed it before;
`snsapi_userinfo` asks, and may follow only upon a press (page api_snsaccesstoken of
developers.weixin.qq.com/doc/service).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from rules.value import Value
from wecom.errors import BAD_ANSWER, NO_ANSWER, NOT_SENT, PlatformError
from wecom.gateway import TIMEOUT, is_loopback

PATH = "sns/oauth2/access_token"
WHOLE_CALL = 9.0  # seconds


class MpLogin(Value):
    """Whom a code named. `openid` is the 公众号's own; `unionid` "" where it was not told."""

    openid: str
    unionid: str = ""


@dataclass(frozen=True)
class Mp:
    """One 公众号. `base`: scheme and host of its API. `observe(endpoint, errcode)` as of the gateway."""

    client: httpx2.AsyncClient
    base: str
    app_id: str
    secret: str = field(repr=False)
    loopback_only: bool = False
    observe: Callable[[str, int], None] = lambda _endpoint, _errcode: None

    def __post_init__(self) -> None:
        if self.loopback_only and not is_loopback(self.base):
            raise ValueError("this 公众号 may only be reached at a loopback address")

    async def login(self, code: str) -> MpLogin | None:
        """Whom a one-shot code named. None for a snapshot page: WeChat then makes people up (is_snapshotuser).

        Raises PlatformError; 40029 and 40163: the code is wrong, or has been used.
        """
        params = {"appid": self.app_id, "secret": self.secret, "code": code, "grant_type": "authorization_code"}
        answer, failed = await self._ask(params)
        if answer is None:
            self.observe(PATH, failed)
            raise PlatformError(failed, PATH)
        errcode = answer.get("errcode") or 0
        self.observe(PATH, errcode if isinstance(errcode, int) else BAD_ANSWER)
        if errcode:
            raise PlatformError(errcode if isinstance(errcode, int) else BAD_ANSWER, PATH)
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not isinstance(openid, str) or not openid:
            raise PlatformError(BAD_ANSWER, PATH)
        if answer.get("is_snapshotuser"):
            return None
        return MpLogin(openid=openid, unionid=unionid if isinstance(unionid, str) else "")

    async def _ask(self, params: dict[str, str]) -> tuple[dict[str, Any] | None, int]:
        """The answer; or None and why there is none. No error leaves here: httpx2's hold the URL with the secret."""
        try:
            async with asyncio.timeout(WHOLE_CALL):
                response = await self.client.get(f"{self.base}/{PATH}", params=params, timeout=TIMEOUT)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            return None, NOT_SENT
        except (httpx2.HTTPError, TimeoutError):
            return None, NO_ANSWER
        try:
            answer = response.json()
        except ValueError:
            return None, NO_ANSWER
        return (
            (answer, 0) if response.status_code == httpx2.codes.OK and isinstance(answer, dict) else (None, NO_ANSWER)
        )
