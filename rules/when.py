"""Durations as managers write them: `30秒`, `10分钟`, `1小时30分钟`, `3天`, or `30s`, `10m`, `1h30m`, `3d`."""

import re
import unicodedata
from datetime import timedelta
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

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
            "pattern": f"^(?=.){_PATTERN}$",
            "description": f"一段时长，要写单位。{_EXAMPLES}",
            "examples": ["10分钟", "1小时", "3天"],
        }
    ),
]
"""A field of the config that holds a length of time. Bare numbers are refused: nobody knows their unit."""
