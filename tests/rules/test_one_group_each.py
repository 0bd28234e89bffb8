"""Rule `one_group_each`: which groups somebody keeps, and which not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person, Stay
from rules.one_group_each import OneGroupEach

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def stay(chat_id: str, days_ago: float | None, *, kind: str = "members", **more: Any) -> Stay:
    group = Group(chat_id=chat_id, name=f"会员{chat_id}群", kind=kind, owner="wangwu")
    return Stay(group=group, joined_at=None if days_ago is None else NOON - timedelta(days=days_ago), **more)


def judge(here: str, stays: list[Stay], **more: Any) -> Decision:
    group = next(each.group for each in stays if each.group.chat_id == here)
    rule = OneGroupEach.model_validate({"rule": "one_group_each", **more})
    given = MemberFacts(
        group=group,
        subject="wmA",
        member=Member(external_userid="wmA"),
        person=Person(external_userid="wmA"),
        stays=tuple(stays),
    )
    return rule.decide(MemberSeen(at=NOON, chat_id=here, external_userid="wmA", occasion="joined"), given)


@pytest.mark.parametrize(
    ("stays", "more", "hit_in"),
    [
        pytest.param([stay("a", 2)], {}, "", id="one group"),
        pytest.param([stay("a", 2), stay("b", 1)], {}, "b", id="the oldest is kept"),
        pytest.param([stay("b", 1), stay("a", 2)], {}, "b", id="in whatever order they are told"),
        pytest.param([stay("a", 2), stay("b", 1, assigned=True)], {}, "a", id="the assigned one is kept"),
        pytest.param([stay("a", 2), stay("b", None)], {}, "a", id="what nobody knows is old"),
        pytest.param([stay("a", None), stay("b", None, assigned=True)], {}, "a", id="assigned goes before unknown"),
        pytest.param([stay("a", 3), stay("b", 2), stay("c", 1)], {}, "bc", id="all others"),
        pytest.param([stay("a", 3), stay("b", 2), stay("c", 1)], {"most": 2}, "c", id="two are allowed"),
        pytest.param(
            [stay("a", 3), stay("b", 2), stay("c", 1, assigned=True)], {"most": 2}, "b", id="one was assigned"
        ),
        pytest.param([stay("a", 2), stay("b", 1, kind="vip")], {}, "", id="two kinds"),
        pytest.param([stay("a", 2, left_at=NOON), stay("b", 1)], {}, "", id="gone from the first"),
        pytest.param([stay("a", 2), stay("b", 1)], {"allow_groups": "*b群"}, "", id="one is not covered"),
        pytest.param([stay("a", 2), stay("b", 1)], {"allow_groups": "*a群"}, "", id="the other is not covered"),
    ],
)
def test_which_groups_are_kept(stays: list[Stay], more: dict[str, Any], hit_in: str) -> None:
    """Of covered groups of one kind, the assigned and then the oldest are kept; the hit is in the others."""
    present = [each.group.chat_id for each in stays if each.left_at is None]
    assert [here for here in sorted(present) if judge(here, stays, **more).verdict == "hit"] == list(hit_in)


def test_the_reason_names_what_is_kept() -> None:
    """The manager reads which group stays and why; the person is told which one they have already."""
    decision = judge("b", [stay("a", 2), stay("b", 1)])
    assert "「会员a群」（更早进的）" in decision.because
    assert "「会员a群」" in decision.words
    assert "「会员a群」（我们安排的）" in judge("b", [stay("a", 1, assigned=True), stay("b", 2)]).because


def test_it_warns_by_default() -> None:
    """A customer in two groups is no offender: nobody is removed unless the config says so."""
    assert OneGroupEach(rule="one_group_each").then == ("warn",)
