"""拼手气: exact, within bounds, and the same for every place."""

import random
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.split import Chance, Taken, Unfair, luckiest, split


@st.composite
def _packets(draw: st.DrawFn) -> tuple[int, int, int, int]:
    shares = draw(st.integers(1, 60))
    floor = draw(st.integers(0, 200))
    cap = draw(st.integers(floor, floor + 500))
    return draw(st.integers(shares * floor, shares * cap)), shares, floor, cap


@given(_packets(), st.integers())
def test_any_packet_is_split_to_the_fen(packet: tuple[int, int, int, int], seed: int) -> None:
    """All shares together are the total, and each is within floor and cap, also where there is no room at all."""
    total, shares, floor, cap = packet
    found = split(total, shares, floor=floor, cap=cap, below=random.Random(seed).randrange)
    assert len(found) == shares
    assert sum(found) == total
    assert all(floor <= each <= cap for each in found)


@pytest.mark.parametrize(("total", "shares"), [(99, 1), (199, 2), (20_001, 1), (40_001, 2), (100, 0)])
def test_refuses_what_cannot_be_split(total: int, shares: int) -> None:
    """n·min ≤ total ≤ n·cap is checked first."""
    with pytest.raises(Unfair):
        split(total, shares, floor=100, cap=20_000, below=random.Random(1).randrange)


@pytest.mark.parametrize(
    ("total", "floor", "cap"), [(2_000, 100, 20_000), (20, 1, 20_000), (2_000, 1, 300)], ids=["floor", "tiny", "cap"]
)
def test_every_place_is_alike(total: int, floor: int, cap: int, size: Callable[[int, int], int]) -> None:
    """Over 40,000 splits (4,000 in `make test`) every place has the same mean, spread and chance of 手气最佳."""
    times, shares, below = size(4_000, 40_000), 10, random.Random(20261122).randrange
    places: list[list[int]] = [[] for _ in range(shares)]
    best = [0] * shares
    at = datetime(2026, 11, 27, tzinfo=UTC)
    order = random.Random(7)
    for _ in range(times):
        found = split(total, shares, floor=floor, cap=cap, below=below)
        for place, amount in enumerate(found):
            places[place].append(amount)
        turns = order.sample(range(shares), shares)  # who comes when has nothing to do with the place
        taken = [Taken(place, found[place], at + timedelta(seconds=turns[place])) for place in range(shares)]
        lucky = luckiest(taken)
        assert lucky is not None
        best[lucky] += 1
    whole = [amount for each in places for amount in each]
    spread = statistics.pstdev(whole)
    for each in places:
        assert abs(statistics.fmean(each) - total / shares) < 5 * spread / times**0.5
        assert abs(statistics.pstdev(each) / spread - 1) < 6 / times**0.5
    chi = sum((each - times / shares) ** 2 / (times / shares) for each in best)
    assert chi < 27.9, best  # 9 degrees of freedom, p = 0.001


def test_luckiest_of_equal_shares() -> None:
    """Of equal largest shares the one taken first is 手气最佳, then the one with the lowest number."""
    at = datetime(2026, 11, 27, tzinfo=UTC)
    later = at + timedelta(seconds=1)
    assert luckiest([Taken(1, 5, later), Taken(2, 9, later), Taken(3, 9, at)]) == 3
    assert luckiest([Taken(7, 9, at), Taken(2, 9, at)]) == 2
    assert luckiest([]) is None


def test_chance_is_the_same_for_everybody_who_has_the_seed() -> None:
    """The same seed and purpose give the same numbers; another purpose gives others."""

    def some(seed: bytes, purpose: str) -> list[int]:
        chance = Chance(seed, purpose)
        return [chance.below(1000) for _ in range(20)]

    assert some(b"seed", "a") == some(b"seed", "a")
    assert some(b"seed", "a") != some(b"seed", "b")
    assert some(b"seed", "a") != some(b"sead", "a")


@pytest.mark.parametrize("end", [2, 3, 10, 97])
def test_chance_is_uniform(end: int) -> None:
    """Every number is as likely as any other (chi-square)."""
    chance, times = Chance(b"fixed seed", "uniform"), 20_000
    counts = [0] * end
    for _ in range(times):
        counts[chance.below(end)] += 1
    chi = sum((each - times / end) ** 2 / (times / end) for each in counts)
    assert chi < (end - 1) + 4 * (2 * (end - 1)) ** 0.5 + 6


def test_chance_refuses_nothing_to_choose_from() -> None:
    """There is no number below 0."""
    with pytest.raises(ValueError, match="below 0"):
        Chance(b"", "").below(0)
