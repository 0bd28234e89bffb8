"""Calling the company's own program: what is signed, and what is never done."""

from datetime import UTC, datetime

import httpx2
import pytest

from bot.actions import call_remover
from bot.actions.action import Hands
from bot.actions.call_remover import RemoverFailed
from bot.links import Links
from rules.actions import CallRemover
from simulator import VirtualClock
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

DEED = CallRemover(
    url="https://robot.example/remove?key=secret-of-theirs",
    case_id=7,
    chat_id="wrGROUP",
    group="静安1群",
    external_userid="woPERSON",
    name="张三",
    requested_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
)


def hands(handler: httpx2.MockTransport, *, signs: bool = True, loopback_only: bool = False) -> Hands:
    clock = VirtualClock()
    client = httpx2.AsyncClient(transport=handler)
    wecom = Gateway(
        client,
        base="http://127.0.0.1",
        corp_id="ww1",
        secret="s",
        agent_id=1,
        clock=clock,
        tokens=MemoryTokens(),
        limiter=Unlimited(),
    )
    links = Links("http://127.0.0.1", "a key of sixteen characters", clock)
    return Hands(wecom, links, client, clock, webhook_secret="shared" if signs else None, loopback_only=loopback_only)


def answering(status: int, seen: list[httpx2.Request]) -> httpx2.MockTransport:
    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(status, headers={"location": "https://elsewhere.example/"})

    return httpx2.MockTransport(answer)


def test_the_signature_is_what_the_documentation_says() -> None:
    """A receiver in any language computes the same: HMAC-SHA256 of "timestamp.body", in hex (this one by openssl)."""
    signed = call_remover.sign("shared", "1795395613", b'{"case":7}')
    assert signed == "d886caff8b770d43ba08ac0c27d1f20a772a1b6e3e5e0d01ceb9deef57fd4288"


async def test_redirects_are_not_followed() -> None:
    """Names and signature go to the address in the config, and nowhere else."""
    seen: list[httpx2.Request] = []
    with pytest.raises(RemoverFailed) as failed:
        await call_remover.carry_out(DEED, hands(answering(307, seen)))
    assert (failed.value.treatment, len(seen)) == ("refused", 1)


@pytest.mark.parametrize(("status", "treatment"), [(500, "retry"), (503, "retry"), (429, "retry"), (422, "refused")])
async def test_what_may_pass_is_tried_again(status: int, treatment: str) -> None:
    """Trouble at their end is tried again, a refusal is not; the address, which may hold a key, is in no error."""
    with pytest.raises(RemoverFailed) as failed:
        await call_remover.carry_out(DEED, hands(answering(status, [])))
    assert failed.value.treatment == treatment
    assert "robot.example" not in str(failed.value)


async def test_nothing_is_sent_without_a_secret() -> None:
    """An unsigned call could come from anybody: it is not made."""
    seen: list[httpx2.Request] = []
    with pytest.raises(RemoverFailed):
        await call_remover.carry_out(DEED, hands(answering(200, seen), signs=False))
    assert seen == []


async def test_demo_and_tests_reach_this_machine_only() -> None:
    """Where only loopback is allowed, an address elsewhere is refused unsent."""
    seen: list[httpx2.Request] = []
    with pytest.raises(RemoverFailed):
        await call_remover.carry_out(DEED, hands(answering(200, seen), loopback_only=True))
    assert seen == []
