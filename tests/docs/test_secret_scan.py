"""The scan for secrets of `make check`: what it finds, and what it lets be."""

import subprocess
import sys
from pathlib import Path

import pytest

SCAN = Path(__file__).parents[2] / ".ci" / "find_secrets.py"
RANDOM = "Zk3vQ9xB7mT1" + "pL5wR8nD2cF6yH4j"  # in two parts, or the scan would find it here

PLANTED = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a secret with its name": f'WECOM_SECRET="{RANDOM}"',
    "a password in an address": f"DATABASE_URL=postgresql://steward:{RANDOM}@db.example.com/steward",
    "a GitHub token": "ghp" + "_" + "a1B2" * 9,
    "the address of a package index": "index-url = https://mirror.example.com" + "/simple",
}
HARMLESS = [
    "WECOM_SECRET=",
    "STEWARD_SECRET_KEY=<openssl rand -hex 32>",
    "secret = settings.steward_webhook_secret.get_secret_value()",
    "DATABASE_URL=postgresql://user:password@host/steward",
    "token-with-a-name-that-goes-on-and-on",
]


def scan(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCAN), str(folder)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_secret_is_found(tmp_path: Path, what: str) -> None:
    """Each kind is found with file and line, and is not itself printed."""
    (tmp_path / "notes.txt").write_text(f"first line\n{PLANTED[what]}\n")
    found = scan(tmp_path)
    assert found.returncode == 1
    assert f"notes.txt:2: looks like {what}" in found.stdout
    assert RANDOM not in found.stdout


def test_what_only_speaks_of_secrets_is_let_be(tmp_path: Path) -> None:
    """Empty settings, placeholders, names and code are no secrets."""
    (tmp_path / "notes.txt").write_text("\n".join(HARMLESS))
    found = scan(tmp_path)
    assert (found.returncode, found.stdout) == (0, "1 files read, 0 places look like secrets\n")
