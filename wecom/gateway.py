"""The one way out to the platform: token, limits, timeouts, and every failure as one PlatformError without a secret.

It never sleeps, and sends again in one case only: a token that the platform refuses is renewed once.
"""

import asyncio
import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2

from rules.clock import Clock
from wecom.errors import BAD_ANSWER, NO_ANSWER, NOT_SENT, OUTCOME_UNKNOWN, OVER_OUR_LIMIT, TABLE, PlatformError
from wecom.limits import Limiter
from wecom.tokens import Token, TokenCache, TokenKeeper

TIMEOUT = httpx2.Timeout(connect=3, read=5, write=3, pool=3)
"""Seconds, per step of one request."""

_EXTENSIONS = {"timeout": TIMEOUT.as_dict()}

WHOLE_CALL = 9.0
"""Seconds for one call with all that belongs to it: below a third of a lease of 30 s."""

_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@dataclass(frozen=True)
class _Request:
    """`lost`: the errcode that stands for "sent, but no usable answer came". `file`: (name, content) for a form."""

    method: str
    path: str
    params: Mapping[str, str | int]
    body: Mapping[str, Any] | None
    lost: int
    file: tuple[str, bytes] | None = None

    def with_params(self, **params: str) -> "_Request":
        return replace(self, params={**self.params, **params})


class Gateway:
    """One app of one corp.

    `base`: scheme and host; paths start with /cgi-bin/. `loopback_only` refuses (ValueError) a base anywhere else.
    `observe(endpoint, errcode)` is told of every answer (0 = fine) and failure, for metrics. `whole_call`: seconds.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        base: str,
        corp_id: str,
        secret: str,
        agent_id: int,
        clock: Clock,
        tokens: TokenCache,
        limiter: Limiter,
        observe: Callable[[str, int], None] = lambda _endpoint, _errcode: None,
        loopback_only: bool = False,
        whole_call: float = WHOLE_CALL,
    ) -> None:
        if loopback_only and not is_loopback(base):
            raise ValueError("this gateway may only speak to a loopback address")
        self.corp_id = corp_id
        self.agent_id = agent_id
        self._client = client
        self._base = base.rstrip("/") + "/cgi-bin/"
        self._login = {"corpid": corp_id, "corpsecret": secret}
        self._headers = {**client.headers, "host": httpx2.URL(base).netloc.decode()}
        self._json_headers = {**self._headers, "content-type": "application/json"}
        self._clock = clock
        self._limiter = limiter
        self._observe = observe
        self._whole_call = whole_call
        self._blocked_until: dict[str, datetime] = {}
        self._keeper = TokenKeeper(self._fetch_token, key=f"{corp_id}:{agent_id}", cache=tokens, clock=clock)

    async def get(self, path: str, **params: str | int) -> dict[str, Any]:
        """Reads. Raises PlatformError."""
        return await self._call(_Request("GET", path, params, None, NO_ANSWER))

    async def post(self, path: str, body: Mapping[str, Any], *, reads: bool = False) -> dict[str, Any]:
        """Changes something; or only `reads`, and then no answer is a `retry` rather than an `unknown_outcome`.

        Raises PlatformError.
        """
        return await self._call(_Request("POST", path, {}, body, NO_ANSWER if reads else OUTCOME_UNKNOWN))

    async def upload(self, path: str, name: str, content: bytes, **params: str) -> dict[str, Any]:
        """Sends a file called `media`. Twice does no harm, so no answer is a `retry`. Raises PlatformError."""
        return await self._call(_Request("POST", path, params, None, NO_ANSWER, file=(name, content)))

    async def _call(self, request: "_Request") -> dict[str, Any]:
        deadline = self._deadline()
        token = await self._token(self._keeper.current(), request.path, deadline)
        answer = await self._send(request.with_params(access_token=token.value), deadline)
        if _is_stale(answer):
            token = await self._token(self._keeper.replace(token), request.path, deadline)
            answer = await self._send(request.with_params(access_token=token.value), deadline)
        if _is_stale(answer):
            self._keeper.rest(PlatformError(answer["errcode"], "gettoken", treatment="retry"))
        return _checked(answer, request.path)

    async def _token(self, token: Awaitable[Token], path: str, deadline: float) -> Token:
        try:
            async with asyncio.timeout_at(deadline):
                return await token
        except TimeoutError:
            pass
        raise PlatformError(NOT_SENT, path)

    async def _fetch_token(self) -> Token:
        asked_at = self._clock.now()
        request = _Request("GET", "gettoken", self._login, None, NO_ANSWER)
        answer = _checked(await self._send(request, self._deadline()), request.path)
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if not (isinstance(value, str) and value and isinstance(seconds, int)):
            raise PlatformError(BAD_ANSWER, request.path)
        return Token(value, asked_at + timedelta(seconds=seconds - min(300, seconds // 10)))

    async def _send(self, request: "_Request", deadline: float) -> dict[str, Any]:
        """The answer with its errcode, whatever that is. Raises PlatformError where there is none."""
        await self._admit(request.path)
        answer: dict[str, Any] | None = None
        failed = request.lost
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._client.send(self._written(request), auth=None, follow_redirects=False)
            answer = _json_object(response)
        except _NOTHING_SENT:
            failed = NOT_SENT
        except (httpx2.HTTPError, TimeoutError):
            pass
        # Raised here and not above: within `except`, the error would carry httpx2's, and that one our URL, as context.
        if answer is None:
            self._observe(request.path, failed)
            raise PlatformError(failed, request.path)
        self._observe(request.path, answer["errcode"])
        if answer["errcode"] == 45009:
            self._blocked_until[request.path] = self._clock.now() + timedelta(seconds=60)
        return answer

    def _written(self, request: "_Request") -> httpx2.Request:
        """Put together here, once for all: the client's own way looks again at headers, cookies and URL every time."""
        url = f"{self._base}{request.path}?{urlencode(request.params)}"
        if request.file is not None:
            form = {"media": request.file}
            return httpx2.Request(request.method, url, headers=self._headers, files=form, extensions=_EXTENSIONS)
        if request.body is None:
            return httpx2.Request(request.method, url, headers=self._headers, extensions=_EXTENSIONS)
        body = json.dumps(request.body, ensure_ascii=False, separators=(",", ":")).encode()
        return httpx2.Request(request.method, url, headers=self._json_headers, content=body, extensions=_EXTENSIONS)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._whole_call

    async def _admit(self, path: str) -> None:
        """Raises PlatformError where a limit is reached, ours or the platform's: then nothing is sent now."""
        now = self._clock.now()
        blocked_until = self._blocked_until.get(path, now)
        if blocked_until > now:
            raise PlatformError(45009, path, retry_after=blocked_until - now)
        seconds = await self._limiter.wait_time(path)
        if seconds > 0:
            raise PlatformError(OVER_OUR_LIMIT, path, retry_after=timedelta(seconds=seconds))


def is_loopback(base: str) -> bool:
    """Does this address never leave the machine?"""
    host = httpx2.URL(base).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json_object(response: httpx2.Response) -> dict[str, Any] | None:
    """The answer, with `errcode` always there; None where a proxy or a broken server answered instead."""
    if response.status_code != 200:
        return None
    try:
        answer = response.json()
    except ValueError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.setdefault("errcode", 0), int):
        return None
    return answer


def _is_stale(answer: Mapping[str, Any]) -> bool:
    remedy = TABLE.get(answer["errcode"])
    return remedy is not None and remedy.treatment == "refresh_token"


def _checked(answer: dict[str, Any], path: str) -> dict[str, Any]:
    if answer["errcode"]:
        # Whatever could be done about the token has been done.
        raise PlatformError(answer["errcode"], path, treatment="retry" if _is_stale(answer) else None)
    return answer


def _hide_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx2.URL) else arg for arg in record.args)
    return True


# httpx2 logs the URL of every request, and ours carry the secret and the token in the query.
logging.getLogger("httpx2").addFilter(_hide_query)
