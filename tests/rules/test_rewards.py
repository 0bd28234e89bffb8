"""Points for good conduct: which weeks, and what is never paid for."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from rules.rewards import Rewards, next_giving, say_clean_week, span_of, week_before

MONDAY = date(2026, 11, 16)
GIVEN = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # Monday the 23rd, four o'clock in Beijing
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("moment", "next_one"),
    [
        (GIVEN - SECOND, GIVEN),
        (GIVEN, GIVEN + timedelta(days=7)),
        (GIVEN + timedelta(days=3), GIVEN + timedelta(days=7)),
        (GIVEN - timedelta(hours=4, seconds=1), GIVEN),  # still Sunday in Beijing
    ],
)
def test_points_are_given_on_mondays_at_four(moment: datetime, next_one: datetime) -> None:
    """The next giving is a Monday, 04:00 in Beijing, whatever the day is in UTC."""
    assert next_giving(moment) == next_one


def test_the_week_that_is_rewarded_is_the_one_before() -> None:
    """Monday to Sunday in Beijing, also where it is worked on some days late."""
    assert week_before(GIVEN) == MONDAY
    assert week_before(GIVEN + timedelta(days=4)) == MONDAY
    start, end = span_of(MONDAY)
    assert start == datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
    assert end - start == timedelta(days=7)
    assert say_clean_week(MONDAY) == "守规矩一周（11月16日到11月22日）"


@pytest.mark.parametrize("key", ["share", "Forwarded", "invite_friends", "分享", "转发朋友圈", "邀请", "拉人"])
def test_nothing_is_paid_for_sharing(key: str) -> None:
    """No key about sharing or inviting is taken, and the reason is told."""
    with pytest.raises(ValidationError, match="微信会封禁诱导分享的链接"):
        Rewards.model_validate({key: 5})


def test_nothing_is_given_unless_somebody_says_so() -> None:
    """Without settings nobody gets points; less than none cannot be given."""
    assert Rewards() == Rewards(clean_week=0, check_in=0, answer=0)
    with pytest.raises(ValidationError):
        Rewards(clean_week=-1)
