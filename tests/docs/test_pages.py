"""What the documentation points at is there."""

import re
from pathlib import Path

import pytest

from bot.metrics import Metrics
from wecom.errors import TABLE

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(page for folder in (ROOT, ROOT / "docs", ROOT / "docs/decisions") for page in folder.glob("*.md"))
LINK = re.compile(r'\]\(([^)\s]+)\)|src="([^"]+)"')
FLOORS = "bot|handlers|scheduler|store|wecom|rules|simulator|tests|docs|benchmarks|deploy"
FILE = re.compile(rf"`((?:{FLOORS})/[\w./-]*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    """No link between pages, no picture and no file that a page names is missing (`my_…` is the reader's own)."""
    text = page.read_text(encoding="utf-8")
    links = [one or other for one, other in LINK.findall(text)]
    pointed = [page.parent / link.split("#")[0] for link in links if not link.startswith(("http", "#"))]
    pointed += [ROOT / name for name in FILE.findall(text) if "my_" not in name]
    assert [str(path) for path in pointed if not path.exists()] == []


def test_the_metrics_in_the_docs_are_the_metrics_there_are() -> None:
    """Every metric has its line in operations.md, and every one named there exists."""
    families = re.findall(
        r"^# TYPE (steward_\w+) (?:counter|gauge|histogram)$", Metrics().text().decode(), re.MULTILINE
    )
    there = {name for name in families if not name.endswith("_created")}
    words = re.findall(r"steward_\w+", (ROOT / "docs/operations.md").read_text(encoding="utf-8"))
    named = {word.removesuffix("_bucket") for word in words}  # as the alerts ask for a histogram
    assert named == there


def test_the_error_codes_in_the_docs_are_known() -> None:
    """Every errcode that getting-started.md explains has its hint in the code."""
    text = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
    codes = {
        int(code)
        for row in re.findall(r"^\| `errcode.*", text, re.MULTILINE)
        for code in re.findall(r"`[^`]*?(\d{5,6})`", row)
    }
    assert codes
    assert codes <= set(TABLE)
