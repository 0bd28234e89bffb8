"""What the calendar comes to: when each post goes out, to which groups, and what it says there. Pure.

A time that is written goes through two things, in this order: quiet hours (to their end), and holidays (left out, or
moved to a workday). Times that end up the same are one. What comes out depends on the config and the births of groups
and on nothing else: it is the same whenever it is asked for.

`fires` is about one post, `plan` about all of them, `render` about one post in one group. Times are UTC; days are
Beijing's.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import AwareDatetime

from rules.clock import BEIJING
from rules.content import Content, ContentError, Said, as_message, render_said
from rules.facts import Group
from rules.holidays import Holidays, UnknownYearError
from rules.posts import Post, PostGroup, Row, audience, named
from rules.schedule import moment_of
from rules.sops import raw_times
from rules.template import Variable, say_date, say_weekday
from rules.value import Value

if TYPE_CHECKING:
    from rules.book import Book

_DAY = timedelta(days=1)
_FARTHEST_MOVED = 31 * _DAY
FIRST_COUNTED = date(2026, 1, 1)
"""A list that rotates is counted from here where the post says no `starts`."""

SOMEBODY = PostGroup(chat_id="", name="同事", kind="other", owner="")
"""Stands for whoever reads a post to staff."""


class Fire(Value):
    """One post at one time. `day`: the day it was written for, before holidays and quiet hours.

    `number`: which one it is since the post began, from 1; 0 where nobody counts. `step`: of a SOP, from 1.
    `chat_ids`: the groups it goes to, in the order given; none for `to: staff`.
    """

    post: str
    at: AwareDatetime
    day: date
    number: int = 0
    step: int = 0
    chat_ids: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes it exist once: `post:wednesday-share:2026-11-25T20:00+08:00`, of a SOP `post:newcomers#3:…`."""
        step = f"#{self.step}" if self.step else ""
        return f"post:{self.post}{step}:{self.at.astimezone(BEIJING).isoformat(timespec='minutes')}"


class Held(NamedTuple):
    """A post that cannot be planned for all of the time asked for, because nobody knows a year's holidays."""

    post: str
    year: int
    because: str


class Plan(NamedTuple):
    """`fires`: in the order of time, then of the config. `held`: what is missing among them, and why."""

    fires: list[Fire]
    held: list[Held]


def plan(book: "Book", groups: Sequence[PostGroup], after: datetime, before: datetime) -> Plan:
    """All fires of all posts in (after, before], with their groups; paused posts and groups left out. Raises nothing.

    A fire that goes to no group at all is left out.
    """
    fires_, held = list[Fire](), list[Held]()
    for post in book.calendar:
        if post.pause or book.posting.pause:
            continue
        to = audience(post, groups, book)
        found, unknown = (_of_sop if post.steps else _of_all)(post, to, after, before, book)
        fires_ += [each for each in found if each.chat_ids or post.to_staff]
        held += [Held(post.name, year, str(UnknownYearError(year))) for year in sorted(unknown)]
    order = {post.name: place for place, post in enumerate(book.calendar)}
    return Plan(sorted(fires_, key=lambda fire: (fire.at, order[fire.post], fire.step)), held)


def fires(post: Post, after: datetime, before: datetime, book: "Book") -> list[Fire]:
    """When this post goes out in (after, before], in order, whatever the groups; a SOP (`steps`) has none of its own.

    Raises UnknownYearError where that depends on holidays nobody knows.
    """
    found, unknown = _plain_fires(post, after, before, book)
    for year in sorted(unknown):
        raise UnknownYearError(year)
    return found


def next_fires(post: Post, after: datetime, count: int, book: "Book", *, within: timedelta) -> list[Fire]:
    """The first so many after `after`, looked for up to `within` ahead; fewer where there are none or nobody knows."""
    return _plain_fires(post, after, after + within, book)[0][:count]


def ask_at(post: Post, at: datetime, book: "Book") -> datetime:
    """When the owner is asked for what is to stand in the group at `at`: `ask_before`, but not in quiet hours."""
    ask, quiet = at - post.ask_before, book.posting.quiet_hours
    return min(quiet.ends_after(ask), at) if quiet and quiet.covers(ask) else ask


# --- times ------------------------------------------------------------------------------------------------------------


def _plain_fires(post: Post, after: datetime, before: datetime, book: "Book") -> tuple[list[Fire], set[int]]:
    """The fires, and the years that would have to be known to tell them all."""
    if not post.counted:
        days, unknown = _settled(post, after, before, book)
        return [Fire(post=post.name, at=at, day=day) for at, day in days], unknown
    start = moment_of(post.starts or FIRST_COUNTED, _MIDNIGHT) - timedelta(seconds=1)
    days, unknown = _settled(post, start, before, book)
    counted = [
        Fire(post=post.name, at=at, day=day, number=number) for number, (at, day) in enumerate(days, 1) if at > after
    ]
    return [each for each in counted if post.says_for(each.number, each.day)], unknown


def _settled(
    post: Post, after: datetime, before: datetime, book: "Book"
) -> tuple[list[tuple[datetime, date]], set[int]]:
    """(when, the day it was written for) in (after, before], in order, each time once; and the unknown years."""
    found, unknown = dict[datetime, date](), set[int]()
    for raw, year in _written(post, after, before, book):
        try:
            at = settle(raw, post, book) if year is None else raw
        except UnknownYearError as error:
            at, year = raw, error.year  # noqa: PLW2901  # from here on both say what is not known
        if year is not None:
            if _may_land(raw, year, post, after, before, book.holidays):
                unknown.add(year)
        elif at is not None and after < at <= before:
            found[at] = _day_of(raw)  # of several moved to one time the last is the nearest
    return sorted(found.items()), unknown


def _written(post: Post, after: datetime, before: datetime, book: "Book") -> Iterator[tuple[datetime, int | None]]:
    """The times as written, in order, that may end up in (after, before]; with the year that decides whether it is one
    at all, where that is not known.
    """
    first, last = _day_of(after) - _DAY, _day_of(before)
    first -= _FARTHEST_MOVED if post.holidays == "workday_after" else _DAY
    last += _FARTHEST_MOVED if post.holidays == "workday_before" else timedelta(0)
    first = max(first, post.starts) if post.starts else first
    last = min(last, post.ends) if post.ends else last
    if post.when is None:
        moments = ((row.day, row.at) for row in post.rows if row.day and row.at and first <= row.day <= last)
        yield from ((moment_of(day, at), None) for day, at in sorted(set(moments)))
        return
    days = {row.day for row in post.rows} if post.has_days else None
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        if days is not None and day not in days:
            continue
        year = None
        try:
            falls = post.when.falls_on(day, book.holidays)
        except UnknownYearError as error:
            falls, year = True, error.year
        if falls:
            yield from ((moment_of(day, at), year) for at in post.when.times)


def settle(raw: datetime, post: Post, book: "Book") -> datetime | None:
    """When a post goes out that was written for `raw`; None: not at all. Raises UnknownYearError."""
    quiet = book.posting.quiet_hours
    at = quiet.ends_after(raw) if quiet and quiet.covers(raw) else raw
    if post.holidays == "as_usual":
        return at
    day = _day_of(at)
    holiday = book.holidays.is_holiday(day)
    if post.holidays in {"only", "skip"}:
        return at if holiday == (post.holidays == "only") else None
    if not holiday:
        return at
    there = book.holidays.workday_near(day, -1 if post.holidays == "workday_before" else 1)
    return moment_of(there, at.astimezone(BEIJING).time())


def _may_land(raw: datetime, year: int, post: Post, after: datetime, before: datetime, holidays: Holidays) -> bool:
    """Whether a time of which nobody knows what becomes of it might end up in (after, before]."""
    day = _day_of(raw)
    if post.holidays == "workday_after" and day.year != year:
        return before >= moment_of(date(year, 1, 1), _MIDNIGHT)
    if post.holidays == "workday_before" and raw > before:
        between = (_day_of(before) + number * _DAY for number in range(1, (day - _day_of(before)).days))
        return not any(holidays.knows(each.year) and holidays.is_workday(each) for each in between)
    return raw <= before and (raw > after or post.holidays == "workday_after")


def _day_of(moment: datetime) -> date:
    return moment.astimezone(BEIJING).date()


_MIDNIGHT = datetime.min.time()

# --- groups -----------------------------------------------------------------------------------------------------------


def _of_all(
    post: Post, to: Sequence[PostGroup], after: datetime, before: datetime, book: "Book"
) -> tuple[list[Fire], set[int]]:
    """Every fire with those groups for which something is said."""
    found, unknown = _plain_fires(post, after, before, book)
    everybody, fires_ = tuple(each.chat_id for each in to), list[Fire]()
    for fire in found:
        choice = choice_for(post, fire)
        some = any(isinstance(each, Row) and each.to for each in choice)
        chat_ids = tuple(each.chat_id for each in to if choose(choice, each, book)) if some else everybody
        fires_.append(fire.model_copy(update={"chat_ids": chat_ids}))
    return fires_, unknown


def _of_sop(
    post: Post, to: Sequence[PostGroup], after: datetime, before: datetime, book: "Book"
) -> tuple[list[Fire], set[int]]:
    """A fire for each step and time, with the groups whose turn it is."""
    due, unknown = defaultdict[tuple[datetime, date, int], list[str]](list), set[int]()
    for group in to:
        for place, raw in raw_times(post, group):
            try:
                at = settle(raw, post, book)
            except UnknownYearError as error:
                if _may_land(raw, error.year, post, after, before, book.holidays):
                    unknown.add(error.year)
                continue
            if at is not None and after < at <= before:
                due[at, _day_of(raw), place].append(group.chat_id)
    found = [
        Fire(post=post.name, at=at, day=day, step=step, chat_ids=tuple(chat_ids))
        for (at, day, step), chat_ids in due.items()
    ]
    return found, unknown


# --- words ------------------------------------------------------------------------------------------------------------


def said_for(post: Post, fire: Fire, group: Group, book: "Book") -> Said | None:
    """What is said to this group at this time, before it is rendered; None: nothing."""
    return choose(choice_for(post, fire), group, book)


def choice_for(post: Post, fire: Fire) -> Sequence[Said]:
    """What may be said at this time; of several, each group gets the first that is for it."""
    if fire.step:
        return post.steps[fire.step - 1 : fire.step]
    return post.says_for(fire.number, fire.day) if post.series else (post,)


def choose(choice: Sequence[Said], group: Group, book: "Book") -> Said | None:
    """The first that is for this group: a row of a sheet may be for some only."""
    for each in choice:
        if not isinstance(each, Row) or not each.to or named(group, each.to, book):
            return each
    return None


def render(post: Post, group: Group, fire: Fire, book: "Book") -> Content:
    """What this group gets to read, word for word; `SOMEBODY` for staff. Raises ContentError, in Chinese."""
    said = said_for(post, fire, group, book)
    if said is None:
        raise ContentError(f"「{post.name}」这一次没有给「{group.name}」的内容", post.where)
    content = render_said(said, _given(group, fire, book), days_to_events(book, _day_of(fire.at)))
    if post.to_staff:
        as_message(content, said.where)  # what staff cannot get is told when it is checked
    return content


def _given(group: Group, fire: Fire, book: "Book") -> Mapping[Variable, Any]:
    local = fire.at.astimezone(BEIJING)
    return {
        "群名": group.name,
        "店名": book.shop_name_of(group.name),
        "种类": group.kind,
        "日期": say_date(local.date()),
        "星期": say_weekday(local.date()),
        "年": local.year,
        "月": local.month,
        "日": local.day,
        "时间": local.strftime("%H:%M"),
        "期数": fire.number or fire.step,
    }


def days_to_events(book: "Book", day: date) -> dict[str, int]:
    return {name: (when - day).days for name, when in book.posting.events.items()}
