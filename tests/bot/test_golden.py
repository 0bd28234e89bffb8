"""Mistakes that managers make in the config, each with exactly the words it is answered with.

Where a text has changed on purpose:  STEWARD_GOLDEN=write .venv/bin/python -m pytest tests/bot/test_golden.py
writes all of them anew. Read the difference (`git diff tests/bot/golden`) as the manager would, then keep it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.check import Report, look_at
from bot.config.problems import render
from bot.config.warnings import Known
from rules.posts import PostGroup

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
KNOWN = Known(
    groups=("VIP·林小满", "会员一群（静安）", "静安二店 会员群", "徐汇闲聊"),
    places=(
        PostGroup(chat_id="wr1", name="VIP·林小满", kind="vip", owner="wangwu"),
        PostGroup(chat_id="wr2", name="会员一群（静安）", kind="members", owner="wangwu"),
        PostGroup(chat_id="wr3", name="静安二店 会员群", kind="other", owner="wangwu"),
        PostGroup(chat_id="wr4", name="徐汇闲聊", kind="other", owner=""),
    ),
    staff=(("lihua", "李华"), ("wangwu", "王五"), ("zhaoliu", "赵六"), ("zhang1", "张伟"), ("zhang2", "张伟")),
)
"""What the database knows of, for files with "-database-" in their name."""


def report_on(name: str) -> Report:
    there = () if "without-its-secret" in name else ("STEWARD_WEBHOOK_SECRET",)
    return look_at(GOLDEN / f"{name}.yaml", KNOWN if "-database-" in name else None, there, now=NOW)


def answer_to(name: str) -> str:
    """What `steward check` says of the file, the folder left out."""
    return render(report_on(name).problems).replace(str(GOLDEN), "…") + "\n"


@pytest.mark.parametrize("name", sorted({path.stem for path in GOLDEN.glob("*.*")}))
def test_a_mistake_is_answered_with_exactly_its_text(name: str) -> None:
    """Each file beside this test is answered with the words that stand in the `.txt` of its name."""
    text = GOLDEN / f"{name}.txt"
    if os.environ.get("STEWARD_GOLDEN") == "write":
        text.write_text(answer_to(name), encoding="utf-8")
    assert answer_to(name) == text.read_text(encoding="utf-8")


def test_every_mistake_has_its_text_and_every_text_its_mistake() -> None:
    """No golden file is left over or forgotten."""
    mistakes = {path.stem for path in GOLDEN.glob("*.y*ml")}
    assert mistakes == {path.stem for path in GOLDEN.glob("*.txt")}
    assert len(mistakes) >= 45


@pytest.mark.parametrize("name", sorted({path.stem for path in GOLDEN.glob("*.*")}))
def test_the_exit_code_tells_mistakes_from_remarks(name: str) -> None:
    """1 where something was found, 2 where there was no file, 0 where there are only remarks."""
    expected = 2 if "missing-file" in name else 0 if "-note-" in name else 1
    assert report_on(name).exit_code == expected
