"""A platform of a few lines to call, and a clock to set."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, settings

from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

# Two busy cores are no reason to fail: these tests are about what comes out, not how soon.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

Answer = dict[str, Any] | httpx2.Response | Exception


class StillClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Platform:
    """Answers what it is told to, path by path (the last answer for ever), and remembers what it was asked.

    `asked`: (path, query, body); `sent`: the bytes of each body.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.sent: list[bytes] = []
        self.tokens_given = 0
        self.tells: Callable[[str, dict[str, str], Any], Answer | None] = lambda _path, _query, _body: None

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def bodies(self, path: str) -> list[Any]:
        return [body for asked, _, body in self.asked if asked == path]

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/cgi-bin/")
        query = dict(request.url.params)
        body = json.loads(request.content) if request.content else None
        self.asked.append((path, query, body))
        self.sent.append(request.content)
        answer = self.tells(path, query, body) or self._listed(path)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    def _listed(self, path: str) -> Answer:
        answers = self.answers.get(path)
        if answers:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        if path == "gettoken":
            self.tokens_given += 1
            return {"errcode": 0, "access_token": f"TOKEN-{self.tokens_given}", "expires_in": 7200}
        return {"errcode": 0}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def gateway(platform: Platform, clock: StillClock) -> AsyncIterator[Gateway]:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(platform.handle)) as client:
        yield Gateway(
            client,
            base="http://127.0.0.1:9",
            corp_id="wwCorp",
            secret="S3CRET",
            agent_id=7,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
            loopback_only=True,
        )
