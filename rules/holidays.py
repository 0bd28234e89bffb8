"""Which days are holidays and which are worked, in mainland China, with the days that are swapped (调休).

Years are known from the package chinesecalendar (it is extended every autumn, when the State Council has announced the
next year) and from what the manager wrote in `holidays:`. About a year that neither knows nothing is guessed.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from chinese_calendar import constants
from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from rules.rule import Settings, Spelled
from rules.value import Value

LONGEST = 31  # days: no holiday, with the weekends around it, keeps people from work for longer

_DATE = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_SPAN = re.compile(rf"{_DATE}(?:\s*(?:~|～|至|到|\.\.|—|–)\s*{_DATE})?")
_FESTIVALS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
}

HolidayPolicy = Annotated[
    Literal["as_usual", "skip", "workday_before", "workday_after", "only"],
    Spelled({"照常": "as_usual", "不发": "skip", "提前": "workday_before", "顺延": "workday_after", "仅假日": "only"}),
]
"""What becomes of a time that falls on a holiday."""


class UnknownYearError(Exception):
    """Nobody has said which days of this year are holidays. The words are for people."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"还不知道 {year} 年的放假安排：请在设置的 holidays 里写上放假（off）和调休上班（work）的日子，"
            f"或者升级 chinesecalendar（国务院每年十一月前后公布下一年的安排）"
        )


class DaySpan(Value):
    """Days in a row, both ends included."""

    first: date
    last: date

    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


def parse_date(text: str) -> date:
    """`2026-12-24`, also 2026/12/24 and 2026年12月24日. Raises ValueError in Chinese."""
    found = re.fullmatch(_DATE, text.strip())
    if not found:
        raise ValueError("应当是日期，例如 2026-11-25")
    return _date(found[1], found[2], found[3])


def _date(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(f"没有 {year}年{int(month)}月{int(day)}日 这一天") from None


def _read_span(value: Any) -> DaySpan:
    if isinstance(value, DaySpan):
        return value
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("应当是日期或一段日期，例如 2027-10-01 或 2027-10-01~2027-10-07")
    first = _date(found[1], found[2], found[3])
    last = _date(found[4], found[5], found[6]) if found[4] else first
    if not timedelta(0) <= last - first <= timedelta(days=LONGEST):
        raise ValueError(f"结束的日子要在开始的日子以后，最多 {LONGEST} 天")
    return DaySpan(first=first, last=last)


def _say_span(span: DaySpan) -> str:
    return f"{span.first}" if span.first == span.last else f"{span.first}~{span.last}"


_Span = Annotated[
    DaySpan,
    PlainValidator(_read_span),
    PlainSerializer(_say_span, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2027-10-01~2027-10-07"]}),
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


_Spans = Annotated[tuple[_Span, ...], BeforeValidator(_as_tuple)]


class Holidays(Settings):
    """放假安排：自带的日历还不知道的年份，或公司自己的放假日。"""

    off: _Spans = Field(default=(), description="放假的日子：日期，或一段日期，如 2027-10-01~2027-10-07。")
    work: _Spans = Field(default=(), description="调休上班的日子：写法同 off。")

    @cached_property
    def by_day(self) -> Mapping[date, bool]:
        """Day → whether it is off, as written. A day that stands in both is worked."""
        said = {day: True for span in self.off for day in span.days()}
        return said | {day: False for span in self.work for day in span.days()}

    @cached_property
    def years(self) -> frozenset[int]:
        """The years that the manager has said something about."""
        return frozenset(day.year for day in self.by_day)

    def knows(self, year: int) -> bool:
        return year in self.years or year in _YEARS

    def is_holiday(self, day: date) -> bool:
        """Off because of a festival, weekends beside it included; an ordinary weekend is none.

        Raises UnknownYearError.
        """
        if (said := self.by_day.get(day)) is not None:
            return said
        self._must_know(day.year)
        return day in constants.holidays

    def is_workday(self, day: date) -> bool:
        """Monday to Friday without holidays, and the weekends that are worked instead (调休).

        Raises UnknownYearError.
        """
        if (said := self.by_day.get(day)) is not None:
            return not said
        self._must_know(day.year)
        return day in constants.workdays or (day.weekday() < 5 and day not in constants.holidays)

    def workday_near(self, day: date, step: Literal[1, -1]) -> date:
        """The nearest workday after (1) or before (-1) `day`, itself not included. Raises UnknownYearError."""
        for number in range(1, 366):
            near = day + timedelta(days=step * number)
            if self.is_workday(near):
                return near
        raise ValueError(f"a year without a workday around {day}")

    def festival(self, day: date) -> str:
        """What it is called: 国庆节; "" where it is none or has no name here."""
        return "" if self.by_day.get(day) is False else _FESTIVALS.get(constants.holidays.get(day, ""), "")

    def _must_know(self, year: int) -> None:
        if not self.knows(year):
            raise UnknownYearError(year)


_YEARS = frozenset(day.year for day in constants.holidays)

KNOWN_ONLY_HERE = Holidays()
"""What is known without a word of the manager's."""
