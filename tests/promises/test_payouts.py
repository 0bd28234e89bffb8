"""Promise 5 with real processes: whatever the provider answers and whoever is killed, nobody is paid twice, and every
fen is in the ledger.

Two workers (tests/promises/pay_clerk.py) pay through HTTP at a simulated merchant. Nearly a third of what is sent is
met by a fault; the workers are killed with SIGKILL between what they write and what they call, and between the call
and its record. The clock is moved only when nobody has anything to do.
"""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import literal_column, update
from sqlalchemy import select as columns

from bot.server import running
from rules.payouts import FINAL, PAID, number, words
from simulator import World, create_app
from store import ledger, matters, pay_accounts, payouts, queue
from store.built import once
from store.database import Database, one, table_of
from store.inbox import Inbox
from store.outbox import Outbox
from store.payouts import PayoutRow
from store.staff import StaffRow
from tests.promises.conftest import ROOT
from tests.promises.pay_clerk import ToldClock

START = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MONTH = "2026-11"
A_STEP, LATER = timedelta(minutes=5), timedelta(minutes=30)
"""What is due within it is done together (after the first hours, `LATER`): it stands for many seconds, so the merchant
counts no calls a second here.
"""


LEASED = {
    table: once(
        columns(core.c.leased_until)
        .where(core.c.state == literal_column("'open'"), core.c.leased_until.is_not(None))
        .limit(1)
    )
    for table, core in ((table, table_of(table)) for table in (Inbox, Outbox))
}
"""Of each queue: until when somebody holds a row."""

HOPELESS = 200
"""Looks after which a row that is held is given up by whoever held it: its lease has to end."""


def be_unruly(world: World) -> None:
    """30 % of what is sent meets a fault, in every way that there is; a query likewise."""
    faults = world.merchant.faults
    for name in ("cut", "cut_after_effect", "error_5xx", "error_5xx_after_effect", "garbled", "garbled_after_effect"):
        setattr(faults, name, 0.02)
    for name in ("system_error", "system_error_after_effect", "processing_after_effect", "unlisted_after_effect"):
        setattr(faults, name, 0.03)
    faults.stall = faults.stall_after_effect = 0.001
    faults.stall_by = timedelta(seconds=1.2)
    faults.freq_limit = faults.send_failed = faults.fails_later = 0.02
    world.merchant.a_second = 10**9
    faults.no_auth, faults.slow_to_know, faults.query_error = 0.004, 0.2, 0.05


@dataclass
class Hall:
    """A merchant, a database with payouts, and two clerks who pay them."""

    world: World
    clock: ToldClock
    database: Database
    url: str
    base: str
    folder: Path
    clerks: list[subprocess.Popen[bytes]] = field(default_factory=list)
    buried: int = 0
    held: int = 0

    async def plan(self, how_many: int, random: Random) -> None:
        """Prizes of 1 to 20 CNY for people of whom some win very often, and a purse that holds just that."""
        rows = []
        for n in range(how_many):
            person = random.randrange(how_many // 5) if n % 10 else random.randrange(3 + how_many // 300)
            amount = random.randint(100, 2000)
            rows.append(
                PayoutRow(
                    draw_id=1,
                    draw="friday:2026-11-27T20:00+08:00",
                    winner=str(n),
                    way="wechat",
                    number=number("friday:2026-11-27T20:00+08:00", str(n), 1),
                    purse="draw:1",
                    amount=amount,
                    gross=amount,
                    person=f"wmWinner{person}",
                    openid=f"oWinner{person:06}",
                    words=words("静安茶铺", "周五拼手气", "感谢您一直在群里").model_dump(),
                    due_at=START,
                    since=START,
                    planned_at=START,
                )
            )
        total = sum(row.amount for row in rows)
        self.world.merchant.purse = total * 2 // 3
        async with self.database.write() as tx:
            tx.add(StaffRow(userid="lihua", name="李华", seen_at=START))
            await pay_accounts.note_account(tx, self.world.merchant.mch_id, self.world.merchant.app_id, now=START)
            await ledger.fund(tx, MONTH, total + 1234, now=START)
            assert await ledger.reserve(tx, "draw:1", total, month=MONTH, key="reserve:1", why="抽奖", now=START)
            tx.add_all(rows)

    def employ(self, name: str, kills: float) -> None:
        """A clerk who is killed at so many of their calls."""
        wrapper = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []
        command = [*wrapper, sys.executable, "-m", "tests.promises.pay_clerk", self.url, self.base]
        command += [str(self.folder / "clock"), name, str(kills), str(self.folder / "deaths")]
        env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{name}.log").open("wb") as out:
            self.clerks.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out))

    def deaths(self) -> int:
        file = self.folder / "deaths"
        return (
            sum(line.endswith(f" -{signal.SIGKILL.value}") for line in file.read_text().splitlines())
            if file.exists()
            else 0
        )

    async def bury(self) -> None:
        """What a clerk held who was killed is free, as it will be in half a minute by itself."""
        file = self.folder / "deaths"
        lines = file.read_text().splitlines() if file.exists() else []
        new, self.buried = lines[self.buried :], len(lines)
        for name, generation, _ in (line.split() for line in new):
            async with self.database.write() as tx:
                for table in (Inbox, Outbox):
                    held = table_of(table).c.lease_token.startswith(f"{name}-{generation}-")
                    freed = update(table_of(table)).where(held).values(leased_until=None)
                    await (await tx.connection()).execute(freed)

    async def next_due(self) -> datetime | None:
        """When somebody has something to do next: now, while somebody is still at work."""
        now = self.clock.now()
        moments = [self.world.next_due()]
        async with self.database.read() as tx:
            for table in (Outbox, Inbox):
                moments.append(await queue.next_due(tx, table))
                if (moments[-1] or now + LATER) <= now:
                    return now
                if (held := await one(tx, LEASED[table])) is not None:
                    self.held += 1
                    return now if self.held < HOPELESS else held
            moments.append(await payouts.next_due(tx))
        return min((at for at in moments if at is not None), default=None)

    async def until_all_is_over(self, seconds: float) -> None:
        """Move the clock whenever nobody has anything to do; fill the merchant's purse when it has been empty."""
        deadline, quiet = time.monotonic() + seconds, 0
        while True:
            assert time.monotonic() < deadline, f"not over by {self.clock.now()}: {self.said()}"
            assert all(each.poll() is None for each in self.clerks), self.said()
            await self.world.run_due()
            await self.bury()
            due = await self.next_due()
            if due is None:
                return
            if due <= self.clock.now():
                quiet = 0
            elif (quiet := quiet + 1) >= 2:
                if due.date() > self.clock.now().date():
                    print(f"it is {due:%m-%d}", flush=True)  # noqa: T201  # progress, where somebody watches
                step = A_STEP if self.clock.now() < START + timedelta(hours=3) else LATER
                self.clock.set(max(due, self.clock.now() + step))
                self.held = 0
                await self._refill()
            await asyncio.sleep(0.02 if due is not None and due <= self.clock.now() else 0.005)

    async def _refill(self) -> None:
        async with self.database.read() as tx:
            pause = await payouts.paused(tx)
        if pause is not None and self.clock.now() > pause.since + timedelta(hours=2):
            assert pause.reason == "no_money"
            self.world.merchant.purse += 10_000_000

    def said(self) -> str:
        return "\n".join((self.folder / f"{name}.log").read_text()[-3000:] for name in ("a", "b"))


@asynccontextmanager
async def open_hall(url: str, folder: Path, seed: int) -> AsyncIterator[Hall]:
    clock = ToldClock(folder / "clock", START)
    world = World(clock=clock, seed=seed)
    world.add_staff("lihua", "李华")
    database = await Database.open(url)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # of each connection that the merchant cuts
    async with running(create_app(world), "127.0.0.1", 0) as port:
        hall = Hall(world, clock, database, url, f"http://127.0.0.1:{port}", folder)
        try:
            yield hall
        finally:
            for clerk in hall.clerks:
                clerk.kill()
                clerk.wait(10)
            await database.close()
            logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)


async def check(hall: Hall, how_many: int) -> Counter[str]:
    """What the provider has paid is what the ledger owes, to the fen, and nobody has it twice."""
    merchant = hall.world.merchant
    async with hall.database.read() as tx:
        rows = await payouts.of_draw(tx, 1)
        purse = await ledger.purse(tx, "draw:1")
        month = await ledger.month(tx, MONTH)
        assert await ledger.out_of_step(tx) == []
        open_matters = {each for row in rows if await matters.is_open(tx, each := f"payout:{row.id}")}
        entries = await ledger.entries(tx)
    assert purse is not None
    assert merchant.paid() == purse.paid
    assert month.budget == month.free + month.held + month.paid
    free = held = 0
    for entry in entries:  # at no moment below zero
        free += {"fund": 1, "reserve": -1, "release": 1}.get(entry.kind, 0) * entry.amount
        held += {"reserve": 1, "unsettle": 1, "settle": -1, "release": -1}.get(entry.kind, 0) * entry.amount
        assert free >= 0
        assert held >= 0
    by_winner: dict[str, list[PayoutRow]] = {}
    for row in rows:
        by_winner.setdefault(row.winner, []).append(row)
        packet = merchant.packets.get(row.number)
        is_paid = packet is not None and packet.is_paid
        if row.state == "unknown":
            assert row.shown
            assert f"payout:{row.id}" in open_matters
        else:
            assert is_paid is (row.state in PAID), (row.number, row.state, packet)
            assert row.state in FINAL, (row.number, row.state, row.why, row.due_at)
        if packet is not None and packet.taken_at is not None:
            assert packet.fen == row.amount
    assert len(by_winner) == how_many
    for attempts in by_winner.values():
        assert sum(merchant.packets[row.number].is_paid for row in attempts if row.number in merchant.packets) <= 1
        assert all(row.state == "failed" for row in attempts[:-1])
    assert set(merchant.packets) <= {row.number for row in rows}
    return Counter(row.state for row in rows)


async def pay_all(
    url: str, folder: Path, seed: int, how_many: int, kills: float, seconds: float
) -> tuple[Hall, Counter[str]]:
    async with open_hall(url, folder, seed) as hall:
        await hall.plan(how_many, Random(seed))
        be_unruly(hall.world)
        for name in ("a", "b"):
            hall.employ(name, kills)
        await hall.until_all_is_over(seconds)
        ended = await check(hall, how_many)
        print(f"{how_many} payouts by {hall.clock.now():%m-%d %H:%M}: {dict(ended)}, {hall.deaths()} kills")  # noqa: T201
        print(dict(hall.world.merchant.faults.injected), dict(hall.world.merchant.answers))  # noqa: T201
        return hall, ended


def was_hard(hall: Hall, how_many: int) -> None:
    """The test would mean little otherwise."""
    injected = hall.world.merchant.faults.injected
    assert sum(injected.values()) > how_many / 4
    assert hall.deaths()
    assert max(hall.world.merchant.sends.values()) > 1


async def test_nobody_is_paid_twice_and_every_fen_is_booked(sqlite_url: str, tmp_path: Path, seed: int) -> None:
    """Payouts through faults of every kind and workers that are killed: the provider's and the ledger's sums agree to
    the fen, nobody is paid twice, the budget is never below zero, and every unknown is resolved or shown."""
    hall, ended = await pay_all(sqlite_url, tmp_path, seed, 100, 0.012, 300)
    was_hard(hall, 100)
    assert ended["received"] > 40
    assert ended["refunded"]


@pytest.mark.soak
@pytest.mark.parametrize(("engine", "how_many"), [("sqlite_url", 10_000), ("postgres_url", 1_000)])
async def test_ten_thousand_payouts(
    request: pytest.FixtureRequest, tmp_path: Path, seed: int, engine: str, how_many: int
) -> None:
    """The same with thousands of payouts, and dozens of kills: each costs half a second, as a new clerk begins cold."""
    url = request.getfixturevalue(engine)
    hall, ended = await pay_all(url, tmp_path, seed, how_many, 5 / how_many, 1400)
    was_hard(hall, how_many)
    assert hall.deaths() > 20
    assert ended["received"] > how_many / 2
