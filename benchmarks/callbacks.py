"""How fast the bot is, beside references in the same run: `python -m benchmarks.callbacks [--help]`.

1. Durable callbacks a second: the bot's web role on one core, 64 connections, beside raw uvicorn and the usual way.
2. From an event to the staff card at 100 events a second: the whole bot on one core, a simulated WeCom on the other.

Figures are for people to judge (docs/performance.md). The exit code is 1 only where an invariant broke (a 200 without
its row, a card that never came), however slow it was.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks import stage
from benchmarks.crowd import Answer
from benchmarks.load import Figures
from benchmarks.stage import Postgres

CONFIG = """\
managers: [owner0]
rules:
  - {rule: other_company, groups: all, then: 移出}
removal: {wait_for_others: 0秒, next_card_after: 0秒}
"""

MOST_A_SECOND = 15_000  # nobody answers more durable callbacks; so many are prepared per second of load


@dataclass(frozen=True)
class Size:
    """Seconds of load and how often each server has its turn; events per second and for how long."""

    seconds: float
    rounds: int
    connections: int
    pace: float
    pace_seconds: float


FULL = Size(seconds=5, rounds=3, connections=64, pace=100, pace_seconds=10)
QUICK = Size(seconds=0.5, rounds=1, connections=8, pace=20, pace_seconds=1)

console = Console(width=110)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callbacks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke of a few seconds, on SQLite only")
    parser.add_argument("--row", type=int, choices=[1, 2], help="only this one")
    parser.add_argument("--pace", type=float, help="events per second in row 2, in place of 100")
    wanted = parser.parse_args(arguments)
    size = QUICK if wanted.quick else FULL
    size = replace(size, pace=wanted.pace or size.pace)
    load = os.getloadavg()[0]
    console.print(f"cores: bot {stage.BOT_CORE}, load {stage.OTHER_CORE}; load average before: {load:.2f}")
    if load > 0.5:
        console.print("[yellow]this machine is busy with something else: the figures will be worse than they are[/]")
    broken: list[str] = []
    with stage.postgres() if not wanted.quick else _nothing() as postgres:
        if wanted.row != 2:
            broken += durable_callbacks(size, postgres)
        if wanted.row != 1:
            broken += event_to_card(size, postgres)
    for each in broken:
        console.print(f"[bold red]BROKEN[/] {each}")
    return 1 if broken else 0


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


# --- row 1: durable callbacks a second --------------------------------------------------------------------------------


def durable_callbacks(size: Size, postgres: Postgres | None) -> list[str]:
    """Measures, prints, and says what broke. Servers take turns, so that a busy moment hits all of them."""
    runs: dict[str, list[Run]] = {}
    broken = []
    for number in range(size.rounds):
        for name, server in _SERVERS.items():
            if postgres is None and "PostgreSQL" in name:
                continue
            with tempfile.TemporaryDirectory(prefix="steward-bench-") as folder:
                database = _database(name, Path(folder), postgres, f"{name[:3]}_round{number}")
                with server(Path(folder), database) as serving:
                    run = _load(size, serving, Path(folder), again=name == RAW)
                rows = None if name == RAW else _rows(database, "inbox" if "bot" in name else "received")
            runs.setdefault(name, []).append(run)
            figures = run.figures
            shown = f"{figures.per_second:,.0f}/s, p99 {figures.p99 * 1e3:.1f} ms, CPU {run.cpu * 1e6:.0f} us"
            console.print(f"  [dim]{name}: {shown}, {rows or 'no'} rows[/]", highlight=False)
            if rows is not None and rows != figures.accepted:
                broken.append(f"{name}: {figures.accepted} answers were 200, {rows} rows are in the table")
            if set(figures.answered) != {"200"}:
                broken.append(f"{name}: other answers than 200: {figures.answered}")
    console.print(_durable_table(size, runs))
    return broken


Serving = tuple[int, int]
"""Port and pid of a server."""

RAW, BOT, BASELINE = "raw uvicorn", "bot, SQLite", "baseline, SQLite"
BOT_PG, BASELINE_PG = "bot, PostgreSQL", "baseline, PostgreSQL"


@contextmanager
def _raw(folder: Path, _database: str) -> Iterator[Serving]:
    with _reference(folder, "raw") as serving:
        yield serving


@contextmanager
def _baseline(folder: Path, database: str) -> Iterator[Serving]:
    address = database.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    with _reference(folder, "baseline", "--database", address) as serving:
        yield serving


@contextmanager
def _reference(folder: Path, which: str, *options: str) -> Iterator[Serving]:
    port = stage.free_port()
    command = stage.python("benchmarks.references", which, str(port), *options)
    with stage.process(*command, core=stage.BOT_CORE, folder=folder) as running:
        stage.wait_for_port(port, running)
        yield port, running.pid


@contextmanager
def _bot(folder: Path, database: str) -> Iterator[Serving]:
    port = stage.free_port()
    with stage.bot(
        role="web", port=port, database=database, api="http://127.0.0.1:9", config=CONFIG, folder=folder
    ) as pid:
        yield port, pid


_SERVERS = {RAW: _raw, BOT: _bot, BASELINE: _baseline, BOT_PG: _bot, BASELINE_PG: _baseline}


@dataclass(frozen=True)
class Run:
    """What the load generator saw, and the processor time of the server per answer, in seconds."""

    figures: Figures
    cpu: float


def _load(size: Size, serving: Serving, folder: Path, *, again: bool) -> Run:
    """Let the load generator loose. `again`: a server that forgets may be sent the same things again."""
    prepare = 20_000 if again else round(MOST_A_SECOND * size.seconds)
    port, pid = serving
    command = stage.python("benchmarks.load", str(port), "--seconds", str(size.seconds), "--prepare", str(prepare))
    command += ("--connections", str(size.connections), *(["--again"] if again else []))
    before = stage.cpu_seconds(pid)
    with stage.process(*command, core=stage.OTHER_CORE, folder=folder) as running:
        figures = Figures(**_answer_of(running))
    return Run(figures, (stage.cpu_seconds(pid) - before) / sum(figures.answered.values()))


def _answer_of(running: subprocess.Popen[str]) -> dict[str, Any]:
    said, _ = running.communicate()
    if running.returncode:
        raise RuntimeError(f"{running.args!r} ended with {running.returncode}")
    answer: dict[str, Any] = json.loads(said)
    return answer


def _database(name: str, folder: Path, postgres: Postgres | None, called: str) -> str:
    """The address of a new, empty database."""
    if postgres is None or "PostgreSQL" not in name:
        return f"sqlite:///{folder}/bench.db"

    async def create() -> None:
        connection = await asyncpg.connect(postgres.url())
        await connection.execute(f"CREATE DATABASE {called}")
        await connection.close()

    asyncio.run(create())
    return postgres.url(called)


def _rows(database: str, table: str) -> int:
    """How many rows a table has, seen with the plain driver."""
    count = f"SELECT count(*) FROM {table}"  # noqa: S608 - one of two names of ours
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file:
            rows: int = file.execute(count).fetchone()[0]
            return rows

    async def ask() -> int:
        connection = await asyncpg.connect(database)
        number: int = await connection.fetchval(count)
        await connection.close()
        return number

    return asyncio.run(ask())


def _durable_table(size: Size, runs: dict[str, list[Run]]) -> Table:
    def speed(name: str) -> float:
        return median(run.figures.per_second for run in runs[name])

    def cpu(name: str) -> float:
        return median(run.cpu for run in runs[name])

    table = Table(title=f"durable callbacks, one core, {size.connections} connections (median of {size.rounds})")
    for heading in (
        "server",
        "per s",
        "p50 ms",
        "p99 ms",
        "of raw",
        "x baseline",
        "CPU us",
        "of raw by CPU",
        "load's core",
    ):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for name, each in runs.items():
        baseline = BASELINE_PG if "PostgreSQL" in name else BASELINE
        table.add_row(
            name,
            f"{speed(name):,.0f}",
            f"{median(run.figures.p50 for run in each) * 1e3:.1f}",
            f"{median(run.figures.p99 for run in each) * 1e3:.1f}",
            f"1/{speed(RAW) / speed(name):.1f}",
            f"{speed(name) / speed(baseline):.1f}" if "bot" in name else "",
            f"{cpu(name) * 1e6:.0f}",
            f"1/{cpu(name) / cpu(RAW):.1f}",
            f"{median(run.figures.cpu for run in each):.0%}",
        )
    return table


# --- row 2: from an event to the staff card ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Meeting:
    """What the crowd saw, what it said before, and the processor time of the bot per event, in seconds."""

    answer: Answer
    before: str
    cpu: float


def event_to_card(size: Size, postgres: Postgres | None) -> list[str]:
    """Measures, prints, and says what broke."""
    broken = []
    table = Table(title=f"from an event to the staff card, {size.pace:g} events/s for {size.pace_seconds:g} s")
    for heading in ("database", "cards", "p50 ms", "p99 ms", "worst ms", "pace", "CPU ms"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    for name in ("SQLite", *(["PostgreSQL"] if postgres else [])):
        with tempfile.TemporaryDirectory(prefix="steward-bench-") as folder:
            meeting = _meet(size, Path(folder), _database(name, Path(folder), postgres, f"cards_{size.pace:g}"))
        answer = meeting.answer
        console.print(f"  [dim]{name}: {meeting.before}[/]", highlight=False)
        table.add_row(
            name,
            f"{answer.cards:,}",
            *(f"{seconds * 1e3:.0f}" for seconds in (answer.p50, answer.p99, answer.worst)),
            f"{answer.pace:.1f}/s",
            f"{meeting.cpu * 1e3:.1f}",
        )
        if (answer.cards, answer.doubles) != (answer.sent, 0):
            broken.append(f"{name}: {answer.sent} rivals came, {answer.cards} cards and {answer.doubles} doubles")
    console.print(table)
    return broken


def _meet(size: Size, folder: Path, database: str) -> Meeting:
    """A bot and a crowd, each on a core of its own."""
    port, api_port = stage.free_port(), stage.free_port()
    command = stage.python("benchmarks.crowd", str(api_port), f"http://127.0.0.1:{port}/callback")
    command += ("--pace", str(size.pace), "--seconds", str(size.pace_seconds))
    with stage.process(*command, core=stage.OTHER_CORE, folder=folder) as crowd:
        stage.wait_for_port(api_port, crowd)
        api = f"http://127.0.0.1:{api_port}"
        with stage.bot(role="all", port=port, database=database, api=api, config=CONFIG, folder=folder) as pid:
            assert crowd.stdout is not None
            before = crowd.stdout.readline().strip()
            cpu = stage.cpu_seconds(pid)
            answer = Answer(**_answer_of(crowd))
            return Meeting(answer, before, (stage.cpu_seconds(pid) - cpu) / answer.sent)


if __name__ == "__main__":
    sys.exit(main())
