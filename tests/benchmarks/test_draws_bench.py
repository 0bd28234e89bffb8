"""The benchmark of draws runs, and what it measures names the right winners."""

from benchmarks.draws import grabs, run


def test_measures_the_same_winners() -> None:
    """Pick and full sort agree, and only the pick's memory stays with its winners."""
    drawn, by_sort, _ = run(30_000, rounds=1)
    assert drawn.peak < by_sort.peak / 10


def test_a_rush_is_measured_with_the_right_winners() -> None:
    """The measured grab gives every share to one person."""
    [found] = grabs(quick=True)
    assert (found.engine, found.winners) == ("SQLite", 100)
    assert 0 < found.given_away <= found.answered
