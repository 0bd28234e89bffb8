"""What became of a week of posts, for the managers: every group of every post is accounted for. Pure.

A week is Beijing's, Monday to Sunday; it is told on the Monday after it, at ten. Where the bot did not run then, one
report tells all weeks since the last one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from pydantic import AwareDatetime

from rules.actions import CardLine
from rules.clock import BEIJING
from rules.schedule import moment_of
from rules.template import say_date
from rules.value import Value
from rules.when import say_duration

TOLD_AT = time(10, 0)
WEEK = timedelta(days=7)
LATE = timedelta(minutes=30)
"""Whoever confirms so much after the time is late."""

Fate = Literal[
    "arrived", "by_hand", "waiting", "unconfirmed", "unsent", "capped", "failed", "cancelled", "merged", "dropped",
    "unreachable", "paused",
]  # fmt: skip

FATES: Mapping[Fate, str] = {
    "arrived": "送达",
    "by_hand": "手动发了",
    "merged": "并到另一条",
    "waiting": "还在等确认",
    "unconfirmed": "没人确认",
    "unsent": "确认时没选这个群",
    "capped": "额度用完了",
    "dropped": "额度不够，没发",
    "unreachable": "没有人能发",
    "paused": "停着",
    "cancelled": "取消了",
    "failed": "没发成",
}
_DELIVERED: tuple[Fate, ...] = ("arrived", "by_hand", "merged")
_STATES = {"skipped": "没有发", "failed": "没发成", "cancelled": "取消了", "withdrawn": "撤下了"}


class Told(Value):
    """What one group got of one post. `at`: when it was to stand there; `got_at`: when it did. `owner`: their name."""

    post: str
    at: AwareDatetime
    chat_id: str
    group: str
    fate: Fate
    owner: str = ""
    why: str = ""
    got_at: AwareDatetime | None = None

    @property
    def late(self) -> timedelta | None:
        """By how much, where that is worth telling."""
        by = self.got_at - self.at if self.got_at and self.fate in ("arrived", "by_hand") else timedelta(0)
        return by if by > LATE else None


class NotOut(Value):
    """A post that never came so far as to go to anybody. `state`: skipped, failed, cancelled or withdrawn."""

    post: str
    at: AwareDatetime
    state: str
    why: str


class OwnerWeek(Value):
    """What groupchat/statistic says of one owner's groups (page 92133). `active`: members who said something."""

    owner: str
    name: str = ""
    groups: int
    new_members: int
    members: int
    active: int
    messages: int


class LateOne(Value):
    """A post that reached some groups late: by how much at most."""

    post: str
    at: AwareDatetime
    groups: int
    by: timedelta


class Report(Value):
    """`counts`: fate → groups; together they are `planned`. `waiting`: owner's name → groups that they left undone.

    `reasons`: (post, fate, why) → groups, of all that was not delivered. `owners` None: the platform did not tell.
    """

    first: date
    last: date
    posts: int
    planned: int
    counts: Mapping[Fate, int]
    undone: Mapping[str, int]
    late: tuple[LateOne, ...]
    reasons: tuple[tuple[str, Fate, str, int], ...]
    not_out: tuple[NotOut, ...]
    to_staff: int = 0
    owners: tuple[OwnerWeek, ...] | None = None

    @property
    def delivered(self) -> int:
        return sum(self.counts.get(each, 0) for each in _DELIVERED)


def tally(
    first: date,
    last: date,
    told: Sequence[Told],
    not_out: Iterable[NotOut] = (),
    owners: Iterable[OwnerWeek] | None = None,
    *,
    to_staff: int = 0,
) -> Report:
    """`told`: every group of every post that went out. `to_staff`: reminders to staff that went out."""
    late: dict[tuple[str, datetime], list[timedelta]] = defaultdict(list)
    for each in told:
        if each.late:
            late[each.post, each.at].append(each.late)
    undone = Counter(each.owner or "不知道是谁" for each in told if each.fate in ("unconfirmed", "unsent"))
    reasons = Counter((each.post, each.fate, each.why) for each in told if each.fate not in (*_DELIVERED, "waiting"))
    return Report(
        first=first,
        last=last,
        posts=len({(each.post, each.at) for each in told}),
        planned=len(told),
        counts=dict(Counter(each.fate for each in told)),
        undone=dict(undone.most_common()),
        late=tuple(LateOne(post=post, at=at, groups=len(by), by=max(by)) for (post, at), by in sorted(late.items())),
        reasons=tuple((*key, count) for key, count in reasons.most_common()),
        not_out=tuple(sorted(not_out, key=lambda each: (each.at, each.post))),
        to_staff=to_staff,
        owners=None if owners is None else tuple(sorted(owners, key=lambda each: (-each.messages, each.owner))),
    )


# --- when -------------------------------------------------------------------------------------------------------------


def next_report(moment: datetime) -> datetime:
    """The first Monday, ten o'clock in Beijing, after `moment`. In UTC."""
    local = moment.astimezone(BEIJING)
    monday = moment_of(local.date() - timedelta(days=local.weekday()), TOLD_AT)
    return monday if monday > moment else monday + WEEK


def monday_before(report: datetime) -> date:
    """With which the week began that is over at this Monday."""
    local = report.astimezone(BEIJING)
    return local.date() - timedelta(days=local.weekday()) - WEEK


def span_of(first: date, last: date) -> tuple[datetime, datetime]:
    """The first moment of these days, and the first one after them. In UTC."""
    return moment_of(first, time(0)), moment_of(last + timedelta(days=1), time(0)).astimezone(UTC)


# --- words ------------------------------------------------------------------------------------------------------------


def say_days(report: Report) -> str:
    """`11月16日到11月22日`."""
    return f"{say_date(report.first)}到{say_date(report.last)}"


def say_card(report: Report) -> tuple[str, str, tuple[CardLine, ...]]:
    """Title, description and lines of the managers' weekly card."""
    title = f"上周群发：{report.delivered}/{report.planned} 群次发到了" if report.planned else "上周没有群发"
    lines = [("应发", f"{report.posts} 条，共 {report.planned} 群次"), ("发到", f"{report.delivered} 群次")]
    if report.undone:
        lines.append(("没点", "、".join(f"{name} {count}" for name, count in report.undone.items())))
    if report.late:
        lines.append(("晚了", f"{sum(each.groups for each in report.late)} 群次"))
    missing = _missing(report)
    if missing:
        lines.append(("没发", missing))
    if report.owners is not None:
        lines.append(("群里", _sum_up(report.owners)))
    return title, say_days(report), tuple(CardLine(label=label, value=value) for label, value in lines[:6])


def _missing(report: Report) -> str:
    counts = Counter[str]()
    for _, fate, _, count in report.reasons:
        if fate not in ("unconfirmed", "unsent"):
            counts[FATES[fate]] += count
    said = [f"{what} {count}" for what, count in counts.most_common()]
    return "、".join([*said, *([f"整条没发 {len(report.not_out)} 条"] if report.not_out else [])])


def _sum_up(owners: Sequence[OwnerWeek]) -> str:
    new, active = sum(each.new_members for each in owners), sum(each.active for each in owners)
    return f"新 {new} 人，说话 {active} 人，{sum(each.messages for each in owners)} 条"


def say_late(each: LateOne) -> str:
    """`11月18日 20:00 的「周三分享」，3 个群晚了，最多 1小时5分钟`."""
    local = each.at.astimezone(BEIJING)
    by = timedelta(minutes=int(each.by.total_seconds()) // 60)
    when = f"{say_date(local.date())} {local:%H:%M}"
    return f"{when} 的「{each.post}」，{each.groups} 个群晚了，最多 {say_duration(by)}"


def say_not_out(each: NotOut) -> str:
    """`11月18日 20:00 的「周三分享」没有发：到时间没有人答应`."""
    local = each.at.astimezone(BEIJING)
    why = f"：{each.why}" if each.why else ""
    return f"{say_date(local.date())} {local:%H:%M} 的「{each.post}」{_STATES.get(each.state, '没有发')}{why}"


def say_reason(reason: tuple[str, Fate, str, int]) -> str:
    """`「早报」3 个群没人确认`."""
    post, fate, why, count = reason
    return f"「{post}」{count} 个群{FATES[fate]}" + (f"：{why}" if why else "")
