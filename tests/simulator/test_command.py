"""`python -m simulator`: the corp that people try the bot against, with something wrong in its console."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from simulator import corp

ROOT = Path(__file__).parents[2]
WaitUntil = Callable[..., None]


@contextmanager
def simulating(log: Path, wait_until: WaitUntil, *words: str) -> Iterator[Callable[..., Any]]:
    """A simulator on a free port; gives `ask("user/get", userid=…)`, which answers with the JSON."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *words]
    with log.open("wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:

        def address() -> str:
            assert process.poll() is None, f"it ended by itself: {log.read_text()}"
            found = re.search(r"WECOM_API_BASE=(http://127\.0\.0\.1:\d+)", log.read_text())
            return found[1] if found else ""

        try:
            wait_until("the simulator is up", lambda: bool(address()))
            with httpx2.Client(base_url=f"{address()}/cgi-bin/", trust_env=False) as client:
                login = {"corpid": corp.CORP_ID, "corpsecret": corp.SECRET}
                token = client.get("gettoken", params=login).json()["access_token"]

                def ask(endpoint: str, **query: str) -> Any:
                    return client.get(endpoint, params={"access_token": token, **query}).json()

                yield ask
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("wrong", "listing", "owner", "serving"),
    [
        ([], 0, 0, ["lihua", "wangwu", "zhaoliu"]),
        (["ip"], 60020, 60020, None),
        (["permission"], 48002, 0, None),
        (["range"], 0, 60011, ["lihua", "zhaoliu"]),
        (["serves"], 0, 0, ["lihua", "zhaoliu"]),
        (["range", "permission"], 48002, 60011, None),
    ],
)
def test_what_is_wrong_in_the_console_is_wrong_in_the_answers(
    tmp_path: Path, wait_until: WaitUntil, wrong: list[str], listing: int, owner: int, serving: list[str] | None
) -> None:
    """Each --wrong gives the error that a bot meets in a corp set up like this; several go together; without, none."""
    words = [word for each in wrong for word in ("--wrong", each)]
    with simulating(tmp_path / "log", wait_until, *words) as ask:
        listed = ask("externalcontact/get_follow_user_list")
        assert (listed["errcode"], listed.get("follow_user")) == (listing, serving)
        assert ask("user/get", userid="wangwu")["errcode"] == owner


def test_what_is_no_fault_is_refused_by_name() -> None:
    """A typo starts nothing, and lists what there is."""
    command = [sys.executable, "-m", "simulator", "--wrong", "ipp"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ("ip", "permission", "range", "serves"))
