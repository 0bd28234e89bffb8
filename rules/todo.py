"""今日待办: what is open for one person, as its message and its page show it; and when the message comes."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time

from pydantic import AwareDatetime

from rules.actions import CardLine
from rules.clock import BEIJING
from rules.removal import Demand
from rules.value import Value
from rules.when import next_time_of_day


class Todo(Value):
    """What is open for one person. `waiting`: people to be removed, asked about already; `listed`: only on the list;
    `warnings`: people to be told something. By group name. `matters`: titles of other things.
    """

    waiting: dict[str, int]
    listed: dict[str, int]
    warnings: Mapping[str, int] = {}
    matters: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(sum(each.values()) for each in (self.waiting, self.listed, self.warnings)) + len(self.matters)


class Open(Value):
    """One open case as its page shows it. `state`: what has been done about it so far (say_state).

    `words`: what to tell the person, ready to be copied. `by_company`: it is all about the company they are of.
    """

    case_id: int
    external_userid: str
    name: str
    company: str
    joined: str
    since: AwareDatetime
    because: str
    doubt: str
    state: str
    demand: Demand = "remove"
    words: str = ""
    by_company: bool = False


class OpenMatter(Value):
    """Something else that somebody is to know or do. `appeal`: it is to be decided, not done."""

    matter_id: int
    title: str
    text: str
    since: AwareDatetime
    appeal: bool = False


class OpenGroup(Value):
    """What is open in one group, oldest first."""

    chat_id: str
    name: str
    people: tuple[Open, ...]


def say_state(step: str | None, *, listed: bool, asked_at: datetime | None) -> str:
    """What has been done about an open case; `asked_at`: when the last card about it was sent."""
    if step == "check":
        return "有人说已移出，正在核对名单"
    if step == "ask":
        return "已交给公司的程序移出"
    if asked_at is not None and not listed:
        return f"{asked_at.astimezone(BEIJING):%m-%d %H:%M} 请过"
    return "在名单上"


def say_todo(todo: Todo) -> tuple[str, str, tuple[CardLine, ...]]:
    """Title, description and lines of somebody's 今日待办 (at most 6 lines: page 90236)."""
    places: dict[str, int] = dict(Counter(todo.matters))
    for counted in (todo.waiting, todo.listed, todo.warnings):
        for place, count in counted.items():
            places[place] = places.get(place, 0) + count
    busiest = sorted(places.items(), key=lambda each: (-each[1], each[0]))
    lines = [CardLine(label=f"{count} 件", value=place) for place, count in busiest[:5]]
    if len(busiest) > 5:
        lines.append(CardLine(label="其他", value=f"还有 {len(busiest) - 5} 处"))
    parts = (
        (sum(todo.waiting.values()), "位请过还没移出"),
        (sum(todo.listed.values()), "位在名单上待处理"),
        (sum(todo.warnings.values()), "位要提醒"),
        (len(todo.matters), "件别的事"),
    )
    description = "、".join(f"{count} {what}" for count, what in parts if count)
    return f"今日待办：{todo.total} 件事还没办完", description, tuple(lines)


def next_list(at: time, last_sent: datetime | None, now: datetime) -> datetime:
    """When somebody's next 今日待办 comes: at this time of day, and never twice on one day. In UTC."""
    moment = next_time_of_day(at, now)
    if last_sent is not None and moment.astimezone(BEIJING).date() == last_sent.astimezone(BEIJING).date():
        return next_time_of_day(at, moment)
    return moment
