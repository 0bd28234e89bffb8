"""Looks for secrets in the tree, without a network: `python .ci/find_secrets.py [FOLDER]`. Exit code 1: found some.

In a clone of git it reads what git knows and what it would add; elsewhere every file. What is found is shown by its
place, never by its text.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

BIGGEST = 2_000_000  # bytes; larger files are pictures and tables
SKIPPED = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"}

KNOWN_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a signed token (JWT)": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "an API key": re.compile(r"\bsk-[A-Za-z0-9_-]{32,}"),
    "the address of a package index": re.compile(r"https?://[^\s\"']+/simple/?(?=[\s\"']|$)"),
}
NAMED = re.compile(
    r"(?i)(?:secret|token|password|passwd|aes_?key|api_?key|private_?key)\w*[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/_-]{20,})"
)
IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@\"'<>{]+:([^\s@/\"'<>{}]{3,})@")

MADE_UP = {
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",  # the alphabet, for tests
    "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",  # of WeCom's own page about callbacks
}
PLACEHOLDER = re.compile(
    r"(?i)pass(word)?|pw|密码|secret|\*+|x+|p|…|\.\.\.|redispass|change.?me|wrong|pa%40ss|hush|geheim|a-real-password"
)
RANDOM = 3.9  # bits a character: words and names with dashes have less, random letters and digits more


def main() -> int:
    """Print each place; say how many files were read."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files, places = 0, 0
    for path in sorted(_files(folder)):
        files += 1
        for line, what in found_in(_text(folder / path)):
            places += 1
            sys.stdout.write(f"{path}:{line}: looks like {what}\n")
    sys.stdout.write(f"{files} files read, {places} places look like secrets\n")
    return 1 if places else 0


def found_in(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers, and what each looks like."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, shape in KNOWN_SHAPES.items():
            if shape.search(line):
                yield number, what
        for found in NAMED.findall(line):
            if found not in MADE_UP and _looks_random(found):
                yield number, "a secret with its name"
        for password in IN_ADDRESS.findall(line):
            if not PLACEHOLDER.fullmatch(password):
                yield number, "a password in an address"


def _looks_random(text: str) -> bool:
    """Letters of both kinds and digits, in no order."""
    kinds = [any(map(kind, text)) for kind in (str.isupper, str.islower, str.isdigit)]
    counts = Counter(text).values()
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    hexadecimal = re.fullmatch(r"[0-9a-f]{32,}", text) is not None
    return (all(kinds) and entropy >= RANDOM) or (hexadecimal and entropy >= 3.3)


def _files(folder: Path) -> Iterator[Path]:
    listed = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")  # noqa: S603 - no text of others
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(folder)) for path in folder.rglob("*") if not SKIPPED.intersection(path.parts)]
    return (Path(name) for name in names if name and (folder / name).is_file())


def _text(path: Path) -> str:
    if path.stat().st_size > BIGGEST:
        return ""
    return path.read_bytes().decode("utf-8", errors="ignore")


if __name__ == "__main__":
    sys.exit(main())
