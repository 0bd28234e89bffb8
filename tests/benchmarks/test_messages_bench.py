"""The benchmark runs, and the rules it times answer rightly. Never a figure: machines differ, and so do moments."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_answers_every_message() -> None:
    """Each advert is found by its rule, usual messages are let be, and every answer has its because."""
    command = [sys.executable, "-m", "benchmarks.messages", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "BROKEN" not in run.stdout
    for shown in ("normalise alone", "10,000 words", "naive loop", "1,600"):
        assert shown in run.stdout
