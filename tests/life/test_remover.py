"""The company's own program as a remover: called first, believed never; people are asked where it does not do it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bot.callback import Message, Receive, Scope, Send
from bot.explain.case import case_story
from simulator import World
from store import history, observations
from tests.life.conftest import ROBOT, WEBHOOK_SECRET, StartLife
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop, book

REMOVAL = {"webhook": {"url": f"https://{ROBOT}/remove?key=1", "wait": "2分钟"}}


@dataclass
class Robot:
    """A program that answers `status` and, after ten seconds, removes whom it was told of, if it is honest.

    `calls`: what it was told. It takes only what is signed with the shared secret.
    """

    world: World | None = None
    status: int = 202
    honest: bool = True
    calls: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        message: Message = await receive()
        body = message["body"]
        expected = hmac.new(
            WEBHOOK_SECRET.encode(), headers["x-steward-timestamp"].encode() + b"." + body, hashlib.sha256
        ).hexdigest()
        status = self.status if hmac.compare_digest(headers["x-steward-signature"], expected) else 401
        self.calls.append(json.loads(body) | {"signed_at": int(headers["x-steward-timestamp"]), "status": status})
        self.keys.append(headers["idempotency-key"])
        if self.honest and 200 <= status < 300:
            self._remove_soon(self.calls[-1])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _remove_soon(self, call: dict[str, Any]) -> None:
        world = self.world
        assert world
        group = world.groups[call["chat_id"]]
        at = world.clock.now() + 10 * SECONDS
        world.at(at, lambda: world.remove(group, call["external_userid"], by=group.owner))


@pytest.fixture
def open_with(open_shop: Any) -> Callable[..., Any]:
    """`async with open_with(robot) as shop`: a shop whose bot calls this program first."""

    def opened(robot: Robot | None, **more: Any) -> Any:
        return open_shop(book(removal=REMOVAL, **more), robot=robot)

    return opened


async def test_it_is_called_and_the_roster_closes_the_case(open_with: Callable[..., Any]) -> None:
    """A signed call within seconds says who and where; the removal closes the case, and no person was bothered."""
    robot = Robot()
    async with open_with(robot) as shop:
        robot.world = shop.world
        rival = shop.rival()
        entered = shop.life.clock.now()
        await shop.enters(rival, wait=10 * MINUTES)
        [call] = robot.calls
        assert call["status"] == 202
        assert call["signed_at"] - entered.timestamp() < 5
        assert {name: call[name] for name in ("case", "chat_id", "group", "external_userid", "name")} == {
            "case": 1,
            "chat_id": shop.group.chat_id,
            "group": "静安1群",
            "external_userid": rival.id,
            "name": "张三",
        }
        assert robot.keys == ["removal-case-1"]
        assert await shop.outcomes() == ["removed"]
        assert [shop.world.inbox(each) for each in ("wangwu", "zhaoliu", "lihua")] == [[], [], []]
        async with shop.life.bot.store.read() as tx:  # its removals are not taken for WeCom's own 防骚扰
            assert await observations.seen(tx, observations.NATIVE_GUARD) is None


async def test_a_liar_is_found_out(open_with: Callable[..., Any]) -> None:
    """It says 2xx and removes nobody: after `wait` the ordinary card comes, for all of the group together."""
    robot = Robot(honest=False)
    async with open_with(robot) as shop:
        await shop.enters(shop.rival("甲一"), shop.rival("乙二"), wait=115 * SECONDS)
        assert (len(robot.calls), shop.cards()) == (2, [])
        await shop.life.run(MINUTES)
        [card] = shop.cards()
        assert "甲一" in card.text
        assert "乙二" in card.text
        shop.owner.does("removes_and_presses", after=SECONDS)
        await shop.life.run(10 * MINUTES)
        assert len(shop.texts("wangwu")) == 1
        await shop.life.run(2 * MINUTES)
        assert await shop.outcomes() == ["removed", "removed"]
        assert len(robot.calls) == 2
        async with shop.life.bot.store.read() as tx:
            case = await history.case(tx, 2)
            assert case
            told = [moment.what for moment in (await case_story(tx, case, changed="")).timeline]
        assert [what for what in told if what.startswith(("通知公司的程序", "卡片发给"))] == [
            "通知公司的程序移出",
            "卡片发给 王五、赵六",
        ]


@pytest.mark.parametrize("status", [400, 401, 302, 404])
async def test_a_refusal_brings_the_card_at_once(open_with: Callable[..., Any], status: int) -> None:
    """What it will never accept is not tried again: people are asked within seconds."""
    robot = Robot(status=status)
    async with open_with(robot) as shop:
        await shop.enters(shop.rival(), wait=10 * SECONDS)
        assert len(robot.calls) == 1
        assert len(shop.cards()) == 1


async def test_a_program_in_trouble_is_tried_again_and_then_people_are_asked(open_with: Callable[..., Any]) -> None:
    """5xx: the same call under the same key a few times; when `wait` is over, the card, and no call after it."""
    robot = Robot(status=503)
    async with open_with(robot) as shop:
        await shop.enters(shop.rival(), wait=3 * MINUTES)
        tries = len(robot.calls)
        assert 2 <= tries <= 5
        assert set(robot.keys) == {"removal-case-1"}
        assert len({json.dumps({**call, "signed_at": 0}) for call in robot.calls}) == 1
        assert len(shop.cards()) == 1
        await shop.life.run(timedelta(hours=3))
        assert len(robot.calls) == tries


async def test_nothing_answers(open_with: Callable[..., Any]) -> None:
    """No program at all: the card comes when `wait` is over."""
    async with open_with(None) as shop:  # the address answers with a cut connection
        await shop.enters(shop.rival(), wait=3 * MINUTES)
        assert len(shop.cards()) == 1


async def test_off_duty_the_program_works_and_people_sleep(open_shop: Any) -> None:
    """At night it is called at once; the card for what it did not do waits for the morning."""
    robot = Robot(honest=False)
    settings = book(removal=REMOVAL, shop={"off_duty": "00:00-23:59"})
    async with open_shop(settings, robot=robot) as shop:
        await shop.enters(shop.rival(), wait=HOURS)
        assert len(robot.calls) == 1
        assert shop.world.inbox("wangwu") == []
        await shop.life.stride(14 * HOURS, 14)
        assert len(shop.cards()) == 1


async def test_who_comes_back_is_a_call_of_its_own(open_with: Callable[..., Any]) -> None:
    """A removed person who returns is a new case with a new key."""
    robot = Robot()
    async with open_with(robot) as shop:
        robot.world = shop.world
        rival = shop.rival().comes_back(5 * MINUTES)
        await shop.enters(rival, wait=20 * MINUTES)
        assert robot.keys == ["removal-case-1", "removal-case-2"]
        assert await shop.outcomes() == ["removed", "removed"]


@pytest.mark.parametrize("then", ["仅观察", "提醒"])
async def test_it_is_never_called_to_observe_or_to_warn(open_with: Callable[..., Any], then: str) -> None:
    """Neither removes anybody, by no means."""
    robot = Robot()
    async with open_with(robot, then=then) as shop:
        await shop.enters(shop.rival(), wait=5 * MINUTES)
        assert robot.calls == []


async def test_it_is_not_called_about_those_already_inside(start_life: StartLife) -> None:
    """Day one makes a list, not hundreds of calls."""
    robot = Robot()
    async with start_life(book(removal=REMOVAL), robot=robot) as life:
        with life.unheard():
            shop = Shop(life)
            shop.world.join(shop.group, shop.rival())
        life.clock.advance(24 * HOURS)
        await life.bot.read_roster("start")
        await life.run(HOURS)
        assert robot.calls == []
        assert len(shop.lists()) == 1
