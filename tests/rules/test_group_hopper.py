"""Rule `group_hopper`: which joins count, and within what time."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person, Stay
from rules.group_hopper import GroupHopper

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def hop(chat_id: str, hours_ago: float | None, **more: Any) -> Stay:
    group = Group(chat_id=chat_id, name=f"静安{chat_id}群", kind="members", owner="wangwu")
    return Stay(group=group, joined_at=None if hours_ago is None else NOON - timedelta(hours=hours_ago), **more)


HERE = hop("here", 0)


def judge(
    others: list[Stay],
    *,
    here: Stay = HERE,
    occasion: Literal["joined", "inside", "checked"] = "joined",
    at: datetime = NOON,
    **more: Any,
) -> Decision:
    rule = GroupHopper.model_validate({"rule": "group_hopper", **more})
    given = MemberFacts(
        group=here.group,
        subject="wmA",
        member=Member(external_userid="wmA", joined_at=here.joined_at),
        person=Person(external_userid="wmA"),
        stays=(*others, here),
    )
    return rule.decide(MemberSeen(at=at, chat_id="here", external_userid="wmA", occasion=occasion), given)


@pytest.mark.parametrize(
    ("others", "more", "verdict"),
    [
        pytest.param([hop("a", 2)], {}, "miss", id="two groups"),
        pytest.param([hop("a", 2), hop("b", 1)], {}, "hit", id="three groups in a day"),
        pytest.param([hop("a", 24), hop("b", 1)], {}, "hit", id="just within"),
        pytest.param([hop("a", 24.01), hop("b", 1)], {}, "miss", id="just without"),
        pytest.param([hop("a", 2, left_at=NOON, quit_scene=0), hop("b", 1)], {}, "hit", id="left again"),
        pytest.param([hop("a", None), hop("b", 1)], {}, "miss", id="nobody knows when"),
        pytest.param([hop("a", 2), hop("a", 1)], {}, "miss", id="the same group twice"),
        pytest.param([hop("a", 2), hop("b", 1)], {"allow_groups": "*a群"}, "miss", id="one is not covered"),
        pytest.param([hop("a", 2)], {"groups_joined": 2}, "hit", id="two are enough"),
        pytest.param([hop("a", 2), hop("b", 1)], {"within": "90分钟"}, "miss", id="a shorter time"),
        pytest.param([hop("a", -2), hop("b", 1)], {}, "miss", id="what came after does not count yet"),
    ],
)
def test_which_joins_count(others: list[Stay], more: dict[str, Any], verdict: str) -> None:
    """Different groups that the rule covers, joined within the time before this one, left since or not."""
    assert judge(others, **more).verdict == verdict


@pytest.mark.parametrize("joined", [24 * 365, None])
def test_an_old_group_is_left_alone(joined: float | None) -> None:
    """A customer of years is not asked out of their old group because of what they did elsewhere."""
    decision = judge([hop("a", 3), hop("b", 2), hop("c", 1)], here=hop("here", joined))
    assert decision.verdict == "miss"


def test_the_answer_does_not_change_with_time() -> None:
    """Looked at again a month later, a hit is a hit and a miss is a miss: an open case is not withdrawn by waiting."""
    later = NOON + timedelta(days=30)
    assert judge([hop("a", 2), hop("b", 1)], occasion="checked", at=later).verdict == "hit"
    assert judge([hop("a", 2), hop("b", -24), hop("c", -25)], occasion="checked", at=later).verdict == "miss"


def test_who_was_there_before_us_is_let_be() -> None:
    """What people did before the bot came is not held against them."""
    assert judge([hop("a", 2), hop("b", 1)], occasion="inside").verdict == "miss"


def test_the_reason_names_the_latest_groups() -> None:
    """How many, and the last few by name: a card has no room for thirty."""
    decision = judge([hop(f"g{n}", 9 - n) for n in range(8)])
    assert "1天里接连进了 9 个群" in decision.because
    assert "「静安here群」" in decision.because
    assert "「静安g3群」" not in decision.because


def test_it_warns_first_and_is_capped() -> None:
    """It infers: the first time is a warning, and a runaway rule stops itself."""
    rule = GroupHopper(rule="group_hopper")
    assert (rule.then, rule.most_a_day) == (("warn", "remove"), 50)
