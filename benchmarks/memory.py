"""How much memory `steward serve` holds while a million callbacks pour in: `python -m benchmarks.memory`.

The whole bot (web, worker, clock) on SQLite, beside a simulated WeCom whose 1,000 groups it reads. Callbacks, each a
different one, come faster than they can be worked on, so that a backlog piles up; afterwards the worker is left to it
for a while. The database may grow, resident memory must not: flat means that from halfway to the very end (until
then caches fill) it grows by FLAT at most. The exit code is 1 where it grows more, or a callback was not taken.
"""

import argparse
import asyncio
import gc
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import stage
from benchmarks.callbacks import CONFIG
from simulator import Limits, WallClock, World, running

PARTS = 10
FLAT = 0.05
"""By how much of what it was halfway memory may have grown at the end."""
MOST_SECONDS = 60.0  # of one run of the load generator: what it prepares must not be too old when it is sent
GROUPS = 1000  # as many as benchmarks.load speaks of

console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--callbacks", type=int, default=1_000_000)
    parser.add_argument("--afterwards", type=float, default=60.0, help="seconds in which nothing more comes")
    parser.add_argument("--world", type=int, metavar="PORT", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.world:
        uvloop.run(play(wanted.world))
        return 0
    with tempfile.TemporaryDirectory(prefix="steward-memory-") as name:
        folder, port, api_port = Path(name), stage.free_port(), stage.free_port()
        world = stage.python("benchmarks.memory", "--world", str(api_port))
        with stage.process(*world, core=stage.OTHER_CORE, folder=folder) as serving:
            stage.wait_for_port(api_port, serving)
            database, api = folder / "memory.db", f"http://127.0.0.1:{api_port}"
            url = f"sqlite:///{database}"
            with stage.bot(role="all", port=port, database=url, api=api, config=CONFIG, folder=folder) as pid:
                return measure(wanted, pid, port, database)


def measure(wanted: argparse.Namespace, pid: int, port: int, database: Path) -> int:
    """Send, look, print; and say whether it stayed flat."""
    table = Table("callbacks taken", "worked on", "resident memory, MB", "database, MB", title="steward serve, SQLite")
    resident: list[float] = []
    halfway, taken = 0.0, 0

    def look() -> None:
        resident.append(resident_now(pid))
        size = sum(file.stat().st_size for file in database.parent.glob("memory.db*")) / 1024**2
        row = (f"{taken:,}", f"{worked_on(database):,}", f"{resident[-1]:.0f}", f"{size:,.0f}")
        table.add_row(*row)
        console.print("  ".join(row))

    look()
    seconds, speed = 5.0, 15_000.0
    while taken < wanted.callbacks:
        answered = send(port, seconds, prepare=round(speed * seconds))
        accepted = answered.pop("200", 0)
        if answered or not accepted:
            console.print(f"[bold red]BROKEN[/] other answers than 200: {answered}; {accepted} were taken")
            return 1
        taken += accepted
        if not halfway and taken >= wanted.callbacks / 2:
            halfway = resident_now(pid)
        a_second = accepted / seconds
        seconds, speed = max(1.0, min(MOST_SECONDS, wanted.callbacks / PARTS / a_second)), 2 * a_second
        look()
    time.sleep(wanted.afterwards)
    look()
    console.print(table)
    grown = resident[-1] / halfway - 1
    console.print(f"since halfway it has grown by {grown:.1%}; at most {max(resident):.0f} MB at any look")
    return 1 if grown > FLAT else 0


def send(port: int, seconds: float, *, prepare: int) -> dict[str, int]:
    """Let the load generator work for so long, with so many callbacks at most; HTTP status → how many answers."""
    command = [*stage.python("benchmarks.load"), str(port), "--seconds", str(seconds), "--prepare", str(prepare)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=stage.ROOT)
    answered: dict[str, int] = json.loads(run.stdout.splitlines()[-1])["answered"]
    return answered


def resident_now(pid: int) -> float:
    """Resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


def worked_on(database: Path) -> int:
    """How many rows of the inbox are done."""
    with closing(sqlite3.connect(database)) as file:
        number: int = file.execute("SELECT count(*) FROM inbox WHERE state != 'open'").fetchone()[0]
        return number


async def play(port: int) -> None:
    """A WeCom with the groups that the load generator speaks of; it changes nothing by itself."""
    world = World(clock=WallClock(), limits=Limits.none())
    for number in range(GROUPS):
        owner = world.add_staff(f"owner{number}", f"群主{number}")
        members = [world.add_customer(f"顾客{number}{which}") for which in "甲乙丙"]
        group = world.create_group(f"静安{number}群", owner.userid, members=members)
        del world.groups[group.chat_id]
        group.chat_id = f"wrBenchmark{number:021d}"
        world.groups[group.chat_id] = group
    gc.freeze()
    async with running(world, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
