"""What can be said of scheduled posts before they go out: every text rendered for every group, and what it comes to.

Works on the groups that a database knows; where there is none, on an invented one for each kind and pattern that is
named. Nothing here refuses a config: what is wrong for ever is refused when the config is read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from bot.config.problems import Kind, Problem, closest, short, written
from bot.config.yaml_tree import Node, Path, key_place, value_place, written_part
from rules.book import Book
from rules.clock import BEIJING
from rules.facts import Group
from rules.holidays import UnknownYearError
from rules.post_outlook import Ahead, invented, look_ahead, over_budget
from rules.post_plan import Fire, fires
from rules.posts import SHEET, Post, PostGroup, audience
from rules.rule import EVERYWHERE
from rules.schedule import moment_of
from rules.sends import Verdict, allowance, day_of, period_of
from rules.template import OF_GROUP, say_date, say_weekday

AHEAD = timedelta(days=31)
LONG_AHEAD = timedelta(days=400)
CLOSE = timedelta(minutes=30)
KNOWN_AHEAD = timedelta(days=60)
ENDS_SOON = timedelta(days=7)
MOST_SHOWN = 3


# --- findings ---------------------------------------------------------------------------------------------------------


class _Finding(NamedTuple):
    path: Path
    reason: str
    value: str = ""
    meant: str = ""
    kind: Kind = "warning"


def post_findings(
    book: Book, root: Node, file: str, now: datetime, groups: Sequence[PostGroup] | None
) -> list[Problem]:
    """Warnings and notes about posts, in the order of the file. `groups`: None where no database is there to ask."""
    if not book.calendar:
        return []
    ahead = look_ahead(book, invented(book) if groups is None else groups, now, now + AHEAD)
    findings = list[_Finding]()
    for place, post in enumerate(book.posts):
        findings += _of_post(book, post, place, ahead, now)
        if groups is not None:
            findings += _of_groups(book, post, place, groups)
    findings += [*_budget(book, groups, now), *_same_day(book, ahead), *_held(book, now)]
    problems = [_problem(each, root, file) for each in findings]
    problems += [each for post in book.posts for each in _in_sheet(book, post)]
    return list(dict.fromkeys(problems))


def _problem(finding: _Finding, root: Node, file: str) -> Problem:
    path = written_part(root, finding.path)
    at = key_place(root, path) if len(path) < 3 else value_place(root, path)
    return Problem(file, *at, written(path), short(finding.value), finding.reason, finding.meant, finding.kind)


def _of_post(book: Book, post: Post, place: int, ahead: Ahead, now: datetime) -> Iterator[_Finding]:
    mine = [fire for fire in ahead.plan.fires if fire.post == post.name]
    yield from _broken(place, mine, ahead)
    yield from _never_again(book, post, place, now)
    yield from _moved_by_quiet_hours(book, post, place)
    yield from _rare(post, place)
    yield from _sheet_and_calendar(book, post, place, mine, now)
    variables = {each for said in post.all_said for each in said.variables} & OF_GROUP
    if variables and not post.to_staff and post.via == "task":
        taps = max((taps for fire in mine for taps in ahead.owners_taps(fire).values()), default=0)
        which = "、".join(f"{{{{{each}}}}}" for each in sorted(variables))
        often = f"群主每次要点 {taps} 下" if taps > 1 else "群主有几个群，每次就要点几下"
        reason = f"{often}：文字里有 {which}，每个群都不一样，企业微信里就是一群一条。想少点几下，就写一样的文字"
        yield _Finding(("posts", place, "text"), reason, kind="note")


def _broken(place: int, mine: Sequence[Fire], ahead: Ahead) -> Iterator[_Finding]:
    """What cannot be rendered: the first reason, with where it would have gone, and how many more there are."""
    found = [
        (fire, ahead.groups[chat_id].name, error)
        for fire in mine
        for chat_id in ahead.targets(fire)
        if (error := ahead.broken.get((fire.key, chat_id)))
    ]
    if found:
        fire, name, error = found[0]
        where = f"{error.where}：" if SHEET in error.where else ""
        more = f"（一共 {len(found)} 处发不了）" if len(found) > 1 else ""
        reason = f"{say_moment(fire.at)}发到「{name}」时：{where}{error.reason}{more}"
        yield _Finding(("posts", place, "series" if where else "text"), reason)


def _never_again(book: Book, post: Post, place: int, now: datetime) -> Iterator[_Finding]:
    if post.steps:
        return
    try:
        if fires(post, now, now + LONG_AHEAD, book):
            return
    except UnknownYearError:
        return
    where = "series" if post.in_sheet else "when"
    yield _Finding(("posts", place, where), f"「{post.name}」以后不会再发了：日子都过去了")


def _moved_by_quiet_hours(book: Book, post: Post, place: int) -> Iterator[_Finding]:
    quiet = book.posting.quiet_hours
    if quiet is None:
        return
    times = {at for at in (*(post.when.times if post.when else ()), *(row.at for row in post.rows)) if at}
    steps = {step.at for step in post.steps}
    noon = datetime(2026, 1, 5, tzinfo=BEIJING)
    hushed = sorted(at for at in times | steps if quiet.covers(noon.replace(hour=at.hour, minute=at.minute)))
    if hushed:
        said = "、".join(f"{at:%H:%M}" for at in hushed[:MOST_SHOWN])
        reason = f"{said} 在安静时段（{quiet.start:%H:%M}-{quiet.end:%H:%M}）里，会推到 {quiet.end:%H:%M} 发"
        yield _Finding(("posts", place, "steps" if post.steps else "when"), reason, kind="note")


def _rare(post: Post, place: int) -> Iterator[_Finding]:
    if post.when and post.when.nth == 5:
        reason = "不是每个月都有第五个：没有的月份就不发。想每月都发，请写「最后一个」"
        yield _Finding(("posts", place, "when"), reason, post.when.text, kind="note")
    if post.when and post.when.days and not post.when.months and max(post.when.days) > 28 and min(post.when.days) > 28:
        reason = f"不是每个月都有 {max(post.when.days)} 日：没有的月份就不发。想每月都发，请写「每月最后一天」"
        yield _Finding(("posts", place, "when"), reason, post.when.text, kind="note")


def _sheet_and_calendar(book: Book, post: Post, place: int, mine: Sequence[Fire], now: datetime) -> Iterator[_Finding]:
    """Days without a row, rows without a day, and sheets that come to their end."""
    if not post.in_sheet or not post.rows or (not post.has_days and post.repeat):
        return
    here, today = ("posts", place, "series"), day_of(now)
    if post.has_days:
        days = {row.day for row in post.rows if row.day}
        if post.when:
            yield from _gaps(book, post, here, days, today)
        last = max(days)
        if today <= last <= today + ENDS_SOON:
            yield _Finding(here, f"表格只写到 {say_date(last)}，以后就没有内容了")
        return
    last_number = max(row.number or 0 for row in post.rows)
    left = [fire for fire in mine if fire.number <= last_number]
    if mine and left and left[-1].at < now + ENDS_SOON and left[-1].number == last_number:
        yield _Finding(here, f"表格写到第 {last_number} 期，{say_moment(left[-1].at)}发完；要从头再来请写 repeat: 是")


def _gaps(book: Book, post: Post, here: Path, days: set[date], today: date) -> Iterator[_Finding]:
    first, last = max(today, min(days)), max(days)
    between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    try:
        wanted = [day for day in between if post.when and post.when.falls_on(day, book.holidays)]
    except UnknownYearError:
        return
    for missing, reason in (
        ([day for day in wanted if day not in days], "表格里没有这几天的内容，到时候不发"),
        ([day for day in between if day in days and day not in wanted], "不在 when 的日子里，表格里写的不会发"),
    ):
        if missing:
            said = "、".join(f"{say_date(day)}（{say_weekday(day)}）" for day in missing[:MOST_SHOWN])
            more = f"等 {len(missing)} 天" if len(missing) > MOST_SHOWN else ""
            yield _Finding(here, f"{said}{more}{reason}")


def _in_sheet(book: Book, post: Post) -> Iterator[Problem]:
    """Names in the column of groups that mean nothing."""
    known = [*EVERYWHERE, *book.groups, "other", *book.shops, *book.tags, *(each.name for each in book.entrances)]
    for row in post.rows:
        for name in row.to:
            if name not in known and "*" not in name and "?" not in name:
                reason = f"「{short(name)}」不是一类群、门店或群标签的名字，只会发给正好叫这个名字的群"
                yield Problem(str(post.series), row.line, 0, "群", name, reason, closest(name, known), "warning")


# --- compared with the groups there are -------------------------------------------------------------------------------


def _of_groups(book: Book, post: Post, place: int, groups: Sequence[PostGroup]) -> Iterator[_Finding]:
    if post.to_staff or post.pause or book.posting.pause:
        return
    to = audience(post, groups, book)
    if not to:
        yield _Finding(
            ("posts", place, "to"), f"现有的 {len(groups)} 个群里，没有一个会收到「{post.name}」", "、".join(post.to)
        )
    ownerless = [group for group in to if not group.owner]
    if ownerless:
        reason = f"{_some(ownerless)}没有群主，没有人能发「{post.name}」：请到企业微信里给群指定群主"
        yield _Finding(("posts", place, "to"), reason)
    unborn = [group for group in to if group.born_at is None] if post.steps and post.since == "birth" else []
    if unborn:
        yield _Finding(("posts", place, "steps"), f"不知道{_some(unborn)}是哪天建的，这些群不会收到「{post.name}」")


def _some(groups: Sequence[Group]) -> str:
    said = "、".join(f"「{group.name}」" for group in groups[:MOST_SHOWN])
    return f"{said}等 {len(groups)} 个群" if len(groups) > MOST_SHOWN else said


# --- all posts together -----------------------------------------------------------------------------------------------


def _held(book: Book, now: datetime) -> Iterator[_Finding]:
    """Posts that need a year's holidays which nobody knows, some weeks before it begins."""
    for place, post in enumerate(book.posts):
        if post.pause or post.steps:
            continue
        try:
            fires(post, now, now + KNOWN_AHEAD, book)
        except UnknownYearError as error:
            where = "when" if post.holidays == "as_usual" else "holidays"
            yield _Finding(("posts", place, where), f"{error}。在那以前，「{post.name}」{error.year} 年的不会发")


def _budget(book: Book, groups: Sequence[PostGroup] | None, now: datetime) -> Iterator[_Finding]:
    """The first whole period from here on that has groups which would need more tasks than they may receive."""
    known, sends = invented(book) if groups is None else groups, book.posting.sends
    start, last = period_of(sends, day_of(now))
    start = start if start == day_of(now) else last + timedelta(days=1)
    begin = moment_of(start, time(0)) - timedelta(seconds=1)
    end = moment_of(period_of(sends, start + timedelta(days=30))[1], time(23, 59))
    found = look_ahead(book, known, begin, end)
    over = over_budget(found.verdicts, sends)
    if over:
        start = min(start for _, start in over)
        first = {chat_id: verdicts for (chat_id, each), verdicts in over.items() if each == start}
        yield _Finding(
            ("posts",) if book.posts else ("checkins",) if book.checkins else ("draws",),
            _say_over(book, first, found, start, real=groups is not None),
        )


def _say_over(book: Book, over: Mapping[str, Sequence[Verdict]], found: Ahead, start: date, *, real: bool) -> str:
    """`「会员一群」等 24 个群12月需 39 条，额度 31 条：「早报」8 条改为手动`."""
    chat_id = max(over, key=lambda each: len(over[each]))
    verdicts, sends = over[chat_id], book.posting.sends
    who = f"「{found.groups[chat_id].name}」" if real else f"像「{found.groups[chat_id].name}」这样的群"
    who += f"等 {len(over)} 个群" if len(over) > 1 and real else ""
    when = {"days_of_month": f"{start.month}月", "7_a_week": f"{say_date(start)}起一周", "1_a_day": say_date(start)}[
        sends
    ]
    need = f"{when}需 {len(verdicts)} 条群发，额度 {allowance(sends, start)} 条"
    return f"{who}{need}：{say_instead(verdicts)}"


def say_instead(verdicts: Sequence[Verdict]) -> str:
    """`「早报」8 条改为手动，「周报」1 条并到当天的另一条里`."""
    words = {"by_hand": "改为手动", "merge": "并到当天的另一条里", "drop": "不发"}
    counts = Counter((each.slot.post, each.way) for each in verdicts if each.way != "task")
    return "，".join(f"「{post}」{count} 条{words[way]}" for (post, way), count in counts.items())


def _same_day(book: Book, ahead: Ahead) -> Iterator[_Finding]:
    """Posts that meet in one group: within half an hour, or on one day."""
    places = {post.name: place for place, post in enumerate(book.posts)}  # of a check-in's own post nothing is written
    days = defaultdict[tuple[str, date], list[Fire]](list)
    for fire in ahead.plan.fires:
        for chat_id in fire.chat_ids:
            days[chat_id, day_of(fire.at)].append(fire)
    close, same = dict[tuple[str, str], tuple[Fire, str]](), dict[tuple[str, str], tuple[Fire, str]]()
    for (chat_id, _), together in days.items():
        for one, other in pairwise(together):
            if one.post != other.post:
                both = (one.post, other.post)
                (close if other.at - one.at < CLOSE else same).setdefault(both, (other, chat_id))
    for (first, second), (fire, chat_id) in close.items():
        reason = (
            f"{say_moment(fire.at)}「{ahead.groups[chat_id].name}」会接连收到「{first}」和「{second}」，相隔不到半小时"
        )
        yield _Finding(_where(places, first, second, fire), reason)
    for (first, second), (fire, chat_id) in same.items():
        if (first, second) not in close:
            reason = f"{say_date(day_of(fire.at))}「{ahead.groups[chat_id].name}」一天里会收到「{first}」和「{second}」"
            yield _Finding(_where(places, first, second, fire), reason, kind="note")


def _where(places: Mapping[str, int], first: str, second: str, fire: Fire) -> Path:
    """Which of two posts that meet is to be looked at: the later one, where the config has it."""
    place = places.get(second, places.get(first))
    if place is None:
        return ("checkins",)
    return ("posts", place, "steps" if fire.step and second in places else "when")


def say_moment(at: datetime) -> str:
    """`11月25日（周三）20:00`, in Beijing."""
    local = at.astimezone(BEIJING)
    return f"{say_date(local.date())}（{say_weekday(local.date())}）{local:%H:%M}"
