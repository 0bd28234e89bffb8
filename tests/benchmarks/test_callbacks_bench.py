"""The benchmark runs, and what it counts on is true. Never a figure: machines differ, and so do moments."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.soak
def test_a_quick_run_loses_nothing() -> None:
    """Every callback that was answered 200 has its row, and every rival who came is on exactly one card."""
    command = [sys.executable, "-m", "benchmarks.callbacks", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "BROKEN" not in run.stdout
    for shown in ("raw uvicorn", "bot, SQLite", "baseline, SQLite", "staff card"):
        assert shown in run.stdout
