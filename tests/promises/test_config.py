"""Promise 9 with real processes: a wrong config never takes the bot down."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from bot.config.read import config_hash

ROOT = Path(__file__).parents[2]
GOOD, BETTER = "managers: [李华]\n", "managers: [李华, 王五]\n"
WRONG = "managers: [李华]\nrules:\n  - rule: other_compny\n"
PATIENCE = 60.0  # seconds; other tests may have both cores

WaitUntil = Callable[..., None]


def environment() -> dict[str, str]:
    """All it gets to see. Nobody answers at WECOM_API_BASE: the bot has to start all the same."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "WECOM_CORP_ID": "ww1",
        "WECOM_AGENT_ID": "1000002",
        "WECOM_SECRET": "a-secret-for-tests",
        "WECOM_CALLBACK_TOKEN": "token",
        "WECOM_CALLBACK_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "WECOM_API_BASE": "http://127.0.0.1:9",
        "STEWARD_PUBLIC_URL": "http://127.0.0.1",
        "STEWARD_SECRET_KEY": "a-key-for-tests-only",
        "STEWARD_PORT": "0",
    }


@contextmanager
def serving(folder: Path, wait_until: WaitUntil) -> Iterator[Callable[[], Any]]:
    """A `steward serve` in `folder`, killed at the end; gives what /readyz says of the config."""
    log = folder / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "bot.cli", "serve"]
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=out, stderr=out)

    def address() -> str:
        assert process.poll() is None, f"it ended by itself: {log.read_text()[-3000:]}"
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", log.read_text())
        return found[1] if found else ""

    try:
        wait_until("steward serve is up", lambda: bool(address()), seconds=PATIENCE)
        with httpx2.Client(base_url=address()) as client:
            yield lambda: client.get("/readyz").json()["checks"]["config"]
    finally:
        process.kill()
        process.wait()


def in_force(text: str) -> dict[str, Any]:
    return {"ok": True, "detail": f"{config_hash(text)[:8]} in force"}


def test_a_wrong_config_never_takes_the_bot_down(tmp_path: Path, wait_until: WaitUntil) -> None:
    """The very first start is refused with exit code 2; after a good one, neither a wrong file nor a restart over it
    stops the bot, and a good file takes over without a restart.
    """
    file = tmp_path / "config.yaml"
    file.write_text(WRONG, encoding="utf-8")
    command = [sys.executable, "-m", "bot.cli", "serve"]
    refused = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "config.yaml:3:11  rules[0].rule  「other_compny」不是可用的值" in refused.stderr
    assert "您是不是想写「other_company」？" in refused.stderr
    assert "steward check" in refused.stderr

    file.write_text(GOOD, encoding="utf-8")
    with serving(tmp_path, wait_until) as config:
        assert config() == in_force(GOOD)
        file.write_text(WRONG, encoding="utf-8")
        wait_until("the wrong file is told", lambda: "refused" in config()["detail"], seconds=PATIENCE)
        assert config()["detail"].startswith(in_force(GOOD)["detail"])
    with serving(tmp_path, wait_until) as config:
        assert config()["detail"] == (f"{in_force(GOOD)['detail']}; a newer one is refused, see the log")
        file.write_text(BETTER, encoding="utf-8")
        wait_until("the better file is in force", lambda: config() == in_force(BETTER), seconds=PATIENCE)
