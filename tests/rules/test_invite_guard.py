"""Rule `invite_guard`: who came by invitation, and by whose."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person
from rules.invite_guard import InviteGuard

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEA = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")


def judge(
    came: dict[str, Any],
    inviter: str = "",
    occasion: Literal["joined", "inside", "checked"] = "joined",
    **more: Any,
) -> Decision:
    rule = InviteGuard.model_validate({"rule": "invite_guard", **more})
    given = MemberFacts(
        group=TEA,
        subject="wmA",
        member=Member(external_userid="wmA", **came),
        person=Person(external_userid="wmA"),
        inviter=inviter,
    )
    return rule.decide(MemberSeen(at=NOON, chat_id="wr1", external_userid="wmA", occasion=occasion), given)


@pytest.mark.parametrize(
    ("came", "inviter", "verdict", "says"),
    [
        pytest.param({"join_scene": 1}, "", "hit", "是 有人 直接拉进群", id="by a customer"),
        pytest.param({"join_scene": 2}, "", "hit", "是 有人 用链接邀请", id="by somebody's link"),
        pytest.param({"join_scene": 1, "invited_by": "zhaoliu"}, "赵六", "hit", "是 赵六 直接拉进群", id="by staff"),
        pytest.param({"join_scene": 1, "invited_by": "zhaoliu"}, "", "hit", "zhaoliu", id="by staff without a name"),
        pytest.param({"invited_by": "zhaoliu"}, "赵六", "hit", "是 赵六 邀请", id="no scene, but an inviter"),
        pytest.param({"join_scene": 3}, "", "miss", "扫码", id="scanned"),
        pytest.param({"join_scene": None}, "", "unknown", "看不出", id="nobody knows"),
        pytest.param({"join_scene": 7}, "", "unknown", "看不出", id="a scene that nobody knows"),
    ],
)
def test_how_they_came(came: dict[str, Any], inviter: str, verdict: str, says: str) -> None:
    """An invitation, by whatever way and whomever, is a hit that names the inviter; what is unknown is no proof."""
    decision = judge(came, inviter)
    assert decision.verdict == verdict
    assert says in decision.because
    assert bool(decision.words) == (verdict == "hit")


@pytest.mark.parametrize("allowed", ["赵六", "zhaoliu", ["王五", "赵六"]])
def test_some_may_invite(allowed: str | list[str]) -> None:
    """Staff named by name or userid may invite; others may not, nor may an inviter nobody knows."""
    came = {"join_scene": 1, "invited_by": "zhaoliu"}
    assert judge(came, "赵六", allow_inviters=allowed).verdict == "miss"
    assert judge({"join_scene": 1, "invited_by": "sunqi"}, "孙七", allow_inviters=allowed).verdict == "hit"
    assert judge({"join_scene": 1}, "", allow_inviters=allowed).verdict == "hit"


@pytest.mark.parametrize(("occasion", "verdict"), [("joined", "hit"), ("checked", "hit"), ("inside", "miss")])
def test_who_was_there_before_us_is_let_be(occasion: Literal["joined", "inside", "checked"], verdict: str) -> None:
    """Who was in the group before the bot is not asked how they came; looking again withdraws nothing."""
    assert judge({"join_scene": 1}, occasion=occasion).verdict == verdict


def test_an_invited_customer_is_only_told() -> None:
    """Being invited is no crime: nobody is removed unless the config says so."""
    rule = InviteGuard(rule="invite_guard")
    assert (rule.then, rule.tell_after) == (("warn",), 3)
