"""Welcomes against the simulated platform: what each call does, and what its failures mean."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from bot.actions import add_welcome_template, delete_welcome_template, edit_welcome_template, send_welcome
from bot.actions.action import Hands
from bot.links import Links
from rules.actions import AddWelcomeTemplate, DeleteWelcomeTemplate, EditWelcomeTemplate, Link, SendWelcome
from simulator import VirtualClock, World, create_app
from wecom.errors import PlatformError
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

SEND = "externalcontact/send_welcome_msg"
ADD = AddWelcomeTemplate(title="members", number=1, text="欢迎 %NICKNAME%")


@dataclass
class Bench:
    """Hands that reach a world, where 李华 has just been added by somebody."""

    world: World
    clock: VirtualClock
    hands: Hands
    deed: SendWelcome

    def sent(self) -> int:
        """How many greetings the platform was asked for, whatever it answered."""
        return sum(count for (endpoint, _), count in self.world.calls.items() if endpoint == SEND)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = VirtualClock()
    world = World(clock=clock)
    world.add_staff("lihua", "李华")
    world.make_contact("lihua", world.add_customer("陈晨"))
    [code] = world.welcomes.codes
    deed = SendWelcome(welcome_code=code, text="您好", expires_at=clock.now() + timedelta(seconds=20))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as client:
        wecom = Gateway(
            client,
            base="http://127.0.0.1",
            corp_id=world.corp_id,
            secret=world.secret,
            agent_id=world.agent_id,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        )
        links = Links("http://127.0.0.1", "a key of sixteen characters", clock)
        yield Bench(world, clock, Hands(wecom, links, client, clock), deed)


async def test_a_template_is_made_changed_and_deleted(bench: Bench) -> None:
    """One call each; the platform tells nobody of it (notify 0): the bot tells each owner once."""
    template_id = await add_welcome_template.carry_out(ADD, bench.hands)
    template = bench.world.welcomes.templates[template_id]
    assert (template.text, template.notify) == (ADD.text, False)
    edit = EditWelcomeTemplate(title="members", number=2, template_id=template_id, text="你好")
    await edit_welcome_template.carry_out(edit, bench.hands)
    assert template.text == "你好"
    delete = DeleteWelcomeTemplate(title="members", number=3, template_id=template_id)
    await delete_welcome_template.carry_out(delete, bench.hands)
    assert bench.world.welcomes.templates == {}


async def test_an_answer_that_is_lost_is_unknown_and_one_that_never_came_about_is_not(bench: Bench) -> None:
    """After the effect nobody knows; where the platform says no, nothing was made and that is an error."""
    await add_welcome_template.carry_out(ADD, bench.hands)
    bench.world.faults.cut_after_effect = 1.0
    assert await add_welcome_template.carry_out(ADD, bench.hands) == add_welcome_template.UNKNOWN
    assert len(bench.world.welcomes.templates) == 2
    bench.world.faults.stop()
    for _ in range(98):
        bench.world.welcomes.add("x", notify=False)
    with pytest.raises(PlatformError) as failed:
        await add_welcome_template.carry_out(ADD, bench.hands)
    assert failed.value.treatment == "refused"


async def test_a_greeting_arrives_once(bench: Bench) -> None:
    """The second is told that people are talking already, and ends without an error."""
    assert await send_welcome.carry_out(bench.deed, bench.hands) == "sent"
    assert await send_welcome.carry_out(bench.deed, bench.hands) == "already talking"
    assert [each.text for each in bench.world.welcomes.shown] == ["您好"]


async def test_the_way_in_stands_on_the_last_line(bench: Bench) -> None:
    """The signed link comes after the text; a text too long for both is cut, never the link."""
    link = Link(page="entrance", userid="wm1", issued_at=bench.clock.now(), entrance="newcomer-door")
    deed = bench.deed.model_copy(update={"text": "茶" * 1333, "link": link})
    assert await send_welcome.carry_out(deed, bench.hands) == "sent"
    text, _, url = bench.world.welcomes.shown[0].text.rpartition("\n")
    assert len(bench.world.welcomes.shown[0].text.encode()) <= 4000
    assert set(text) == {"茶"}
    assert bench.hands.links.read("entrance", url.rpartition("/")[2]) == link


async def test_nothing_is_sent_after_20_seconds(bench: Bench) -> None:
    """Not even asked for."""
    bench.clock.advance(timedelta(seconds=20))
    assert await send_welcome.carry_out(bench.deed, bench.hands) == "too late"
    assert bench.sent() == 0


async def test_a_code_that_the_platform_does_not_take_ends_without_noise(bench: Bench) -> None:
    """41050 is an answer, not a failure: nobody is bothered."""
    deed = bench.deed.model_copy(update={"welcome_code": "nobody's"})
    assert await send_welcome.carry_out(deed, bench.hands) == "too late"


async def test_another_app_is_let_finish(bench: Bench) -> None:
    """41096 is tried again a second later."""
    bench.world.faults.other_app_greets = 1.0
    with pytest.raises(PlatformError) as failed:
        await send_welcome.carry_out(bench.deed, bench.hands)
    assert (failed.value.errcode, failed.value.treatment) == (41096, "retry")
    assert failed.value.retry_after == timedelta(seconds=1)


async def test_a_call_that_hangs_is_given_up_when_the_code_ends(bench: Bench) -> None:
    """What is not through in time is not sent later."""
    never = asyncio.Event()

    async def hangs(request: httpx2.Request) -> httpx2.Response:
        await never.wait()
        raise httpx2.ReadTimeout("never")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(hangs)) as client:
        bench.hands.wecom._client = client
        bench.clock.advance(timedelta(seconds=19.95))
        assert await send_welcome.carry_out(bench.deed, bench.hands) == "too late"
