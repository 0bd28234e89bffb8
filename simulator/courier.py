"""Signs, encrypts and delivers callbacks, and tries again (pages 90930, 90238, 91144).

Signing and encrypting is wechatpy's, so every run checks the bot's own crypto against another's.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING

import httpx2
from wechatpy.enterprise.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from simulator.callbacks import Attempt, Callback

if TYPE_CHECKING:
    from simulator.world import World


@dataclass(frozen=True)
class Outcome:
    """What became of one try: the HTTP status, or None when no answer came."""

    callback: Callback
    n: int
    status: int | None


class Courier:
    """`undelivered`: lost for good. `acknowledged`: answered 200, in order. `outcomes`: every try."""

    def __init__(self, world: "World", token: str, aes_key: str) -> None:
        self._world = world
        self._crypto = WeChatCrypto(token, aes_key, world.corp_id)
        self._nonces = Random(f"{world.seed}|nonce")
        self._url: str | None = None
        self._client: httpx2.AsyncClient | None = None
        self._number = 0
        self.undelivered: list[Callback] = []
        self.acknowledged: list[Callback] = []
        self.outcomes: list[Outcome] = []

    def callback_to(self, url: str | None, client: httpx2.AsyncClient | None) -> None:
        self._url, self._client = url, client

    def post(self, kind: str, xml: str) -> None:
        """Plan the delivery of an event that happened now; faults may lose, double or hold it back."""
        if self._url is None:
            return
        world, faults, now = self._world, self._world.faults, self._world.clock.now()
        self._number += 1
        callback = Callback(self._number, kind, now, xml)
        if world.strikes("lost"):
            self.undelivered.append(callback)
            return
        due = now + world.callbacks.delay
        if world.strikes("late"):
            due += faults.late_by * world.fate.die("late_by").random()
        if world.strikes("reordered"):
            due += faults.reorder_by
        world.schedule.plan(due, Attempt(callback))
        if world.strikes("doubled"):
            world.schedule.plan(due, Attempt(callback))

    def sealed(self, xml: str, at: datetime) -> tuple[dict[str, str], str]:
        """The query and the body that carry `xml` (page 90930)."""
        timestamp, nonce = str(int(at.timestamp())), str(self._nonces.randrange(10**9, 10**10))
        passive = self._crypto.encrypt_message(xml, nonce, timestamp)
        encrypted, signature = re.findall(r"<(?:Encrypt|MsgSignature)><!\[CDATA\[(.*?)\]\]>", passive)
        world = self._world
        body = (
            f"<xml><ToUserName><![CDATA[{world.corp_id}]]></ToUserName>"
            f"<AgentID><![CDATA[{world.agent_id}]]></AgentID><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}, body

    async def attempt(self, attempt: Attempt) -> None:
        """One delivery. What fails is planned again until it has had its tries (3 in total)."""
        world, callback = self._world, attempt.callback
        status = await self._send(callback)
        self.outcomes.append(Outcome(callback, attempt.n, status))
        if status == httpx2.codes.OK:
            self.acknowledged.append(callback)
            if not world.strikes("answer_lost"):
                return
            status = None
        again = status is None or world.callbacks.retry_non_200
        if again and attempt.n < world.callbacks.tries:
            world.schedule.plan(world.clock.now() + world.callbacks.retry_after, Attempt(callback, attempt.n + 1))
        elif callback not in self.acknowledged:
            self.undelivered.append(callback)

    async def _send(self, callback: Callback) -> int | None:
        if self._client is None or self._url is None:
            return None
        query, body = self.sealed(callback.xml, self._world.clock.now())
        # On virtual time nobody waits: a deadline measured by the wall clock would make runs differ.
        deadline = self._world.callbacks.deadline.total_seconds() if self._world.real_time else None
        try:
            async with asyncio.timeout(deadline):
                answer = await self._client.post(
                    self._url, params=query, content=body.encode(), headers={"content-type": "text/xml"}
                )
        except (httpx2.TransportError, TimeoutError):
            return None
        return answer.status_code

    async def verify_url(self) -> bool:
        """What the console does when the callback address is saved: GET with an echostr (page 90930)."""
        if self._client is None or self._url is None:
            return False
        at, text = self._world.clock.now(), str(self._nonces.randrange(10**18, 10**19))
        timestamp, nonce = str(int(at.timestamp())), str(self._nonces.randrange(10**9, 10**10))
        echostr = PrpCrypto(self._crypto.key).encrypt(text, self._world.corp_id).decode()
        query = {"timestamp": timestamp, "nonce": nonce, "echostr": echostr}
        signer = WeChatSigner()
        signer.add_data(self._crypto.token, timestamp, nonce, echostr)
        query["msg_signature"] = signer.signature
        answer = await self._client.get(self._url, params=query)
        return answer.status_code == httpx2.codes.OK and answer.text == text
