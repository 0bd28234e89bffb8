"""The budget of sends: how many tasks (企业群发) a group may still receive, and what becomes of the rest. Pure.

The platform lets a customer group receive as many tasks a month as the month has days, those that staff send by
themselves included (page 92135); a corp can make it 7 a week or 1 a day in 群发助手. What is over is refused for good
(status 3), so it is decided beforehand: posts of higher priority first, then earlier ones; the rest is merged into
another post of the same day, given to the owner to send by hand, or dropped, as each post says. Everything is told.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from rules.clock import BEIJING
from rules.content import MOST_ATTACHMENTS, MOST_BYTES, Content
from rules.posts import RANK, Instead, Post, Sends, Via

if TYPE_CHECKING:
    from rules.draw_outlook import News

Way = Literal["task", "merge", "by_hand", "drop"]

WAYS: Mapping[Way, str] = {"task": "群发", "merge": "合并", "by_hand": "手动", "drop": "不发"}

_PERIODS: Mapping[Sends, str] = {"days_of_month": "本月", "7_a_week": "本周", "1_a_day": "当天"}

Spent = Mapping[tuple[str, date], int]
"""(chat_id, first day of the period) → tasks that are the group's already, whoever made them."""


class Slot(NamedTuple):
    """One post in one group at one time. `size`: bytes of its text as rendered; `attachments`: how many.

    `hosts`: whether another can be merged into it.
    """

    key: str
    post: str
    at: datetime
    chat_id: str
    via: Via = "task"
    rank: int = RANK["normal"]
    instead: tuple[Instead, ...] = ("merge", "by_hand")
    size: int = 0
    attachments: int = 0
    hosts: bool = True


class Verdict(NamedTuple):
    """What becomes of a slot. `into`, `into_post`: key and name of the post it is merged into. `because` in Chinese."""

    slot: Slot
    way: Way
    because: str
    into: str = ""
    into_post: str = ""


def slot_of(post: Post, key: str, at: datetime, chat_id: str, content: Content | None = None) -> Slot:
    """`content`: as rendered for this group, so that it is known what it can be merged with."""
    return Slot(
        key=key,
        post=post.name,
        at=at,
        chat_id=chat_id,
        via=post.via,
        rank=RANK[post.priority],
        instead=post.if_no_sends,
        size=len(content.text.encode()) if content else 0,
        attachments=len(content.attachments) if content else 0,
    )


def news_slots(news: "News") -> list[Slot]:
    """What is told of a draw, in each of its groups; about as long as such words are."""
    one = Slot(key=news.key, post=f"抽奖 {news.draw}", at=news.at, chat_id="", size=600, attachments=1, hosts=False)
    return [one._replace(chat_id=chat_id) for chat_id in news.chat_ids]


# --- periods ----------------------------------------------------------------------------------------------------------


def period_of(sends: Sends, day: date) -> tuple[date, date]:
    """The first and the last day of the period that `day` is counted in, in Beijing. Weeks begin on Monday."""
    if sends == "1_a_day":
        return day, day
    if sends == "7_a_week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def allowance(sends: Sends, day: date) -> int:
    """How many tasks a group may receive in that period."""
    return {"1_a_day": 1, "7_a_week": 7, "days_of_month": monthrange(day.year, day.month)[1]}[sends]


def day_of(moment: datetime) -> date:
    """In Beijing, where days are counted."""
    return moment.astimezone(BEIJING).date()


# --- sharing out ------------------------------------------------------------------------------------------------------


def share_out(slots: Iterable[Slot], spent: Spent, sends: Sends) -> list[Verdict]:
    """A verdict for every slot, in the order given. `slots`: all that is still to come in the periods they lie in;
    whoever leaves some out spends what was meant for them. `spent` does not count them.
    """
    slots = list(slots)
    periods = defaultdict[tuple[str, date], list[Slot]](list)
    for slot in slots:
        periods[slot.chat_id, period_of(sends, day_of(slot.at))[0]].append(slot)
    found: dict[tuple[str, str], Verdict] = {}
    for (chat_id, first), inside in periods.items():
        for verdict in _within(inside, spent.get((chat_id, first), 0), sends):
            found[verdict.slot.chat_id, verdict.slot.key] = verdict
    return [found[slot.chat_id, slot.key] for slot in slots]


def _within(slots: Sequence[Slot], spent: int, sends: Sends) -> Iterable[Verdict]:
    """One group and one period."""
    by_hand = [slot for slot in slots if slot.via == "by_hand"]
    yield from (Verdict(slot=slot, way="by_hand", because="设置里写的就是手动") for slot in by_hand)
    tasks = sorted((slot for slot in slots if slot.via == "task"), key=lambda slot: (slot.rank, slot.at, slot.key))
    if not tasks:
        return
    most = allowance(sends, day_of(tasks[0].at))
    left = max(0, most - spent)
    because = _say_full(sends, spent + len(tasks), most, spent)
    hosts = {slot.key: (slot.size, slot.attachments) for slot in tasks[:left]}
    yield from (
        Verdict(slot=slot, way="task", because=_say_fits(sends, spent + place, most))
        for place, slot in enumerate(tasks[:left], 1)
    )
    for slot in tasks[left:]:
        yield _instead(slot, tasks[:left], hosts, because)


def _instead(slot: Slot, tasks: Sequence[Slot], hosts: dict[str, tuple[int, int]], because: str) -> Verdict:
    """What becomes of one that is over. `hosts`: key → bytes and attachments with what is merged into it already."""
    for way in slot.instead:
        if way == "merge":
            for host in [each for each in tasks if each.hosts]:
                size, attachments = hosts[host.key]
                size, attachments = size + 2 + slot.size, attachments + slot.attachments
                if day_of(host.at) == day_of(slot.at) and size <= MOST_BYTES and attachments <= MOST_ATTACHMENTS:
                    hosts[host.key] = size, attachments
                    said = f"{because}，并到当天的「{host.post}」里"
                    return Verdict(slot=slot, way="merge", because=said, into=host.key, into_post=host.post)
            continue
        said = "请群主手动发" if way == "by_hand" else "这一条不发"
        return Verdict(slot=slot, way=way, because=f"{because}，{said}")
    return Verdict(slot=slot, way="drop", because=f"{because}，当天也没有能并进去的，这一条不发")


def _say_fits(sends: Sends, number: int, most: int) -> str:
    return f"{_PERIODS[sends]}第 {number} 条，额度 {most} 条"


def _say_full(sends: Sends, need: int, most: int, spent: int) -> str:
    used = f"（已用 {spent} 条）" if spent else ""
    return f"{say_need(sends, need, most)}{used}，优先级高的和日子早的先用"


def say_need(sends: Sends, need: int, most: int) -> str:
    """`本月需 39 条，额度 30 条`."""
    return f"{_PERIODS[sends]}需 {need} 条，额度 {most} 条"
