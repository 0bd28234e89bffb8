"""A program that delivers messages to the bot's route, as docs/messages.md tells it to."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlmodel import select

from bot.callback import AsgiApp
from bot.metrics import Metrics
from bot.pages.ingest import Intake, ingest_messages
from rules.events import MessagePosted
from simulator import VirtualClock
from store.database import Database
from store.inbox import Inbox, event_of

SECRET = "what-both-sides-have"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MESSAGE = {
    "msgid": "CAQQluDa4QUY0On2rYSAgAMgzPrShAE=_external",
    "chat_id": "wrA",
    "sender": "wmB",
    "time": "2026-11-25T19:59:45.5+08:00",
    "type": "text",
    "text": "加我微信，全场五折",
}


def message(number: int | str, **more: Any) -> dict[str, Any]:
    return MESSAGE | {"msgid": f"m{number}"} | more


@dataclass
class Source:
    """A program that knows the secret, and the bot's route it posts to."""

    db: Database
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW))
    secret: str | None = SECRET
    metrics: Metrics = field(default_factory=Metrics)
    woken: int = 0
    app: AsgiApp | None = None

    def __post_init__(self) -> None:
        if self.app is None:
            self.app = app = FastAPI()
            app.include_router(ingest_messages(Intake(self.db, self.clock, self.metrics, self._wake, self.secret)))

    def _wake(self) -> None:
        self.woken += 1

    def client(self) -> httpx2.AsyncClient:
        assert self.app is not None
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url="http://bot")

    async def post(self, body: Any, age: int = 0, **headers: str) -> httpx2.Response:
        """Signed `age` seconds ago; a header given here goes instead of the true one, "" leaves it out."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = str(int(self.clock.now().timestamp()) - age)
        signature = hmac.new(SECRET.encode(), timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()
        all_headers = {"X-Steward-Timestamp": timestamp, "X-Steward-Signature": f"sha256={signature}"}
        all_headers |= {f"X-Steward-{name.title()}": value for name, value in headers.items()}
        async with self.client() as client:
            sent = {name.encode(): value.encode() for name, value in all_headers.items() if value}
            return await client.post("/ingest/messages", content=content, headers=sent)

    async def send(self, *messages: Any) -> Any:
        answer = await self.post({"messages": messages})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self) -> list[Inbox]:
        async with self.db.read() as tx:
            return list((await tx.exec(select(Inbox).order_by(Inbox.id))).all())  # type: ignore[arg-type]  # a column

    async def events(self) -> list[MessagePosted]:
        events = [event_of(row) for row in await self.rows()]
        return [event for event in events if isinstance(event, MessagePosted)]

    def count(self, name: str, **labels: str) -> float:
        start = name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "} "
        return sum(
            float(line.split()[-1]) for line in self.metrics.text().decode().splitlines() if line.startswith(start)
        )
