"""How much memory `steward serve` holds while callbacks pour in: `python -m benchmarks.memory [--callbacks 1000000]`.

The web role on SQLite takes callbacks from `benchmarks.load` (100,000 different ones, sent again and again, so most are
found to be there already), and its resident memory is read after each part. Flat means: the last part holds no more
than the first did.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import stage
from benchmarks.callbacks import CONFIG

PARTS = 10
DIFFERENT = 100_000

console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--callbacks", type=int, default=1_000_000)
    wanted = parser.parse_args()
    table = Table("callbacks so far", "resident memory, MB", title="steward serve --role web, SQLite")
    with tempfile.TemporaryDirectory(prefix="steward-memory-") as name:
        folder, port = Path(name), stage.free_port()
        database = f"sqlite:///{folder}/memory.db"
        with stage.bot(
            role="web", port=port, database=database, api="http://127.0.0.1:9", config=CONFIG, folder=folder
        ) as pid:
            table.add_row("0", f"{resident(pid):.0f}")
            taken, seconds = 0, 5.0
            while taken < wanted.callbacks:
                accepted = send(port, seconds)
                if not accepted:
                    console.print("[bold red]BROKEN[/] no callback was taken")
                    return 1
                taken += accepted
                # about one part of all each time, at the speed just seen
                seconds = max(1.0, min(60.0, wanted.callbacks / PARTS / (accepted / seconds)))
                table.add_row(f"{taken:,}", f"{resident(pid):.0f}")
                console.print(f"{taken:,} callbacks: {resident(pid):.0f} MB")
    console.print(table)
    return 0


def send(port: int, seconds: float) -> int:
    """Let the load generator work for so long; how many callbacks were answered 200."""
    command = [
        *stage.python("benchmarks.load"),
        str(port),
        "--seconds",
        str(seconds),
        "--prepare",
        str(DIFFERENT),
        "--again",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=stage.ROOT)
    return int(json.loads(run.stdout.splitlines()[-1])["answered"].get("200", 0))


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process has ended")


if __name__ == "__main__":
    sys.exit(main())
