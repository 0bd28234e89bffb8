"""Draws: what a manager writes about one, what it may cost, and who may take part. Pure.

What has to be published is made of these settings by rules/draw_rules.py; who wins is rules/pick.py, what each share is
worth rules/split.py. Money is whole fen.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from rules.budget import BornBy
from rules.holidays import HolidayPolicy
from rules.money import Money, say_money
from rules.rule import Names, OneOrMore, Settings, Spelled, YesNo
from rules.schedule import When
from rules.value import Value
from rules.when import Duration

TOLD_WORTH = 50_000
"""Of prizes worth more than 500 CNY it is published which have been claimed (规范促销行为暂行规定, money §4)."""

MOST_WORTH = 5_000_000
"""One prize is worth at most 50,000 CNY (规范促销行为暂行规定, money §4)."""

MOST_WINNERS = 10_000

PrizeType = Annotated[
    Literal["lucky", "fixed", "coupon"], Spelled({"拼手气": "lucky", "固定": "fixed", "券": "coupon"})
]
PayBy = Annotated[
    Literal["owner", "coupon", "wechat"], Spelled({"群主": "owner", "券": "coupon", "微信支付": "wechat"})
]
Enter = Annotated[
    Literal["sign_up", "all", "tag", "points", "quiz", "checked_in", "grab"],
    Spelled(
        {
            "报名": "sign_up",
            "全员": "all",
            "标签": "tag",
            "积分": "points",
            "答题": "quiz",
            "打卡": "checked_in",
            "抢": "grab",
        }
    ),
]


class Bounds(Value):
    """What one payout may come to, in fen, both included, and whose limit it is (Chinese)."""

    floor: int
    cap: int
    whose: str


BOUNDS: dict[str, Bounds] = {
    "owner": Bounds(floor=1, cap=20_000, whose="微信群红包"),
    "wechat": Bounds(floor=100, cap=20_000, whose="微信支付"),  # money §1: 1-200 CNY without a scene
}
"""The limits of the ways that pay money; a coupon has none."""


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


MOST_PRIZES = 10


def _some(prizes: tuple["Prize", ...]) -> tuple["Prize", ...]:
    """Looked at when each of them is well: a wrong one is not told as a missing one."""
    if not 1 <= len(prizes) <= MOST_PRIZES:
        raise ValueError(f"奖品要有 1 到 {MOST_PRIZES} 种")
    return prizes


class Prize(Settings):
    """一种奖品：拼手气红包、固定红包，或券。"""

    type: PrizeType = Field(
        description="奖品种类：拼手气（lucky，总额随机分）、固定（fixed，每份一样多）、券（coupon，券码或到店礼）。"
    )
    name: str = Field(default="", max_length=20, description="奖项：如 一等奖；不写就不显示。")
    shares: int = Field(
        default=1, ge=1, le=MOST_WINNERS, description="份数：几个人能得到。群主在群里发的，是每个群几份。"
    )
    total: Money | None = Field(default=None, description="总额：所有份数一共多少钱（拼手气写）。")
    amount: Money | None = Field(default=None, description="每份多少钱（固定写）。")
    least: Money | None = Field(default=None, description="一份最少多少（拼手气）：不写就是付款方式的下限。")
    most: Money | None = Field(default=None, description="一份最多多少（拼手气）：不写就是付款方式的上限。")
    what: str = Field(default="", max_length=40, description="是什么：如 满 100 减 20 茶券、到店领小样一份（券写）。")
    value: Money | None = Field(default=None, description="每份值多少钱（券写）：公示时要写明。")
    codes: str = Field(
        default="", description="券码表格：一行一个券码，如 content/茶券.xlsx；不写就是到店核销，由我们给核销码。"
    )

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Self:
        needs, others = _FIELDS_OF[self.type]
        for key, what in needs.items():
            if not getattr(self, key):
                raise ValueError(f"{_SAY_TYPE[self.type]}要写 {key}（{what}）")
        for key in others:
            if getattr(self, key):
                raise ValueError(f"{_SAY_TYPE[self.type]}不用写 {key}")
        if self.worth > MOST_WORTH:
            raise ValueError(
                f"一份奖品最多值 {say_money(MOST_WORTH)}（《规范促销行为暂行规定》），这里是 {say_money(self.worth)}"
            )
        return self

    @property
    def is_money(self) -> bool:
        return self.type != "coupon"

    @property
    def cost(self) -> int:
        """What it takes of the budget, in fen: money only. Of a draw in the groups, once for each group."""
        return self.total or (self.amount or 0) * self.shares

    @property
    def worth(self) -> int:
        """What one share is worth at most, in fen."""
        if self.total is None:
            return self.amount or self.value or 0
        return min(self.most or self.total, self.total)

    def say(self) -> str:
        """`拼手气红包 200元，40 份`, with the prize's name before it where it has one."""
        named = f"{self.name}：" if self.name else ""
        if self.type == "lucky":
            return f"{named}拼手气红包 {say_money(self.total or 0)}，{self.shares} 份"
        each = (
            f"红包 {say_money(self.amount or 0)}"
            if self.is_money
            else f"{self.what}（价值 {say_money(self.value or 0)}）"
        )
        return f"{named}{each}，{self.shares} 份"


_SAY_TYPE = {"lucky": "拼手气", "fixed": "固定", "coupon": "券"}
_FIELDS_OF: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "lucky": ({"total": "总额，如 200元"}, ("amount", "what", "value", "codes")),
    "fixed": ({"amount": "每份多少钱，如 5元"}, ("total", "least", "most", "what", "value", "codes")),
    "coupon": (
        {"what": "是什么，如 满 100 减 20 茶券", "value": "每份值多少钱，如 20元，公示时要写明"},
        ("total", "amount", "least", "most"),
    ),
}
"""Of each type: what has to be written, with what it is; and what belongs to other types."""


class Quiz(Settings):
    """有奖竞猜：一个问题、几个选项、哪个对。"""

    question: str = Field(min_length=1, max_length=100, description="问题。")
    options: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=2, max_length=6, description="选项：2 到 6 个。"
    )
    answer: str = Field(description="哪个选项是对的：照选项的原文写。")

    @model_validator(mode="after")
    def _answer_is_an_option(self) -> Self:
        if self.answer not in self.options:
            raise ValueError(f"answer 写的「{self.answer}」不在选项里")
        return self


class Eligibility(Settings):
    """谁能参加。同事、黑名单上的人从来不能；得钱的奖，其他企业的员工（wo…）也不能。"""

    member_for: Duration = Field(default=timedelta(0), description="进群至少多久：如 7天；不写就不限。")
    once_a_month: YesNo = Field(default=True, description="一个人一个月（北京时间的自然月）最多中一次。")
    not_tags: Names = Field(default=(), description="哪些企业标签的客户不参加：写标签名。")


class Draw(Settings):
    """一个抽奖：奖品、什么时候、谁能参加、怎么领。"""

    name: str = Field(description="名字，写在网址里：小写字母、数字和短横线，如 friday-lucky，不能重复。")
    title: str = Field(default="抽奖", max_length=30, description="页面标题：客户看到的名字，如 周五拼手气。")
    to: Names = Field(
        min_length=1,
        description="哪些群：all（全部）、一类群的名字、门店名、入口名、群标签，或群名的通配写法，如 *静安*。",
    )
    when: When = Field(description="什么时候开奖（抢：什么时候开抢）：如 每周五 20:00。")
    holidays: HolidayPolicy = Field(
        default="as_usual",
        description="放假那天怎么办：照常（as_usual）、不办（skip）、提前（workday_before）、顺延（workday_after）、"
        "仅假日（only）。",
    )
    prize: Annotated[
        tuple[Prize, ...],
        OneOrMore(),
        AfterValidator(_some),
    ] = Field(description="奖品：写一种，或从大到小写成列表；先抽到的得前面的。")
    pay_by: PayBy = Field(
        default="owner",
        description="怎么付：群主（owner，请群主在群里发红包，拼手气或普通红包，谁抢到算谁的）、"
        "微信支付（wechat，直接付到中奖人的零钱）、券（coupon）。",
    )
    enter: Enter | None = Field(
        default=None,
        description="怎么参加：报名（sign_up，在页面上点一下）、全员（all，群里所有人）、"
        "标签（tag，有 tags 里标签的人）、积分（points，报名时用掉积分）、答题（quiz，答对才算）、"
        "打卡（checked_in，当天打过 checkin 那个打卡的人才能报名）、抢（grab，先到先得）。群主在群里发的不用写。",
    )
    tags: Names = Field(default=(), description="有哪些企业标签的人参加（enter 写 tag 时）：有其中一个就算。")
    points: int = Field(default=0, ge=0, le=100_000, description="报名用掉几个积分（enter 写 points 时）。")
    quiz: Quiz | None = Field(default=None, description="竞猜的题目（enter 写 quiz 时）。")
    checkin: str = Field(default="", description="当天打过哪个打卡才能报名：写打卡的名字（enter 写 打卡 时）。")
    who: Eligibility = Field(default=Eligibility(), description="谁能参加：进群多久、一个月几次、哪些标签不算。")
    announce_before: Duration = Field(
        default=timedelta(days=2), description="开奖前多久公示规则。公示以后规则不能再改。"
    )
    open_before: Duration = Field(default=timedelta(days=1), description="开奖前多久开始报名。")
    close_before: Duration = Field(default=timedelta(0), description="开奖前多久截止报名：不写就是开奖时截止。")
    grab_for: Duration = Field(default=timedelta(hours=1), description="开抢以后最多多久：没抢完的退回预算。")
    alternates: int = Field(default=20, ge=0, le=1_000, description="候补几个人：中奖的人没来领，按名次给下一位。")
    claim_within: Duration = Field(default=timedelta(days=3), description="中奖以后多久之内领：过期给候补。")
    late_at_most: Duration = Field(
        default=timedelta(hours=2), description="最多晚多久：机器人停了再开，晚得不多就补，再晚这一期就不办，退回预算。"
    )
    tax: BornBy = Field(
        default="organiser",
        description="个人所得税（偶然所得 20%）谁出：商家承担（organiser）、中奖者承担（winner，从奖金里扣）。",
    )
    organiser: str = Field(min_length=1, max_length=60, description="主办方：公司全称，公示要写。")
    contact: str = Field(
        default="", max_length=60, description="联系方式：电话或微信号，公示要写；群主在群里发的可以不写。"
    )
    delivery: str = Field(default="", max_length=100, description="奖品怎么给：不写就按付款方式说明。")
    wishing: str = Field(default="感谢您一直在群里", max_length=60, description="红包上的祝福语。")
    announce: YesNo = Field(
        default=True, description="在群里发两条：开始报名、开奖结果（算进每个群的群发额度，没有额度就请群主自己发）。"
    )
    pause: YesNo = Field(default=False, description="先停一停：写 是 就不再办新的一期，正在办的照样办完。")

    @field_validator("name")
    @classmethod
    def _name_fits_an_address(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise ValueError("抽奖的名字只能用小写字母、数字和短横线，最多 40 个，如 friday-lucky")
        return name

    # --- what it is -----------------------------------------------------------------------------------------------

    @property
    def in_group(self) -> bool:
        """Drawn by WeChat itself: the owner sends native red packets in each group. Nobody enters."""
        return self.pay_by == "owner" and self.pays_money

    @property
    def way_in(self) -> Literal["in_group", "sign_up", "all", "tag", "points", "quiz", "checked_in", "grab"]:
        """How people take part."""
        return "in_group" if self.in_group else self.enter or "sign_up"

    @property
    def winners(self) -> int:
        """How many win; of a draw in the groups, in each group."""
        return sum(prize.shares for prize in self.prize)

    @property
    def cost(self) -> int:
        """What one draw takes of the budget, in fen; of a draw in the groups, for each group."""
        return sum(prize.cost for prize in self.prize)

    @property
    def pays_money(self) -> bool:
        return any(prize.is_money for prize in self.prize)

    def pays(self, prize: Prize) -> Literal["owner", "coupon", "wechat"]:
        """How a share of this prize reaches its winner."""
        return self.pay_by if prize.is_money else "coupon"

    def bounds(self, prize: Prize) -> Bounds:
        """What one share of a prize in money may come to: the limits of the pay way, and the prize's own within."""
        limits = BOUNDS[self.pays(prize)]
        floor, cap = max(limits.floor, prize.least or 0), min(limits.cap, prize.most or limits.cap)
        return Bounds(floor=floor, cap=cap, whose=limits.whose)
