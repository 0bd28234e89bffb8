"""Times as managers write them.

Durations: `30秒`, `10分钟`, `1小时30分钟`, `3天`, or `30s`, `10m`, `1h30m`, `3d`. Times of day: `09:30`. Daily spans:
`22:00-09:00`, over midnight too. Times of day are Beijing's.
"""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from rules.clock import BEIJING
from rules.value import Value

_SECONDS = {"天": 86_400, "小时": 3_600, "分钟": 60, "秒": 1}
_PATTERN = r"(?:(\d{1,6})(?:天|d))?(?:(\d{1,6})(?:小时|h))?(?:(\d{1,6})(?:分钟|m))?(?:(\d{1,6})(?:秒|s))?"
_GRAMMAR = re.compile(_PATTERN)
_EXAMPLES = "可以写 30秒、10分钟、1小时30分钟、3天（或 30s、10m、1h30m、3d）"
_WITH_UNIT = "请写明单位，例如 10分钟"


def parse_duration(text: str) -> timedelta:
    """`1小时30分钟` → timedelta. Whole numbers, larger units first, each at most once.

    Full-width digits and spaces between the parts are forgiven. Raises ValueError with a Chinese sentence.
    """
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    if re.fullmatch(r"-?\d+(\.\d+)?", plain):
        raise ValueError(_WITH_UNIT)
    found = _GRAMMAR.fullmatch(plain)
    if not plain or not found:
        raise ValueError(f"看不懂这个时长，{_EXAMPLES}")
    counts = zip(found.groups(default="0"), _SECONDS.values(), strict=True)
    return timedelta(seconds=sum(int(count) * seconds for count, seconds in counts))


def say_duration(span: timedelta) -> str:
    """timedelta → `1小时30分钟`: the shortest wording that `parse_duration` reads back. Whole seconds, not negative."""
    left = int(span.total_seconds())
    if left < 0:
        raise ValueError("a duration is never negative")
    words = ""
    for unit, seconds in _SECONDS.items():
        count, left = divmod(left, seconds)
        words += f"{count}{unit}" if count else ""
    return words or "0秒"


def _read(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(_WITH_UNIT)
    raise ValueError(f"这里要写一段时长，{_EXAMPLES}")


Duration = Annotated[
    timedelta,
    PlainValidator(_read),
    PlainSerializer(say_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*([0-9０-９]{1,6}\s*(天|小时|分钟|秒|[dhmsDHMS])\s*)+$",  # as forgiving as we are
            "description": f"一段时长，要写单位。{_EXAMPLES}",
            "examples": ["10分钟", "1小时", "3天"],
        }
    ),
]
"""A field of the config that holds a length of time. Bare numbers are refused: nobody knows their unit."""


# --- times of day -----------------------------------------------------------------------------------------------------


class DailySpan(Value):
    """The same hours every day, in Beijing: from `start` until just before `end`, over midnight where end ≤ start."""

    start: time
    end: time

    def covers(self, moment: datetime) -> bool:
        """Whether `moment` (aware) lies within."""
        at = moment.astimezone(BEIJING).time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def ends_after(self, moment: datetime) -> datetime:
        """The next end after `moment`, in UTC."""
        return next_time_of_day(self.end, moment)


def next_time_of_day(at: time, moment: datetime) -> datetime:
    """The next time it is `at` in Beijing, after `moment` (aware). In UTC."""
    local = moment.astimezone(BEIJING)
    today = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return (today if today > local else today + timedelta(days=1)).astimezone(UTC)


_CLOCK = r"([01]?\d|2[0-3])[:：]([0-5]\d)"


def _read_time(value: Any) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (found := re.fullmatch(_CLOCK, value.strip())):
        return time(int(found[1]), int(found[2]))
    raise ValueError('这里要写一个钟点，要加引号，例如 "09:30"')


def _read_span(value: Any) -> DailySpan:
    if isinstance(value, DailySpan):
        return value
    if isinstance(value, str) and (found := re.fullmatch(rf"{_CLOCK}\s*(?:-|–|—|~|到|至)\s*{_CLOCK}", value.strip())):
        return DailySpan(start=time(int(found[1]), int(found[2])), end=time(int(found[3]), int(found[4])))
    raise ValueError('这里要写一段钟点，要加引号，例如 "22:00-09:00"')


TimeOfDay = Annotated[
    time,
    PlainValidator(_read_time),
    PlainSerializer(lambda at: at.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "description": '一个钟点，要加引号，例如 "09:30"。'}),
]
"""A field of the config that holds a time of day."""

Hours = Annotated[
    DailySpan,
    PlainValidator(_read_span),
    PlainSerializer(lambda span: f"{span.start:%H:%M}-{span.end:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "description": '每天的一段时间，要加引号，可以跨夜，例如 "22:00-09:00"。'}),
]
"""A field of the config that holds the same hours every day."""
