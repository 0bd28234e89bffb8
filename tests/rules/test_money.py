"""Money as managers write it: whole fen inside, never a float, never without a unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import parse_money, parse_share, say_money, say_share, to_fen, to_yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("200元", 20_000),
        ("0.5元", 50),
        ("3.27 元", 327),
        ("1.2万元", 1_200_000),
        ("180,000元", 18_000_000),
        ("￥200", 20_000),
        ("２００元", 20_000),
        ("200块", 20_000),
        ("0元", 0),
    ],
)
def test_reads_yuan_as_people_write_them(text: str, fen: int) -> None:
    """What a manager writes becomes whole fen."""
    assert parse_money(text) == fen


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("200", "单位"),
        ("1,000", "单位"),
        ("0.001元", "最小到分"),
        ("两百元", "看不懂"),
        ("-5元", "看不懂"),
        ("9999999999万元", "太大"),
        ("", "看不懂"),
    ],
)
def test_refuses_in_chinese(text: str, says: str) -> None:
    """Without a unit, below a fen or unreadable: refused with a sentence that says why."""
    with pytest.raises(ValueError, match=says):
        parse_money(text)


@given(st.integers(min_value=0, max_value=10**11))
def test_what_is_said_reads_back(fen: int) -> None:
    """Any amount is written so that it is read back to the fen."""
    assert parse_money(say_money(fen)) == fen
    assert to_fen(to_yuan(fen)) == fen


def test_a_float_is_taken_as_it_is_written() -> None:
    """19.99 is 1,999 fen, whatever binary fraction stands for it."""
    assert [to_fen(yuan) for yuan in (19.99, 0.29, 1.1, 4.35)] == [1999, 29, 110, 435]


def test_shares_of_something() -> None:
    """3 % is read and said exactly."""
    assert parse_share("3%") == Decimal("0.03")
    assert say_share(parse_share("2.5％")) == "2.5%"
    with pytest.raises(ValueError, match="百分之几"):
        parse_share("0.03")
