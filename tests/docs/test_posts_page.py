"""docs/posts.md: what it shows can be written."""

import re
from pathlib import Path

import pytest

from bot.config.files import read_files, with_files
from bot.config.read import parse_with_places
from rules.book import Book
from rules.content import SIZES
from rules.schedule import parse_schedule
from rules.template import VARIABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/posts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
AROUND = """
groups: {members: "会员*", newcomers: "新人*", vip: "VIP·*"}
posting: {events: {双十二: 2026-12-12}}
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_good_config(example: str) -> None:
    """As it stands there, with the files of this repository."""
    text = AROUND + (example if re.match(r"\w", example) else f"posts:\n{example}")
    book, root = parse_with_places(text, "config.yaml", Book)
    _, problems = with_files(book, root, "config.yaml", read_files(ROOT, text))
    assert problems == []


def test_every_time_in_its_table_can_be_written() -> None:
    """The column of examples of 什么时候."""
    table = PAGE.split("## 什么时候")[1].split("##")[0]
    written = [each for line in table.splitlines() if line.startswith("|") for each in re.findall(r"`([^`]+)`", line)]
    assert len(written) >= 12
    for each in written:
        assert parse_schedule(each).times


def test_all_variables_are_told_and_all_limits() -> None:
    """Nothing is left out of the tables."""
    assert all(f"{{{{{name}}}}}" in PAGE for name in VARIABLES)
    assert {most >> 20 for _, most in SIZES.values()} == {10, 20}
    assert "10 MB 以内" in PAGE
    assert "20 MB 以内" in PAGE
