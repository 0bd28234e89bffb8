"""What `steward serve` says where it cannot start."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.not_started import say
from bot.config.problems import Problem
from bot.config.read import ConfigError
from bot.server import CannotListenError, ServerError, running
from store.database import StoreUnavailable

SETTINGS = {
    "WECOM_CORP_ID": "wwNotReal",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "not-a-secret",
    "WECOM_CALLBACK_TOKEN": "nottoken",
    "WECOM_CALLBACK_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "WECOM_API_BASE": "http://127.0.0.1:9",
    "STEWARD_PUBLIC_URL": "http://127.0.0.1",
    "STEWARD_SECRET_KEY": "a-key-for-tests-only",
}


def told_in(text: str) -> str:
    """What is left without settings, commands and addresses: nothing of it may be English."""
    return re.sub(r"steward \w+|\.env|STEWARD_\w+|DATABASE_URL|--\w+|ss -ltnp \| grep|example|:\d+", "", text)


def test_a_port_that_is_taken_is_told_in_chinese(tmp_path: Path) -> None:
    """The whole command: which port, who may have it, which setting; the log line is English; exit code 2."""
    (tmp_path / "config.yaml").write_text("managers: [李华]\n", encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "bot.cli", "serve", "--port", port]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **SETTINGS}
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    [told] = [line for line in ended.stderr.splitlines() if "启动不了" in line]
    assert f"端口 {port} 已经被占用" in told
    assert "STEWARD_PORT" in told
    assert "另一个 steward serve" in told
    assert "Traceback" not in ended.stderr


async def test_an_address_that_is_not_ours_is_told() -> None:
    """An address of another machine names the other setting."""
    with pytest.raises(CannotListenError) as failed:
        async with running(nobody, "192.0.2.1", 8123):
            pytest.fail("it started")
    assert "STEWARD_HOST" in say(failed.value)
    assert "192.0.2.1" in say(failed.value)


async def nobody(*_: object) -> None:
    """An app that answers nothing."""


@pytest.mark.parametrize(
    "failure",
    [
        CannotListenError("127.0.0.1", 8000, OSError(98, "Address already in use")),
        CannotListenError("127.0.0.1", 80, OSError(13, "Permission denied")),
        CannotListenError("192.0.2.1", 8000, OSError(99, "Cannot assign requested address")),
        ServerError("the app's start-up failed; the log says why"),
    ],
)
def test_nothing_of_it_is_english(failure: ServerError) -> None:
    """Whoever runs it reads one language."""
    assert not re.search(r"[A-Za-z]{3,}", told_in(say(failure)))


def test_a_port_that_needs_rights_says_so() -> None:
    """A port below 1024 is another matter than one that is taken."""
    told = say(CannotListenError("127.0.0.1", 80, OSError(13, "Permission denied")))
    assert "没有权限监听端口 80" in told
    assert "STEWARD_PORT" in told


def test_a_database_that_is_away_names_its_setting() -> None:
    """The driver's own words come last."""
    told = say(StoreUnavailable("OperationalError: unable to open database file"))
    assert told.startswith("启动不了：数据库用不了。看看 DATABASE_URL")


def test_a_wrong_config_names_the_command_that_lists_it() -> None:
    """The problems are printed as they are elsewhere, and `check` is named."""
    told = say(ConfigError([Problem("config.yaml", 3, 1, "managers", "1", "应当是文字")]))
    assert "steward check" in told
    assert "config.yaml:3:1" in told
