"""Step by step (SOP): what a group is told on its day 1, day 3 … Each group counts from its own birth. Pure."""

from datetime import date, datetime, timedelta

from rules.clock import BEIJING
from rules.posts import Post, PostGroup
from rules.schedule import moment_of

SOON = timedelta(minutes=30)
"""A step of day 1 whose hour had passed when the group was born comes so long after its birth."""


def first_day(post: Post, group: PostGroup) -> date | None:
    """Day 1 of this group, in Beijing; None where nobody knows when it was born."""
    if isinstance(post.since, date):
        return post.since
    return group.born_at.astimezone(BEIJING).date() if group.born_at else None


def raw_times(post: Post, group: PostGroup) -> list[tuple[int, datetime]]:
    """Each step's place from 1, and when it is written to go out, before holidays and quiet hours. UTC."""
    start = first_day(post, group)
    if start is None:
        return []
    return [
        (place, _not_before_birth(moment_of(start + timedelta(days=step.day - 1), step.at), post, group))
        for place, step in enumerate(post.steps, 1)
    ]


def _not_before_birth(at: datetime, post: Post, group: PostGroup) -> datetime:
    if post.since != "birth" or group.born_at is None or at >= group.born_at:
        return at
    return (group.born_at + SOON).replace(second=0, microsecond=0)
