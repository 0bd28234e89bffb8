"""What is said about draws: to customers in groups, and to staff. Chinese. Pure."""

from collections.abc import Sequence
from datetime import datetime

from rules.draw_rules import say_moment
from rules.draws import Draw
from rules.money import say_money

SHOWN = 10


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


def say_to_staff(draw: Draw, name: str, lines: Sequence[tuple[str, str, int]], entrants: int) -> str:
    """Who has won what, for managers: (name, prize, fen)."""
    said = [f"抽奖「{draw.title}」（{name}）开奖了：{entrants} 人参加，{len(lines)} 人中奖。"]
    for who, prize, amount in lines[:20]:
        said.append(f"· {who}：{prize}{' ' + say_money(amount) if amount else ''}")
    if len(lines) > 20:
        said.append(f"……还有 {len(lines) - 20} 位，用 steward draw show {name} 看全部。")
    return "\n".join(said)
