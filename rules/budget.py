"""The budget: how much money may go back to the groups in a month. Settings and arithmetic, in whole fen.

What is held back, paid and given free again is the ledger's (store/ledger.py); it never goes below zero.
"""

from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.clock import BEIJING
from rules.money import Money, Share, say_money, say_share
from rules.rule import Settings, Spelled
from rules.value import Value

LEAST_SHARE, MOST_SHARE = Decimal("0.02"), Decimal("0.05")

TAX_RATE = Decimal("0.20")
"""偶然所得: what is drawn by lot for customers (个人所得税法). Coupons and rebates are exempt."""

BornBy = Annotated[Literal["organiser", "winner"], Spelled({"商家承担": "organiser", "中奖者承担": "winner"})]
"""Who bears the tax on a prize in money."""


class Budget(Settings):
    """预算：一个月最多发多少红包。"""

    monthly: Money | None = Field(default=None, description="每月预算：如 5000元。发完就不再发，下个月 1 号重新算。")
    turnover: Money | None = Field(default=None, description="每月营业额：如 180000元，和 share 一起写。")
    share: Share | None = Field(default=None, description="拿营业额的百分之几回馈：2% 到 5%，和 turnover 一起写。")

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if self.monthly is not None and (self.turnover is not None or self.share is not None):
            raise ValueError("每月预算只能写一种：要么写 monthly，要么写 turnover 和 share")
        if self.monthly is None and (self.turnover is None or self.share is None):
            raise ValueError("没有写每月预算：写 monthly（如 5000元），或者写 turnover（营业额）和 share（百分之几）")
        if self.share is not None and not LEAST_SHARE <= self.share <= MOST_SHARE:
            most = f"{say_share(LEAST_SHARE)} 到 {say_share(MOST_SHARE)}"
            raise ValueError(
                f"拿营业额的 {say_share(self.share)} 回馈不合常理，一般是 {most}；确实要这么多就改写 monthly"
            )
        return self

    @property
    def cap(self) -> int:
        """What may be spent in a month, in fen; of a share of the turnover, the part of a fen is dropped."""
        if self.monthly is not None:
            return self.monthly
        assert self.turnover is not None and self.share is not None  # noqa: S101, PT018 - _is_one_or_the_other
        return int((self.turnover * self.share).to_integral_value(ROUND_DOWN))

    def say(self) -> str:
        """`5000元`, or `5400元（营业额 180000元 的 3%）`."""
        if self.turnover is None or self.share is None:
            return say_money(self.cap)
        return f"{say_money(self.cap)}（营业额 {say_money(self.turnover)} 的 {say_share(self.share)}）"


def month_of(moment: datetime) -> str:
    """Beijing's month of a moment, as the ledger calls it: `2026-11`."""
    return f"{moment.astimezone(BEIJING):%Y-%m}"


class Amounts(Value):
    """A prize in money, in fen. gross = tax + net; `net` is what the winner receives and what the ledger books."""

    gross: int
    tax: int
    net: int
    born_by: Literal["organiser", "winner"]


def amounts(promised: int, born_by: Literal["organiser", "winner"]) -> Amounts:
    """What a promised prize means. The organiser bears the tax: the winner receives all that was promised, and the tax
    comes on top. The winner bears it: it is taken from what was promised.
    """
    if born_by == "winner":
        tax = _rounded(promised * TAX_RATE)
        return Amounts(gross=promised, tax=tax, net=promised - tax, born_by=born_by)
    gross = _rounded(promised / (1 - TAX_RATE))
    return Amounts(gross=gross, tax=gross - promised, net=promised, born_by=born_by)


def _rounded(fen: Decimal) -> int:
    return int(fen.to_integral_value(ROUND_HALF_UP))
