"""Rewards: points for good conduct, which draws may later take as tickets. Never for sharing or inviting.

A week is Beijing's, Monday to Sunday, and is judged when it is over: on the Monday after it, at four in the morning.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rules.clock import BEIJING
from rules.inducement import WHY, speaks_of_passing_on
from rules.rule import Settings

GIVEN_AT = time(4, 0)
WEEK = timedelta(days=7)

BANNED = f"不能因为分享、转发、邀请、拉人给奖励：{WHY}。可以奖励守规矩（clean_week）、打卡（check_in）、答题（answer）"

Points = Annotated[int, Field(ge=0, le=10_000)]


class Rewards(Settings):
    """奖励：守规矩、打卡、答题得积分。"""

    clean_week: Points = Field(
        default=0,
        description="守规矩一周得几分：整整一周（周一到周日，北京时间）都在群里、没有违规也没有还开着的案件的微信顾客，"
        "下周一凌晨 4 点记一次；在几个群里都只记一份；写 0 就不给。",
    )
    check_in: Points = Field(
        default=0, description="打卡一天得几分：写 0 就不给。认出是群里哪一位以后才记，补签和请假不给。"
    )
    answer: Points = Field(
        default=0,
        description="答一题得几分：有奖竞猜答对、打卡那天回答了问题，每题一次；写 0 就不给。认出是群里哪一位以后才记。",
    )

    @model_validator(mode="before")
    @classmethod
    def _not_for_sharing(cls, written: Any) -> Any:
        """The platform bans links that pay people for passing them on: told as that, not as a key nobody knows."""
        if isinstance(written, Mapping):
            for key, value in written.items():
                if speaks_of_passing_on(key) or speaks_of_passing_on(value):
                    raise PydanticCustomError("sharing", BANNED, {"at": (key,)})
        return written


# --- weeks ------------------------------------------------------------------------------------------------------------


def next_giving(moment: datetime) -> datetime:
    """The first Monday, four o'clock in Beijing, after `moment`. In UTC."""
    local = moment.astimezone(BEIJING)
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), GIVEN_AT, BEIJING)
    return (monday if monday > local else monday + WEEK).astimezone(UTC)


def week_before(giving: datetime) -> date:
    """The Monday with which the week began that is rewarded at `giving` or after it."""
    local = giving.astimezone(BEIJING)
    return local.date() - timedelta(days=local.weekday()) - WEEK


def span_of(monday: date) -> tuple[datetime, datetime]:
    """The week that began with this Monday: its first moment, and the first one after it. In UTC."""
    start = datetime.combine(monday, time(0), BEIJING)
    return start.astimezone(UTC), (start + WEEK).astimezone(UTC)


def say_clean_week(monday: date) -> str:
    """Why somebody has these points."""
    last = monday + timedelta(days=6)
    return f"守规矩一周（{monday.month}月{monday.day}日到{last.month}月{last.day}日）"
