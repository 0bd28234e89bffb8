"""`steward check`: what a config does, in words, and what is wrong with it."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field
from rich.console import Console

from bot.config.check import NotKnownError, Report, as_data, ask, check, look_at, show
from bot.config.words import describe
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.rule import Names, Rule, Settings
from store import roster, staff
from store.database import Database

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 25, tzinfo=UTC)

SHOP = """
managers: [李华]
groups:
  vip: "VIP·*"
  members: ["会员*", "老客*"]
  gold: 金卡
  internal: 内部
rules:
  - rule: other_company
    name: 门神
    groups: [vip, "*静安*"]
    allow_groups: "*特别*"
    then: 仅观察
  - rule: other_company
    name: 铁面
    groups: gold
"""


def shown(report: Report, *, terminal: bool, width: int = 80) -> str:
    out = io.StringIO()
    show(report, Console(file=out, force_terminal=terminal, no_color=True, width=width, highlight=False))
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(SHOP, encoding="utf-8")
    return path


def test_it_says_in_words_what_each_rule_covers_and_does(path: Path) -> None:
    """Kinds in their order with the rules that speak of them; of a rule its groups, exceptions, steps and evidence."""
    lines = [" ".join(line.split()) for line in shown(look_at(path), terminal=False).splitlines()]
    for line in (
        "vip VIP·* → 规则 门神（其中一部分）",
        "members 会员*、老客* → 规则 门神（其中一部分）",
        "gold 金卡 → 规则 铁面",
        "internal 内部 → 没有规则管",
        "other 其余的群 → 规则 门神（其中一部分）",
        "1. 门神",
        "其他企业的员工（企业微信用户）进群：请群主移出、提醒群主，或只记录。",
        "管哪些群 vip（VIP·*）、群名合 *静安* 的群",
        "不管哪些群 群名合 *特别* 的群",
        "怎么办 仅观察（只记录不打扰任何人）",
        "要多少把握才行动 有力（凭企业微信编号即可）（默认）",
        "2. 铁面",
        "管哪些群 gold（金卡）",
        "怎么办 移出（默认）",
        "按「稍后」以后多久再提醒 1小时（默认）",
        "没有问题，可以用。",
    ):
        assert line in lines


def test_the_example_of_the_repository_has_nothing_to_complain_of() -> None:
    """`config.yaml` is found fine, with exit code 0."""
    report = look_at(ROOT / "config.yaml")
    assert (report.problems, report.exit_code) == ([], 0)
    assert "没有问题，可以用。" in shown(report, terminal=True)


@pytest.mark.parametrize("name", ["30-many-at-once", "39-warning-misspelt-kind"])
def test_every_line_fits_a_terminal(name: str) -> None:
    """At 80 columns nothing runs over the edge, Chinese characters counted as two."""
    console = Console(width=80)
    for line in shown(look_at(GOLDEN / f"{name}.yaml"), terminal=True).splitlines():
        assert console.measure(line).maximum <= 80


def test_in_a_pipe_every_problem_is_one_line() -> None:
    """So that it can be searched for and clicked on: file:line:column, path, reason, guess."""
    text = shown(look_at(GOLDEN / "30-many-at-once.yaml"), terminal=False)
    assert "  30-many-at-once.yaml:1:1  mangers  不认识「mangers」。您是不是想写「managers」？\n" in text
    assert "下一步：改好以后再运行一次 steward check" in text


def test_programs_get_the_same_as_json(path: Path) -> None:
    """Problems with their parts, the words, and the whole configuration with its defaults."""
    good = json.loads(as_data(look_at(path)))
    assert (good["ok"], good["config"]["removal"]["remind_after"], good["sections"][0]["key"]) == (
        True,
        "10分钟",
        "managers",
    )
    bad = json.loads(as_data(look_at(GOLDEN / "30-many-at-once.yaml")))
    assert (bad["ok"], bad["config"]) == (False, None)
    assert bad["problems"][0] == {
        "file": "30-many-at-once.yaml",
        "line": 1,
        "column": 1,
        "path": "mangers",
        "value": "mangers",
        "reason": "不认识「mangers」",
        "meant": "managers",
        "kind": "error",
    }


# --- features that are not there yet ----------------------------------------------------------------------------------


class Prize(Settings):
    """奖品。"""

    total: int = Field(description="总金额：元。")


class Draw(Settings):
    """一次抽奖。"""

    name: str = Field(description="名字。")
    to: Names = Field(description="发到哪些群：一类群的名字，或群名的通配写法。")
    prize: Prize = Field(description="奖品。")


class Adverts(Rule[MemberSeen, MemberFacts]):
    """发广告的人：先提醒。"""

    rule: Literal["adverts"]
    words: Names = Field(default=("兼职",), description="广告词：一列。")

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        return self.miss(facts, "没有")


class Tomorrow(Book):
    """Settings of a later version."""

    lotteries: tuple[Draw, ...] = Field(default=(), description="抽奖，逐个写。")
    rules: tuple[Annotated[Adverts, Field()], ...] = Field(default=(), description="群规，逐条写。")  # type: ignore[assignment]


def test_new_features_are_described_without_a_change_here() -> None:
    """A section, a rule and their settings are told by their own descriptions."""
    draw = {"name": "周五", "to": ("vip",), "prize": {"total": 200}}
    book = Tomorrow.model_validate({"groups": {"vip": "VIP*"}, "lotteries": (draw,), "rules": ({"rule": "adverts"},)})
    sections = {section.key: section for section in describe(book)}
    assert [(item.title, item.lines) for item in sections["lotteries"].items] == [
        ("周五", (("发到哪些群", "vip（VIP*）", False), ("总金额", "200", False)))
    ]
    (rule,) = sections["rules"].items
    assert (rule.title, rule.about) == ("1. adverts", "发广告的人：先提醒。")
    assert ("广告词", "兼职", True) in rule.lines


# --- compared with a database -----------------------------------------------------------------------------------------


async def fill(db: Database) -> None:
    async with db.write() as tx:
        for chat_id, name in (("c1", "VIP·林小满"), ("c2", "闲聊")):
            (await roster.known_or_new(tx, chat_id, now=NOW)).name = name
        await staff.remember(tx, "lihua", "李华", now=NOW)


async def test_it_knows_groups_and_people_of_a_database(db: Database, db_url: str, path: Path) -> None:
    """Names and patterns that match nothing there are told; groups are counted by kind."""
    await fill(db)
    report = look_at(path, await ask(db_url))
    text = shown(report, terminal=False)
    assert "VIP·* → 规则 门神（其中一部分），现有 1 个群" in text
    assert "groups.members[0]  提醒：现有的 2 个群里，没有一个群名合「会员*」。" in text
    assert report.exit_code == 1


async def test_an_empty_database_says_nothing(db: Database, db_url: str, path: Path) -> None:
    """Before the first roster is read, nobody is told that nothing matches."""
    assert look_at(path, await ask(db_url)).problems == []


def test_a_database_that_was_named_must_be_there(tmp_path: Path, path: Path) -> None:
    """It is neither made nor guessed; one that is only the default may be absent."""
    missing = f"sqlite:///{tmp_path}/none.db"
    with pytest.raises(NotKnownError, match="没有这个数据库文件"):
        check(path, missing, {})
    assert check(path, None, {"DATABASE_URL": missing}).exit_code == 0
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "old.db").touch()
    with pytest.raises(NotKnownError, match="还没有这个版本的表"):
        check(path, f"sqlite:///{tmp_path}/old.db", {})
    with pytest.raises(NotKnownError, match="地址写得不对"):
        check(path, "mysql://x", {})


def test_the_command_answers_with_its_exit_codes(tmp_path: Path, path: Path) -> None:
    """0 fine, 1 found something, 2 could not run; a file of the settings is looked for where `serve` looks."""

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "bot.cli", "check", *words]
        env = {"PYTHONPATH": str(ROOT), "STEWARD_CONFIG": str(path)}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    code, text = run()
    assert (code, "没有问题" in text) == (0, True)
    code, text = run(str(GOLDEN / "01-unknown-key.yaml"), "--json")
    assert (code, json.loads(text)["problems"][0]["meant"]) == (1, "allow_companies")
    code, text = run("nowhere.yaml")
    assert (code, "找不到这个文件" in text) == (2, True)
