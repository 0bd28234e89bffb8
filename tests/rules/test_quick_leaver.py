"""Rule `quick_leaver`: which stays are quick, and what the offence is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.decision import Decision
from rules.events import MemberGone, MemberSeen
from rules.facts import Group, Member, MemberFacts, Person, Stay
from rules.quick_leaver import QuickLeaver

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def visit(chat_id: str, left_hours_ago: float, minutes: float | None = 3, quit_scene: int | None = 0) -> Stay:
    """A stay of so many minutes; None: nobody knows since when."""
    left_at = NOON - timedelta(hours=left_hours_ago)
    return Stay(
        group=Group(chat_id=chat_id, name=f"静安{chat_id}群", kind="members", owner="wangwu"),
        joined_at=None if minutes is None else left_at - timedelta(minutes=minutes),
        left_at=left_at,
        quit_scene=quit_scene,
    )


def judge(
    stays: list[Stay], *, gone: bool = False, joined_at: datetime | None = NOON, at: datetime = NOON, **more: Any
) -> Decision:
    rule = QuickLeaver.model_validate({"rule": "quick_leaver", **more})
    given = MemberFacts(
        group=Group(chat_id="here", name="静安here群", kind="members", owner="wangwu"),
        subject="wmA",
        member=Member(external_userid="wmA", joined_at=joined_at),
        person=Person(external_userid="wmA"),
        stays=tuple(stays),
    )
    event: MemberSeen | MemberGone = MemberSeen(at=at, chat_id="here", external_userid="wmA", occasion="joined")
    if gone:
        event = MemberGone(at=NOON, chat_id="here", external_userid="wmA", quit_scene=0)
    return rule.decide(event, given)


@pytest.mark.parametrize(
    ("stays", "more", "verdict"),
    [
        pytest.param([visit("a", 1)], {}, "miss", id="once"),
        pytest.param([visit("a", 2), visit("b", 1)], {}, "hit", id="twice"),
        pytest.param([visit("a", 2, 10), visit("b", 1)], {}, "hit", id="ten minutes are quick"),
        pytest.param([visit("a", 2, 10.1), visit("b", 1)], {}, "miss", id="a little more is not"),
        pytest.param([visit("a", 7 * 24), visit("b", 1)], {}, "hit", id="just within a week"),
        pytest.param([visit("a", 7 * 24 + 0.1), visit("b", 1)], {}, "miss", id="more than a week ago"),
        pytest.param([visit("a", 2, quit_scene=1), visit("b", 1)], {}, "miss", id="being removed is not leaving"),
        pytest.param([visit("a", 2, quit_scene=None), visit("b", 1)], {}, "miss", id="nobody knows how it ended"),
        pytest.param([visit("a", 2, None), visit("b", 1)], {}, "miss", id="nobody knows since when"),
        pytest.param([visit("a", 2, -5), visit("b", 1)], {}, "miss", id="ends before it begins"),
        pytest.param([visit("a", 2), visit("a", 1)], {}, "miss", id="the same group twice"),
        pytest.param([visit("a", 2), visit("b", 1)], {"allow_groups": "*a群"}, "miss", id="one is not covered"),
        pytest.param([visit("a", 2), visit("b", 1)], {"groups_left": 3}, "miss", id="three are asked for"),
        pytest.param([visit("a", 2, 20), visit("b", 1, 30)], {"stayed_at_most": "30分钟"}, "hit", id="half an hour"),
        pytest.param([visit("a", 2), visit("b", 1)], {"within": "90分钟"}, "miss", id="a shorter time"),
    ],
)
@pytest.mark.parametrize("gone", [True, False])
def test_which_stays_are_quick(stays: list[Stay], more: dict[str, Any], verdict: str, gone: bool) -> None:
    """Different groups, left of their own accord soon after joining, lately; judged on leaving and on coming back."""
    assert judge(stays, gone=gone, **more).verdict == verdict


def test_who_is_still_there_has_not_left() -> None:
    """A stay that goes on counts for nothing, however short it is yet."""
    here = visit("c", 0, 1).model_copy(update={"left_at": None, "quit_scene": None})
    assert judge([visit("a", 1), here]).verdict == "miss"


def test_the_last_leave_is_the_offence() -> None:
    """Coming back is no second offence; another quick leave is."""
    left = judge([visit("a", 2), visit("b", 1)], gone=True)
    assert left.offence == judge([visit("b", 1), visit("a", 2)]).offence
    assert left.offence != judge([visit("a", 2), visit("b", 1), visit("c", 0.5)]).offence
    assert "「静安a群」（3分钟）、「静安b群」（3分钟）" in left.because


def test_the_answer_does_not_change_with_time() -> None:
    """Looked at again a month later, a hit is a hit: an open case is not withdrawn by waiting."""
    assert judge([visit("a", 2), visit("b", 1)], at=NOON + timedelta(days=30)).verdict == "hit"


def test_an_old_group_is_left_alone() -> None:
    """A customer of years is not asked out of their old group because of what they did elsewhere."""
    assert judge([visit("a", 2), visit("b", 1)], joined_at=NOON - timedelta(days=365)).verdict == "miss"


@pytest.mark.parametrize(("days", "verdict"), [(0, "hit"), (30, "miss")])
def test_without_a_time_of_joining_the_event_has_one(days: int, verdict: str) -> None:
    """Where the roster does not say when somebody came, it is the time before the event that counts."""
    at = NOON + timedelta(days=days)
    assert judge([visit("a", 2), visit("b", 1)], joined_at=None, at=at).verdict == verdict


def test_it_warns_before_it_removes_and_is_capped() -> None:
    """It infers: the first time is a warning, and a runaway rule stops itself."""
    rule = QuickLeaver(rule="quick_leaver")
    assert (rule.then, rule.most_a_day) == (("warn", "remove"), 50)
