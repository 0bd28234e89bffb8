"""Leading people through a check-in: the group's post of the day, whom to remind and when, who is about to drop out.

Pure, and from rows alone: the same rows give the same steps whenever they are looked at. Days are Beijing's. A step
whose time has passed is still taken as long as it does some good (TAKEN_UNTIL), and left out after that.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rules.clock import BEIJING
from rules.content import LinkCard
from rules.posts import Post, Via
from rules.rule import Settings, YesNo
from rules.schedule import moment_of, parse_schedule
from rules.value import Value
from rules.when import DailySpan, Hours, TimeOfDay

if TYPE_CHECKING:
    from rules.checkins import Checkin

POST = "打卡·"
"""What the names of the daily posts begin with."""

WAKING = DailySpan(start=time(9), end=time(21))
DAY = timedelta(days=1)


class Leading(Settings):
    """带着走：每天的群发、1:1 提醒、快掉队的交给导购。"""

    post: YesNo = Field(default=True, description="每天在群里发一条打卡的群发：写 否 就不发。算进群发额度。")
    post_at: TimeOfDay = Field(default=time(9, 30), description='几点发：如 "09:30"。')
    post_by: Via = Field(default="task", description="怎么发：群发（task）、手动（by_hand）。")
    post_text: str = Field(
        default="", max_length=1000, description="这一条说什么：不写就用现成的话；可以用定时内容里的变量。"
    )
    remind: YesNo = Field(
        default=True, description="到点还没打卡，请加过TA的同事在群发助手里点一下，1:1 提醒：写 否 就不提醒。"
    )
    remind_at: TimeOfDay = Field(default=time(19), description='几点提醒：如 "19:00"，要在 waking 里。')
    remind_every: int = Field(default=2, ge=1, le=30, description="同一个人两次提醒至少隔几天。")
    most_reminders: int = Field(default=3, ge=0, le=30, description="一个人一次打卡最多提醒几次。")
    remind_text: str = Field(default="", max_length=500, description="提醒说什么：不写就用现成的话。")
    waking: Hours = Field(default=WAKING, description='白天：1:1 提醒和邀请只在这段时间里发，如 "09:00-21:00"。')
    at_risk: Annotated[
        tuple[int, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
    ] = Field(default=(2, 4), description="第几天看看谁快掉队：前一天没打卡的，交给加过TA的同事（没有就交给群主）。")
    at_risk_at: TimeOfDay = Field(default=time(10), description='几点看：如 "10:00"。')
    at_risk_text: str = Field(default="", max_length=500, description="请同事怎么说：不写就用现成的话。")

    @model_validator(mode="after")
    def _times_are_in_waking_hours(self) -> Self:
        if self.waking.start >= self.waking.end:
            raise ValueError('waking 要在一天之内，如 "09:00-21:00"')
        for key in ("remind_at", "at_risk_at"):
            at: time = getattr(self, key)
            if not self.waking.start <= at < self.waking.end:
                raise ValueError(
                    f"{key} 写的 {at:%H:%M} 不在 waking（{self.waking.start:%H:%M}-{self.waking.end:%H:%M}）里"
                )
        return self

    @model_validator(mode="after")
    def _days_at_risk_have_one_before(self) -> Self:
        if any(not isinstance(day, int) or day < 2 for day in self.at_risk):
            raise ValueError("at_risk 写第几天，从 2 起：看的是前一天打了没有")
        return self


# --- the post of the day ----------------------------------------------------------------------------------------------


def daily_posts(checkin: "Checkin") -> tuple[Post, ...]:
    """What goes out in the groups each day. Where a week's people begin together, each weekday has its own themes;
    where everybody has a day 1 of their own, the page knows whose day it is.
    """
    lead = checkin.lead
    if not lead.post or checkin.pause:
        return ()
    if checkin.start == "rolling":
        return (_daily_post(checkin, "", "每天", lead.post_text or _ROLLING),)
    texts = (lead.post_text or _of_weekday(checkin, weekday) for weekday in range(7))
    return tuple(
        _daily_post(checkin, f"·周{name}", f"每周{name}", text)
        for name, text in zip("一二三四五六日", texts, strict=True)
        if text
    )


_ROLLING = "早上好！今天的打卡开始啦：点开下面的卡片，看看今天的主题，花一分钟打个卡。"


def _of_weekday(checkin: "Checkin", weekday: int) -> str:
    """Of whoever began on a Monday: the days of theirs that fall on this weekday; "" where none does."""
    days = [number for number in range(1, checkin.length + 1) if (number - 1) % 7 == weekday]
    themes = [f"第 {number} 天：{checkin.plan[number - 1].theme}" for number in days]
    return "\n".join(["早上好！今天的打卡开始啦。", *themes, "点开下面的卡片打个卡吧。"]) if themes else ""


def _daily_post(checkin: "Checkin", more: str, when: str, text: str) -> Post:
    post = Post(
        name=f"{POST}{checkin.name}{more}"[:40],
        to=checkin.to,
        when=parse_schedule(f"{when} {checkin.lead.post_at:%H:%M}"),
        via=checkin.lead.post_by,
        text=text,
    )
    # Where the page is, no config says: the address is put before it when it is sent (handlers/sends.py).
    card = LinkCard.model_construct(
        url=page_of(checkin), title=say_card(checkin), description=checkin.title, picture=""
    )
    return post.model_copy(update={"link": (card,)})


def page_of(checkin: "Checkin") -> str:
    """Its page, below the address of the campaign pages."""
    return f"/c/{checkin.name}"


# --- one journey ------------------------------------------------------------------------------------------------------

Step = Literal["remind", "hand_over"]
TAKEN_UNTIL = timedelta(hours=1)


class Led(Value):
    """What has been done for one person's journey so far. `days`: their live rows. `reminded`: on which dates.

    `handed`: for which dates they were handed to staff. `quiet`: they want no reminders.
    """

    started_on: date
    days: Mapping[date, str] = {}
    reminded: frozenset[date] = frozenset()
    handed: frozenset[date] = frozenset()
    quiet: bool = False
    last: int = 0


def due(checkin: "Checkin", led: Led, now: datetime) -> tuple[Step, ...]:
    """What is to be done now."""
    today = now.astimezone(BEIJING).date()
    found: list[Step] = []
    remind_at, risk_at = moment_of(today, checkin.lead.remind_at), moment_of(today, checkin.lead.at_risk_at)
    if remind_at <= now < _good_until(checkin, remind_at) and may_remind(checkin, led, today):
        found.append("remind")
    if risk_at <= now < _good_until(checkin, risk_at) and is_at_risk(checkin, led, today):
        found.append("hand_over")
    return tuple(found)


def next_at(checkin: "Checkin", led: Led, now: datetime) -> datetime | None:
    """When there may be something to do next, after `now`; None: never again. In UTC."""
    today, lead = now.astimezone(BEIJING).date(), checkin.lead
    last = led.started_on + (led.last - 1) * DAY
    moments = list[datetime]()
    day = max(today, led.started_on)
    while day <= last and (not moments or day <= min(moments).astimezone(BEIJING).date()):
        if moment_of(day, lead.remind_at) > now and may_remind(checkin, led, day):
            moments.append(moment_of(day, lead.remind_at))
        if moment_of(day, lead.at_risk_at) > now and is_at_risk(checkin, led, day):
            moments.append(moment_of(day, lead.at_risk_at))
        day += DAY
    return min(moments, default=None)


def may_remind(checkin: "Checkin", led: Led, day: date) -> bool:
    """Whether whoever does not check in on this day is to be reminded: not too often, not against their will."""
    lead = checkin.lead
    if not lead.remind or led.quiet or day in led.days or not _is_inside(led, day):
        return False
    spaced = all(abs((day - other).days) >= lead.remind_every for other in led.reminded)
    return spaced and len(led.reminded) < lead.most_reminders


def is_at_risk(checkin: "Checkin", led: Led, day: date) -> bool:
    """Whether this is a day on which staff look after who is about to drop out, and this person is: nothing was done
    for the day before.
    """
    number = (day - led.started_on).days + 1
    before = day - DAY
    return (
        number in checkin.lead.at_risk
        and _is_inside(led, day)
        and day not in led.handed
        and day not in led.days
        and before not in led.days
    )


def _is_inside(led: Led, day: date) -> bool:
    return 1 <= (day - led.started_on).days + 1 <= led.last


def _good_until(checkin: "Checkin", at: datetime) -> datetime:
    """Late by an hour is better than never, and never at night."""
    return min(at + TAKEN_UNTIL, asleep_at(checkin, at))


def asleep_at(checkin: "Checkin", moment: datetime) -> datetime:
    """When that day's waking hours end. In UTC."""
    return moment_of(moment.astimezone(BEIJING).date(), checkin.lead.waking.end)


def next_waking(checkin: "Checkin", moment: datetime, *, leave: timedelta) -> datetime:
    """The first moment from here on that is in waking hours, with so much of them left. In UTC."""
    waking = checkin.lead.waking
    local = moment.astimezone(BEIJING)
    if waking.covers(moment) and moment + leave <= asleep_at(checkin, moment):
        return moment
    today = moment_of(local.date(), waking.start)
    return today if today > moment else moment_of(local.date() + DAY, waking.start)


# --- words ------------------------------------------------------------------------------------------------------------


def say_reminder(checkin: "Checkin") -> str:
    """What a colleague sends 1:1, to all whom they have added."""
    return checkin.lead.remind_text or f"今天的「{checkin.title}」还没打卡，花一分钟就好，点下面的卡片就能打。"


def say_card(checkin: "Checkin") -> str:
    """What stands on the card that leads to the page."""
    return f"「{checkin.title}」今日主题"


class AtRisk(Value):
    """Somebody who is about to drop out. `day`: which day of theirs it is."""

    name: str
    day: int


MOST_NAMED = 30


def say_at_risk(checkin: "Checkin", people: Collection[AtRisk]) -> tuple[str, str]:
    """Title and text of what stands in a colleague's 今日待办."""
    named = [f"{each.name or '一位客户'}（第 {each.day} 天）" for each in people][:MOST_NAMED]
    names = "、".join(named) + ("等" if len(people) > MOST_NAMED else "")
    words = checkin.lead.at_risk_text or (
        f"这两天是不是忙？「{checkin.title}」昨天没看到您打卡，现在补一下还来得及；有什么想了解的，随时跟我说。"
    )
    return (
        f"「{checkin.title}」：{len(people)} 位快掉队了",
        f"{names}。昨天没打卡，请 1:1 关心一下，可以这样说：{words}",
    )
