"""What the days of a journey come to: streak, missed days, cards left, whether it is done. Pure, from the rows alone.

Nothing is ever counted on: the same rows give the same answer in whatever order they came. Days are numbered from 1.

A made-up day counts like any other, unless the check-in says that it only keeps the streak whole. Leave keeps it whole
as well, counts for nothing, and of a consecutive check-in moves the end by one day.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from rules.checkin_days import DAY, can_make_up_until, closes_at, open_days
from rules.checkins import Checkin
from rules.value import Value

Kind = Literal["tap", "make_up", "leave"]


class Tally(Value):
    """What a journey has come to at one moment.

    `counted`: days in all. `streak`: days in a row up to now, to which today may still be added. `best`: the most there
    ever were in a row. `reached`: what milestones look at, `best` or `counted`. `last`: the last day's number.
    `missed`: closed days with nothing; `can_make_up`: those of them a card can still be used for, now.
    `cards_left`, `leave_left`. `open`: the numbers of the days that are open and not done. `done`: graduates.
    `over`: not done, and nothing that can still be done would change that.
    """

    counted: int
    streak: int
    best: int
    reached: int
    last: int
    missed: tuple[int, ...]
    can_make_up: tuple[int, ...]
    cards_left: int
    leave_left: int
    open: tuple[int, ...]
    done: bool
    over: bool

    @property
    def next_to_do(self) -> int | None:
        """The day that a press of now is for; None: nothing is open."""
        return self.open[0] if self.open else None


def tally(checkin: Checkin, started_on: date, days: Mapping[date, Kind], now: datetime) -> Tally:
    """What these days (the live rows, by date) come to at `now`."""
    numbered = {(day - started_on).days + 1: kind for day, kind in days.items() if day >= started_on}
    leave = sum(kind == "leave" for kind in numbered.values())
    last = checkin.lasts + (leave if checkin.count == "consecutive" else 0)
    numbered = {number: kind for number, kind in numbered.items() if number <= last}
    open_numbers = [(day - started_on).days + 1 for day in open_days(checkin, now)]
    first_open = min(open_numbers)
    closed = range(1, min(last + 1, first_open))
    missed = tuple(number for number in closed if number not in numbered)
    cards_left = max(0, checkin.make_up_cards - sum(kind == "make_up" for kind in numbered.values()))
    counted = sum(_worth(checkin, kind) for kind in numbered.values())
    streak, best = _in_a_row(checkin, numbered, first_open, max(open_numbers))
    reached = best if checkin.count == "consecutive" else counted
    can_make_up = _can_make_up(checkin, started_on, missed, now) if cards_left else ()
    done = reached >= checkin.target
    to_do = tuple(number for number in open_numbers if 1 <= number <= last and number not in numbered)
    return Tally(
        counted=counted,
        streak=streak,
        best=best,
        reached=reached,
        last=last,
        missed=missed,
        can_make_up=can_make_up,
        cards_left=cards_left,
        leave_left=max(0, checkin.leave_days - leave),
        open=to_do,
        done=done,
        over=not done and not to_do and not can_make_up and first_open > last,
    )


def _worth(checkin: Checkin, kind: Kind) -> int:
    return int(kind == "tap" or (kind == "make_up" and checkin.make_up_counts))


def _in_a_row(checkin: Checkin, numbered: Mapping[int, Kind], first_open: int, today: int) -> tuple[int, int]:
    """Days in a row now, and the most there ever were. Any empty day ends a row, one that is still open only where
    something was done after it; leave that was taken for days to come is not part of any yet.
    """
    run = best = 0
    newest = max((number for number in numbered if number <= today), default=0)
    for number in range(1, newest + 1):
        kind = numbered.get(number)
        run = run + _worth(checkin, kind) if kind is not None else 0
        best = max(best, run)
    return (run if newest >= first_open - 1 else 0), best


def _can_make_up(checkin: Checkin, started_on: date, missed: tuple[int, ...], now: datetime) -> tuple[int, ...]:
    return tuple(
        number for number in missed if now < can_make_up_until(checkin, started_on + timedelta(days=number - 1))
    )


def theme_of(checkin: Checkin, started_on: date, days: Mapping[date, Kind], on: date) -> int:
    """Which day of the plan (from 1) is somebody's on this date: of a consecutive check-in the day's own number,
    without the days of leave before it; of a cumulative one whichever comes next after what they did before it.
    """
    before = [kind for day, kind in days.items() if started_on <= day < on]
    if checkin.count == "cumulative":
        number = sum(_worth(checkin, kind) for kind in before) + 1
    else:
        number = (on - started_on).days + 1 - sum(kind == "leave" for kind in before)
    return min(max(1, number), checkin.length)


def ends_at(checkin: Checkin, started_on: date, days: Mapping[date, Kind]) -> datetime:
    """The first moment at which nothing can be done any more in this journey, whatever is left of cards. In UTC."""
    leave = sum(kind == "leave" for kind in days.values())
    last = started_on + (checkin.lasts + (leave if checkin.count == "consecutive" else 0) - 1) * DAY
    used = sum(kind == "make_up" for kind in days.values())
    moments = [closes_at(checkin, last)]
    if used < checkin.make_up_cards:
        span = ((last - started_on).days + 1) if last >= started_on else 0
        missing = [day for day in (started_on + number * DAY for number in range(span)) if day not in days]
        moments += [can_make_up_until(checkin, day) for day in missing]
    return max(moments)
