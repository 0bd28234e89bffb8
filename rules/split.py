"""How the total of a 拼手气 red packet becomes shares: all of them before the first is given out. Pure.

Every place has the same mean, the same spread and the same chance of 手气最佳. What every share has for certain (the
floor) is set aside; the surplus is split by double mean, which favours late places a little where sums are small; so
the shares are shuffled. Amounts are whole fen. Chance is handed in.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

Below = Callable[[int], int]
"""`below(n)`: any of 0 … n-1, each as likely."""


class Unfair(ValueError):  # noqa: N818  # says what it would be
    """So much money cannot be split into so many shares within these bounds."""


def split(total: int, shares: int, *, floor: int, cap: int, below: Below) -> list[int]:
    """`total` fen in so many shares of `floor` to `cap` fen. Raises Unfair unless n·floor ≤ total ≤ n·cap."""
    if shares < 1 or not shares * floor <= total <= shares * cap:
        raise Unfair(f"{total} fen in {shares} shares of {floor} to {cap}")
    room, rest = cap - floor, total - shares * floor
    found = []
    for left in range(shares, 1, -1):
        least = max(0, rest - room * (left - 1))  # the others could not take more than their caps
        most = max(least, min(room, 2 * rest // left))
        part = least + below(most - least + 1)
        found.append(floor + part)
        rest -= part
    found.append(floor + rest)
    return shuffled(found, below)


def shuffled(values: Iterable[int], below: Below) -> list[int]:
    """In any order, each as likely (Fisher-Yates)."""
    order = list(values)
    for last in range(len(order) - 1, 0, -1):
        other = below(last + 1)
        order[last], order[other] = order[other], order[last]
    return order


class Taken(NamedTuple):
    """A share that somebody has. `at`: when they took it."""

    number: int
    amount: int
    at: datetime


def luckiest(taken: Sequence[Taken]) -> int | None:
    """The number of the share that is 手气最佳: the largest; of equal ones the earliest, then the lowest number."""
    best = min(taken, key=lambda each: (-each.amount, each.at, each.number), default=None)
    return best.number if best else None


class Chance:
    """Numbers that anybody can work out again from the seed, and nobody without it.

    HMAC-SHA256(seed, purpose ‖ 0, 1 …), the number in eight bytes.
    Every 64 bits are one try; what would make small numbers likelier is left out.
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._mac: Any = hmac.new(seed, purpose.encode(), hashlib.sha256)
        self._blocks = 0
        self._words: list[int] = []

    def below(self, end: int) -> int:
        """Any of 0 … end-1."""
        if not 0 < end <= 1 << 63:
            raise ValueError(f"no number is below {end}")
        fair = (1 << 64) - (1 << 64) % end
        while (word := self._word()) >= fair:
            pass
        return word % end

    def _word(self) -> int:
        if not self._words:
            block = self._mac.copy()
            block.update(self._blocks.to_bytes(8, "big"))
            digest = block.digest()
            self._blocks += 1
            self._words = [int.from_bytes(digest[at : at + 8], "big") for at in (24, 16, 8, 0)]
        return self._words.pop()
