"""Rule `patterns`: regular expressions on the text as written and as normalised; wrong ones are told in Chinese."""

import time
from typing import Any

import pytest
from pydantic import ValidationError

from rules.patterns import PatternRule

PHONE = r"1[3-9]\d{9}"
EARN = r"日赚.{0,3}元"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        pytest.param("打13800138000", f"「13800138000」合正则表达式 {PHONE}", id="as written"),
        pytest.param("打138 0013 8000", "「138 0013 8000」", id="grouped"),
        pytest.param("打一三八零零一三八零零零", "「一三八零零一三八零零零」", id="in Chinese"),
        pytest.param("打１３８①②③①②③④⑤", "「１３８①②③①②③④⑤」", id="full width and circled"),
        pytest.param("日 赚 三百 元", "「日 赚 三百 元」", id="the second pattern"),
        pytest.param("T.me/ABC", "「T.me/ABC」", id="upper and lower case, with symbols"),
    ],
)
def test_hits(about_message: Any, text: str, because: str) -> None:
    """What fits is shown as it was written, with the pattern."""
    decision = about_message({"rule": "patterns", "patterns": [PHONE, EARN, r"t\.me/\w+"]}, text)
    assert (decision.verdict, decision.offence) == ("hit", "m7")
    assert because in decision.because


@pytest.mark.parametrize(
    "text",
    [
        "你好",
        "",
        "今天 2024-11-18 15:30:00.13 开门",
        pytest.param("价格 138，数量 00138000", id="two numbers with a comma"),
        "\ud800",
    ],
)
def test_misses(about_message: Any, text: str) -> None:
    """Dates, times and numbers that only stand beside each other are no telephone number."""
    decision = about_message({"rule": "patterns", "patterns": [PHONE, EARN]}, text)
    assert decision.verdict == "miss"
    assert "共 2 个" in decision.because


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(abc", "括号「(」没有对应的「)」"),
        ("[abc", "方括号「[」没有对应的「]」"),
        ("abc)", "多了一个「)」"),
        ("*a", "前面没有可以重复的东西"),
        ("a**", "两个表示重复的符号连在了一起"),
        ("(?=x)a", "不支持这种写法"),
        (r"(a)\1", "反向引用"),
        ("[z-a]", "范围写反了"),
        ("a{2000}", "重复的次数不对"),
        ("a\\", "末尾多了一个"),
        ("((a{100}){100}){100}", "重复的次数不对"),
        ("a*", "会管到每一条消息"),
        ("", "会管到每一条消息"),
    ],
)
def test_a_wrong_pattern_is_told_in_chinese(pattern: str, says: str) -> None:
    """Nothing that RE2 refuses, or that fits everything, is put in force."""
    with pytest.raises(ValidationError) as refused:
        PatternRule.model_validate({"rule": "patterns", "patterns": ["好", pattern]})
    assert says in str(refused.value)


def test_no_pattern_can_make_the_bot_hang(about_message: Any) -> None:
    """What takes Python's own engine years is answered at once (a whole second is for slow machines)."""
    began = time.perf_counter()
    decision = about_message({"rule": "patterns", "patterns": r"(a+)+\$"}, "a" * 50_000)
    assert decision.verdict == "miss"
    assert time.perf_counter() - began < 1
