"""Money: whole fen inside, yuan where people write and read it. Never a float on the way (`Decimal(str(x))`).

As managers write it: `200元`, `0.5元`, `1.2万元`, `￥200`; shares of something: `3%`.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

FEN_A_YUAN = 100
MOST_FEN = 100_000_000_000
"""A thousand million yuan: nobody means more, and it stays far below what 64 bits hold."""

_AMOUNT = re.compile(r"[¥]?(\d[\d,]*(?:\.\d+)?)(万)?(?:元|块|yuan|cny|rmb)")
_SIGNED = re.compile(r"[¥](\d[\d,]*(?:\.\d+)?)(万)?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)[%]")
_EXAMPLES = "可以写 200元、0.5元、1.2万元"
_WITH_UNIT = "请写明单位，例如 200元"


def to_fen(yuan: int | float | str | Decimal) -> int:
    """Yuan → fen. ValueError (in Chinese) where it is no whole number of fen, below zero or far too much."""
    fen = Decimal(str(yuan)) * FEN_A_YUAN
    if not fen.is_finite() or fen != fen.to_integral_value():
        raise ValueError("金额最小到分，小数点后最多两位")
    if not 0 <= fen <= MOST_FEN:
        raise ValueError("金额太大了" if fen > 0 else "金额不能是负数")
    return int(fen)


def to_yuan(fen: int) -> Decimal:
    """Fen → yuan, with two places: for files that programs read."""
    return (Decimal(fen) / FEN_A_YUAN).quantize(Decimal("0.01"))


def say_money(fen: int) -> str:
    """`20000` → `200元`, `327` → `3.27元`, `50` → `0.5元`: what `parse_money` reads back. Below zero with a minus."""
    yuan, rest = divmod(abs(fen), FEN_A_YUAN)
    return f"{'-' if fen < 0 else ''}{yuan}{f'.{rest:02d}'.rstrip('0') if rest else ''}元"


def parse_money(text: str) -> int:
    """`1.2万元` → fen. Full-width characters and commas between thousands are forgiven. ValueError in Chinese."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower().replace("￥", "¥")
    if re.fullmatch(r"-?[\d,]+(\.\d+)?万?", plain):
        raise ValueError(_WITH_UNIT)
    found = _AMOUNT.fullmatch(plain) or _SIGNED.fullmatch(plain)
    if not found:
        raise ValueError(f"看不懂这个金额，{_EXAMPLES}")
    number = Decimal(found[1].replace(",", ""))
    return to_fen(number * 10_000 if found[2] else number)


def parse_share(text: str) -> Decimal:
    """`3%` → Decimal("0.03"). ValueError in Chinese."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    found = _SHARE.fullmatch(plain)
    if not found:
        raise ValueError("这里要写百分之几，例如 3%")
    share = Decimal(found[1]) / 100
    if share > 1:
        raise ValueError("不能超过 100%")
    return share


def say_share(share: Decimal) -> str:
    """Decimal("0.03") → `3%`."""
    return f"{(share * 100).normalize():f}%"


def _read_money(value: Any) -> int:
    if isinstance(value, str):
        return parse_money(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(_WITH_UNIT)
    raise ValueError(f"这里要写一笔钱，{_EXAMPLES}")


def _read_share(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        return parse_share(value)
    raise ValueError("这里要写百分之几，例如 3%")


Money = Annotated[
    int,
    PlainValidator(_read_money),
    PlainSerializer(say_money, return_type=str),
    WithJsonSchema({"type": "string", "description": f"一笔钱，要写单位。{_EXAMPLES}", "examples": ["200元", "0.5元"]}),
]
"""A field of the config that holds an amount: fen inside. Bare numbers are refused, also from code: nobody knows
whether they are yuan or fen.
"""

Share = Annotated[
    Decimal,
    PlainValidator(_read_share),
    PlainSerializer(say_share, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9０-９.．]+\s*[%％]\s*$", "examples": ["3%"]}),
]
"""A field of the config that holds a share of something."""
