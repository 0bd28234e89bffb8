"""The month for the accounts."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.payout_report import COLUMNS, Line, as_csv, month_span
from rules.payout_words import CODES, say_code, say_pause, say_stuck
from rules.payouts import CODES as ALL_CODES

NOON = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)


def line(**other: Any) -> Line:
    values: dict[str, Any] = {
        "at": NOON,
        "draw": "friday-lucky:2026-11-27T12:00+08:00",
        "person": "wmA",
        "way": "wechat",
        "gross": 625,
        "tax": 125,
        "net": 500,
        "born_by": "organiser",
        "state": "received",
        "number": "S1",
        "why": "",
    }
    return Line.model_validate(values | other)


def table(*lines: Line) -> list[list[str]]:
    return list(csv.reader(io.StringIO(as_csv(lines))))


def test_a_line_for_each_prize_and_the_sum() -> None:
    """Amounts are yuan with two places, times Beijing's; the last line adds up what was paid."""
    head, first, second, last = table(line(), line(gross=0, tax=0, net=0, state="unknown", why="微信支付没有回答"))
    assert head == list(COLUMNS)
    assert first[0] == "2026-11-27 12:00"
    assert first[3:9] == ["微信支付", "6.25", "1.25", "5.00", "商家承担", "已领取"]
    assert second[4:9] == ["0.00", "0.00", "0.00", "", "结果未知"]
    assert last[4:7] == ["6.25", "1.25", "5.00"]


def test_a_name_is_never_a_formula() -> None:
    """Neither what a customer calls themselves nor a code of somebody's sheet can be run by a spreadsheet."""
    assert table(line(person="=HYPERLINK(1)"))[1][2] == "'=HYPERLINK(1)"
    assert table(line(number="=1+1"))[1][9] == "'=1+1"


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [("2026-11", (2026, 10, 31, 16), (2026, 11, 30, 16)), ("2026-12", (2026, 11, 30, 16), (2026, 12, 31, 16))],
)
def test_a_month_is_beijings(month: str, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    """A month begins and ends at midnight in Beijing, also over the turn of the year."""
    assert month_span(month) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))  # type: ignore[misc, arg-type]


def test_every_code_is_said_in_words() -> None:
    """Each code of the provider's table that people may see has words of its own, and keeps its code."""
    assert {code for code in ALL_CODES if code != "SUCCESS"} <= CODES.keys()
    assert say_code("NOTENOUGH") == "商户号余额不足（NOTENOUGH）"
    assert say_code("SOMETHING_NEW") == "SOMETHING_NEW"
    assert "充值" in say_pause("no_money", "NOTENOUGH")[1]
    assert "settle S1 paid" in say_stuck("S1", "wmA", 500, "TIMEOUT", NOON)
