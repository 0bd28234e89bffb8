"""Removal: when people are asked, and the words of the cards. Pure: who is asked and what is sent is decided above."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from rules.actions import Card, CardButton, CardChoice, CardLine
from rules.clock import BEIJING
from rules.rule import Names, Settings, YesNo
from rules.value import Value
from rules.when import DailySpan, Duration, TimeOfDay, say_duration

PEOPLE_A_CARD = 5  # a card has 6 lines (page 90236), and the first names the group
CHOICES_A_CARD = 10  # options of a drop-down list (page 90236)
EVERYBODY = "all"

Demand = Literal["remove", "warn"]
Outcome = Literal["removed", "warned", "left", "gone", "released", "withdrawn", "lapsed", "dismissed"]
OUTCOMES: dict[str | None, str] = {
    "removed": "已移出",
    "warned": "已提醒",
    "left": "已自行退群",
    "gone": "已不在群里",
    "released": "已放行",
    "withdrawn": "无需处理",
    "lapsed": "过期没有处理",
    "dismissed": "群已解散",
}


class Reason(Value):
    """Why one rule asks for something about a person in a group. `step`: what it came to (rules/decision.py)."""

    rule: str
    step: Literal["warn", "remove", "block", "held"]
    because: str
    evidence: str = ""
    doubt: str = ""
    words: str = ""
    grace: timedelta | None = None


class Summary(Value):
    """What several reasons come to together. `grace` only where every reason that asks for removal grants some."""

    rule: str
    demand: Demand
    held: bool
    because: str
    evidence: str
    doubt: str
    grace: timedelta | None


_STRENGTH = {"warn": 0, "held": 1, "remove": 2, "block": 3}


def sum_up(reasons: Sequence[Reason]) -> Summary:
    """The strongest step wins, the first of the config among equals; every reason is told, the strongest first."""
    ordered = sorted(reasons, key=lambda reason: -_STRENGTH[reason.step])
    first = ordered[0]
    removing = [each for each in ordered if each.step != "warn"]
    graces = [each.grace for each in removing]
    return Summary(
        rule=first.rule,
        demand="remove" if removing else "warn",
        held=first.step == "held",
        because="；另外，".join(dict.fromkeys(each.because for each in ordered)),
        evidence=first.evidence,
        doubt="。".join(dict.fromkeys(each.doubt for each in ordered if each.doubt)),
        grace=max((each for each in graces if each), default=None) if all(graces) else None,
    )


class Webhook(Settings):
    """让公司自己的程序去移人：先通知它，名单上人还在再请群主。"""

    url: str = Field(
        pattern=r"^https://[^\s/?#@]+(/\S*)?$",
        description="公司自己的程序的地址，要以 https:// 开头。签名用的密钥写在 .env 的 STEWARD_WEBHOOK_SECRET。",
    )
    wait: Duration = Field(
        default=timedelta(minutes=2), description="通知以后等多久，名单上人还在（或者程序没有接受）就照常发卡片请群主。"
    )


class Removal(Settings):
    """移出外人：请谁、等多久、何时提醒、何时上报。"""

    wait_for_others: Duration = Field(
        default=timedelta(seconds=3), description="一个群的第一张卡片等多久，好把一起进来的人放在同一张卡片上。"
    )
    next_card_after: Duration = Field(
        default=timedelta(minutes=1),
        description="同一个群两张卡片之间至少隔多久；这期间进来的人合成一张。",
    )
    remind_after: Duration = Field(
        default=timedelta(minutes=10), description="多久没处理就提醒一次群主、群管理员和代理人。"
    )
    escalate_after: Duration = Field(default=timedelta(hours=1), description="多久没处理就告诉负责人（managers）。")
    later: Duration = Field(default=timedelta(hours=1), description="按「稍后」以后多久再提醒。")
    check_after: Duration = Field(
        default=timedelta(minutes=1), description="按「已移出」后多久核对：名单上人还在，就告诉按的人。"
    )
    todo_at: TimeOfDay = Field(
        default=time(9, 30), description="每天几点发「今日待办」：还没办完的事，一人一张，没有事就不发。"
    )
    most_cards_at_once: int = Field(
        default=20,
        ge=1,
        description="一个人十分钟里最多收到多少条消息：再多的不发卡片，合成一份「今日待办」。",
    )
    most_cards_a_day: int = Field(
        default=60,
        ge=1,
        description="一个人一天最多收到多少条消息：最后一条是「今日待办」，当天其余的只进待办页，不再发卡片、不再提醒。",
    )
    without_cards: Names = Field(
        default=(), description="收不到卡片的人（例如只用微工作台的人）：姓名或 userid。给他们发带链接的文字。"
    )
    open_group: YesNo = Field(
        default=False,
        description="待办页上给不给「打开群聊」按钮：要先在企业微信后台给应用设好可信域名；页面会加载企业微信自己的脚本。",
    )
    webhook: Webhook | None = Field(
        default=None,
        description="让公司自己的程序去移人（默认不用）。小心：用机器人软件（RPA、协议挂机）操作企业微信，账号会被封。",
    )


class Asking(Value):
    """Whom to ask, and not before when. Nobody to ask is an empty `to`."""

    to: tuple[str, ...]
    not_before: AwareDatetime


def whom_to_ask(
    can_remove: tuple[str, ...], deputies: tuple[str, ...], off_duty: DailySpan | None, now: datetime
) -> Asking:
    """Off duty, only deputies who can remove are asked; where there is none, everybody is, when duty begins."""
    if off_duty is None or not off_duty.covers(now):
        return Asking(to=can_remove, not_before=now)
    on_call = tuple(userid for userid in can_remove if userid in deputies)
    if on_call:
        return Asking(to=on_call, not_before=now)
    return Asking(to=can_remove, not_before=off_duty.ends_after(now))


class Suspect(Value):
    """One person on a card. `words`: what to tell them first; they have until `grace_until` to put it right.

    `blocked`: they are on the blocklist. `added_by`: names of our staff who have added them; `told_by`: of the one who
    has the words for them in 群发助手. `by_company`: it is all about the company they are of.
    """

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
    words: str = ""
    grace_until: AwareDatetime | None = None
    blocked: bool = False
    added_by: tuple[str, ...] = ()
    told_by: str = ""
    by_company: bool = False


def how_joined(joined_at: AwareDatetime | None, scene: int | None, invited_by: str) -> str:
    """When and how somebody came in: "20:01 扫码进群", "昨天…" is left to the reader: the date is always given."""
    when = joined_at.astimezone(BEIJING).strftime("%m-%d %H:%M ") if joined_at else ""
    if invited_by:
        return f"{when}由 {invited_by} 邀请"
    return when + {1: "被直接邀请", 2: "点邀请链接", 3: "扫码进群"}.get(scene or 0, "进群")


def write_card(group_name: str, suspects: Sequence[Suspect]) -> Card:
    """The card that asks for removal. Shapes and limits: page 90236. At most PEOPLE_A_CARD people."""
    first = suspects[0]
    who = first.name or first.external_userid
    title = f"请移出「{who}」" if len(suspects) == 1 else f"请移出 {len(suspects)} 个人"
    lines = [CardLine(label="群", value=group_name)]
    if len(suspects) == 1:
        company = _company(first, unknown="还查不到")
        lines += [CardLine(label="公司", value=company)] if company else []
        lines += [CardLine(label="进群", value=how_joined(first.joined_at, first.join_scene, first.invited_by))]
        lines += [CardLine(label="黑名单", value="移出时请勾选「加入群聊黑名单」")] if first.blocked else []
    else:
        lines += [
            CardLine(
                label=s.name or s.external_userid,
                value=" ".join([_company(s, unknown="公司未知"), how_joined(s.joined_at, s.join_scene, s.invited_by)]),
            )
            for s in suspects
        ]
    return Card(
        title=title,
        description="、".join(f"#{s.case_id}" for s in suspects),
        text=_advice(suspects),
        lines=tuple(lines),
        choices_title="按钮对谁有效",
        choices=choices(suspects),
        buttons=(
            CardButton(key="removed", text="已移出", style=1),
            CardButton(key="release", text="误判，放行"),
            *((CardButton(key="release_company", text="放行这家公司"),) if _is_company_known(suspects) else ()),
            CardButton(key="later", text="稍后"),
        ),
    )


def _company(suspect: Suspect, *, unknown: str) -> str:
    """Where somebody works: of a WeChat user there is nothing to say."""
    return suspect.company or (unknown if suspect.external_userid.startswith("wo") else "")


def _is_company_known(suspects: Sequence[Suspect]) -> bool:
    """Whether letting a whole company be is a thing to offer. Of several people it would be unclear whose."""
    return len(suspects) == 1 and suspects[0].by_company and bool(suspects[0].company)


def _advice(suspects: Sequence[Suspect]) -> str:
    doubts = {s.doubt: None for s in suspects if s.doubt}
    again = [s.name or s.external_userid for s in suspects if s.times > 1]
    parts = [
        *([f"{'、'.join(again)} 是被移出后又回来的。"] if again else []),
        *(f"{doubt}。" for doubt in doubts),
        f"判断依据：{suspects[0].because}。" if len(suspects) == 1 else "",
        _first_tell(suspects),
        "打开群 → 群成员 → 移出，机器人会在名单上核对。",
        "移出时请勾选「加入群聊黑名单」。" if len(suspects) > 1 and any(s.blocked for s in suspects) else "",
    ]
    return "".join(parts)


def _first_tell(suspects: Sequence[Suspect]) -> str:
    """What somebody at the wrong door is to be told before they are removed."""
    lost = [s for s in suspects if s.grace_until is not None and s.words]
    if not lost:
        return ""
    until = max(s.grace_until for s in lost if s.grace_until is not None).astimezone(BEIJING)
    whom = "TA" if len(suspects) == 1 else "、".join(s.name or s.external_userid for s in lost)
    return f"先告诉{whom}：{lost[0].words}{until:%H:%M} 还在再移出。"


def choices(suspects: Sequence[Suspect]) -> tuple[CardChoice, ...]:
    """Whom a button is about: all of the card, or one of them. None where there is one person only."""
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
    return f"「{group_name}」里的{who}：{what}。"


class Candidate(Value):
    """Somebody a manager may choose on an escalation card. `can_remove`: owner or admin of the group."""

    userid: str
    name: str
    can_remove: bool


def write_escalation(text: str, candidates: tuple[Candidate, ...]) -> Card:
    """The card for managers, who cannot remove anybody themselves: reassign, or transfer the group."""
    choices = tuple(
        CardChoice(id=each.userid, text=f"{each.name}{'（能移出）' if each.can_remove else ''}")
        for each in candidates[:CHOICES_A_CARD]
    )
    return Card(
        title="没有人处理的移出",
        description="请改派，或者转让群主",
        text=f"{text}只有群主和群管理员能移出。「改派」再请一位能移出的人；「转让群主」以后请新群主移出。",
        choices_title="选一个人",
        choices=choices,
        buttons=(
            CardButton(key="reassign", text="改派给TA", style=1),
            CardButton(key="transfer", text="转让群主给TA"),
            CardButton(key="seen", text="知道了"),
        ),
    )


def say_cannot_remove(name: str) -> str:
    return f"{name}不是这个群的群主或群管理员，移不了人，所以没有改派。可以选「能移出」的人，或者按「转让群主给TA」。"


def say_too_many_transfers(group_name: str) -> str:
    return f"没有转让「{group_name}」：一个群 90 天内最多转让两次。请联系群主，或者等满 90 天。"


def say_transfer_failed(group_name: str, reason: str) -> str:
    return f"「{group_name}」的群主没有转让成功：{reason}"


def say_asked_by_text(who: str, group_name: str) -> str:
    return f"请移出{who}（在「{group_name}」里）：打开群 → 群成员 → 移出。处理或放行请点："


def _about(waited: timedelta) -> str:
    """As people say it: no seconds in minutes."""
    minute = timedelta(minutes=1)
    return say_duration(waited // minute * minute if waited >= minute else waited)


def say_choose_first() -> str:
    return "请先在卡片的下拉框里选好对谁有效，再按按钮。"
