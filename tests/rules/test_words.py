"""Lists of words: found however they are dressed up, not found where they only seem to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import normalise
from rules.words import WordList, parse_words

LIST = ("加微信", "微信", "wechat", "low", "VX", "110", "一起赚", "刷单", "兼职刷单")


def found_in(text: str, words: tuple[str, ...] = LIST) -> tuple[str, str] | None:
    found = WordList(words).find(text, normalise(text))
    return (found.word, found.written) if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("加微信聊", ("加微信", "加微信"), id="the longest of those that begin there"),
        pytest.param("做兼职刷单吗", ("兼职刷单", "兼职刷单"), id="the first, not the shorter one inside"),
        pytest.param("快 加-微💰信 吧", ("加微信", "加-微💰信"), id="decorated"),
        pytest.param("我的Ｖ x号", ("VX", "Ｖ x"), id="full width, spaced, upper case in the list"),
        pytest.param("壹起賺", ("一起赚", "壹起賺"), id="Chinese digits and traditional letters, in word and text"),
        pytest.param("下次再加，微信上说", ("微信", "微信"), id="not over the end of a clause"),
        pytest.param("yellow flower", None, id="not inside a Latin word"),
        pytest.param("hello world", None, id="not of pieces of Latin words"),
        pytest.param("so low", ("low", "low"), id="a Latin word by itself"),
        pytest.param("l o w", ("low", "l o w"), id="a Latin word spaced out"),
        pytest.param("我low了", ("low", "low"), id="Latin among Chinese"),
        pytest.param("wechat123", ("wechat", "wechat"), id="letters before digits"),
        pytest.param("拨 1101", None, id="not inside a number"),
        pytest.param("拨一一零", ("110", "一一零"), id="a number in Chinese"),
        pytest.param("星期三一起赚", ("一起赚", "一起赚"), id="Chinese digits are words, too"),
        pytest.param("你好", None, id="nothing"),
        pytest.param("", None, id="no text"),
    ],
)
def test_what_is_found_where(text: str, expected: tuple[str, str] | None) -> None:
    """The word as it stands in the list, and what stands in the text for it."""
    assert found_in(text) == expected


@given(st.sampled_from([word for word in LIST if not word.isascii()]), st.text("茶好a 1，。"), st.text("茶好a 1，。"))
def test_a_word_is_found_whatever_stands_around_it(word: str, before: str, after: str) -> None:
    """No neighbour hides a word."""
    assert found_in(before + word + after, (word,)) == (word, word)


def test_an_empty_list_finds_nothing() -> None:
    """Nor does a word that has no letters."""
    assert found_in("加微信", ()) is None
    assert found_in("加微信！", ("！",)) is None


def test_a_finding_says_what_the_text_says() -> None:
    """With the list's word only where it is written in another way."""
    for text, says in (("加微信", "「加微信」"), ("加 微 信", "「加 微 信」（加微信）")):
        found = WordList(LIST).find(text, normalise(text))
        assert found is not None
        assert found.says == says


def test_a_word_file_is_a_word_per_line() -> None:
    """Remarks, empty lines, spaces around words, doubled words and other line ends do not count."""
    text = "# 广告词\n\n刷单\r\n 兼职 刷单 # 常见\n#小程序\nC#课程\n刷单\n"
    assert parse_words(text) == ("刷单", "兼职 刷单", "C#课程")
