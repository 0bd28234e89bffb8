"""The company's program that reads the chat archive (会话内容存档, page 91774) and hands it to the bot.

The archive is 15 s behind (page 95039) and keeps five days. The program keeps its place: what was not answered 200 is
sent again, together with what was said since.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2

from simulator.talk import Said

if TYPE_CHECKING:
    from simulator.world import World

BEHIND = timedelta(seconds=15)
KEEPS = timedelta(days=5)
AT_ONCE = 1000
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 3600))
TRIES = 30
"""A bot that never answers is given up, until somebody says something again: else a quiet world would never end."""


@dataclass
class Archive:
    """`statuses`: the answer to every try, None where none came. `refused`: what the bot could not read, as it said so.

    Of the world's faults `doubled` (a batch goes out twice) and `answer_lost` happen here too.
    """

    world: "World"
    secret: str
    statuses: list[int | None] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    expired: list[Said] = field(default_factory=list)
    _url: str = ""
    _client: httpx2.AsyncClient | None = None
    _place: int = 0
    _tries: int = 0
    _planned: bool = False

    def deliver_to(self, url: str, client: httpx2.AsyncClient) -> None:
        """Begin to hand over what is said from now on. `url`: of the bot's `/ingest/messages`."""
        if self._client is None:
            self.world.talk.on_said.append(self._hear)
            self._place = len(self.world.talk.said)
        self._url, self._client = url, client

    @property
    def waiting(self) -> Sequence[Said]:
        """What was said and is not handed over."""
        return self.world.talk.said[self._place :]

    def _hear(self, said: Said) -> None:
        if not self._planned:
            self._plan(said.at + BEHIND)

    def _plan(self, at: datetime) -> None:
        self._planned = True
        self.world.at(at, self._deliver)

    async def _deliver(self) -> None:
        now = self.world.clock.now()
        while self.waiting and self.waiting[0].at < now - KEEPS:
            self.expired.append(self.waiting[0])
            self._place += 1
        batch = [each for each in self.waiting if each.at <= now - BEHIND][:AT_ONCE]
        if batch and not await self._send_all(batch, now):
            self._tries += 1
            self._planned = False
            if self._tries < TRIES:
                self._plan(now + RETRY_AFTER[min(self._tries, len(RETRY_AFTER)) - 1])
            else:
                self._tries = 0
            return
        self._tries = 0
        self._place += len(batch)
        self._planned = False
        if self.waiting:
            self._plan(max(now, self.waiting[0].at + BEHIND))

    async def _send_all(self, batch: Sequence[Said], now: datetime) -> bool:
        """Whether the bot's 200 has come back."""
        for _ in range(1 + self.world.strikes("doubled")):
            status = await self._send(batch, now)
        if status == httpx2.codes.OK and self.world.strikes("answer_lost"):
            status = None
        self.statuses.append(status)
        return status == httpx2.codes.OK

    async def _send(self, batch: Sequence[Said], now: datetime) -> int | None:
        assert self._client is not None  # noqa: S101 (deliveries are planned after deliver_to only)
        body = json.dumps({"messages": [_item(each) for each in batch]}, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **signed(self.secret, now, body)}
        # On virtual time nobody waits: a deadline measured by the wall clock would make runs differ.
        deadline = 10 if self.world.real_time else None
        try:
            async with asyncio.timeout(deadline):
                answer = await self._client.post(self._url, content=body, headers=headers)
        except (httpx2.TransportError, TimeoutError):
            return None
        if answer.status_code == httpx2.codes.OK:
            self.refused += answer.json()["refused"]
        return answer.status_code


def signed(secret: str, now: datetime, body: bytes) -> dict[str, str]:
    """The two headers of a signed batch."""
    timestamp = str(int(now.timestamp()))
    signature = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Steward-Timestamp": timestamp, "X-Steward-Signature": f"sha256={signature}"}


def _item(said: Said) -> dict[str, str | int]:
    """As a program would write it, from the archive's msgid, roomid, from, msgtime (milliseconds) and msgtype."""
    return {
        "msgid": said.msgid,
        "chat_id": said.chat_id,
        "sender": said.sender,
        "time": int(said.at.timestamp() * 1000),
        "type": said.type,
        "text": said.text,
    }
