"""A worker that pays, as a process of its own that is killed again and again: `python -m tests.promises.pay_clerk …`.

It keeps time by a file that the test writes. Right before and right after each call it may be killed with SIGKILL, by a
seeded die: then the call was not made, or was made and is not recorded. A new one takes its place at once (a fork of a
process that has imported everything).
"""

import asyncio
import contextlib
import dataclasses
import mmap
import os
import random
import signal
import struct
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx2
from pydantic import SecretStr

from bot.actions import ACTIONS, pay
from bot.actions.action import Hands
from bot.links import Links
from bot.metrics import Metrics
from bot.worker import Rules, Worker, make_worker
from bot.wxpay import WxPay
from rules.book import Book
from scheduler import payouts as payouts_sweep
from simulator import VirtualClock, World
from store.database import Clash, Database, StoreUnavailable
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

BOOK = Book.model_validate({"managers": ["李华"]})
AT_ONCE = 16


class FileClock:
    """Reads the time, in microseconds, from a file that somebody else writes."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        [micros] = struct.unpack("<q", self._map[:8])
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


class ToldClock(VirtualClock):
    """A virtual clock that writes every move down for other processes."""

    def __init__(self, path: Path, start: datetime) -> None:
        path.write_bytes(b"\0" * 8)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        super().__init__(start)
        self._write()

    def set(self, at: datetime) -> None:
        super().set(at)
        self._write()

    def _write(self) -> None:
        micros = (self.now() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        self._map[:8] = struct.pack("<q", micros)


def mortal(die: random.Random, rate: float) -> dict[str, Any]:
    """The actions, of which paying is deadly at times."""

    def strike() -> None:
        if die.random() < rate:
            os.kill(os.getpid(), signal.SIGKILL)

    async def carry_out(deed: Any, hands: Hands) -> Any:
        strike()
        answer = await pay.carry_out(deed, hands)
        strike()
        return answer

    members = {name: getattr(pay, name) for name in ("REPEATABLE", "is_wanted", "record", "give_up")}
    deadly: ModuleType | SimpleNamespace = SimpleNamespace(**members, carry_out=carry_out)
    return {**ACTIONS, "pay": deadly}


def the_worker(
    store: Database, clock: FileClock, client: httpx2.AsyncClient, *, base: str, token: str, actions: dict[str, Any]
) -> Worker:
    """A worker with nothing but what paying and telling the managers take."""
    shown = World(clock=clock)  # for its ids and keys only
    wecom = Gateway(
        client,
        base=base,
        corp_id=shown.corp_id,
        secret=shown.secret,
        agent_id=shown.agent_id,
        clock=clock,
        tokens=MemoryTokens(),
        limiter=Unlimited(),
        loopback_only=True,
    )
    wxpay = WxPay(
        mch_id=shown.merchant.mch_id,
        app_id=shown.merchant.app_id,
        api_key=SecretStr(shown.merchant.api_key),
        cert=None,
        key=None,
        base=base,
        loopback_only=True,
        read_seconds=1.0,
    )
    numbers = count()
    worker = make_worker(
        store=store,
        wecom=wecom,
        rules=Rules(BOOK),
        clock=clock,
        metrics=Metrics(),
        new_token=lambda: f"{token}-{next(numbers)}",
        hands=Hands(wecom=wecom, links=Links(base, "for tests", clock), client=client, clock=clock, wxpay=wxpay),
    )
    return dataclasses.replace(worker, actions=actions)


async def work(database: str, base: str, clock: FileClock, name: str, die: random.Random, rate: float) -> None:
    """Until the parent is gone, or this process is killed."""
    parent = os.getppid()
    store = await Database.open(database)
    async with httpx2.AsyncClient(trust_env=False) as client:
        worker = the_worker(store, clock, client, base=base, token=name, actions=mortal(die, rate))
        while os.getppid() == parent:
            try:
                deeds = await worker.claim_deeds(AT_ONCE)
                events = await worker.claim_events(4)
                await asyncio.gather(*map(worker.act, deeds), *map(worker.handle, events))
                if not deeds and not events and not await sweep(store, clock.now()):
                    await until_it_moves(clock)
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def until_it_moves(clock: FileClock) -> None:
    """Nothing is due: until the time is another one, or the other clerk may have left something."""
    now = clock.now()
    for _ in range(25):
        await asyncio.sleep(0.002)
        if clock.now() != now:
            return


async def sweep(store: Database, now: datetime) -> int:
    """As the worker does, of payouts alone."""
    async with store.read() as tx:
        due = await payouts_sweep.next_due(tx)
    if due is None or due > now:
        return 0
    with contextlib.suppress(Clash):
        async with store.write() as tx:
            return await payouts_sweep.sweep(tx, now)
    return 0


def main() -> None:
    database, base, clock_file, name, rate, log = sys.argv[1:]
    for generation in count():
        child = os.fork()
        if not child:
            die = random.Random(f"{name}|{generation}")
            asyncio.run(work(database, base, FileClock(Path(clock_file)), f"{name}-{generation}", die, float(rate)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        with Path(log).open("a") as out:
            out.write(f"{name} {generation} {os.waitstatus_to_exitcode(status)}\n")
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main()
