"""Rule `keywords`: words from the config and from files."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.keywords import Keywords


@pytest.mark.parametrize(
    ("text", "verdict", "because"),
    [
        ("一起刷单吗", "hit", "消息里有「刷单」"),
        ("一起 刷-單 吗", "hit", "消息里有「刷-單」（刷单）"),
        ("大家好", "miss", "没有词库里的词（共 2 个）"),
        ("", "miss", "没有词库里的词"),
    ],
)
def test_hits_and_misses(about_message: Any, text: str, verdict: str, because: str) -> None:
    """A hit says the words as written; a miss how many were looked for."""
    decision = about_message({"rule": "keywords", "words": ["刷单", "加微信"]}, text)
    assert decision.verdict == verdict
    assert because in decision.because
    assert decision.offence == ("m7" if verdict == "hit" else "")


def test_each_message_is_an_offence_of_its_own(about_message: Any) -> None:
    """The message's id tells one offence from another."""
    assert about_message({"rule": "keywords", "words": "刷单"}, "刷单").offence == "m7"


def test_who_is_let_be_is_not_judged(about_message: Any) -> None:
    """Staff may write what they like."""
    assert about_message({"rule": "keywords", "words": "刷单"}, "刷单", is_staff=True).verdict == "miss"


def test_words_of_files_are_given_not_read() -> None:
    """The rule works on what it is given for its files' names; the rule that was, stays as it was."""
    rule = Keywords.model_validate({"rule": "keywords", "words": "刷单", "word_files": "广告词.txt"})
    given = rule.with_words({"广告词.txt": "# 说明\n兼职\n", "other.txt": "无关\n"})
    again = given.with_words({"广告词.txt": "日结\n"})
    assert [len(each.word_list) for each in (given, again)] == [2, 2]
    assert given.word_list.find("兼职", "兼职")
    assert not again.word_list.find("兼职", "兼职")
    assert again.word_list.find("日结", "日结")
    with pytest.raises(LookupError, match="were not given"):
        _ = rule.word_list


@pytest.mark.parametrize(
    ("settings", "says"),
    [({}, "words 和 word_files 至少写一样"), ({"words": ["好", "！！"]}, "「！！」只有符号，没有字")],
)
def test_a_rule_that_can_never_hit_is_refused(settings: dict[str, Any], says: str) -> None:
    """No words at all, or a word without letters, is a mistake."""
    with pytest.raises(ValidationError, match=says):
        Keywords.model_validate({"rule": "keywords", **settings})
