"""What was promised to customers and published: from then on it may only change in their favour. Pure.

Draws (rules/draw_rules.py) and whatever else gives something away say what they promise as `Promise`s, each under the
name of its place: a prize, a milestone.
"""

from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import TypeVar

from rules.value import Value

Place = TypeVar("Place", bound=Hashable)


class Promise(Value):
    """`what`: the kind of thing, in words or as settings have it; another kind is another promise. `each`: what one is
    worth, in fen. `number`: how many there are; 0 = for everybody who earns it.
    """

    what: str
    each: Fraction
    number: int


def improved(published: Mapping[Place, Promise], written: Mapping[Place, Promise]) -> list[Place]:
    """Where what is written now is better than what was published: worth more, or there are more, and never less of
    either. Everything else stays as published; what was not promised before comes with the next time.
    """
    return [place for place, old in published.items() if place in written and _is_better(old, written[place])]


def _is_better(old: Promise, new: Promise) -> bool:
    as_many = new.number == old.number
    more = new.number == 0 < old.number or 0 < old.number < new.number
    return old.what == new.what and new.each >= old.each and (more or (as_many and new.each > old.each))
