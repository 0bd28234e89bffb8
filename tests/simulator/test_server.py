"""The simulator on real sockets and real time."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from simulator import CallbackSettings, Faults, WallClock, World, running


async def test_a_server_answers_and_delivers() -> None:
    """Over a real socket the API answers, and callbacks go out by themselves; one that hangs holds up no other."""
    hanging, heard = asyncio.Event(), asyncio.Event()

    async def bot(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/hangs":
            hanging.set()
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        heard.set()

    world = World(clock=WallClock())
    world.add_staff("lihua", "李华")
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot)) as client,
        running(world) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        answer = await http.get("/cgi-bin/gettoken", params={"corpid": world.corp_id, "corpsecret": world.secret})
        assert answer.json()["errcode"] == 0
        world.callback_to("http://bot/hangs", client)
        world.create_group("一群", "lihua")
        await asyncio.wait_for(hanging.wait(), 5)
        world.callback_to("http://bot/answers", client)
        world.create_group("二群", "lihua")
        await asyncio.wait_for(heard.wait(), 5)


async def test_a_bot_that_takes_too_long_is_cut_off() -> None:
    """The deadline is real on real time: after it the try has failed, and after three the event is lost."""

    async def bot(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    settings = CallbackSettings(deadline=timedelta(milliseconds=10), retry_after=timedelta(0))
    world = World(clock=WallClock(), callbacks=settings)
    world.add_staff("lihua", "李华")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bot)) as client:
        world.callback_to("http://bot/hangs", client)
        world.create_group("一群", "lihua")
        await world.run_due()
    assert [each.kind for each in world.undelivered] == ["change_external_chat/create"]
    assert [each.status for each in world.courier.outcomes] == [None, None, None]


@pytest.mark.parametrize(("fault", "sent"), [("cut", 0), ("cut_after_effect", 1)])
async def test_a_cut_connection_is_cut(fault: str, sent: int) -> None:
    """On a real socket the caller's client reports a protocol error, with or without the effect."""
    world = World(clock=WallClock(), faults=Faults())
    world.add_staff("lihua", "李华")
    async with running(world) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as http:
        query = {"access_token": world.tokens.issue()[0]}
        body = {"touser": "lihua", "msgtype": "text", "agentid": world.agent_id, "text": {"content": "你好"}}
        setattr(world.faults, fault, 1.0)
        with pytest.raises(httpx2.TransportError):
            await http.post("/cgi-bin/message/send", params=query, json=body)
        assert len(world.sent) == sent
        world.faults.stop()
        assert (await http.post("/cgi-bin/message/send", params=query, json=body)).json()["errcode"] == 0
