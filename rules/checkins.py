"""Check-ins (打卡): what a manager writes about one. Pure.

A check-in is led through day by day; one person's run through it is a journey (旅程). Which day a moment belongs to is
rules/checkin_days.py, what the days come to rules/streak.py. Money is whole fen.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from rules.leading import Leading
from rules.money import Money
from rules.own_tags import wrong_tag
from rules.posts import SHEET
from rules.rule import Names, Settings, Spelled, YesNo
from rules.when import Duration

MOST_DAYS = 60
MOST_GRACE = timedelta(hours=6)
KEPT = timedelta(days=365)
"""How long what somebody did on a day is kept after it; the page promises it."""
MOST_WORDS = 500
"""Characters of what somebody writes for one day."""
PICTURE = "picture:"
"""With which the evidence of a picture begins; its number in store/checkin_pictures.py follows."""

Start = Annotated[Literal["rolling", "weekly"], Spelled({"滚动": "rolling", "每周一": "weekly"})]
Count = Annotated[Literal["consecutive", "cumulative"], Spelled({"连续": "consecutive", "累计": "cumulative"})]
Evidence = Annotated[
    Literal["tap", "text", "choice", "picture"],
    Spelled({"点一下": "tap", "文字": "text", "选择": "choice", "图片": "picture"}),
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _by_number(value: Any) -> Any:
    """Keys of YAML's maps arrive as text."""
    if isinstance(value, Mapping):
        return {int(key) if isinstance(key, str) and key.isascii() and key.isdigit() else key: each
                for key, each in value.items()}  # fmt: skip
    return value


class Question(Settings):
    """一道题：问什么，选哪个打什么标签。"""

    text: str = Field(min_length=1, max_length=100, description="问题：如 您平时喝什么茶？")
    options: dict[str, str] = Field(
        min_length=2,
        max_length=8,
        description='选项 → 企业标签：选了就打这个标签；写成空的（""）就只记答案。如 绿茶: 喜欢绿茶；'
        "也可以写标签组，如 绿茶: 喜好/绿茶。企业里没有的标签会建。",
    )

    @field_validator("options")
    @classmethod
    def _tags_are_tags(cls, options: dict[str, str]) -> dict[str, str]:
        if wrong := next(filter(None, map(wrong_tag, filter(None, options.values()))), ""):
            raise ValueError(wrong)
        return options


class JourneyDay(Settings):
    """一天：主题、任务、内容，要不要答题。"""

    theme: str = Field(min_length=1, max_length=30, description="主题：如 认识绿茶。")
    task: str = Field(default="", max_length=200, description="今天做什么：如 泡一杯绿茶，拍张照片。")
    content: str = Field(default="", max_length=2000, description="今天看什么：页面上显示的内容。")
    question: Question | None = Field(default=None, description="一道题，回答会打标签。")
    evidence: Evidence = Field(
        default="tap",
        description="怎么算打卡：点一下（tap）、写一句话（text）、回答问题（choice）、传一张图片（picture）。",
    )
    add_staff: YesNo = Field(default=False, description="今天的任务是加导购：页面上给加导购的入口，不为这个发奖励。")

    @model_validator(mode="after")
    def _a_choice_has_a_question(self) -> Self:
        if self.evidence == "choice" and self.question is None:
            raise ValueError("evidence 写了选择，要写 question（问题和选项）")
        return self

    def lacks(self, evidence: str, answer: str) -> str:
        """What is missing of what a person sent, in words for them; "" where the day is done by it."""
        if answer and (self.question is None or answer not in self.question.options):
            return "请从选项里选一个"
        if self.evidence == "choice" and not answer:
            return "请先回答今天的问题"
        if self.evidence == "text" and not evidence.strip():
            return "请先写一句话"
        if self.evidence == "picture" and not evidence.startswith(PICTURE):
            return "请先选一张图片"
        return ""


class Reward(Settings):
    """打满几天给什么：券、抽奖机会、红包或积分，只能写一样。"""

    coupon: str = Field(default="", description="券码表格：一行一个券码，如 content/新人券.xlsx。")
    ticket: str = Field(default="", description="抽奖机会：写一个抽奖的名字，到时候直接算报名。")
    money: Money | None = Field(default=None, description="红包：每人多少钱，从预算里出，如 2元。")
    points: int = Field(default=0, ge=0, le=100_000, description="积分：每人几分。")
    what: str = Field(default="", max_length=40, description="是什么：客户看到的名字，如 满 50 减 10 茶券。")
    value: Money | None = Field(default=None, description="每份值多少钱（券写）：规则里要写明，也算进成本。")
    stock: int | None = Field(default=None, ge=0, description="一共几份：发完为止；不写就不限（券码发完也就没有了）。")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        written = [key for key in ("coupon", "ticket", "money", "points") if getattr(self, key)]
        if len(written) != 1:
            raise ValueError(
                "奖励要写一样，也只能写一样：coupon（券）、ticket（抽奖机会）、money（红包）、points（积分）"
            )
        return self


class Checkin(Settings):
    """一个打卡：给哪些群的人，每天做什么，怎么算，打满了给什么。"""

    name: str = Field(description="名字，写在网址里：小写字母、数字和短横线，如 newcomer-7，不能重复。")
    title: str = Field(default="打卡", max_length=30, description="页面标题：客户看到的名字，如 七天新茶友打卡。")
    to: Names = Field(
        min_length=1,
        description="哪些群的新人：all（全部）、一类群的名字、门店名、入口名、群标签，或群名的通配写法，如 *新人*。"
        "进了这些群就开始。",
    )
    days: Annotated[str | tuple[JourneyDay, ...], BeforeValidator(_as_tuple)] = Field(
        description="每一天的内容：表格文件（如 content/七日打卡.xlsx），或一天一天写成列表。"
    )
    start: Start = Field(
        default="rolling", description="从哪天算第 1 天：滚动（rolling，各人进群那天）、每周一（weekly，一周一期）。"
    )
    count: Count = Field(
        default="consecutive",
        description="怎么算：连续（consecutive，断了从头数）、累计（cumulative，一共打了几天）。",
    )
    within: int | None = Field(
        default=None, ge=1, le=MOST_DAYS * 2, description="累计的最多给几天时间；不写就是内容天数的两倍。"
    )
    enough: int | None = Field(default=None, ge=1, le=MOST_DAYS, description="几天算完成；不写就是全部天数。")
    grace: Duration = Field(
        default=timedelta(hours=2), description="零点以后多久还能打前一天的卡：最多 6 小时，写 0分钟 就不能。"
    )
    make_up_cards: int = Field(default=1, ge=0, le=MOST_DAYS, description="补签卡几张：一张补一天。")
    make_up_within: Duration = Field(
        default=timedelta(days=3), description="最多补几天以前的：写整天数，如 3天（今天可以补三天前的）。"
    )
    make_up_counts: YesNo = Field(default=True, description="补的算不算天数：写 否，补签只让连续不断，不加一天。")
    leave_days: int = Field(default=0, ge=0, le=MOST_DAYS, description="可以请假几天：请假不断连续，往后顺延一天。")
    undo_within: Duration = Field(default=timedelta(minutes=5), description="打错了多久之内可以撤销。")
    keyword: Names = Field(
        default=("打卡",), description="在群里说什么算打卡（接了群消息才有用）；写 [] 就不认群里的话。"
    )
    show_place: YesNo = Field(default=True, description="页面上显示今天是群里第几个打卡的。")
    rewards: Annotated[dict[int, Reward], BeforeValidator(_by_number)] = Field(
        default={}, description="奖励：打满几天 → 给什么。如 3: {points: 10}。"
    )
    graduate_to: dict[str, str] = Field(
        default={}, description="毕业以后邀请进哪个入口：标签 → 入口名，else 是其余的人。"
    )
    graduate_tag: str = Field(
        default="", max_length=61, description="毕业的人打什么企业标签，如 七日打卡毕业，或 标签组/标签名。"
    )
    farewell: str = Field(default="", max_length=500, description="毕业时说的话，显示在页面上。")
    exclude_tags: Names = Field(
        default=("B",), description="有哪些企业标签的人不参加：默认 B 类客户（买得少而贵的，不费他们的时间）。"
    )
    organiser: str = Field(default="", max_length=60, description="主办方：公司全称，页面上的规则和隐私说明要写。")
    contact: str = Field(default="", max_length=60, description="联系方式：电话或微信号。")
    lead: Leading = Field(default=Leading(), description="带着走：每天的群发、1:1 提醒、快掉队的交给导购。")
    pause: YesNo = Field(default=False, description="先停一停：写 是 就不再有新的人开始，已经开始的照样走完。")
    _given: tuple[JourneyDay, ...] | None = PrivateAttr(default=None)

    @field_validator("name")
    @classmethod
    def _name_fits_an_address(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise ValueError("打卡的名字只能用小写字母、数字和短横线，最多 40 个，如 newcomer-7")
        return name

    @field_validator("graduate_tag")
    @classmethod
    def _graduate_tag_is_a_tag(cls, tag: str) -> str:
        if tag and (wrong := wrong_tag(tag)):
            raise ValueError(wrong)
        return tag

    @field_validator("grace")
    @classmethod
    def _grace_is_short(cls, grace: timedelta) -> timedelta:
        if grace > MOST_GRACE:
            raise ValueError("零点以后最多宽限 6 小时")
        return grace

    @field_validator("days")
    @classmethod
    def _days_are_there(cls, days: str | tuple[JourneyDay, ...]) -> str | tuple[JourneyDay, ...]:
        if isinstance(days, str) and not days.lower().endswith(SHEET):
            raise ValueError(f"days 写的「{days}」不是表格文件：要以 {SHEET} 结尾，或者一天一天写成列表")
        if not isinstance(days, str) and not 1 <= len(days) <= MOST_DAYS:
            raise ValueError(f"打卡要有 1 到 {MOST_DAYS} 天")
        return days

    @field_validator("keyword")
    @classmethod
    def _keywords_are_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("keyword 不能是空的")
        return words

    # --- its days -------------------------------------------------------------------------------------------------

    @property
    def in_sheet(self) -> bool:
        return isinstance(self.days, str)

    def with_days(self, days: Sequence[JourneyDay]) -> Self:
        """The same with the days of its sheet: whoever reads the config reads its sheets."""
        copy = self.model_copy()
        copy._given = tuple(days)  # our own copy
        return copy

    @property
    def plan(self) -> tuple[JourneyDay, ...]:
        """Each day's content, day 1 first. LookupError where the days of its sheet were never given."""
        if isinstance(self.days, tuple):
            return self.days
        if self._given is None:
            raise LookupError(f"the days of {self.days} were not given: see with_days")
        return self._given

    # --- what follows from it -------------------------------------------------------------------------------------

    @property
    def length(self) -> int:
        """How many days it has, and, of a consecutive one, how long it lasts where nobody takes leave."""
        return len(self.plan)

    @property
    def lasts(self) -> int:
        """Calendar days from day 1 to the last one, leave not counted."""
        return (self.within or 2 * self.length) if self.count == "cumulative" else self.length

    @property
    def target(self) -> int:
        """How many days (in a row, or in all) are enough to graduate."""
        return min(self.enough or self.length, self.length)

    @property
    def make_up_days(self) -> int:
        """How many days ago a day may be that is made up for."""
        return self.make_up_within.days


def mistakes(checkins: Sequence[Checkin]) -> tuple[str, tuple[str | int, ...]] | None:
    """The first thing that does not fit together, in Chinese, and where within `checkins`."""
    places: dict[str, int] = {}
    words: dict[tuple[str, str], int] = {}
    for place, checkin in enumerate(checkins):
        if checkin.name in places:
            first = places[checkin.name] + 1
            return f"第 {first} 个和第 {place + 1} 个打卡都叫「{checkin.name}」", (place, "name")
        places[checkin.name] = place
        for word in checkin.keyword:
            for kind in checkin.to:
                if (word, kind) in words:
                    first = words[word, kind] + 1
                    return f"「{word}」已经是第 {first} 个打卡在「{kind}」里的口令，请换一个", (place, "keyword")
                words[word, kind] = place
        if checkin.within is not None and checkin.count == "consecutive":
            return "连续打卡有几天就是几天，不用写 within", (place, "within")
    return None
