"""What two patterns for group names have in common."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.patterns import example, is_pattern


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("*VIP*", "*会员*", "VIP会员"),
        ("VIP·*", "会员*", None),
        ("VIP?", "VIP", None),
        ("VIP?", "VIP*", "VIP某"),
        ("[ab]x", "b*", "bx"),
        ("[!a]x", "?x", "x"),
        ("a[", "a?", "a["),
        ("", "*", None),
    ],
)
def test_the_shortest_name_that_both_fit(one: str, other: str, shared: str | None) -> None:
    """An example that a manager can read, or none where no name fits both."""
    found = example(one, other, fits_other=True)
    assert (found is None) == (shared is None)
    if found and shared:
        assert len(found) in {len(shared), len(shared) + 1}
        assert fnmatchcase(found, one)
        assert fnmatchcase(found, other)


@pytest.mark.parametrize(
    ("inner", "outer", "covered"),
    [
        ("会员VIP*", "会员*", True),
        ("会员*", "会员VIP*", False),
        ("*静安店*", "*静安*", True),
        ("*", "*", True),
        ("VIP·一群", "VIP·*", True),
        ("a?c", "a[bx]c", False),
        ("a[bx]c", "a?c", True),
    ],
)
def test_a_pattern_that_covers_another(inner: str, outer: str, covered: bool) -> None:
    """Every name of one fits the other, or there is an example that does not."""
    assert (example(inner, outer, fits_other=False) is None) == covered


PATTERNS = st.text(alphabet="ab*?", max_size=6)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, PATTERNS, st.booleans(), st.text(alphabet="abc", min_size=1, max_size=6))
def test_examples_are_true_and_none_is_overlooked(one: str, other: str, fits: bool, name: str) -> None:
    """What is shown fits as said; and where nothing is shown, no name does."""
    found = example(one, other, fits_other=fits)
    if found is None:
        assert not (fnmatchcase(name, one) and fnmatchcase(name, other) == fits)
    else:
        assert fnmatchcase(found, one)
        assert fnmatchcase(found, other) == fits


def test_patterns_of_any_size_are_answered_quickly() -> None:
    """Nobody's long name brings the check to a stand."""
    assert example("*a" * 40 + "*", "*b" * 40 + "*", fits_other=False) is not None


def test_what_a_pattern_is() -> None:
    """Names without *, ? and [ mean themselves only."""
    assert [is_pattern(name) for name in ("*静安*", "群?", "[一二]群", "静安一群")] == [True, True, True, False]
