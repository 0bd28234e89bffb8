"""The benchmark runs, and gives nobody two seats. Never a figure: machines differ, and so do moments."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_gives_no_doubles() -> None:
    """After a rush on the pool, every group is one person's, every person has one, and the others wait."""
    command = [sys.executable, "-m", "benchmarks.seats", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "BROKEN" not in run.stdout
    assert "SQLite" in run.stdout
