"""When a pool is low, empty, and well again; and how thresholds are written."""

import pytest

from rules.stock import Level, Stock, Threshold, Unit, level, parse_threshold, say_how, say_rate


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("20个群", 20, "groups"),
        ("50个名额", 50, "seats"),
        ("3天", 3, "days"),
        ("２０ 个群", 20, "groups"),
        ("3d", 3, "days"),
    ],
)
def test_thresholds_as_managers_write_them(text: str, number: int, unit: Unit) -> None:
    """A number with its unit, in Chinese or English."""
    assert parse_threshold(text) == Threshold(number=number, unit=unit)


@pytest.mark.parametrize("text", ["20", "很多", "-3天", "20%", ""])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    """Without a unit, or with one that nobody knows, it is refused in Chinese."""
    with pytest.raises(ValueError, match=r"单位|看不懂"):
        parse_threshold(text)


def of(free: int, given: int = 0) -> Stock:
    return Stock(groups=free, seats=free, given=given)


def through(threshold: Threshold, *free: int, given: int = 0) -> list[Level]:
    """The level at each of these, one after the other, from well."""
    found: list[Level] = []
    for each in free:
        found.append(level(found[-1] if found else "well", of(each, given), threshold))
    return found


TWENTY = Threshold(number=20, unit="groups")


def test_one_crossing_not_one_a_scan() -> None:
    """Going up and down around the threshold is one crossing: well again is a quarter above it."""
    assert through(TWENTY, 21, 20, 19, 20, 19, 24, 19, 25, 24) == [
        "well", "well", "low", "low", "low", "low", "low", "well", "well",
    ]  # fmt: skip


def test_empty_is_left_when_there_are_a_few() -> None:
    """One that comes free and is taken at once is no news; five are."""
    assert through(TWENTY, 1, 0, 1, 0, 4, 5, 0) == ["low", "empty", "empty", "empty", "empty", "low", "empty"]


def test_without_a_threshold_only_empty_counts() -> None:
    """Where the config says nothing, people are told at zero."""
    nothing = Threshold(number=0, unit="groups")
    assert through(nothing, 3, 1, 0, 1) == ["well", "well", "empty", "well"]


def test_in_days_at_the_current_rate() -> None:
    """Ten a day and forty left last four days; where nobody comes, it lasts for ever."""
    three = Threshold(number=3, unit="days")
    assert [level("well", of(40, 10), three), level("well", of(29, 10), three), level("well", of(1, 0), three)] == [
        "well",
        "low",
        "well",
    ]


def test_the_words() -> None:
    """How fast they go, and how the right sort of group is created."""
    assert say_rate(of(40, 10)) == "最近一天用了 10 个，照这样还能用约4天"
    assert say_rate(of(5, 0)) == "最近一天没有人用"
    assert "工作台 → 客户群 → 创建一个客户群，名称 VIP·…" in say_how("VIP·…")
    assert "内部群" in say_how("VIP·…")
