"""The benchmark runs, and the rosters it times are right. Never a figure: machines differ, and so do moments."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_reads_everything() -> None:
    """After each way of reconciling, every group is as it was read: unchanged, changed, or new."""
    command = [sys.executable, "-m", "benchmarks.reconcile", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "BROKEN" not in run.stdout
    for shown in ("same", "some", "all", "first", "usual"):
        assert f"20 groups, {shown}" in run.stdout
