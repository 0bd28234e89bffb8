"""The budget of sends: what a group may get, and what becomes of the rest."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.posts import RANK
from rules.sends import Slot, allowance, period_of, say_need, share_out

NOVEMBER = date(2026, 11, 1)


def slot(post: str, day: int, hour: int = 12, **more: Any) -> Slot:
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    return Slot(key=f"post:{post}:{at.isoformat()}", post=post, at=at, chat_id=more.pop("chat_id", "c1"), **more)


def ways(slots: list[Slot], spent: int = 0, sends: Any = "days_of_month") -> list[str]:
    return [each.way for each in share_out(slots, {("c1", NOVEMBER): spent}, sends)]


@pytest.mark.parametrize(
    ("sends", "day", "first", "last", "most"),
    [
        ("days_of_month", "2026-11-25", "2026-11-01", "2026-11-30", 30),
        ("days_of_month", "2028-02-10", "2028-02-01", "2028-02-29", 29),
        ("days_of_month", "2026-12-31", "2026-12-01", "2026-12-31", 31),
        ("7_a_week", "2026-11-25", "2026-11-23", "2026-11-29", 7),
        ("7_a_week", "2027-01-01", "2026-12-28", "2027-01-03", 7),
        ("1_a_day", "2026-11-25", "2026-11-25", "2026-11-25", 1),
    ],
)
def test_periods(sends: Any, day: str, first: str, last: str, most: int) -> None:
    """Months have as many sends as days; weeks begin on Monday, over the year's end too."""
    at = date.fromisoformat(day)
    assert period_of(sends, at) == (date.fromisoformat(first), date.fromisoformat(last))
    assert allowance(sends, at) == most


def test_where_all_fit_all_are_tasks() -> None:
    """A daily post in a month without anything else."""
    assert ways([slot("早报", day) for day in range(1, 31)]) == ["task"] * 30


def test_a_daily_paper_and_two_weekly_posts_are_too_much() -> None:
    """The important ones keep theirs; the paper is merged into them on their days and else goes by hand; it is told."""
    paper = [slot("早报", day, 0) for day in range(1, 31)]
    share = [slot("周三分享", day, rank=RANK["high"]) for day in (4, 11, 18, 25)]
    event = [slot("周六活动", day, rank=RANK["high"]) for day in (7, 14, 21, 28)]
    verdicts = share_out([*paper, *share, *event], {}, "days_of_month")
    by_post = {
        name: [each.way for each in verdicts if each.slot.post == name] for name in ("早报", "周三分享", "周六活动")
    }
    assert by_post["周三分享"] == by_post["周六活动"] == ["task"] * 4
    assert by_post["早报"].count("task") == 22
    assert [each.slot.at.day for each in verdicts if each.way == "merge"] == [25, 28]
    assert [each.slot.at.day for each in verdicts if each.way == "by_hand"] == [23, 24, 26, 27, 29, 30]
    merged = next(each for each in verdicts if each.way == "merge")
    assert merged.into_post == "周三分享"
    assert merged.into == share[3].key
    assert merged.because.startswith("本月需 38 条，额度 30 条")


def test_what_staff_sent_themselves_counts() -> None:
    """29 of 30 are gone: one is left, for the important one, though it is later."""
    verdicts = share_out(
        [slot("早报", 28), slot("周六活动", 29, rank=RANK["high"])], {("c1", NOVEMBER): 29}, "days_of_month"
    )
    assert [each.way for each in verdicts] == ["by_hand", "task"]
    assert "已用 29 条" in verdicts[0].because


def test_more_was_sent_than_may_be() -> None:
    """Nothing is left, and nothing is owed."""
    assert ways([slot("早报", 28)], spent=99) == ["by_hand"]


@pytest.mark.parametrize(
    ("instead", "way"),
    [(("merge",), "drop"), (("merge", "drop"), "drop"), (("by_hand",), "by_hand"), (("drop",), "drop")],
)
def test_each_post_says_what_becomes_of_it(instead: Any, way: str) -> None:
    """Where there is nothing to be merged into, the next of its choices; without any it is dropped, and told."""
    (verdict,) = share_out([slot("早报", 28, instead=instead)], {("c1", NOVEMBER): 30}, "days_of_month")
    assert verdict.way == way
    assert verdict.because


def test_only_what_fits_is_merged() -> None:
    """4,000 bytes and 9 attachments hold for both together; a second guest finds the room that is left."""
    host = slot("周三分享", 25, rank=RANK["high"], size=2000, attachments=5)
    fits, too_long, too_many = (
        slot("早报", 25, 0, size=1000, attachments=4),
        slot("午报", 25, 4, size=999, instead=("merge", "drop")),
        slot("晚报", 25, 13, size=1, attachments=1, instead=("merge", "drop")),
    )
    assert ways([host, fits, too_long, too_many], spent=29) == ["task", "merge", "drop", "drop"]


def test_other_groups_and_other_periods_have_their_own() -> None:
    """One group's November says nothing of another's, nor of its December."""
    december = Slot(key="d", post="早报", at=datetime(2026, 12, 1, 1, tzinfo=UTC), chat_id="c1")
    verdicts = share_out(
        [slot("早报", 28), slot("早报", 28, chat_id="c2"), december], {("c1", NOVEMBER): 30}, "days_of_month"
    )
    assert [each.way for each in verdicts] == ["by_hand", "task", "task"]


def test_days_are_those_of_beijing() -> None:
    """The last evening of November in UTC is December in Beijing."""
    late = Slot(key="l", post="早报", at=datetime(2026, 11, 30, 16, 30, tzinfo=UTC), chat_id="c1")
    assert [each.way for each in share_out([late], {("c1", NOVEMBER): 30}, "days_of_month")] == ["task"]


def test_posts_by_hand_cost_nothing() -> None:
    """They are no tasks."""
    assert ways([slot("早报", 28, via="by_hand")], spent=30) == ["by_hand"]


def test_the_sentence_is_the_managers() -> None:
    """As they would say it."""
    assert say_need("days_of_month", 39, 30) == "本月需 39 条，额度 30 条"


SLOTS = st.lists(
    st.builds(
        lambda number, day, hour, rank, size, chat_id: Slot(
            key=f"k{number}",
            post=f"p{number % 5}",
            at=datetime(2026, 10, 28, tzinfo=UTC) + timedelta(days=day, hours=hour),
            chat_id=chat_id,
            rank=rank,
            size=size,
            instead=("merge", "drop") if number % 3 else ("merge", "by_hand"),
        ),
        st.integers(0, 10_000),
        st.integers(0, 40),
        st.integers(0, 23),
        st.integers(0, 2),
        st.integers(0, 4000),
        st.sampled_from(["c1", "c2"]),
    ),
    unique_by=lambda each: (each.chat_id, each.key),
    max_size=90,
)


@settings(deadline=None)  # the machine may be busy
@given(SLOTS, st.integers(0, 35), st.sampled_from(["days_of_month", "7_a_week", "1_a_day"]))
def test_nothing_is_lost_and_no_cap_is_broken(slots: list[Slot], used: int, sends: Any) -> None:
    """Every slot has one verdict; tasks and what was spent keep to the period; what is merged goes out that day."""
    spent = {("c1", NOVEMBER): used}
    verdicts = share_out(slots, spent, sends)
    assert [each.slot for each in verdicts] == slots
    counts: dict[tuple[str, date], int] = {}
    for each in verdicts:
        if each.way == "task":
            key = each.slot.chat_id, period_of(sends, (each.slot.at + timedelta(hours=8)).date())[0]
            counts[key] = counts.get(key, 0) + 1
    for (chat_id, first), count in counts.items():
        assert count <= max(0, allowance(sends, first) - spent.get((chat_id, first), 0))
    tasks = {(each.slot.chat_id, each.slot.key): each.slot for each in verdicts if each.way == "task"}
    for each in verdicts:
        if each.way == "merge":
            host = tasks[each.slot.chat_id, each.into]
            assert (host.at + timedelta(hours=8)).date() == (each.slot.at + timedelta(hours=8)).date()
    assert share_out(list(reversed(slots)), spent, sends) == list(reversed(verdicts))
