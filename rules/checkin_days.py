"""Which day a moment belongs to, and when a day can still be checked in for. Pure; days are Beijing's.

A day's window opens at its midnight and closes `grace` after the next one: in between two days are open at once. Only
our own clock counts, in whatever zone the phone that sends the press may be.
"""

from datetime import UTC, date, datetime, time, timedelta

from rules.checkins import Checkin, Start
from rules.clock import BEIJING

DAY = timedelta(days=1)


def date_of(moment: datetime) -> date:
    """What day it is in Beijing at this moment (aware). ValueError where it is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment must be aware, this one is naive: {moment!r}")
    return moment.astimezone(BEIJING).date()


def midnight(day: date) -> datetime:
    """With which moment a day begins. In UTC."""
    return datetime.combine(day, time(0), BEIJING).astimezone(UTC)


def closes_at(checkin: Checkin, day: date) -> datetime:
    """The first moment at which a day cannot be checked in for any more. In UTC."""
    return midnight(day + DAY) + checkin.grace


def open_days(checkin: Checkin, moment: datetime) -> tuple[date, ...]:
    """Which days can be checked in for at this moment, the older first: today, and yesterday within its grace."""
    today = date_of(moment)
    yesterday = today - DAY
    return (yesterday, today) if moment < closes_at(checkin, yesterday) else (today,)


def can_make_up_until(checkin: Checkin, day: date) -> datetime:
    """The first moment at which a missed day cannot be made up for any more. In UTC; not before its window closes."""
    return max(closes_at(checkin, day), midnight(day + (checkin.make_up_days + 1) * DAY))


def first_day(start: Start, moment: datetime) -> date:
    """Day 1 of whoever comes at this moment: that day, or the Monday of their cohort, which may be today."""
    today = date_of(moment)
    return today if start == "rolling" else today + (-today.weekday() % 7) * DAY


def monday_of(moment: datetime) -> date:
    """The Monday with which this week began."""
    today = date_of(moment)
    return today - today.weekday() * DAY
