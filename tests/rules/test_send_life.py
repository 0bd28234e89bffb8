"""How a send is followed: when whom to remind, when to stop, how often to look."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.send_life import LOOKS, SPACED, next_look, passed, plan
from rules.when import DailySpan

EIGHT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # 20:00 in Beijing
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


def steps(lasts: timedelta = 2 * HOURS, *, by_hand: bool = False, off_duty: DailySpan | None = None) -> list[str]:
    """`remind +20` for each step, in minutes after eight."""
    found = plan(EIGHT, EIGHT + lasts, by_hand=by_hand, off_duty=off_duty)
    return [f"{each.step} +{(each.at - EIGHT) // MINUTES}" for each in found]


def test_wecom_rings_thrice_then_we_write_then_the_managers_hear() -> None:
    """All of it within the time in which it still makes sense."""
    assert steps() == ["remind +0", "remind +20", "remind +40", "tell_sender +60", "tell_managers +90", "expire +120"]


def test_by_hand_nobody_rings_and_our_card_is_there_from_the_start() -> None:
    """So there are only the second card, the managers, and the end."""
    assert steps(by_hand=True) == ["tell_sender +60", "tell_managers +90", "expire +120"]


def test_reminders_are_spaced() -> None:
    """Where there is little time there are fewer of them."""
    assert steps(30 * MINUTES) == ["remind +0", "remind +10", "tell_sender +15", "tell_managers +22", "expire +30"]


@pytest.mark.parametrize(
    ("off_duty", "expected"),
    [
        (("20:30", "09:00"), ["remind +0", "remind +20", "expire +120"]),
        (("20:30", "21:10"), ["remind +0", "remind +20", "tell_sender +70", "tell_managers +90", "expire +120"]),
        (("19:00", "20:50"), ["remind +50", "tell_sender +60", "tell_managers +90", "expire +120"]),
    ],
)
def test_nobody_is_disturbed_off_duty(off_duty: tuple[str, str], expected: list[str]) -> None:
    """What falls there waits for its end, together with what else waits; what would come after the end is left out."""
    begin, end = (time.fromisoformat(each) for each in off_duty)
    assert steps(off_duty=DailySpan(start=begin, end=end)) == expected


def test_of_several_missed_steps_the_last_is_taken() -> None:
    """After a downtime nobody is reminded three times in a row."""
    found = plan(EIGHT, EIGHT + 2 * HOURS, by_hand=False, off_duty=None)
    assert passed(found, 0, EIGHT - MINUTES) == (0, None)
    assert passed(found, 0, EIGHT) == (1, "remind")
    assert passed(found, 1, EIGHT + MINUTES) == (1, None)
    assert passed(found, 1, EIGHT + 61 * MINUTES) == (4, "tell_sender")
    assert passed(found, 4, EIGHT + 5 * HOURS) == (6, "expire")


def test_looks_are_ever_rarer() -> None:
    """A minute at first, an hour at last."""
    waits = [next_look(looks, EIGHT) - EIGHT for looks in range(10)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (LOOKS[0], LOOKS[-1])


SPANS = st.integers(1, 72 * 60).map(lambda minutes: minutes * MINUTES)
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
TWO = st.tuples(CLOCKS, CLOCKS).filter(lambda two: two[0] != two[1])  # the same twice is the whole day
OFF_DUTY = st.none() | TWO.map(lambda two: DailySpan(start=two[0], end=two[1]))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (it adds one)


@given(lasts=SPANS, by_hand=st.booleans(), off_duty=OFF_DUTY, at=MOMENTS)
def test_whatever_the_time_and_the_hours(
    lasts: timedelta,
    by_hand: bool,
    off_duty: DailySpan | None,
    at: datetime,
) -> None:
    """In order, the end last and on time, three reminders at most and spaced, nobody disturbed off duty."""
    found = plan(at, at + lasts, by_hand=by_hand, off_duty=off_duty)
    moments = [each.at for each in found]
    assert moments == sorted(moments)
    assert (found[-1].step, found[-1].at) == ("expire", at + lasts)
    reminders = [each.at for each in found if each.step == "remind"]
    assert len(reminders) <= (0 if by_hand else 3)
    assert all(b - a >= SPACED for a, b in pairwise(reminders))
    assert all(off_duty is None or not off_duty.covers(each.at) for each in found if each.step != "expire")
