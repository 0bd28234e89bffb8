"""Seats a second on a pool of 1,000 dedicated groups. `python -m benchmarks.seats [--quick]`

Visitors scan one entrance, many at once, each in a transaction of its own, with the very functions that the page calls:
the seat, the visit, and what is shown. On PostgreSQL also from several processes. Everybody comes back once, untimed;
then every run is looked through for doubles. The exit code is 1 only where there are any, however slow it was.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from loguru import logger
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select

from benchmarks import stage
from handlers import entrance
from rules.book import Book
from rules.events import EntranceScanned
from store.columns import table_of
from store.database import Clash, Database
from store.join_ways import JoinWayRow
from store.migrate import upgrade
from store.rooms import RoomRow
from store.roster import GroupRow
from store.seats import SeatRow
from store.waiting import WaitingRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
BOOK = Book.model_validate(
    {
        "groups": {"vip": "VIP*"},
        "entrances": [{"name": "vip-tea", "one_customer_per_group": True, "groups": "vip", "warn_below": "20个群"}],
    }
)
SEEN = entrance.Seen()

console = Console()


@dataclass(frozen=True)
class Size:
    """`groups` to give away; `people` who come; so many `at_once`; each way `rounds` times."""

    groups: int
    people: int
    at_once: int
    rounds: int


FULL = Size(groups=1000, people=1000, at_once=32, rounds=3)
QUICK = Size(groups=30, people=40, at_once=8, rounds=1)
MUST = {"SQLite": 500, "PostgreSQL": 1000}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seats", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke of a few seconds, on SQLite only")
    wanted = parser.parse_args(arguments)
    size = QUICK if wanted.quick else FULL
    logger.remove()
    console.print(f"load average before: {os.getloadavg()[0]:.2f}")
    table = Table(title=f"seats on {size.groups:,} dedicated groups, {size.people:,} people, best of {size.rounds}")
    for heading in ("engine", "processes", "seats a second", "CPU ms a seat", "must"):
        table.add_column(heading, justify="right")
    broken: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        ways: list[tuple[str, int, Callable[[str], str]]] = [
            ("SQLite", 1, lambda name: f"sqlite:///{folder}/{name}.db")
        ]
        postgres = None if wanted.quick else stack.enter_context(stage.postgres())
        if postgres is not None:
            ways += [("PostgreSQL", processes, postgres.url) for processes in (1, 2, 3)]
        for engine, processes, address in ways:
            runs: list[Run] = []
            for _ in range(size.rounds):
                name = f"seats_{engine.lower()}_{processes}_{len(runs)}"
                url = asyncio.run(prepare(engine, address(name), address("postgres"), name, size))
                runs.append(measure(url, size, processes))
                broken += [f"{engine}, {processes}: {each}" for each in asyncio.run(wrong(url, size))]
            best = max(runs, key=lambda run: run.seats)
            must = f"{MUST[engine]:,}: {'kept' if best.seats >= MUST[engine] else 'MISSED'}"
            table.add_row(engine, str(processes), f"{best.seats:,.0f}", f"{best.cpu * 1e3:.2f}", must)
    console.print(table)
    for each in broken:
        console.print(f"[bold red]BROKEN[/] {each}")
    return 1 if broken else 0


# --- the pool and the people ------------------------------------------------------------------------------------------


async def prepare(engine: str, url: str, administer: str, name: str, size: Size) -> str:
    """A migrated database with the pool in it, every code made. Visitors are numbers here."""
    if engine == "PostgreSQL":
        connection = await asyncpg.connect(administer)
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
    await upgrade(url)
    store = await Database.open(url)
    async with store.write() as tx:
        connection_ = await tx.connection()
        ids = [f"wr{number:030d}" for number in range(size.groups)]
        groups = [GroupRow(chat_id=each, kind="vip", watched_since=NOON, read_at=NOON).model_dump() for each in ids]
        await connection_.execute(insert(table_of(GroupRow)), groups)
        codes = [
            JoinWayRow(id=n + 1, state=f"s{n}", purpose="seat", chat_id=each, chat_ids=[each], status="ready",
                       qr_code=f"https://qr/{n}", config_id=f"c{n}", ordered_at=NOON).model_dump()
            for n, each in enumerate(ids)
        ]  # fmt: skip
        await connection_.execute(insert(table_of(JoinWayRow)), codes)
        rooms = [
            RoomRow(id=n + 1, chat_id=each, name=f"VIP·{n}", kind="vip", alone=True, state="free", since=NOON,
                    way_id=n + 1, bare=False).model_dump()
            for n, each in enumerate(ids)
        ]  # fmt: skip
        await connection_.execute(insert(table_of(RoomRow)), rooms)
    await store.close()
    return url


# --- scanning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """Seats a second; processor seconds a seat, the server of PostgreSQL not counted."""

    seats: float
    cpu: float


def measure(url: str, size: Size, processes: int) -> Run:
    """All of them at once, shared among the processes; timed from the moment at which all are ready."""
    people = list(range(1, size.people + 1))
    parts = [people[part::processes] for part in range(processes)]
    context = multiprocessing.get_context("spawn")
    go, results = context.Barrier(processes + 1), context.Queue()
    at_once = max(1, size.at_once // processes)
    workers = [context.Process(target=_work, args=(url, part, at_once, go, results)) for part in parts]
    for worker in workers:
        worker.start()
    go.wait(60)
    began = time.perf_counter()
    spent = [results.get(timeout=300) for _ in workers]
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return Run(seats=len(people) / took, cpu=sum(spent) / len(people))


def _work(url: str, people: list[int], at_once: int, go, results) -> None:  # type: ignore[no-untyped-def]
    logger.remove()
    asyncio.run(_scan_all(url, people, at_once, go, results))


async def _scan_all(url: str, people: list[int], at_once: int, go, results) -> None:  # type: ignore[no-untyped-def]
    store = await Database.open(url)
    left, again = iter(people), iter(people)
    await _scan(store, 10**9)  # what is compiled once is compiled before
    await asyncio.to_thread(go.wait, 60)
    cpu = time.process_time()

    async def one_after_the_other(who: Iterator[int]) -> None:
        for visitor in who:
            await _scan(store, visitor)

    await asyncio.gather(*(one_after_the_other(left) for _ in range(at_once)))
    results.put(time.process_time() - cpu)
    await asyncio.gather(*(one_after_the_other(again) for _ in range(at_once)))
    await store.close()


async def _scan(store: Database, visitor: int) -> None:
    event = EntranceScanned(at=NOON, entrance="vip-tea" if visitor < 10**9 else "nowhere", visitor_id=visitor)
    for _ in range(10):
        try:
            async with store.write() as tx:
                await entrance.handle(event, SEEN, tx, BOOK, NOON)
                await entrance.door_for(tx, BOOK, event.entrance, visitor, NOON)
            return
        except Clash:
            continue
    raise RuntimeError("ten clashes in a row")


async def wrong(url: str, size: Size) -> list[str]:
    """Doubles, and people who got nothing."""
    store = await Database.open(url)
    seats, waiting = table_of(SeatRow), table_of(WaitingRow)
    async with store.read() as tx:
        connection = await tx.connection()
        rows = (await connection.execute(select(seats.c.chat_id, seats.c.visitor_id))).all()
        waits = (await connection.execute(select(func.count()).select_from(waiting))).scalar_one()
    await store.close()
    found = []
    if len({row.chat_id for row in rows}) != len(rows):
        found.append("a group was given twice")
    if len({row.visitor_id for row in rows}) != len(rows):
        found.append("somebody was given two groups")
    if len(rows) != min(size.groups, size.people) or len(rows) + waits != size.people:
        found.append(f"{len(rows)} seats and {waits} waiting for {size.people} people")
    return found


if __name__ == "__main__":
    sys.exit(main())
