"""What is installed is exactly what was locked."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_is_locked_by_hash() -> None:
    """Every package has one version and at least one hash, and none comes from an address of its own."""
    entries = [each for each in LOCK.replace("\\\n", " ").splitlines() if each and not each.startswith("#")]
    assert len(entries) > 50
    shape = re.compile(r"[\w.-]+==[\w.+!-]+( ; [^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry[:40] for entry in entries if not shape.fullmatch(entry)] == []
    assert "://" not in LOCK


def test_what_the_project_needs_is_locked() -> None:
    """No dependency was added without locking it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = {normal(name) for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    assert {normal(re.split(r"[\[<>=; ]", each)[0]) for each in wanted} - locked == set()
