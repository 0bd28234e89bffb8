"""What is said about draws: to customers in groups, and to staff. Chinese. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rules.draw_rules import say_moment
from rules.draws import Draw

SHOWN, NAMED = 10, 3


class Notice(NamedTuple):
    """A card that opens a page. `facts`: label and value."""

    title: str
    text: str
    facts: list[tuple[str, str]]


def say_opened(draw: Draw, close_at: datetime, draw_at: datetime) -> str:
    """The post with which a draw begins."""
    prizes = "\n".join(f"· {prize.say()}" for prize in draw.prize)
    if draw.way_in == "grab":
        return f"【{draw.title}】{say_moment(draw_at)} 开抢，先到先得：\n{prizes}\n规则和参加方式在下面的页面上。"
    if draw.way_in == "all":
        return f"【{draw.title}】{say_moment(draw_at)} 开奖，在群里的都算参加：\n{prizes}\n规则在下面的页面上。"
    last = f"{say_moment(close_at)} 截止，{say_moment(draw_at)} 开奖"
    return f"【{draw.title}】开始报名啦，{last}：\n{prizes}\n规则和报名都在下面的页面上。"


def say_drawn(draw: Draw, names: Sequence[str], claim_until: datetime | None) -> str:
    """The post with the result. `names`: masked already."""
    if not names:
        return f"【{draw.title}】开奖了，这一期没有人中奖，奖品退回，下次再来。"
    some = "、".join(names[:SHOWN]) + (f" 等 {len(names)} 位" if len(names) > SHOWN else "")
    until = f"，请在 {say_moment(claim_until)} 前领奖" if claim_until else ""
    return f"【{draw.title}】开奖了，恭喜 {some}！中奖的朋友点开下面的页面看看{until}。名单和验证方法也在页面上。"


def say_card(draw: Draw) -> tuple[str, str]:
    """The card under a post: title and description."""
    return draw.title, f"主办方：{draw.organiser}"


def say_to_staff(draw: Draw, names: Sequence[str], entrants: int, until: datetime | None) -> Notice:
    """The card for staff. `names`: of the winners, in full; "" where nobody knows."""
    known = [name for name in names if name]
    some = "、".join(known[:NAMED]) + (f" 等 {len(names)} 位" if len(names) > min(len(known), NAMED) else "")
    facts = [("参加", f"{entrants} 人"), ("中奖", f"{len(names)} 人")]
    if until:
        facts.append(("领奖到", say_moment(until)))
    return Notice(f"抽奖「{draw.title}」开奖了", some if known else "这一期没有人中奖" if not names else "", facts)


def say_not_sent(draw: Draw, groups: int, why: str) -> tuple[str, str]:
    """Managers are told that a send about a draw failed: title and text."""
    return "抽奖的消息没有发出去", f"「{draw.title}」的消息有 {groups} 个群没有发出去：{why}。已经请群主自己发。"
