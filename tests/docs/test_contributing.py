"""The recipes of CONTRIBUTING.md are true of the tree they stand in."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DIFF = re.compile(r"```diff\n\s*\+\+\+ b/(\S+)\n(.*?)```", re.DOTALL)
DIFFS = DIFF.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_a_rule_is_four_files() -> None:
    """The diff of the real rule touches its file, the union, its test and the example, and each of them is there."""
    paths = [path for path, _ in DIFFS]
    assert paths == ["rules/group_hopper.py", "rules/book.py", "tests/rules/test_group_hopper.py", "config.yaml"]
    assert [path for path in paths if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(("path", "diff"), DIFFS, ids=[path for path, _ in DIFFS])
def test_the_diff_is_what_stands_in_the_file(path: str, diff: str) -> None:
    """Every line that the page shows as added stands in the file as it is, in this order; … stands for what is not."""
    added = [line.strip()[1:] for line in diff.splitlines() if line.strip().startswith("+")]
    assert added
    text = (ROOT / path).read_text(encoding="utf-8").splitlines()
    place = 0
    for line in added:
        rest = [each.split(" #")[0].rstrip() if path.endswith(".yaml") else each for each in text[place:]]
        assert line in rest, f"{path} has no line {line!r} after line {place}"
        place += rest.index(line) + 1


def test_nothing_else_names_the_rule() -> None:
    """Adding a rule touches nothing else: no other code of ours knows this one by name."""
    folders = ("bot", "handlers", "scheduler", "store", "wecom", "rules")
    code = {page.relative_to(ROOT) for folder in folders for page in (ROOT / folder).rglob("*.py")}
    named = re.compile("group_hopper|GroupHopper")
    knowing = {str(page) for page in code if named.search((ROOT / page).read_text(encoding="utf-8"))}
    assert knowing == {"rules/group_hopper.py", "rules/book.py"}
