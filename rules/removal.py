"""Removal: when people are asked, and the words of the cards. Pure: who is asked and what is sent is decided above."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from rules.actions import Card, CardButton, CardChoice, CardLine
from rules.clock import BEIJING
from rules.rule import Settings
from rules.value import Value
from rules.when import Duration, say_duration

PEOPLE_A_CARD = 5  # a card has 6 lines (page 90236), and the first names the group
EVERYBODY = "all"

Outcome = Literal["removed", "left", "gone", "released", "withdrawn", "dismissed"]
OUTCOMES: dict[str | None, str] = {
    "removed": "已移出",
    "left": "已自行退群",
    "gone": "已不在群里",
    "released": "已放行",
    "withdrawn": "无需处理",
    "dismissed": "群已解散",
}


class Removal(Settings):
    """移出外人：请谁、等多久、何时提醒、何时上报。"""

    wait_for_others: Duration = Field(
        default="3秒", validate_default=True, description="一个群的第一张卡片等多久，好把一起进来的人放在同一张卡片上。"
    )
    next_card_after: Duration = Field(
        default="1分钟", validate_default=True, description="同一个群两张卡片之间至少隔多久；这期间进来的人合成一张。"
    )
    remind_after: Duration = Field(
        default="10分钟", validate_default=True, description="多久没处理就提醒群主和群管理员一次。"
    )
    escalate_after: Duration = Field(
        default="1小时", validate_default=True, description="多久没处理就告诉负责人（managers）。"
    )
    later: Duration = Field(default="1小时", validate_default=True, description="按「稍后」以后多久再提醒。")
    check_after: Duration = Field(
        default="1分钟", validate_default=True, description="按「已移出」以后多久，名单上人还在就告诉按的人。"
    )


class Suspect(Value):
    """One person on a card."""

    case_id: int
    external_userid: str
    name: str
    company: str
    joined_at: AwareDatetime | None
    join_scene: int | None
    invited_by: str
    because: str
    doubt: str
    times: int = 1


def how_joined(joined_at: AwareDatetime | None, scene: int | None, invited_by: str) -> str:
    """When and how somebody came in: "20:01 扫码进群", "昨天…" is left to the reader: the date is always given."""
    when = joined_at.astimezone(BEIJING).strftime("%m-%d %H:%M ") if joined_at else ""
    if invited_by:
        return f"{when}由 {invited_by} 邀请"
    return when + {1: "被直接邀请", 2: "点邀请链接", 3: "扫码进群"}.get(scene or 0, "进群")


def write_card(group_name: str, suspects: tuple[Suspect, ...]) -> Card:
    """The card that asks for removal. Shapes and limits: page 90236. At most PEOPLE_A_CARD people."""
    first = suspects[0]
    who = first.name or first.external_userid
    title = f"请移出「{who}」" if len(suspects) == 1 else f"请移出 {len(suspects)} 位其他企业成员"
    lines = [CardLine(label="群", value=group_name)]
    if len(suspects) == 1:
        lines += [
            CardLine(label="公司", value=first.company or "还查不到"),
            CardLine(label="进群", value=how_joined(first.joined_at, first.join_scene, first.invited_by)),
        ]
    else:
        lines += [
            CardLine(
                label=s.name or s.external_userid,
                value=f"{s.company or '公司未知'} {how_joined(s.joined_at, s.join_scene, s.invited_by)}",
            )
            for s in suspects
        ]
    return Card(
        title=title,
        description="、".join(f"#{s.case_id}" for s in suspects),
        text=_advice(suspects),
        lines=tuple(lines),
        choices_title="按钮对谁有效",
        choices=_choices(suspects),
        buttons=(
            CardButton(key="removed", text="已移出", style=1),
            CardButton(key="release", text="误判，放行"),
            CardButton(key="later", text="稍后"),
        ),
    )


def _advice(suspects: tuple[Suspect, ...]) -> str:
    doubts = {s.doubt: None for s in suspects if s.doubt}
    again = [s.name or s.external_userid for s in suspects if s.times > 1]
    parts = [
        *([f"{'、'.join(again)} 是被移出后又回来的。"] if again else []),
        *(f"{doubt}。" for doubt in doubts),
        f"判断依据：{suspects[0].because}。" if len(suspects) == 1 else "",
        "打开群 → 群成员 → 移出，机器人会在名单上核对。",
    ]
    return "".join(parts)


def _choices(suspects: tuple[Suspect, ...]) -> tuple[CardChoice, ...]:
    if len(suspects) == 1:
        return ()
    each = (CardChoice(id=str(s.case_id), text=f"#{s.case_id} {s.name or s.external_userid}") for s in suspects)
    return (CardChoice(id=EVERYBODY, text="卡片上的全部"), *each)


def say_closed(outcomes: Iterable[str | None]) -> str:
    """What a finished card shows in place of its buttons (a button's text: short)."""
    kinds = tuple(dict.fromkeys(outcomes))
    return OUTCOMES.get(kinds[0], "已处理") if len(kinds) == 1 else "全部处理完毕"


def say_reminder(who: str, group_name: str, waited: timedelta) -> str:
    """`who` is "#3「张三」", or several of them."""
    return (
        f"提醒：{who}还在「{group_name}」里，已等了{_about(waited)}。"
        "移出后请按卡片上的「已移出」；若是误判，请按「误判，放行」。"
    )


def say_still_there(who: str, group_name: str) -> str:
    return f"名单显示{who}还在「{group_name}」里。请打开群 → 群成员 → 移出；移出后不用再按按钮，机器人会自己看到。"


def say_escalation(who: str, group_name: str, asked: tuple[str, ...], waited: timedelta, *, delivered: bool) -> str:
    """For the managers. `delivered` is False where the card could not be sent to those who can remove."""
    if not asked:
        what = "找不到这个群的群主和群管理员，没有人可以问"
    elif delivered:
        what = f"已请{'、'.join(asked)}移出，{_about(waited)}没有处理"
    else:
        what = f"卡片没能发给{'、'.join(asked)}（不在应用的可见范围？）"
    return f"需要您关注：「{group_name}」里的{who}，{what}。只有群主和群管理员能移出，请联系他们。"


def _about(waited: timedelta) -> str:
    """As people say it: no seconds in minutes."""
    minute = timedelta(minutes=1)
    return say_duration(waited // minute * minute if waited >= minute else waited)


def say_warning(who: str, company: str, group_name: str, because: str) -> str:
    return (
        f"请留意：「{group_name}」里的「{who}」（{company or '公司未知'}）可能是其他企业的员工。判断依据：{because}。"
    )


def say_choose_first() -> str:
    return "请先在卡片的下拉框里选好对谁有效，再按按钮。"
