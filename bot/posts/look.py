"""What the calendar holds for the next days, with what the bot has already done about it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from pydantic import AwareDatetime

from rules.book import Book
from rules.content import Content
from rules.post_outlook import Ahead, look_ahead
from rules.post_plan import Fire, ask_at
from rules.posts import Post, PostGroup, staff_named
from rules.schedule import moment_of
from rules.sends import Spent, Verdict, Way, allowance, day_of, period_of
from rules.value import Value

CLOSE = timedelta(minutes=30)


class Planned(Value):
    """One post at one time. `ways`: way → how many groups; `taps`: owner → times to confirm; `becauses`: why a group
    gets it in another way than as a task, with how many groups. `state`: what the bot has done, "" = nothing yet.
    """

    post: str
    at: AwareDatetime
    ask_at: AwareDatetime
    groups: int
    staff: tuple[str, ...] = ()
    ways: Mapping[Way, int] = {}
    becauses: Mapping[str, int] = {}
    taps: Mapping[str, int] = {}
    broken: Mapping[str, int] = {}
    state: str = ""
    why: str = ""


class Sent(Value):
    """One group's budget of a period. `need`: tasks still to come in it; `over`: those that do not fit, by post."""

    chat_id: str
    group: str
    start: date
    used: int
    need: int
    allowance: int
    posts: int
    over: Mapping[str, int] = {}

    @property
    def left(self) -> int:
        """Sends that nobody has planned."""
        return self.allowance - self.used - self.need


class Meeting(Value):
    """Two posts that reach one group within half an hour."""

    first: str
    second: str
    at: AwareDatetime
    group: str
    groups: int


class Upcoming(Value):
    """`real`: the groups are those of a database. `held`: what cannot be planned, and why."""

    since: AwareDatetime
    until: AwareDatetime
    real: bool
    sends: str
    planned: tuple[Planned, ...]
    groups: tuple[Sent, ...]
    meetings: tuple[Meeting, ...]
    held: tuple[str, ...]
    paused: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether somebody should look at it."""
        broken = any(each.broken for each in self.planned)
        return bool(broken or self.held or self.meetings or any(each.over for each in self.groups))


def look(
    book: Book,
    groups: Sequence[PostGroup],
    now: datetime,
    days: int,
    *,
    real: bool,
    spent: Spent | None = None,
    states: Mapping[str, tuple[str, str]] | None = None,
) -> Upcoming:
    """The next `days` days. `spent`: tasks that groups have had in the period of today; `states`: key of a fire →
    what has become of it, and why.
    """
    sends, until = book.posting.sends, now + timedelta(days=days)
    last = period_of(sends, day_of(until))[1]
    ahead = look_ahead(book, groups, now, moment_of(last, time(23, 59)), spent)
    verdicts = {(each.slot.key, each.slot.chat_id): each for each in ahead.verdicts}
    fires = [fire for fire in ahead.plan.fires if fire.at <= until]
    return Upcoming(
        since=now,
        until=until,
        real=real,
        sends=sends,
        planned=tuple(_planned(book, fire, ahead, verdicts, states or {}) for fire in fires),
        groups=tuple(_budgets(book, groups, ahead, now, until, spent or {})),
        meetings=tuple(_meetings(fires, ahead)),
        held=tuple(dict.fromkeys(f"「{each.post}」：{each.because}" for each in ahead.plan.held)),
        paused=tuple(post.name for post in book.posts if post.pause or book.posting.pause),
    )


def _planned(
    book: Book,
    fire: Fire,
    ahead: Ahead,
    verdicts: Mapping[tuple[str, str], Verdict],
    states: Mapping[str, tuple[str, str]],
) -> Planned:
    post = book.post(fire.post)
    assert post is not None, "the plan is made of this book's posts"  # noqa: S101  # says so to the type checker
    mine = [verdicts[fire.key, each] for each in fire.chat_ids if (fire.key, each) in verdicts]
    broken = Counter(
        str(ahead.broken[fire.key, each]) for each in ahead.targets(fire) if (fire.key, each) in ahead.broken
    )
    state, why = states.get(fire.key, ("", ""))
    return Planned(
        post=fire.post,
        at=fire.at,
        ask_at=fire.at if post.to_staff else ask_at(post, fire.at, book),
        groups=len(fire.chat_ids),
        staff=staff_named(post, book) if post.to_staff else (),
        ways=dict(Counter(each.way for each in mine)),
        becauses=dict(Counter(each.because for each in mine if each.way != each.slot.via)),
        taps=ahead.owners_taps(fire) if post.via == "task" else {},
        broken=dict(broken),
        state=state,
        why=why,
    )


def _budgets(
    book: Book, groups: Sequence[PostGroup], ahead: Ahead, now: datetime, until: datetime, spent: Spent
) -> list[Sent]:
    """For each group the period of today, or a later one in which it needs more than it may get."""
    sends = book.posting.sends
    here = period_of(sends, day_of(now))[0]
    need, over = Counter[tuple[str, date]](), defaultdict[tuple[str, date], Counter[str]](Counter)
    seen = Counter[str]()
    for verdict in ahead.verdicts:
        slot = verdict.slot
        seen[slot.chat_id] += slot.at <= until
        key = slot.chat_id, period_of(sends, day_of(slot.at))[0]
        if slot.via == "task":
            need[key] += 1
            over[key].update([slot.post] if verdict.way != "task" else [])
    found = []
    for group in groups:
        if not seen[group.chat_id]:
            continue
        starts = [here, *sorted(start for chat_id, start in over if chat_id == group.chat_id and over[chat_id, start])]
        start = next((each for each in starts if over[group.chat_id, each]), here)
        key = group.chat_id, start
        found.append(
            Sent(
                chat_id=group.chat_id,
                group=group.name,
                start=start,
                used=spent.get(key, 0),
                need=need[key],
                allowance=allowance(sends, start),
                posts=seen[group.chat_id],
                over=dict(over[key]),
            )
        )
    return sorted(found, key=lambda each: (each.left, each.group))


def _meetings(fires: Sequence[Fire], ahead: Ahead) -> list[Meeting]:
    days, found = defaultdict[str, list[Fire]](list), defaultdict[tuple[str, str], list[tuple[Fire, str]]](list)
    for fire in fires:
        for chat_id in fire.chat_ids:
            days[chat_id].append(fire)
    for chat_id, together in days.items():
        for one, other in pairwise(together):
            if one.post != other.post and other.at - one.at < CLOSE:
                found[one.post, other.post].append((other, chat_id))
    return [
        Meeting(
            first=first,
            second=second,
            at=wheres[0][0].at,
            group=ahead.groups[wheres[0][1]].name,
            groups=len({chat_id for _, chat_id in wheres}),
        )
        for (first, second), wheres in found.items()
    ]


# --- one post ---------------------------------------------------------------------------------------------------------


class Bubble(Value):
    """What some groups get to read. `owners`: whose groups they are."""

    content: Content
    groups: tuple[str, ...]


class Shown(Value):
    """One time of a post, as it will look. `broken`: why it cannot be sent → groups."""

    at: AwareDatetime
    ask_at: AwareDatetime
    bubbles: tuple[Bubble, ...]
    broken: Mapping[str, tuple[str, ...]]


def show(book: Book, post: Post, fires: Sequence[Fire], ahead: Ahead) -> list[Shown]:
    """The given fires of a post, equal contents together."""
    shown = []
    for fire in fires:
        bubbles, broken = defaultdict[Content, list[str]](list), defaultdict[str, list[str]](list)
        for chat_id in ahead.targets(fire):
            if content := ahead.contents.get((fire.key, chat_id)):
                bubbles[content].append(ahead.groups[chat_id].name)
            elif error := ahead.broken.get((fire.key, chat_id)):
                broken[str(error)].append(ahead.groups[chat_id].name)
        shown.append(
            Shown(
                at=fire.at,
                ask_at=fire.at if post.to_staff else ask_at(post, fire.at, book),
                bubbles=tuple(Bubble(content=each, groups=tuple(names)) for each, names in bubbles.items()),
                broken={reason: tuple(names) for reason, names in broken.items()},
            )
        )
    return shown
