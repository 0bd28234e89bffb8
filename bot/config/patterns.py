"""What two patterns for group names (`*静安*`, as in fnmatch) have in common: shown by an example."""

import re
from collections import deque
from fnmatch import fnmatchcase
from functools import cache

_TOKEN = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
_ANYTHING = "某"  # stands for all characters that neither pattern names
_MOST = 5_000  # states looked at; real patterns need a few dozen

_State = frozenset[int]


def is_pattern(name: str) -> bool:
    """Whether this means more names than itself."""
    return any(letter in name for letter in "*?[")


@cache
def example(pattern: str, other: str, *, fits_other: bool) -> str | None:
    """The shortest name that fits `pattern` and does (or does not) fit `other`; None where there is none.

    So `other` covers all of `pattern` where `example(pattern, other, fits_other=False)` is None.
    """
    first, second = _TOKEN.findall(pattern), _TOKEN.findall(other)
    letters = [*sorted({*pattern, *other} - {*"*?"}), _ANYTHING]
    queue = deque([(_open(first, {0}), _open(second, {0}), "")])
    seen = set[tuple[_State, _State]]()
    while queue and len(seen) < _MOST:
        here, other_here, name = queue.popleft()
        if name and len(first) in here and (len(second) in other_here) == fits_other:
            return name
        for letter in letters:
            there, other_there = _step(first, here, letter), _step(second, other_here, letter)
            if there and (other_there or not fits_other) and (there, other_there) not in seen:
                seen.add((there, other_there))
                queue.append((there, other_there, name + letter))
    return None


def _open(tokens: list[str], places: set[int]) -> _State:
    """These places in a pattern, and those reached from them by a star that stands for nothing."""
    reached = set(places)
    for place in sorted(places):
        while place < len(tokens) and tokens[place] == "*":
            place += 1  # noqa: PLW2901  # walking on from here is the point
            reached.add(place)
    return frozenset(reached)


def _step(tokens: list[str], places: _State, letter: str) -> _State:
    """Where one more letter leads."""
    reached = set()
    for place in places:
        if place < len(tokens) and fnmatchcase(letter, tokens[place]):
            reached.add(place if tokens[place] == "*" else place + 1)
    return _open(tokens, reached)
