"""The end of a journey: which tags somebody leaves with, where they are invited to, and what is said of it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime

from rules.checkins import Checkin
from rules.clock import BEIJING
from rules.own_tags import read_tag
from rules.value import Value

ELSE = ("else", "其余")


def entrance_for(checkin: Checkin, tags: Iterable[str]) -> str:
    """The first entrance in the order written whose tag they have, else that of the others; "" where there is none.

    A tag is the same with its group and without.
    """
    theirs = set(tags) | {read_tag(tag).name for tag in tags}
    for tag, entrance in checkin.graduate_to.items():
        if tag not in ELSE and (tag in theirs or read_tag(tag).name in theirs):
            return entrance
    return next((entrance for tag, entrance in checkin.graduate_to.items() if tag in ELSE), "")


def tags_from(checkin: Checkin, answers: Mapping[int, str]) -> dict[str, str]:
    """tag → why, from what was chosen on which day of the plan (from 1)."""
    found: dict[str, str] = {}
    for number, answer in sorted(answers.items()):
        question = checkin.plan[number - 1].question if 1 <= number <= checkin.length else None
        tag = question.options.get(answer, "") if question is not None else ""
        if tag and question is not None:
            found[tag] = f"「{checkin.title}」第 {number} 天：{question.text} {answer}"
    return found


def say_graduated(checkin: Checkin, reached: int) -> str:
    """Why a journey is over, of who has done it."""
    return f"{'连续' if checkin.count == 'consecutive' else '一共'}打了 {reached} 天，毕业了"


def say_dropped(counted: int, last: datetime | None, *, inside: bool) -> str:
    """Why a journey is over, of who has not. `last`: when they did anything last; `inside`: of one of its groups."""
    if not inside:
        return "已经不在群里了"
    if last is None:
        return "一天也没有打卡"
    when = f"{last.astimezone(BEIJING):%m月%d日}"
    return f"打了 {counted} 天，{when}以后再没有打卡"


def say_invitation(checkin: Checkin) -> str:
    """What a colleague sends 1:1 to those who have graduated."""
    return checkin.farewell or f"恭喜您走完「{checkin.title}」！下一站已经为您准备好了，点下面的卡片就能进群。"


class Leaver(Value):
    """Somebody whose journey is over and who is still in the group it was meant for. `because` in Chinese."""

    chat_id: str
    group: str
    external_userid: str
    name: str
    graduated: bool
    because: str
    since: AwareDatetime


MOST_NAMED = 20


def say_leavers(checkin: Checkin, group: str, leavers: Sequence[Leaver]) -> tuple[str, str]:
    """Title and text of what stands in the 今日待办 of the group's owner."""
    graduated = [each for each in leavers if each.graduated]
    others = [each for each in leavers if not each.graduated]
    parts = [
        f"{what} {len(some)} 位（{_names(some)}）" for what, some in (("毕业", graduated), ("没走完", others)) if some
    ]
    title = f"「{group}」有 {len(leavers)} 位可以请出群了"
    text = f"「{checkin.title}」已经结束：{'，'.join(parts)}。可以先和 TA 说一声再移出，把位置留给新人；不移也没关系。"
    return title, text


def _names(leavers: Collection[Leaver]) -> str:
    names = [each.name or "没有名字的客户" for each in leavers][:MOST_NAMED]
    return "、".join(names) + ("等" if len(leavers) > MOST_NAMED else "")
