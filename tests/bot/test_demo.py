"""`steward demo`: it keeps what it promises, says so when it does not, and knows nothing of a real shop."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli import EXAMPLE
from bot.demo import Kept, play

ROOT = Path(__file__).parents[2]
POISON = {
    "WECOM_CORP_ID": "ww-of-a-real-shop",
    "WECOM_AGENT_ID": "not a number",
    "WECOM_SECRET": "the-secret-of-a-real-shop",
    "WECOM_CALLBACK_TOKEN": "a-real-token",
    "WECOM_CALLBACK_AES_KEY": "too short",
    "WECOM_API_BASE": "http://192.0.2.1",
    "STEWARD_PUBLIC_URL": "http://shop.example",
    "STEWARD_SECRET_KEY": "x",
    "STEWARD_CONFIG": "/nowhere/config.yaml",
    "STEWARD_PORT": "1",
    "DATABASE_URL": "postgresql://a-real-shop:a-real-password@192.0.2.1/steward",
}
"""Settings that would be refused, or would be somebody's: 192.0.2.1 is an address that nobody has."""


async def no_pause(_lines: float) -> None:
    """As fast as it goes."""


async def played(config: Path, folder: Path, seed: int = 1) -> tuple[list[Kept], str]:
    """The promises and all that was printed."""
    out = StringIO()
    console = Console(file=out, width=120, force_terminal=False)
    kept = await play(console, config, folder, pause=no_pause, stay=False, seed=seed)
    return kept, out.getvalue()


async def test_every_promise_is_kept(tmp_path: Path, seed: int) -> None:
    """Whatever the seed, the story ends with all promises kept, and a table that says so."""
    kept, told = await played(EXAMPLE, tmp_path, seed)
    assert len(kept) >= 6
    assert [each for each in kept if not each.kept] == []
    assert "没做到" not in told
    assert "周卖货" in told
    assert any("七天打卡" in each.promise for each in kept)
    assert any("抽奖" in each.promise for each in kept)
    assert "按「补签」" in told


@pytest.mark.soak
async def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    """Told twice, the story is the same but for the addresses it is played at."""
    stories = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        _, told = await played(EXAMPLE, tmp_path / name, seed=7)
        stories.append([line for line in told.splitlines() if "127.0.0.1" not in line])
    assert stories[0] == stories[1]


@pytest.mark.parametrize(
    ("config", "broken"),
    [
        ("managers: [李华]\nrules:\n  - {rule: other_company, then: 仅观察}\n", "外人进群，几秒内有人收到卡片"),
        ("managers: [李华]\nrules:\n  - rule: other_company\n", "只请移出外人：顾客、同事、允许的公司都不打扰"),
    ],
    ids=["nobody is asked", "a partner is not allowed"],
)
async def test_a_broken_promise_is_called_one(tmp_path: Path, config: str, broken: str) -> None:
    """With a config under which the bot cannot keep a promise of the story, that promise is shown as broken."""
    (tmp_path / "config.yaml").write_text(config)
    kept, told = await played(tmp_path / "config.yaml", tmp_path)
    assert broken in [each.promise for each in kept if not each.kept]
    assert "没做到" in told


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder with a poisoned `.env` and a poisoned environment."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in POISON.items()))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **POISON}
    command = [sys.executable, "-m", "bot.cli", "demo", "--pace", "0", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_reads_no_settings_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """With a poisoned `.env` and environment the command plays to the end, exits with 0, tells nothing of them, and
    leaves no file."""
    ended = demo(tmp_path)
    assert ended.returncode == 0, ended.stderr[-2000:]
    for value in POISON.values():
        if len(value) > 5:
            assert value not in ended.stdout + ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_exit_code_says_that_a_promise_was_broken(tmp_path: Path) -> None:
    """Played with a config that breaks a promise, the command exits with 1."""
    (tmp_path / "quiet.yaml").write_text("managers: [李华]\nrules:\n  - {rule: other_company, then: 仅观察}\n")
    ended = demo(tmp_path, "--config", "quiet.yaml")
    assert ended.returncode == 1, ended.stderr[-2000:]
    assert "没做到" in ended.stdout
