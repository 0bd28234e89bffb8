"""A world with a shop, a client of its API, and a bot that only listens."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from wechatpy.enterprise.crypto import WeChatCrypto

from simulator import VirtualClock, World, corp, create_app

Json = dict[str, Any]


@dataclass
class Ear:
    """A bot that decrypts what it is sent, with wechatpy, and answers with the next of `statuses` (then 200).

    A status of 0 means that nobody is there.
    """

    statuses: list[int] = field(default_factory=list)
    heard: list[ET.Element] = field(default_factory=list)
    tries: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"").decode()
        self.tries += 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise httpx2.ConnectError("nobody there")
        query = httpx2.QueryParams(scope["query_string"].decode())
        crypto = WeChatCrypto(corp.TOKEN, corp.AES_KEY, corp.CORP_ID)
        if scope["method"] == "GET":
            answer = crypto.check_signature(
                query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
            )
        else:
            plain = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
            self.heard.append(ET.fromstring(plain))  # noqa: S314 (the simulator wrote it a moment ago)
            answer = ""
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer.encode()})

    def kinds(self) -> list[str]:
        """What was heard: UpdateDetail, else ChangeType, else Event."""
        return [
            each.findtext("UpdateDetail") or each.findtext("ChangeType") or each.findtext("Event") or ""
            for each in self.heard
        ]


@dataclass
class Desk:
    """The world and both ends of the wire."""

    world: World
    clock: VirtualClock
    ear: Ear
    http: httpx2.AsyncClient

    async def token(self) -> str:
        query = {"corpid": self.world.corp_id, "corpsecret": self.world.secret}
        token: str = (await self.http.get("/cgi-bin/gettoken", params=query)).json()["access_token"]
        return token

    async def get(self, endpoint: str, **query: str) -> Json:
        answer = await self.http.get(f"/cgi-bin/{endpoint}", params={"access_token": await self.token(), **query})
        result: Json = answer.json()
        return result

    async def post(self, endpoint: str, body: Json) -> Json:
        answer = await self.http.post(f"/cgi-bin/{endpoint}", params={"access_token": await self.token()}, json=body)
        result: Json = answer.json()
        return result

    async def send_text(self, touser: str, content: str, **more: Any) -> Json:
        body = {"touser": touser, "msgtype": "text", "agentid": self.world.agent_id, "text": {"content": content}}
        return await self.post("message/send", body | more)

    async def send_card(self, touser: str, card: Json, **more: Any) -> Json:
        body = {"touser": touser, "msgtype": "template_card", "agentid": self.world.agent_id, "template_card": card}
        return await self.post("message/send", body | more)

    async def until_quiet(self) -> None:
        """Move the clock from one due thing to the next until nothing is due any more."""
        await self.world.run_due()
        while (due := self.world.next_due()) is not None:
            self.clock.set(max(due, self.clock.now()))
            await self.world.run_due()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def desk(clock: VirtualClock) -> AsyncIterator[Desk]:
    """An empty corp with two members of staff, 李华 (lihua) and 王五 (wangwu)."""
    world, ear = World(clock=clock, seed=7), Ear()
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world)), base_url="http://api") as http,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=ear)) as client,
    ):
        world.callback_to("http://bot/callback", client)
        yield Desk(world, clock, ear, http)


@pytest.fixture
def removal_card() -> Json:
    """A card that asks for a removal, as a bot might word it."""
    return {
        "card_type": "button_interaction",
        "task_id": "case-1",
        "main_title": {"title": "请移出外部成员", "desc": "静安1群"},
        "sub_title_text": "发现其他公司的员工",
        "horizontal_content_list": [{"keyname": "姓名", "value": "孙强"}, {"keyname": "公司", "value": "隔壁茶业"}],
        "button_list": [
            {"text": "已移出", "style": 1, "key": "removed"},
            {"text": "误判，放行", "style": 2, "key": "mistake"},
            {"text": "稍后", "style": 2, "key": "later"},
        ],
    }
