"""Text as rules compare it: what reads the same is the same, and every place leads back to what was written."""

import string
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.text import Plain, normalise, reads_as_one, shape

TRICKS = "加微信vxＶＸ①❶⑩壹贰〇三万㎏½ﾊﾞﬁß🅰🇻㊙號碼é️\u20e3\u200b\u202e \t\n-，。.:/💰한"
texts = st.text(alphabet=st.one_of(st.sampled_from(TRICKS), st.characters()), max_size=40)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        pytest.param("加V信", "加v信", id="upper case"),
        pytest.param("Ｖ Ｘ", "vx", id="full width"),
        pytest.param("𝐯𝕩 ⓥⓧ", "vxvx", id="fancy alphabets"),
        pytest.param("🅅🅇 🅥🅧 🅰🇻", "vxvxav", id="letters as emoji"),
        pytest.param("w e-c.h_a t", "wechat", id="spaced-out letters"),
        pytest.param("加 v 信、加-微-信", "加v信加微信", id="decorated"),
        pytest.param("加💰微💰信❤️", "加微信", id="emoji"),
        pytest.param("微\u200b信\u2060号\ufeff", "微信号", id="zero width"),
        pytest.param("微\u202e信", "微信", id="writing direction"),
        pytest.param("v̷x̸ café", "vxcafe", id="combining marks"),
        pytest.param("薇信號碼", "薇信号码", id="traditional"),
        pytest.param("１３８", "138", id="full-width digits"),
        pytest.param("①②③ ❶⓿ ⑩ ➓ ٣", "12310" + "10" + "10" + "3", id="circled and other digits"),
        pytest.param("一三八〇零壹贰叁肆伍陆柒捌玖幺", "138001234567891", id="Chinese digits"),
        pytest.param("貳陸", "26", id="traditional Chinese digits"),
        pytest.param("1️⃣3️⃣", "13", id="keycaps"),
        pytest.param("十百千万两", "十百千万两", id="numbers that are no digits"),
        pytest.param("㎏½", "kg12", id="one letter that is several"),
        pytest.param("！？…~ \n", "", id="nothing to read"),
        pytest.param("\ud800a", "a", id="half a character"),
    ],
)
def test_what_reads_the_same_is_the_same(written: str, plain: str) -> None:
    """Each way of dressing a text up that people use comes to the plain text below it."""
    assert normalise(written) == plain


def test_every_letter_there_is_comes_to_rest() -> None:
    """What a letter becomes is normal itself, for all of Unicode."""
    for start in range(0, 0x110000, 0x1000):
        plain = normalise("".join(map(chr, range(start, start + 0x1000))))
        assert normalise(plain) == plain


@given(texts, texts)
def test_normalising_goes_letter_by_letter(one: str, other: str) -> None:
    """It is idempotent, and the whole is the sum of its parts: so a word in a text is found whatever stands beside."""
    assert normalise(normalise(one)) == normalise(one)
    assert normalise(one + other) == normalise(one) + normalise(other)


@given(texts)
@example("哈哈1️⃣3️⃣8呀")
def test_every_place_leads_back_to_what_was_written(written: str) -> None:
    """Any part of the normalised text comes from a part of the written one that reads so; in the same order."""
    plain = Plain.of(written)
    assert len(plain.sources) == len(plain.text)
    assert all(here <= there for here, there in pairwise(plain.sources))
    for start in range(len(plain.text)):
        end = min(len(plain.text), start + 3)
        assert plain.text[start:end] in normalise(plain.as_written(start, end))
    if plain.text:
        assert normalise(plain.as_written(0, len(plain.text))) == plain.text


@pytest.mark.parametrize(
    ("written", "word", "shown"),
    [
        ("请加 Ｖ-信 哦", "v信", "Ｖ-信"),
        ("打1️⃣3️⃣8呀", "13", "1️⃣3️⃣"),
        ("重㎏", "kg", "㎏"),
        ("號碼", "码", "碼"),
    ],
)
def test_a_hit_is_shown_as_written(written: str, word: str, shown: str) -> None:
    """The manager reads the sender's own letters, marks and all, not ours."""
    plain = Plain.of(written)
    start = plain.text.index(word)
    assert plain.as_written(start, start + len(word)) == shown


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("加微信", True),
        ("加 微 信", True),
        ("加-微信", True),
        ("加，微，信", True),
        ("加\n微\n信", True),
        ("下次再加，微信上说", False),
        ("再加。微信", False),
        ("加\n微信", False),
    ],
)
def test_what_only_meets_by_chance_is_not_one(written: str, one: bool) -> None:
    """Where a clause ends between its letters, a word is none; set apart letter by letter, it is."""
    plain = Plain.of(written)
    start = plain.text.index("加微信")
    assert reads_as_one(plain, start, start + 3) is one


@pytest.mark.parametrize(
    ("written", "one"), [("138-0013", True), ("15:30 2024", False), ("1.3.8", True), ("9.9", False)]
)
def test_times_prices_and_dates_are_no_long_numbers(written: str, one: bool) -> None:
    """A point, colon or slash parts two numbers; hyphens and spaces group the digits of one."""
    plain = Plain.of(written)
    assert reads_as_one(plain, 0, len(plain.text)) is one


@given(st.text(alphabet=string.ascii_letters + "加微信", max_size=20))
def test_a_shape_tells_texts_apart_and_nothing_else(text: str) -> None:
    """Equal texts have equal fingerprints, others do not, and the text is not in it."""
    assert shape(text) == shape(text)
    assert shape(text) != shape(text + "a")
    assert len(shape(text)) == 24
