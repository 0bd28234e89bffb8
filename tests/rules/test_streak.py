"""What days come to: streak, milestones, cards, the end. From the rows alone, whatever order they came in."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules.checkin_days import DAY, midnight
from rules.checkins import Checkin
from rules.streak import Kind, Tally, ends_at, tally, theme_of
from tests.rules.test_checkins import checkin

FIRST = date(2026, 12, 28)  # over the end of the year
NOON, NIGHT = timedelta(hours=12), timedelta(hours=1)
KINDS: Mapping[str, Kind] = {"x": "tap", "m": "make_up", "L": "leave"}


def days_of(written: str) -> dict[date, Kind]:
    """`xx.mL`: one letter a day from the first on; `.` is nothing."""
    return {FIRST + number * DAY: KINDS[each] for number, each in enumerate(written) if each in KINDS}


def at(number: int, span: timedelta = NOON) -> datetime:
    """A moment of the journey's so-manieth day."""
    return midnight(FIRST + (number - 1) * DAY) + span


def came_to(written: str, number: int, span: timedelta = NOON, **settings: Any) -> Tally:
    return tally(checkin(**settings), FIRST, days_of(written), at(number, span))


@pytest.mark.parametrize(
    ("written", "number", "span", "streak", "best", "missed"),
    [
        ("", 1, NOON, 0, 0, ()),
        ("x", 1, NOON, 1, 1, ()),
        ("x", 2, NOON, 1, 1, ()),  # today may still come
        ("x", 3, NIGHT, 1, 1, ()),  # so may yesterday, within its grace
        ("x", 3, NOON, 0, 1, (2,)),
        ("xx.x", 4, NIGHT, 1, 2, ()),  # day 3 is open and empty, and bridges nothing
        ("xx.x", 4, NOON, 1, 2, (3,)),
        ("xxmx", 4, NOON, 4, 4, ()),
        ("xxLx", 4, NOON, 3, 3, ()),
        ("xxL", 3, NOON, 2, 2, ()),
        ("xx..L", 3, NOON, 2, 2, ()),  # leave for a day to come
        ("Lx", 2, NOON, 1, 1, ()),
        (".x", 2, NOON, 1, 1, (1,)),
        ("xxxxxxx", 7, NOON, 7, 7, ()),
        ("xxxxxxx", 9, NOON, 0, 7, ()),  # what was reached stays reached
    ],
)
def test_streaks(  # one row of the table
    written: str, number: int, span: timedelta, streak: int, best: int, missed: tuple[int, ...]
) -> None:
    """A day that is closed and empty ends the row; one that is open does not; leave and cards keep it whole."""
    found = came_to(written, number, span, leave_days=2)
    assert (found.streak, found.best, found.missed) == (streak, best, missed)


@pytest.mark.parametrize(
    ("settings", "written", "counted", "reached"),
    [
        ({}, "xxmx", 4, 4),
        ({"make_up_counts": False}, "xxmx", 3, 3),
        ({"make_up_counts": False}, "xx.x", 3, 2),
        ({"count": "累计"}, "x.x.x", 3, 3),
        ({"count": "累计"}, "xLm.x", 3, 3),
        ({"count": "累计", "make_up_counts": False}, "xLm.x", 2, 2),
    ],
)
def test_what_milestones_look_at(settings: dict[str, Any], written: str, counted: int, reached: int) -> None:
    """In a row or in all, and with made-up days or without, as the check-in says."""
    found = came_to(written, 6, **settings)
    assert (found.counted, found.reached) == (counted, reached)


@pytest.mark.parametrize(
    ("settings", "written", "number", "last", "done", "over"),
    [
        ({}, "xxxxxxx", 7, 7, True, False),
        ({}, "xxxxxx", 8, 7, False, False),  # the last one can still be made up for
        ({}, "xxxxxx", 11, 7, False, True),
        ({"make_up_cards": 0}, "xxxxxx", 8, 7, False, True),
        ({"leave_days": 1}, "xxLxxxx", 7, 8, False, False),
        ({"leave_days": 1}, "xxLxxxxx", 8, 8, True, False),
        ({"enough": 5}, "xxxxx", 5, 7, True, False),
        ({"count": "累计", "within": 10}, "x.x.x.xx.x", 10, 10, False, False),
        ({"count": "累计", "within": 10}, "x.x.xxxx.x", 10, 10, True, False),
        ({"count": "累计", "within": 10}, "x.x", 14, 10, False, True),
    ],
)
def test_the_end(settings: dict[str, Any], written: str, number: int, last: int, done: bool, over: bool) -> None:
    """Done when enough is reached; over when nothing that could still be done would change that."""
    found = came_to(written, number, **settings)
    assert (found.last, found.done, found.over) == (last, done, over)
    over_at = ends_at(checkin(**settings), FIRST, days_of(written))
    assert done or over == (at(number) >= over_at)


def test_cards_and_leave_are_counted_from_the_rows() -> None:
    """Cards and days of leave that are left are what was not used; two people's may be more than one had."""
    found = came_to("xmLLm", 6, make_up_cards=3, leave_days=2)
    assert (found.cards_left, found.leave_left) == (1, 0)
    assert (came_to("mm.x", 6).cards_left, came_to("mm.x", 6).can_make_up) == (0, ())


@pytest.mark.parametrize(
    ("settings", "written", "theme"),
    [
        ({}, "xxx", 4),
        ({}, "x", 4),
        ({"leave_days": 1}, "xL", 3),
        ({"count": "累计"}, "x", 2),
        ({"count": "累计"}, "xLm", 3),
    ],
)
def test_whose_theme_it_is(settings: dict[str, Any], written: str, theme: int) -> None:
    """On the fourth date: a consecutive one goes by the calendar without leave, a cumulative one by what was done."""
    assert theme_of(checkin(**settings), FIRST, days_of(written), FIRST + 3 * DAY) == theme


# --- any history ------------------------------------------------------------------------------------------------------

HISTORIES = some.dictionaries(some.integers(0, 16), some.sampled_from(list(KINDS.values())), max_size=17)


def worth(it: Checkin, kind: Kind) -> int:
    return {"tap": 1, "make_up": int(it.make_up_counts), "leave": 0}[kind]


def by_brute_force(it: Checkin, first: date, days: Mapping[date, Kind], now: datetime) -> tuple[int, int]:
    """Streak and best, from every span of dates there is: one without an empty date is a row."""
    leave = sum(kind == "leave" for kind in days.values())
    last = it.lasts + (leave if it.count == "consecutive" else 0)
    today = (now + timedelta(hours=8)).date()
    dates = [first + number * DAY for number in range(last) if first + number * DAY <= today]
    rows = {
        (one, other): sum(worth(it, days[each]) for each in dates if one <= each <= other)
        for one, other in [*combinations(dates, 2), *((each, each) for each in dates)]
        if all(each in days for each in dates if one <= each <= other)
    }
    first_open = today - DAY if now < midnight(today) + it.grace else today
    newest = max((each for each in dates if each in days), default=None)
    goes_on = newest is not None and newest >= first_open - DAY
    ending = [came for (_, other), came in rows.items() if other == newest] if goes_on else []
    return max(ending, default=0), max(rows.values(), default=0)


@given(
    days=HISTORIES,
    number=some.integers(1, 20),
    hours=some.integers(0, 23),
    count=some.sampled_from(["连续", "累计"]),
    counts=some.booleans(),
    seed=some.integers(0, 99),
)
def test_the_streak_is_what_brute_force_counts(
    days: dict[int, Kind], number: int, hours: int, count: str, counts: bool, seed: int
) -> None:
    """For any rows, in whatever order they came, at any hour: streak and best are those of counting every span."""
    it = checkin(count=count, make_up_counts=counts, leave_days=3)
    came = list(days.items())
    Random(seed).shuffle(came)
    now = at(number, timedelta(hours=hours))
    history = {FIRST + day * DAY: kind for day, kind in came}
    found = tally(it, FIRST, history, now)
    assert (found.streak, found.best) == by_brute_force(it, FIRST, history, now)
    assert found == tally(it, FIRST, {FIRST + day * DAY: days[day] for day in sorted(days)}, now)


@given(one=HISTORIES, other=HISTORIES, number=some.integers(1, 20))
def test_two_peoples_days_join(one: dict[int, Kind], other: dict[int, Kind], number: int) -> None:
    """With the days of somebody else it is never less than with one's own alone, whoever's are taken first."""
    it, now = checkin(count="累计", within=20), at(number)
    mine, theirs = ({FIRST + day * DAY: kind for day, kind in each.items()} for each in (one, other))
    apart = [tally(it, FIRST, each, now).best for each in (mine, {**theirs})]
    joined = [tally(it, FIRST, each, now) for each in ({**theirs, **mine}, {**mine, **theirs})]
    taps_only = {*mine.values(), *theirs.values()} <= {"tap"}
    assert not taps_only or min(each.best for each in joined) >= max(apart)
    assert {each.missed for each in joined} == {tuple(sorted(joined[0].missed))}
