"""What the draws of a month come to, beside the budget. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from rules.budget import month_of
from rules.clock import BEIJING
from rules.draw_rules import key_of, times
from rules.draws import Draw
from rules.holidays import UnknownYearError
from rules.post_plan import fires
from rules.posts import Post, PostGroup, audience

if TYPE_CHECKING:
    from rules.book import Book


def as_post(draw: Draw) -> Post:
    """A draw takes place like a post goes out: quiet hours, holidays and groups are the same."""
    return Post(name=draw.name, to=draw.to, when=draw.when, holidays=draw.holidays, text="…", pause=draw.pause)


def moments(draw: Draw, book: "Book", after: datetime, before: datetime) -> list[datetime]:
    """When it takes place in (after, before]. Raises UnknownYearError."""
    return [fire.at for fire in fires(as_post(draw), after, before, book)]


class News(NamedTuple):
    """What groups will be told of one draw. `key`: of the draw and of what is told."""

    key: str
    draw: str
    at: datetime
    chat_ids: tuple[str, ...]


def news_of(draw: Draw, at: datetime) -> dict[str, datetime]:
    """When groups are told that it begins, and who has won."""
    steps = times(draw, at)
    if draw.way_in == "grab":
        return {"begun": steps.announce, "drawn": steps.close}
    return {"begun": steps.announce if draw.way_in == "all" else steps.open, "drawn": steps.draw}


def announcements(book: "Book", groups: Sequence[PostGroup], after: datetime, before: datetime) -> list[News]:
    """All that groups will be told of draws in (after, before]: each counts among the sends that they may get."""
    found = []
    for draw in book.draws:
        if draw.pause or draw.in_group or not draw.announce:
            continue
        chat_ids = tuple(each.chat_id for each in audience(as_post(draw), groups, book))
        try:
            dates = moments(draw, book, after - draw.grab_for, before + draw.announce_before)
        except UnknownYearError:
            continue
        for date in dates if chat_ids else ():
            found += [
                News(f"{key_of(draw.name, date)}:{what}", draw.name, at, chat_ids)
                for what, at in news_of(draw, date).items()
                if after < at <= before
            ]
    return found


class Month(NamedTuple):
    """What one draw takes of a month: so many times, for so many groups, fen in all."""

    draw: str
    times: int
    groups: int
    fen: int


def of_month(book: "Book", now: datetime, groups: Sequence[PostGroup] | None) -> list[Month]:
    """All draws of Beijing's month of `now`, from its first day on, also those that are past. `groups`: None where
    nobody knows them; then a draw in the groups counts for one.
    """
    local = now.astimezone(BEIJING)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (first + timedelta(days=32)).replace(day=1)
    found = []
    for draw in book.draws:
        if draw.pause or not draw.cost:
            continue
        try:
            times = [
                at for at in moments(draw, book, first - timedelta(seconds=1), last) if month_of(at) == month_of(now)
            ]
        except UnknownYearError:
            continue
        in_groups = len(audience(as_post(draw), groups, book)) if groups is not None and draw.in_group else 1
        found.append(Month(draw.name, len(times), in_groups, len(times) * in_groups * draw.cost))
    return found
