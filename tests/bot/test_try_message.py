"""`steward try-message`: which rules fire on a text, why the others do not, and the exit code."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from bot.cli import app

CONFIG = """\
groups: {vip: "VIP·*"}
rules:
  - {rule: keywords, groups: vip, word_files: words.txt, then: [提醒, 移出]}
  - {rule: links, allow: brand.com}
  - {rule: other_company}
"""
TryMessage = Callable[..., Result]


@pytest.fixture
def try_message(tmp_path: Path) -> TryMessage:
    """`try_message("加微信")` in a folder with CONFIG and its word file."""
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "words.txt").write_text("加微信\n", encoding="utf-8")

    def run(*words: str) -> Result:
        with contextlib.chdir(tmp_path):
            return CliRunner().invoke(app, ["try-message", *words], env={"COLUMNS": "80"})

    return run


def test_a_hit_shows_the_words_as_written(try_message: TryMessage) -> None:
    """Exit code 1; the text as normalised, what fired with its words and steps, what did not and why, a next step."""
    told = try_message("快 加-微 信 吧")
    assert told.exit_code == 1, told.output
    for words in ("快加微信吧", "「加-微 信」（加微信）", "提醒 → 移出", "没有链接", "有 1 条规则管这句话", "下一步"):
        assert words in told.output
    assert "other_company" not in told.output
    assert max(map(cell_len, told.output.splitlines())) <= 80


def test_nothing_fires(try_message: TryMessage) -> None:
    """Exit code 0, and every rule says why not."""
    told = try_message("你好")
    assert told.exit_code == 0
    for words in ("没有词库里的词（共 1 个）", "没有链接", "没有规则管这句话", "下一步"):
        assert words in told.output


def test_a_group_decides_which_rules_are_asked(try_message: TryMessage) -> None:
    """In a group that a rule does not cover it does not fire, and says so."""
    assert try_message("加微信", "--group", "VIP·林").exit_code == 1
    told = try_message("加微信", "--group", "会员一群")
    assert told.exit_code == 0
    assert "本规则不管「会员一群」" in told.output


def test_programs_get_the_same(try_message: TryMessage) -> None:
    """--json is everything that is shown."""
    told = try_message("看 bad.com", "--json")
    answer = json.loads(told.output)
    assert (told.exit_code, answer["fires"], answer["plain"]) == (1, True, "看badcom")
    assert [(each["rule"], each["verdict"], each["written"]) for each in answer["rules"]] == [
        ("keywords", "miss", ""),
        ("links", "hit", "bad.com"),
    ]


def test_what_cannot_run_ends_with_2(try_message: TryMessage, tmp_path: Path) -> None:
    """A config that is not there, is wrong, or has no such rules: said in Chinese, with a next step."""
    (tmp_path / "wrong.yaml").write_text("rules: [{rule: keywords}]\n", encoding="utf-8")
    (tmp_path / "none.yaml").write_text("rules: [{rule: other_company}]\n", encoding="utf-8")
    for name, says in (("no.yaml", "找不到这个文件"), ("wrong.yaml", "至少写一样"), ("none.yaml", "没有查消息的规则")):
        told = try_message("你好", "--config", name)
        assert told.exit_code == 2, told.output
        assert says in told.output
        assert "下一步" in told.output
