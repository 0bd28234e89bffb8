"""Rule `friend_adding`: what enough people report."""

from datetime import UTC, datetime

import pytest

from rules.events import MemberReported
from rules.facts import Group, ReportFacts
from rules.friend_adding import FriendAdding


@pytest.mark.parametrize(
    ("reporters", "settings", "verdict"),
    [
        (0, {}, "miss"),
        (2, {}, "miss"),
        (3, {}, "hit"),
        (4, {}, "hit"),
        (1, {"reports": 1}, "hit"),
        (4, {"reports": 5}, "miss"),
    ],
)
def test_enough_people_make_a_case(reporters: int, settings: dict[str, int], verdict: str) -> None:
    """From the number that is set on it is a hit, and whoever is asked is told to make sure."""
    rule = FriendAdding.model_validate({"rule": "friend_adding", **settings})
    event = MemberReported(
        at=datetime(2026, 11, 23, 4, 0, tzinfo=UTC), chat_id="wr1", external_userid="wmA", reporter="r"
    )
    group = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
    decision = rule.decide(event, ReportFacts(group=group, subject="wmA", reporters=reporters))
    assert decision.verdict == verdict
    assert f"有 {reporters} 个人举报" in decision.because
    assert bool(decision.doubt) == (verdict == "hit")
    assert rule.then == ("warn",)
