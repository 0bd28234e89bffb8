"""Stock: how many places an entrance has left, how fast they go, and who is to be told when. Pure.

One notice per crossing, not per scan: a level is left only when things are clearly better (hysteresis).
"""

import re
import unicodedata
from datetime import timedelta
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from rules.actions import Card, CardButton, CardLine
from rules.value import Value

Level = Literal["well", "low", "empty"]
Unit = Literal["groups", "seats", "days"]

_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("个群", "群", "groups", "group"), "groups"),
    **dict.fromkeys(("个名额", "名额", "个座位", "座位", "人", "seats", "seat"), "seats"),
    **dict.fromkeys(("天", "d", "days", "day"), "days"),
}
_EXAMPLES = "可以写 20个群、50个名额、3天（按现在的速度还能用几天）"


class Threshold(Value):
    """Below this, somebody is told."""

    number: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.number}{ {'groups': '个群', 'seats': '个名额', 'days': '天'}[self.unit] }"


def parse_threshold(text: str) -> Threshold:
    """`20个群` → Threshold. Raises ValueError with a Chinese sentence."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    found = re.fullmatch(r"(\d{1,5})(.*)", plain)
    if found and not found[2]:
        raise ValueError("请写明单位，例如 20个群")
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None:
        raise ValueError(f"看不懂「{text}」，{_EXAMPLES}")
    return Threshold(number=int(found[1]), unit=unit)


def _read(value: Any) -> Threshold:
    if isinstance(value, Threshold):
        return value
    if isinstance(value, str):
        return parse_threshold(value)
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("请写明单位，例如 20个群")
    raise ValueError(f"这里要写还剩多少时提醒，{_EXAMPLES}")


Below = Annotated[
    Threshold,
    PlainValidator(_read),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*[0-9０-９]{1,5}\s*(个群|群|groups?|个名额|名额|个座位|座位|人|seats?|天|d|days?)\s*$",
            "description": f"还剩多少时提醒，要写单位。{_EXAMPLES}",
            "examples": ["20个群", "50个名额", "3天"],
        }
    ),
]
"""A field of the config that says how little is too little."""


class Stock(Value):
    """What there is. `groups`: with room left; `seats`: people who still fit in (the same for one customer one group);
    `given`: seats given within the last 24 hours; `spare`: what the spare groups still hold.
    """

    groups: int
    seats: int
    given: int = 0
    spare: int = 0

    @property
    def lasts(self) -> timedelta | None:
        """How long it lasts at the current rate; None where nobody comes."""
        return timedelta(days=1) * self.seats / self.given if self.given else None


def level(before: Level, stock: Stock, threshold: Threshold) -> Level:
    """How things stand, given how they stood. What is low or empty is so until it is clearly more."""
    left = _left(stock, threshold.unit)
    if stock.seats <= 0:
        return "empty"
    if before == "empty" and stock.seats < _margin(threshold.number if threshold.unit != "days" else stock.given):
        return "empty"
    if left is None:
        return "well"
    enough = threshold.number if before == "well" else threshold.number + _margin(threshold.number)
    return "well" if left >= enough else "low"


def _left(stock: Stock, unit: Unit) -> float | None:
    """In the unit of the threshold; None: nothing is going, so it lasts for ever."""
    if unit == "days":
        return None if stock.lasts is None else stock.lasts / timedelta(days=1)
    return stock.groups if unit == "groups" else stock.seats


def _margin(number: int) -> int:
    """How much more than the threshold is clearly more: a quarter of it, one at least."""
    return max(1, ceil(number / 4))


# --- words ------------------------------------------------------------------------------------------------------------


def say_rate(stock: Stock) -> str:
    """How fast they go."""
    if stock.lasts is None:
        return "最近一天没有人用"
    hours = stock.lasts / timedelta(hours=1)
    lasts = f"约{hours / 24:.0f}天" if hours >= 48 else f"约{hours:.0f}小时" if hours >= 1 else "不到1小时"
    return (
        f"最近一天用了 {stock.given} 个，照这样还能用{lasts}" if stock.seats > 0 else f"最近一天用了 {stock.given} 个"
    )


def say_how(name: str) -> str:
    """How a prepared group is created, so that customers can enter it."""
    return (
        f"工作台 → 客户群 → 创建一个客户群，名称 {name}，里面只放自己人。"
        "不要从「发起群聊」建：那样建的是内部群，客户永远进不来。"
    )


def say_left(stock: Stock) -> str:
    """How many."""
    return f"{stock.groups} 个群" if stock.groups == stock.seats else f"{stock.groups} 个群、{stock.seats} 个名额"


def say_refilled(stock: Stock) -> str:
    """On a card that is over."""
    return f"已有{stock.groups}个群"


def write_card(entrance: str, shop: str, empty: bool, stock: Stock, waiting: int, name: str) -> Card:  # noqa: FBT001 - one of two cards
    """The card to the shop's staff (page 90236). `name`: how such groups are called; `waiting`: people in the line."""
    where = f"{shop}的" if shop else ""
    lines = [CardLine(label="还剩", value=say_left(stock)), CardLine(label="速度", value=say_rate(stock))]
    if stock.spare:
        lines.append(CardLine(label="备用", value=f"{stock.spare} 个"))
    if waiting:
        lines.append(CardLine(label="排队", value=f"{waiting} 位客户在等"))
    return Card(
        title=f"「{entrance}」{where}群用完了" if empty else f"「{entrance}」{where}群快用完了",
        description="请现在就建几个" if empty else "请抽空建几个",
        text=say_how(name),
        lines=tuple(lines),
        buttons=(CardButton(key="seen", text="知道了", style=1),),
    )


def say_escalated(entrance: str, shop: str, empty: bool, stock: Stock, name: str) -> tuple[str, str]:  # noqa: FBT001 - likewise
    """Title and text, to the managers: the shop was told, and nothing has changed."""
    where = f"{shop}的" if shop else ""
    title = f"「{entrance}」{where}群{'用完了' if empty else '快用完了'}，还没补上"
    return title, f"还剩 {say_left(stock)}；{say_rate(stock)}。店员已经收到过提醒。建法：{say_how(name)}"
