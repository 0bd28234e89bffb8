"""docs/rules.md says of every rule what the code says."""

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from rules.book import AnyRule
from rules.events import MemberReported, MessagePosted
from rules.rule import AnyRuleOf
from rules.when import say_duration

PAGE = (Path(__file__).parent.parent.parent / "docs/rules.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TABLE = {name: rest for name, *rest in ROW.findall(PAGE)}
RULES: dict[str, type[AnyRuleOf]] = {
    get_args(kind.model_fields["rule"].annotation)[0]: kind for kind in get_args(get_args(AnyRule)[0])
}
STEPS = {"remove": "移出", "warn": "提醒", "block": "拉黑"}


def test_every_rule_has_its_line() -> None:
    """Each rule that there is, in the order of the union, and no other."""
    assert list(TABLE) == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_line_has_the_defaults_of_the_code(name: str) -> None:
    """What it needs, its steps, its cool-down and its cap."""
    kind = RULES[name]
    of_messages, of_reports = MessagePosted in kind.about, MemberReported in kind.about
    needs = "messages" if of_messages else "reports" if of_reports else "roster"
    then, cool_down, most = (kind.model_fields[each].default for each in ("then", "cool_down", "most_a_day"))
    steps = " → ".join(STEPS[step] for step in then)
    waits = say_duration(cool_down) if cool_down > timedelta(0) else "–"
    assert TABLE[name] == [needs, steps, waits, str(most or "–")]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_explained(name: str) -> None:
    """Below the table each has a few words of its own."""
    assert re.search(rf"^- .*\*\*`{name}`\*\*", PAGE, re.MULTILINE)
