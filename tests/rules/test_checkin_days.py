"""The boundary of a day: Beijing's midnight, the grace after it, a phone in another zone, the end of a year."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.checkin_days import can_make_up_until, closes_at, date_of, first_day, midnight, monday_of, open_days
from rules.clock import BEIJING
from rules.streak import tally
from tests.rules.test_checkins import checkin

NY = ZoneInfo("America/New_York")


def beijing(*when: int) -> datetime:
    return datetime(*when, tzinfo=BEIJING)  # type: ignore[arg-type, misc]  # year, month, day, hour …


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (beijing(2026, 11, 22, 23, 59, 59), date(2026, 11, 22)),
        (beijing(2026, 11, 23, 0, 0, 0), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 11, 0, tzinfo=NY), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 10, 59, 59, tzinfo=NY), date(2026, 11, 22)),
        (datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=14))), date(2026, 11, 22)),
        (beijing(2026, 12, 31, 23, 59, 59), date(2026, 12, 31)),
        (beijing(2027, 1, 1, 0, 0, 0), date(2027, 1, 1)),
        (beijing(2028, 2, 29, 12), date(2028, 2, 29)),
    ],
)
def test_which_day_it_is(moment: datetime, day: date) -> None:
    """A day is Beijing's, to the second, wherever the phone says it is."""
    assert date_of(moment) == day


def test_a_moment_without_a_zone_is_refused() -> None:
    """Nobody guesses what a naive moment means."""
    with pytest.raises(ValueError, match="naive"):
        date_of(datetime(2026, 11, 22, 12))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("grace", "moment", "open_now"),
    [
        ("2小时", beijing(2026, 11, 22, 23, 59, 59), [22]),
        ("2小时", beijing(2026, 11, 23, 0, 0, 0), [22, 23]),
        ("2小时", beijing(2026, 11, 23, 1, 59, 59), [22, 23]),
        ("2小时", beijing(2026, 11, 23, 2, 0, 0), [23]),
        ("0分钟", beijing(2026, 11, 22, 23, 59, 59), [22]),
        ("0分钟", beijing(2026, 11, 23, 0, 0, 0), [23]),
        ("6小时", beijing(2026, 11, 23, 5, 59, 59), [22, 23]),
        ("2小时", datetime(2026, 11, 22, 12, 30, tzinfo=NY), [22, 23]),
    ],
)
def test_which_days_are_open(grace: str, moment: datetime, open_now: list[int]) -> None:
    """Yesterday stays open for exactly the grace, beside today; without a grace the day ends at midnight."""
    assert [day.day for day in open_days(checkin(grace=grace), moment)] == open_now


def test_the_window_of_new_years_eve() -> None:
    """31 December closes in January, after the grace; it can be made up for until the end of its last day."""
    it, eve = checkin(make_up_within="3天"), date(2026, 12, 31)
    assert closes_at(it, eve) == beijing(2027, 1, 1, 2)
    assert can_make_up_until(it, eve) == beijing(2027, 1, 4)
    assert can_make_up_until(checkin(make_up_within="0分钟"), eve) == beijing(2027, 1, 1, 2)
    assert midnight(date(2027, 1, 1)) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert [str(day) for day in open_days(it, beijing(2027, 1, 1, 1))] == ["2026-12-31", "2027-01-01"]


@pytest.mark.parametrize(
    ("start", "moment", "first"),
    [
        ("rolling", beijing(2026, 11, 25, 23, 59, 59), date(2026, 11, 25)),
        ("weekly", beijing(2026, 11, 23, 0, 0, 0), date(2026, 11, 23)),
        ("weekly", beijing(2026, 11, 23, 23, 59, 59), date(2026, 11, 23)),
        ("weekly", beijing(2026, 11, 24, 0, 0, 0), date(2026, 11, 30)),
        ("weekly", beijing(2026, 11, 29, 23, 59, 59), date(2026, 11, 30)),
        ("weekly", beijing(2026, 12, 29, 12), date(2027, 1, 4)),
    ],
)
def test_day_one(start: Any, moment: datetime, first: date) -> None:
    """Rolling: the day somebody comes. Cohorts: that Monday, which for whoever comes on a Monday is the same day."""
    assert first_day(start, moment) == first
    assert monday_of(moment) <= date_of(moment) < monday_of(moment) + timedelta(days=7)


@pytest.mark.parametrize(
    ("moment", "missed", "can_make_up"),
    [
        (beijing(2026, 11, 23, 1, 59, 59), (), ()),  # day 2 is still open
        (beijing(2026, 11, 23, 2, 0, 0), (2,), (2,)),
        (beijing(2026, 11, 25, 23, 59, 59), (2, 3, 4), (2, 3, 4)),
        (beijing(2026, 11, 26, 0, 0, 0), (2, 3, 4), (3, 4)),  # three days back, to the second
        (beijing(2026, 11, 26, 2, 0, 0), (2, 3, 4, 5), (3, 4, 5)),
    ],
)
def test_making_up_before_and_after(moment: datetime, missed: tuple[int, ...], can_make_up: tuple[int, ...]) -> None:
    """A day can be made up for from when its window closes until the end of the third day after it."""
    state = tally(checkin(), date(2026, 11, 21), {date(2026, 11, 21): "tap"}, moment)
    assert (state.missed, state.can_make_up) == (missed, can_make_up)
