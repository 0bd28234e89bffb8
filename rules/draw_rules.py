"""What a draw promises: its times, the rules that are published before anybody enters, and who may take part. Pure.

What is published is hashed and does not change any more; of what a manager writes later only what is better for the
customers is taken over, and shown (`better`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import AwareDatetime

from rules.clock import BEIJING
from rules.draw_proof import PrizeProof
from rules.draws import Draw, Eligibility, Prize
from rules.money import say_money
from rules.published import Promise, improved
from rules.value import Value
from rules.when import say_duration

NOBODY_KNOWS = "还不能确定您是不是群成员"
"""Not a refusal: whoever says so at the entry has to show it at the claim."""

TAGS_UNKNOWN = "现在查不到您的信息，请过一会儿再试"
"""No refusal either: the platform did not answer when it was asked for somebody's tags."""

_WEEKDAYS = "一二三四五六日"


class Times(NamedTuple):
    """When each step of one draw is due, in UTC."""

    announce: datetime
    open: datetime
    close: datetime
    draw: datetime
    """Of a grab: when it opens; it ends at `close`."""


def times(draw: Draw, at: datetime) -> Times:
    """The steps of the draw that is written for `at`."""
    announce = at - draw.announce_before
    if draw.in_group:
        return Times(announce, at, at, at)
    if draw.way_in == "grab":
        return Times(announce, at, at + draw.grab_for, at)
    return Times(announce, at - draw.open_before, at - draw.close_before, at)


def key_of(draw: str, at: datetime) -> str:
    """What makes a draw exist once: `friday-lucky:2026-11-27T20:00+08:00`."""
    return f"{draw}:{at.astimezone(BEIJING).isoformat(timespec='minutes')}"


def prizes_of(draw: Draw) -> list[PrizeProof]:
    """The prizes as the split and the proof see them."""
    found = []
    for prize in draw.prize:
        bounds = draw.bounds(prize) if prize.type == "lucky" else None
        found.append(
            PrizeProof(
                type=prize.type,
                name=prize.name or prize.what,
                shares=prize.shares,
                total=prize.total or 0,
                amount=prize.amount or 0,
                floor=bounds.floor if bounds else 0,
                cap=bounds.cap if bounds else 0,
            )
        )
    return found


# --- what is published ------------------------------------------------------------------------------------------------


def published(draw: Draw, steps: Times, groups: int) -> list[list[str]]:
    """The rules, each a heading and a text (Chinese): prizes, number, who, when, how, claim, lapse, organiser."""
    found = [
        ["奖品", "；".join(prize.say() for prize in draw.prize)],
        ["数量", _say_number(draw, groups)],
        ["谁能参加", say_who(draw)],
        ["怎么参加", _WAYS[draw.way_in].format(points=draw.points)],
        ["时间", _say_times(draw, steps)],
        ["怎么抽", _HOW["in_group" if draw.in_group else "grab" if draw.way_in == "grab" else "pick"]],
        ["怎么领", _say_claim(draw)],
    ]
    if draw.pays_money:
        tax = "由主办方承担，您拿到的就是写明的金额" if draw.tax == "organiser" else "由中奖者承担，从奖金里扣"
        found.append(["个人所得税", f"偶然所得 20%，{tax}"])
    found.append(["主办方", draw.organiser])
    found.append(["联系方式", draw.contact or "本群群主"])
    return found


def _say_number(draw: Draw, groups: int) -> str:
    if draw.in_group:
        return f"每个群 {draw.winners} 份，共 {groups} 个群"
    return f"共 {draw.winners} 份，一人最多一份；中奖机会 = {draw.winners} ÷ 参加人数，人人相同"


_WAYS = {
    "in_group": "到时间群主在群里发红包，点开就是",
    "sign_up": "在活动页面上点一下「我要参加」",
    "all": "不用做什么：截止时在群里的都算参加",
    "tag": "收到邀请的客户在活动页面上点一下「我要参加」",
    "points": "在活动页面上用 {points} 个积分报名",
    "quiz": "在活动页面上答题，答对就算参加",
    "checked_in": "当天打过卡的人，在活动页面上点一下「我要参加」",
    "grab": "开抢以后在活动页面上点「抢」，先到先得",
}
_HOW = {
    "in_group": "由微信红包分配，拼手气的金额和手气最佳也由微信决定",
    "grab": "每一份的金额在开抢前已经随机分好并公布指纹，按先后顺序给，给完为止",
    "pick": "报名前公布种子的指纹，截止时公布名单的指纹；开奖时用种子给每个人算出一个数，从小到大排，"
    "排在前面的中奖，后面的依次候补。开奖后公布种子，谁都可以重新算一遍",
}


def _say_times(draw: Draw, steps: Times) -> str:
    if draw.in_group:
        return f"{say_moment(steps.draw)} 起，群主陆续发出"
    if draw.way_in == "grab":
        return f"{say_moment(steps.open)} 开抢，{say_moment(steps.close)} 结束"
    if draw.way_in == "all":
        return f"{say_moment(steps.close)} 截止，{say_moment(steps.draw)} 开奖"
    return f"{say_moment(steps.open)} 开始报名，{say_moment(steps.close)} 截止，{say_moment(steps.draw)} 开奖"


def _say_claim(draw: Draw) -> str:
    if draw.in_group:
        return "点开就到微信零钱；没领完的过 24 小时退回"
    given = draw.delivery or "；".join(dict.fromkeys(_say_given(draw, prize) for prize in draw.prize))
    lapse = "过期没领的作废，按名次给候补" if draw.way_in != "grab" and draw.alternates else "过期没领的作废"
    return f"中奖后 {say_duration(draw.claim_within)} 之内在活动页面上点「领奖」。{given}。{lapse}"


def _say_given(draw: Draw, prize: Prize) -> str:
    if draw.pays(prize) == "wechat":
        return "红包由公众号发到您的微信，24 小时内点开"
    return "券码在页面上给您" if prize.codes else "凭页面上的核销码到店领取"


def say_who(draw: Draw) -> str:
    """Who may take part, in a sentence."""
    said = ["活动群里的微信顾客"]
    if draw.who.member_for:
        said.append(f"进群满 {say_duration(draw.who.member_for)}")
    if draw.who.once_a_month and not draw.in_group:
        said.append("一人一个月最多中一次")
    said.append("本公司员工不能参加")
    return "，".join(said)


def say_moment(moment: datetime) -> str:
    """`11月27日（周五）20:00`, Beijing's."""
    local = moment.astimezone(BEIJING)
    return f"{local.month}月{local.day}日（周{_WEEKDAYS[local.weekday()]}）{local:%H:%M}"


def masked(name: str) -> str:
    """How a winner's name is shown: the first letter and a star, 张*; without a name 微信用户."""
    plain = "".join(name.split())
    return f"{plain[0]}*" if plain else "微信用户"


# --- who may take part ------------------------------------------------------------------------------------------------


class EntrantFacts(Value):
    """What is known of somebody, about one draw. `known`: whether the roster's name for them is known at all.

    `member_since`: since when they are in one of its groups; None = they are in none. `tags` as the platform has them;
    None = it did not say.
    """

    known: bool
    is_staff: bool = False
    other_company: bool = False
    blocked: bool = False
    member_since: AwareDatetime | None = None
    tags: tuple[str, ...] | None = ()
    won_this_month: bool = False


def why_not(draw: Draw, facts: EntrantFacts, now: datetime) -> str:
    """Why somebody may not take part (a sentence for them); "" = they may. NOBODY_KNOWS: they may, for the time being;
    TAGS_UNKNOWN: ask again.

    Asked at the entry, once more when the list is closed, and of winners at the draw and at the claim.
    """
    for refuses, says in (
        (facts.is_staff, "本公司员工不能参加"),
        (facts.blocked, "您不能参加这个活动"),
        (facts.other_company and draw.pays_money, "企业微信账号收不了红包，请用微信参加"),
        (facts.won_this_month and draw.who.once_a_month, "您这个月已经中过一次，把机会留给别人吧"),
    ):
        if refuses:
            return says
    if not facts.known:
        return NOBODY_KNOWS
    return _why_not_as_member(draw.who, draw.tags if draw.way_in == "tag" else (), facts, now)


def _why_not_as_member(who: Eligibility, tags: Collection[str], facts: EntrantFacts, now: datetime) -> str:
    if facts.member_since is None:
        return "您不在活动的群里"
    if facts.member_since > now - who.member_for:
        return f"进群满 {say_duration(who.member_for)} 才能参加"
    if facts.tags is None:
        return TAGS_UNKNOWN if tags or who.not_tags else ""
    if set(facts.tags) & set(who.not_tags) or (tags and not set(facts.tags) & set(tags)):
        return "这次活动没有邀请您，下次再来"
    return ""


def looks_at_tags(draw: Draw) -> bool:
    """Whether the platform has to be asked for somebody's tags."""
    return draw.way_in == "tag" or bool(draw.who.not_tags)


# --- changes ----------------------------------------------------------------------------------------------------------


class Better(NamedTuple):
    """The draw as it goes on, and what became better, in words for customers; none = as before."""

    draw: Draw
    changes: list[str]


def better(now_is: Draw, written: Draw) -> Better:
    """What a manager wrote while the draw was on, as far as it is in the customers' favour. Everything else waits for
    the next draw: rules that were published are kept.
    """
    fields: dict[str, Any] = {}
    changes = list[str]()
    if written.claim_within > now_is.claim_within:
        fields["claim_within"] = written.claim_within
        changes.append(f"领奖时间延长到 {say_duration(written.claim_within)}")
    places = improved(_promises(now_is.prize), _promises(written.prize))
    prizes = list(now_is.prize)
    for place in places:
        prizes[place] = _merged(now_is.prize[place], written.prize[place])
        changes.append(f"奖品增加：{now_is.prize[place].say()} → {prizes[place].say()}")
    fields["prize"] = tuple(prizes)
    return Better(now_is.model_copy(update=fields), changes) if changes else Better(now_is, [])


def _promises(prizes: Sequence[Prize]) -> dict[int, Promise]:
    """By their places; a prize of another kind is another prize."""
    return {
        place: Promise(what=f"{prize.type} {prize.what}", each=_each(prize), number=prize.shares)
        for place, prize in enumerate(prizes)
    }


def _each(prize: Prize) -> Fraction:
    return (
        Fraction(prize.total, prize.shares) if prize.total is not None else Fraction(prize.amount or prize.value or 0)
    )


def _merged(old: Prize, new: Prize) -> Prize:
    """With the cap as it is written now: the more there is, the more one share has to hold."""
    return old.model_copy(update={key: getattr(new, key) for key in ("shares", "total", "amount", "value", "most")})


def say_no_money(draw: Draw, cost: int, free: int, *, better: bool = False) -> str:
    """Why a draw is not announced; or, of `better` prizes, why those that were published stay."""
    called = f"「{draw.title}」（{draw.name}）"
    if better:
        return f"{called}加的奖品还要 {say_money(cost)}，这个月的预算只剩 {say_money(free)}，已经公示的一期照旧"
    return f"{called}要 {say_money(cost)}，这个月的预算只剩 {say_money(free)}，这一期不办"


def say_goes_on(title: str, name: str, draw_at: datetime, *, gone: bool) -> str:
    """What managers are told of a draw that is on though its settings were changed."""
    what = "设置里没有它了" if gone else "设置里的时间改了，新的时间从下一期算起"
    return (
        f"「{title}」（{name}）{say_moment(draw_at)} 这一期已经公示，照样办；{what}。"
        f"不想办了：steward draw cancel {name} --because …"
    )
