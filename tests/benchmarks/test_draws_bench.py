"""The benchmark of draws runs, and what it measures names the right winners."""

from benchmarks.draws import run


def test_measures_the_same_winners() -> None:
    """Pick and full sort agree, and only the pick's memory stays with its winners."""
    drawn, by_sort, _ = run(30_000, rounds=1)
    assert drawn.peak < by_sort.peak / 10
