"""Working on rows side by side: a slow platform never leaves a welcome code waiting."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from bot.serve import DEEDS_AT_ONCE, EVENTS_AT_ONCE, Wakes, work
from bot.worker import Worker
from rules.lanes import NORMAL, WELCOME


class SlowPlatform:
    """Events and deeds by lane. All but welcomes hang until `answers`; `done` says what has come to its end."""

    def __init__(self) -> None:
        self.events, self.deeds = [NORMAL] * (EVENTS_AT_ONCE + 1), [NORMAL] * (DEEDS_AT_ONCE + 1)
        self.answers, self.done = asyncio.Event(), list[tuple[str, int]]()
        self.greeted, self.full, self.hanging = asyncio.Event(), asyncio.Event(), 0
        self.claim_events, self.claim_welcome_events = self._claims(self.events)
        self.claim_deeds, self.claim_welcome_deeds = self._claims(self.deeds)
        self.handle, self.act = self._works("event"), self._works("deed")

    def _claims(self, rows: list[int]) -> list[Callable[[int], Coroutine[Any, Any, list[int]]]]:
        def claims(wanted: Callable[[int], bool]) -> Callable[[int], Coroutine[Any, Any, list[int]]]:
            async def claim(at_most: int) -> list[int]:
                taken = sorted(lane for lane in rows if wanted(lane))[:at_most]
                for lane in taken:
                    rows.remove(lane)
                return taken

            return claim

        return [claims(lambda _lane: True), claims(lambda lane: lane == WELCOME)]

    def _works(self, kind: str) -> Callable[[int], Coroutine[Any, Any, None]]:
        async def works(lane: int) -> None:
            if lane != WELCOME:
                self.hanging += 1
                if self.hanging == EVENTS_AT_ONCE + DEEDS_AT_ONCE:
                    self.full.set()
                await self.answers.wait()
            elif kind == "event":
                self.deeds.append(WELCOME)
            else:
                self.greeted.set()
            self.done.append((kind, lane))

        return works


async def test_a_welcome_has_room_of_its_own() -> None:
    """Every place is taken by a call that hangs; the customer is greeted all the same."""
    platform, stop, wakes = SlowPlatform(), asyncio.Event(), Wakes()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work(cast("Worker", platform), wakes, stop))
        async with asyncio.timeout(10):
            await platform.full.wait()
        platform.events.append(WELCOME)
        wakes.everybody()
        async with asyncio.timeout(10):
            await platform.greeted.wait()
        assert {lane for _, lane in platform.done} == {WELCOME}
        platform.answers.set()
        stop.set()
