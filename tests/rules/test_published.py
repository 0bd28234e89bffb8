"""What was published changes in the customers' favour only."""

from fractions import Fraction

import pytest

from rules.published import Promise, improved


def _promise(what: str = "茶券", each: int = 500, number: int = 3) -> Promise:
    return Promise(what=what, each=Fraction(each), number=number)


@pytest.mark.parametrize(
    ("new", "better"),
    [
        (_promise(), False),
        (_promise(each=600), True),
        (_promise(number=4), True),
        (_promise(each=600, number=4), True),
        (_promise(each=600, number=2), False),
        (_promise(each=400, number=9), False),
        (_promise(number=0), True),
        (_promise(what="茶样", each=900), False),
    ],
)
def test_better_is_more_and_never_less(new: Promise, better: bool) -> None:
    """Worth more, or more of them, or for everybody; never less of either, and never another thing."""
    assert improved({"day 7": _promise()}, {"day 7": new}) == (["day 7"] if better else [])


def test_for_everybody_stays_for_everybody() -> None:
    """What everybody who earns it gets cannot be limited afterwards; it can be worth more."""
    published = {3: _promise(number=0)}
    assert improved(published, {3: _promise(each=900, number=100)}) == []
    assert improved(published, {3: _promise(each=900, number=0)}) == [3]


def test_what_is_taken_out_or_put_in_waits() -> None:
    """A milestone that is not written any more is not better, nor is one that was never promised."""
    assert improved({3: _promise()}, {7: _promise()}) == []
