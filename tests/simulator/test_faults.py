"""Faults by rate and seed."""

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from simulator import Faults, VirtualClock, World

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk


def _struck(seed: int, faults: Faults) -> list[bool]:
    world = World(clock=VirtualClock(), seed=seed, faults=faults)
    return [world.strikes("lost") for _ in range(200)]


def test_the_seed_decides_when() -> None:
    """The same seed strikes at the same moments, another one does not, and the rate is about right."""
    one = _struck(1, Faults(lost=0.3))
    assert one == _struck(1, Faults(lost=0.3))
    assert one != _struck(2, Faults(lost=0.3))
    assert 40 < sum(one) < 80


def test_one_fault_does_not_move_another() -> None:
    """Switching a second fault on leaves the moments of the first as they were."""
    world = World(clock=VirtualClock(), seed=1, faults=Faults(lost=0.3, doubled=0.5))
    both = [(world.strikes("doubled"), world.strikes("lost"))[1] for _ in range(200)]
    assert both == _struck(1, Faults(lost=0.3))


def test_stop_ends_all_and_keeps_the_count() -> None:
    """After `stop` no rate is left, and `injected` still tells what happened."""
    faults = Faults(lost=1.0, slow=1.0)
    world = World(clock=VirtualClock(), faults=faults)
    assert world.strikes("lost")
    faults.stop()
    assert not world.strikes("lost")
    assert faults.injected == {"lost": 1}
    assert faults.late_by == timedelta(seconds=60)


async def test_lost_and_doubled_callbacks(desk: "Desk") -> None:
    """A lost one is never tried and is in `undelivered`; a doubled one comes twice with the same words."""
    desk.world.faults.lost = 1.0
    group = desk.world.create_group("一群", "lihua")
    desk.world.faults.lost, desk.world.faults.doubled = 0.0, 1.0
    desk.world.rename(group, "新名字")
    await desk.until_quiet()
    assert desk.ear.kinds() == ["change_name", "change_name"]
    assert len(desk.world.undelivered) == 1


async def test_reordered_and_late_callbacks(desk: "Desk") -> None:
    """One that is held back is overtaken; a late one comes within `late_by`."""
    desk.world.faults.reordered = 1.0
    group = desk.world.create_group("一群", "lihua")
    desk.world.faults.reordered = 0.0
    desk.world.rename(group, "新名字")
    await desk.until_quiet()
    assert desk.ear.kinds() == ["change_name", "create"]
    start = desk.clock.now()
    desk.world.faults.late = 1.0
    desk.world.dismiss(group)
    await desk.until_quiet()
    assert timedelta(0) < desk.clock.now() - start <= desk.world.faults.late_by


async def test_a_lost_answer_means_another_try(desk: "Desk") -> None:
    """The bot has the event, the platform does not know and sends it again, three times in all."""
    desk.world.faults.answer_lost = 1.0
    desk.world.create_group("一群", "lihua")
    await desk.until_quiet()
    assert desk.ear.kinds() == ["create", "create", "create"]
    assert desk.world.undelivered == []


async def test_busy_has_no_effect(desk: "Desk") -> None:
    """-1, and nothing was sent."""
    await desk.token()
    desk.world.faults.platform_busy = 1.0
    query = {"access_token": desk.world.tokens.issue()[0]}
    body = {"touser": "lihua", "msgtype": "text", "agentid": desk.world.agent_id, "text": {"content": "你好"}}
    assert (await desk.http.post("/cgi-bin/message/send", params=query, json=body)).json()["errcode"] == -1
    assert desk.world.sent == []
    assert desk.world.calls["message/send", -1] == 1


@pytest.mark.parametrize(
    ("fault", "sent"),
    [("cut", 0), ("cut_after_effect", 1), ("error_5xx", 0), ("error_5xx_after_effect", 1), ("slow", 1)],
)
async def test_the_wire_fails_before_or_after_the_effect(desk: "Desk", fault: str, sent: int) -> None:
    """The caller sees an error or a 502 either way; whether the message was sent is what differs."""
    query = {"access_token": await desk.token()}
    body = {"touser": "lihua", "msgtype": "text", "agentid": desk.world.agent_id, "text": {"content": "你好"}}
    setattr(desk.world.faults, fault, 1.0)
    try:
        status = (await desk.http.post("/cgi-bin/message/send", params=query, json=body)).status_code
    except httpx2.TransportError:
        status = None
    assert status == (502 if "5xx" in fault else None)
    assert len(desk.world.sent) == sent
    assert desk.world.faults.injected == {fault: 1}
