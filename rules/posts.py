"""Scheduled posts: settings, and which groups a post goes to. Pure.

When a post goes out and what it says then is told by `rules/post_plan.py`: `fires`, `plan`, `render`. How many tasks a
group may still receive, and what becomes of the rest, by `rules/sends.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from rules.content import Said
from rules.facts import Group
from rules.holidays import HolidayPolicy, parse_date
from rules.rule import EVERYWHERE, Names, Settings, Spelled, YesNo
from rules.schedule import When
from rules.template import OF_GROUP
from rules.when import DailySpan, Duration, Hours, TimeOfDay

if TYPE_CHECKING:
    from rules.book import Book

STAFF = ("staff", "同事")
SHEET = ".xlsx"
GROUPS_A_TASK = 2_000  # chat_id_list (page 92135)

Via = Annotated[Literal["task", "by_hand"], Spelled({"群发": "task", "手动": "by_hand"})]
"""task: 企业群发, the owner confirms in WeCom's own 群发助手. by_hand: the owner gets it on a page and sends it."""

Priority = Annotated[Literal["high", "normal", "low"], Spelled({"重要": "high", "普通": "normal", "次要": "low"})]
RANK: Mapping[str, int] = {"high": 0, "normal": 1, "low": 2}

Instead = Annotated[Literal["merge", "by_hand", "drop"], Spelled({"合并": "merge", "手动": "by_hand", "放弃": "drop"})]
"""What becomes of a task for which a group has no sends left."""

Sends = Annotated[
    Literal["days_of_month", "7_a_week", "1_a_day"],
    Spelled({"每月天数": "days_of_month", "每周7条": "7_a_week", "每天1条": "1_a_day"}),
]
"""How many tasks a group may receive: the platform's own limit, or what the corp made of it in 群发助手."""


class PostGroup(Group):
    """A group as posts see it. `born_at`: when it was made, None = not known."""

    born_at: AwareDatetime | None = None


def _read_day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return parse_date(value)
    raise ValueError("应当是日期，例如 2026-11-25")


Day = Annotated[
    date,
    PlainValidator(_read_day),
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-11-25"], "description": "日期，例如 2026-11-25。"}),
]
"""A field of the config that holds a day."""


def _read_since(value: Any) -> date | Literal["birth"]:
    if value in ("birth", "建群"):
        return "birth"
    try:
        return _read_day(value)
    except ValueError as error:
        raise ValueError(f"这里写 birth/建群，或者一个日期（{error}）") from None


Since = Annotated[
    date | Literal["birth"],
    PlainValidator(_read_since),
    PlainSerializer(lambda since: since if since == "birth" else since.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["建群", "2026-11-25"]}),
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_series(value: Any) -> Any:
    """A sheet's name stays; of a list, plain texts become what they stand for."""
    if isinstance(value, list):
        return tuple({"text": each} if isinstance(each, str) else each for each in value)
    return value


class Step(Said):
    """一步：第几天几点，说什么。"""

    day: int = Field(ge=1, le=999, description="第几天：建群（或 since 写的日子）当天是第 1 天。")
    at: TimeOfDay = Field(description="几点发。")


class Row(Said):
    """A row of a sheet. `number`: its place in a series without days, from 1. `to`: empty = wherever the post goes.

    `line`: its number in the sheet, from 1.
    """

    line: int = 0
    day: date | None = None
    number: int | None = None
    at: time | None = None
    to: tuple[str, ...] = ()


class Approval(Settings):
    """发之前先请人看：到时候的样子，点通过、改期或取消。"""

    ask: Duration = Field(default=timedelta(days=1), description="提前多久请人看。")
    by: Names = Field(default=(), description="请谁看：姓名或 userid；不写就是负责人。")
    if_silent: Annotated[Literal["send", "skip"], Spelled({"照发": "send", "不发": "skip"})] = Field(
        default="skip", description="到时候没人答应：不发（skip）或照发（send）。"
    )


class Scheduled(Settings):
    """什么时候、发到哪些群。"""

    name: str = Field(
        pattern=r"^[^#:\s][^#:]{0,39}$",
        description="名字：用于记录和说明，不能重复，最多 40 个字，不能有 # 和冒号。",
    )
    to: Names = Field(
        min_length=1,
        description="发到哪些群：all（全部）、一类群的名字、门店名、入口名、群标签，或群名的通配写法，如 *静安*；"
        "写 staff/同事 是发给同事的提醒。",
    )
    not_to: Names = Field(default=(), description="不发到哪些群：一类群的名字、门店名、群标签，或群名的通配写法。")
    staff: Names = Field(
        default=(), description="发给哪些同事（to 写 staff 时）：姓名或 userid，或门店名；不写就是所有门店的店员。"
    )
    when: When | None = Field(default=None, description="什么时候：如 每周三 20:00。表格里写了日期和时间的不用写。")


class Post(Said, Scheduled):
    """一件定时要发的内容：什么时候、发到哪些群、说什么。"""

    series: Annotated[str | tuple[Said, ...], BeforeValidator(_as_series)] = Field(
        default="", description="一系列内容：表格文件（如 content/早报.xlsx），或几段话的列表（轮流发）。"
    )
    starts: Day | None = Field(default=None, description="从哪天开始：这天以前不发，第一期从这天算起。")
    ends: Day | None = Field(default=None, description="到哪天为止：这天以后不发。")
    repeat: YesNo = Field(default=False, description="从头再来：表格按序号发完以后，再从第 1 期发起。")
    steps: Annotated[tuple[Step, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="一步一步来（SOP）：第 1 天发什么、第 3 天发什么，每个群各算各的。"
    )
    since: Since = Field(default="birth", description="steps 的第 1 天：建群（birth）那天，或一个日期。")
    via: Via = Field(
        default="task",
        description="怎么发：群发（task，群主在企业微信的群发助手里确认）、手动（by_hand，把内容给群主，群主自己发）。",
    )
    ask_before: Duration = Field(default=timedelta(minutes=30), description="提前多久请群主确认。")
    late_at_most: Duration = Field(
        default=timedelta(hours=2), description="最多晚多久：机器人停了再开，晚得不多就补发，再晚就不发，周报里会说。"
    )
    priority: Priority = Field(
        default="normal", description="额度不够时谁先：重要（high）、普通（normal）、次要（low）。"
    )
    if_no_sends: Annotated[
        tuple[Instead, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else _as_tuple(value))
    ] = Field(
        default=("merge", "by_hand"),
        min_length=1,
        description="没有额度时依次试：合并（merge，并到当天另一条里）、手动（by_hand）、放弃（drop）。",
    )
    holidays: HolidayPolicy = Field(
        default="as_usual",
        description="放假那天怎么办：照常（as_usual）、不发（skip）、提前（workday_before，提前到前一个工作日）、"
        "顺延（workday_after，顺延到后一个工作日）、仅假日（only，只在放假那天发）。",
    )
    approval: Approval | None = Field(default=None, description="先请人看：写了就要有人通过才发。")
    pause: YesNo = Field(default=False, description="先停一停：写 是 就不发，不用删掉。")
    _rows: tuple[Row, ...] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [
            name
            for name, there in (
                ("text、image 等", self.says_something),
                ("series", bool(self.series)),
                ("steps", bool(self.steps)),
            )
            if there
        ]
        if not said:
            raise ValueError("没有写说什么：text（文字）、image（图片）、series（一系列）、steps（一步一步）至少写一样")
        if len(said) > 1:
            raise ValueError(f"{' 和 '.join(said)} 只能写一样")
        return self

    @model_validator(mode="after")
    def _goes_out_some_day(self) -> Self:
        if isinstance(self.series, str) and self.series and not self.series.lower().endswith(SHEET):
            raise ValueError(f"series 写的「{self.series}」不是表格文件：要以 {SHEET} 结尾，或者写成几段话的列表")
        if self.steps and self.when:
            raise ValueError("steps 自己有天数和钟点，不用再写 when")
        if not self.when and not self.steps and not self.in_sheet:
            raise ValueError("没有写什么时候（when），例如 每周三 20:00")
        if self.to_staff and len(self.to) > 1:
            raise ValueError("staff/同事 要单独写：群和同事请写成两条")
        if self.to_staff and any(said.variables & OF_GROUP for said in self.all_said if not self.in_sheet):
            raise ValueError("发给同事的没有群名、店名、种类，文字里请去掉这几个变量")
        if self.to_staff and self.steps:
            raise ValueError("steps 是给群的，发给同事的提醒请写 when")
        return self

    @property
    def in_sheet(self) -> bool:
        return isinstance(self.series, str) and bool(self.series)

    @property
    def to_staff(self) -> bool:
        return bool(set(self.to) & {*STAFF})

    # --- a sheet --------------------------------------------------------------------------------------------------

    def with_rows(self, rows: Sequence[Row]) -> Self:
        """The same post with the rows of its sheet: whoever reads the config reads its sheets."""
        copy = self.model_copy()
        copy._rows = tuple(rows)  # our own copy
        copy.__dict__.pop("by_turn", None)
        return copy

    @property
    def rows(self) -> tuple[Row, ...]:
        """LookupError where the rows of its sheet were never given."""
        if self.in_sheet and self._rows is None:
            raise LookupError(f"the rows of {self.series} were not given: see with_rows")
        return self._rows or ()

    @cached_property
    def by_turn(self) -> Mapping[date | int, tuple[Row, ...]]:
        """The rows by their day, or by their number."""
        found: dict[date | int, tuple[Row, ...]] = {}
        for row in self.rows:
            turn = row.day or row.number or 0
            found[turn] = (*found.get(turn, ()), row)
        return found

    @property
    def has_days(self) -> bool:
        """Whether its sheet says on which day each row goes out."""
        return isinstance(next(iter(self.by_turn), None), date)

    @property
    def counted(self) -> bool:
        """Whether what is said depends on how many times it went out before."""
        return bool(self.series) and not self.has_days

    def says_for(self, number: int, day: date) -> tuple[Said, ...]:
        """Of a series: what may be said the so-many-th time, or on this day; the first that fits a group is for it."""
        if isinstance(self.series, tuple):
            return (self.series[(number - 1) % len(self.series)],) if self.series else ()
        if self.has_days:
            return self.by_turn.get(day, ())
        last = max((turn for turn in self.by_turn if isinstance(turn, int)), default=0)
        return self.by_turn.get((number - 1) % last + 1 if self.repeat and last else number, ())

    @property
    def all_said(self) -> tuple[Said, ...]:
        """Everything it may ever say."""
        if self.in_sheet:
            return self.rows
        if self.steps:
            return self.steps
        return self.series if isinstance(self.series, tuple) and self.series else (self,)


class Posting(Settings):
    """定时内容的总设置：安静时段、额度、节日。"""

    quiet_hours: Hours | None = Field(
        default=None, description="安静时段：这期间什么也不发，推到结束的时候，可以跨夜。"
    )
    sends: Sends = Field(
        default="days_of_month",
        description="每个群能收多少条群发：每月天数（days_of_month，企业微信的上限）；"
        "企业在群发助手里改严了的，写 每周7条（7_a_week）或 每天1条（1_a_day）。",
    )
    events: dict[str, Day] = Field(
        default={}, description="节日和活动：名字 → 日期。文字里写 {{还有几天('名字')}} 就会数日子。"
    )
    pause: YesNo = Field(default=False, description="全部停一停：写 是 就什么也不发。")
    pause_groups: Names = Field(default=(), description="哪些群停一停：一类群的名字、门店名，或群名的通配写法。")
    weekly_report: YesNo = Field(
        default=True,
        description="周报：每周一 10:00 把上一周的群发情况发给负责人（应发多少、发到多少、谁没点、为什么没发）。",
    )

    @field_validator("quiet_hours")
    @classmethod
    def _leaves_some_time(cls, hours: DailySpan | None) -> DailySpan | None:
        if hours and hours.start == hours.end:
            raise ValueError("安静时段不能是一整天：要停发请写 pause: 是")
        return hours


def mistakes(posts: Sequence[Post], named: Mapping[str, Iterable[str]]) -> tuple[str, tuple[str | int, ...]] | None:
    """What does not fit together, in Chinese, and where: within `posts`. `named`: what a name in `to` may mean."""
    places: dict[str, int] = {}
    for place, post in enumerate(posts):
        if post.name in places:
            first = places[post.name] + 1
            return f"第 {first} 条和第 {place + 1} 条都叫「{post.name}」：请给其中一条换个 name", (place, "name")
        places[post.name] = place
        for number, name in enumerate(post.to):
            meant = [what for what, names in named.items() if name in names]
            if len(meant) > 1:
                return f"「{name}」既是{'又是'.join(meant)}的名字，分不清发到哪里：请给其中一个改名", (
                    place,
                    "to",
                    number,
                )
    return None


# --- to whom ----------------------------------------------------------------------------------------------------------


def audience(post: Post, groups: Iterable[PostGroup], book: "Book") -> tuple[PostGroup, ...]:
    """The groups that a post goes to, in the order given; none where it is paused. Nothing for `to: staff`."""
    if post.pause or book.posting.pause or post.to_staff:
        return ()
    return tuple(
        group
        for group in groups
        if named(group, post.to, book)
        and not named(group, post.not_to, book)
        and not named(group, book.posting.pause_groups, book)
    )


def named(group: Group, names: Iterable[str], book: "Book") -> bool:
    """Whether one of these names means the group: everything, its kind, its shop, a tag, an entrance, or a pattern."""
    return any(_means(name, group, book) for name in names)


def _means(name: str, group: Group, book: "Book") -> bool:
    if name in EVERYWHERE:
        return True
    if name in book.groups or name == "other":
        return group.kind == name
    if name in book.shops:
        return book.shop_name_of(group.name) == name
    if name in book.tags:
        return any(fnmatchcase(group.name, pattern) for pattern in book.tags[name])
    if entrance := book.entrance(name):
        kinds = {entrance.groups, *(route.groups for route in entrance.routes), *entrance.spare}
        return group.kind in kinds and (not entrance.shop or book.shop_name_of(group.name) == entrance.shop)
    return fnmatchcase(group.name, name)


def staff_named(post: Post, book: "Book") -> tuple[str, ...]:
    """For `to: staff`: the people, as the config names them (names or userids), each once."""
    if not post.staff:
        return tuple(dict.fromkeys(who for shop in book.shops.values() for who in shop.staff))
    found = (book.shops[name].staff if name in book.shops else (name,) for name in post.staff)
    return tuple(dict.fromkeys(who for names in found for who in names))
