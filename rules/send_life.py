"""How a send is followed: when its sender is reminded, when others are told, when it ends, how often it is looked at.

A send is one 企业群发 of one sender (page 92135), or the same by hand. WeCom's own 群发助手 rings when it is made; then
the platform is asked to ring again (3 times in 24 hours at most, page 97610); only then do we write, first to the
sender, then to the managers. What nobody has confirmed by its end is stopped.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from rules.value import Value
from rules.when import DailySpan

Step = Literal["remind", "tell_sender", "tell_managers", "expire"]
SPACED = timedelta(minutes=10)
"""The least time between two reminders."""

LOOKS = tuple(timedelta(minutes=m) for m in (1, 2, 4, 8, 15, 30, 60))
"""How long to wait between looks; then always the last. There is no callback when somebody confirms."""

RESULTS_WITHIN = timedelta(hours=24)
"""A confirmed send whose groups have no result after this is taken as it is: these groups were not sent to."""

SHARES: tuple[tuple[Step, float], ...] = (
    ("remind", 0.0),
    ("remind", 1 / 6),
    ("remind", 1 / 3),
    ("tell_sender", 1 / 2),
    ("tell_managers", 3 / 4),
    ("expire", 1.0),
)
"""When each step is due, as a share of the time between the moment it should be out and the moment it is too late."""


class Planned(Value):
    """One step of following a send, and when it is due (UTC)."""

    step: Step
    at: AwareDatetime


def plan(say_at: datetime, until: datetime, *, by_hand: bool, off_duty: DailySpan | None) -> tuple[Planned, ...]:
    """The steps in order. Nobody is disturbed off duty: what falls there waits for its end, or is left out.

    By hand there is no assistant that rings: the sender has a card from us since it was made.
    """
    found: list[Planned] = []
    for step, share in SHARES:
        at = say_at + (until - say_at) * share
        if step == "remind" and by_hand:
            continue
        if step != "expire" and off_duty is not None and off_duty.covers(at):
            at = off_duty.ends_after(at)
        if step == "remind" and any(at - each.at < SPACED for each in found):
            continue
        if step == "expire" or at < until:
            found.append(Planned(step=step, at=at))
    return tuple(_spaced(found))


def _spaced(steps: list[Planned]) -> Iterator[Planned]:
    """What was put off to one and the same moment is one disturbance: the last of them."""
    for this, after in zip(steps, [*steps[1:], None], strict=True):
        if after is None or after.at > this.at:
            yield this


def passed(steps: tuple[Planned, ...], taken: int, now: datetime) -> tuple[int, Step | None]:
    """How many steps lie behind us now, and which one is to be taken: of several that were missed, the last."""
    due = sum(each.at <= now for each in steps)
    return (due, steps[due - 1].step) if due > taken else (taken, None)


def next_look(looks: int, now: datetime) -> datetime:
    """When to look again after so many looks."""
    return now + LOOKS[min(looks, len(LOOKS) - 1)]
