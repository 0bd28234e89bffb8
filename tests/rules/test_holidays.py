"""Holidays and the days that are swapped for them."""

from datetime import date

import pytest
from pydantic import ValidationError

from rules.holidays import KNOWN_ONLY_HERE, Holidays, UnknownYearError, parse_date

NEXT_YEAR = Holidays.model_validate(
    {"off": ["2027-01-01~2027-01-03", "2027-02-05 至 2027-02-11"], "work": "2027-02-13"}
)


@pytest.mark.parametrize(
    ("day", "holiday", "workday"),
    [
        pytest.param("2026-10-01", True, False, id="National Day"),
        pytest.param("2026-10-03", True, False, id="a Saturday within it"),
        pytest.param("2026-10-10", False, True, id="a Saturday that is worked"),
        pytest.param("2026-09-20", False, True, id="a Sunday that is worked"),
        pytest.param("2026-10-11", False, False, id="an ordinary Sunday is no holiday"),
        pytest.param("2026-10-08", False, True, id="an ordinary Thursday"),
        pytest.param("2026-02-15", True, False, id="Spring Festival"),
        pytest.param("2026-02-14", False, True, id="the Saturday before it"),
    ],
)
def test_days_of_2026(day: str, holiday: bool, workday: bool) -> None:  # a table
    """What the State Council announced for 2026 is known, with the swapped days."""
    known = KNOWN_ONLY_HERE
    assert (known.is_holiday(parse_date(day)), known.is_workday(parse_date(day))) == (holiday, workday)


def test_a_year_nobody_knows_is_an_error_that_says_what_to_do() -> None:
    """2027 is not guessed: the words name the year and where to write it."""
    with pytest.raises(UnknownYearError) as unknown:
        KNOWN_ONLY_HERE.is_workday(date(2027, 3, 1))
    assert "2027" in str(unknown.value)
    assert "holidays" in str(unknown.value)
    assert "chinesecalendar" in str(unknown.value)


def test_a_year_that_the_manager_wrote_is_known() -> None:
    """Days off and worked are as written; the rest of that year are ordinary weeks; other years stay unknown."""
    assert NEXT_YEAR.is_holiday(date(2027, 2, 6))
    assert NEXT_YEAR.is_workday(date(2027, 2, 13))
    assert not NEXT_YEAR.is_workday(date(2027, 2, 14))
    assert NEXT_YEAR.is_workday(date(2027, 3, 1))
    with pytest.raises(UnknownYearError):
        NEXT_YEAR.is_workday(date(2028, 1, 3))


def test_the_manager_has_the_last_word() -> None:
    """A company's own day off, or on, wins over the calendar."""
    ours = Holidays.model_validate({"off": "2026-11-25", "work": ["2026-10-07"]})
    assert ours.is_holiday(date(2026, 11, 25))
    assert not ours.is_workday(date(2026, 11, 25))
    assert ours.is_workday(date(2026, 10, 7))


def test_the_nearest_workday_leaps_over_all_of_a_holiday() -> None:
    """Before and after National Day 2026."""
    assert KNOWN_ONLY_HERE.workday_near(date(2026, 10, 4), 1) == date(2026, 10, 8)
    assert KNOWN_ONLY_HERE.workday_near(date(2026, 10, 4), -1) == date(2026, 9, 30)
    with pytest.raises(UnknownYearError):
        KNOWN_ONLY_HERE.workday_near(date(2026, 12, 31), 1)
    assert NEXT_YEAR.workday_near(date(2026, 12, 31), 1) == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2027-13-01", "没有 2027年13月1日"),
        ("国庆", "应当是日期或一段日期"),
        ("2027-10-07~2027-10-01", "结束的日子要在开始的日子以后"),
        ("2027-01-01~2027-12-31", "最多 31 天"),
    ],
)
def test_days_that_cannot_be_read_are_told(written: str, says: str) -> None:
    """In Chinese, with what is wrong."""
    with pytest.raises(ValidationError) as refused:
        Holidays.model_validate({"off": [written]})
    assert says in str(refused.value)
