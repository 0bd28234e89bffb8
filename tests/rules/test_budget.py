"""The budget: a cap a month, fixed or as a share of the turnover; and what tax makes of a prize."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.budget import Budget, amounts, month_of


def test_a_fixed_cap_or_a_share_of_the_turnover() -> None:
    """5000元 is a cap; 3% of 180000元 is one, too."""
    assert Budget.model_validate({"monthly": "5000元"}).cap == 500_000
    by_share = Budget.model_validate({"turnover": "180000元", "share": "3%"})
    assert by_share.cap == 540_000
    assert by_share.say() == "5400元（营业额 180000元 的 3%）"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "没有写每月预算"),
        ({"turnover": "180000元"}, "没有写每月预算"),
        ({"monthly": "5000元", "share": "3%"}, "只能写一种"),
        ({"turnover": "180000元", "share": "6%"}, "2% 到 5%"),
        ({"turnover": "180000元", "share": "1%"}, "2% 到 5%"),
    ],
)
def test_refuses_what_is_no_budget(written: dict[str, str], says: str) -> None:
    """Both ways, half a way, or a share beyond 2–5 %: refused with the reason."""
    with pytest.raises(ValidationError, match=says):
        Budget.model_validate(written)


def test_a_month_is_beijings() -> None:
    """The last evening of a month in UTC belongs to the next month in Beijing."""
    assert month_of(datetime(2026, 11, 30, 15, 59, tzinfo=UTC)) == "2026-11"
    assert month_of(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == "2026-12"


def test_who_bears_the_tax() -> None:
    """200元 promised: the organiser pays 50 on top, or the winner gets 160."""
    on_top = amounts(20_000, "organiser")
    assert (on_top.gross, on_top.tax, on_top.net) == (25_000, 5_000, 20_000)
    taken = amounts(20_000, "winner")
    assert (taken.gross, taken.tax, taken.net) == (20_000, 4_000, 16_000)


@given(st.integers(min_value=1, max_value=5_000_000), st.sampled_from(["organiser", "winner"]))
def test_tax_is_a_fifth_to_the_fen(promised: int, born_by: str) -> None:
    """Gross is always net and tax together, and tax a fifth of it, rounded by less than a fen."""
    found = amounts(promised, born_by)  # type: ignore[arg-type]  # one of the two
    assert found.gross == found.tax + found.net
    assert abs(found.tax - found.gross / 5) < 1
