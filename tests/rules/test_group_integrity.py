"""Rule `group_integrity`: what is wrong with a group, all of it at once, and when it is the same as before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules.decision import Decision
from rules.events import GroupSeen
from rules.facts import Group, GroupFacts
from rules.group_integrity import GroupIntegrity

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NAMES = {"wangwu": "王五", "zhaoliu": "赵六"}


def group(name: str = "会员1群", **more: Any) -> GroupFacts:
    here = Group(chat_id="wr1", name=name, kind="members", owner="wangwu")
    plain = {"size": 50, "staff": ("wangwu", "zhaoliu"), "names": NAMES, "notice": "欢迎！群规：不发广告"}
    return GroupFacts(group=here, **(plain | more))


def judge(given: GroupFacts, **more: Any) -> Decision:
    rule = GroupIntegrity.model_validate({"rule": "group_integrity", **more})
    return rule.decide(GroupSeen(at=NOON, chat_id="wr1"), given)


@pytest.mark.parametrize(
    ("given", "more"),
    [
        pytest.param(group(), {}, id="nothing is asked for"),
        pytest.param(group(), {"needs": ["王五", "zhaoliu"]}, id="all are there, by name or userid"),
        pytest.param(group(), {"name_like": ["老客*", "会员*"]}, id="one pattern fits"),
        pytest.param(group(), {"notice_has": ["群规", "广告"]}, id="the notice says it all"),
        pytest.param(group(notice=None), {"notice_has": "群规"}, id="nobody has read the notice"),
        pytest.param(group(), {"most_staff": 2}, id="as many staff as allowed"),
        pytest.param(group(size=179), {}, id="room enough"),
        pytest.param(group(size=199), {"nearly_full": 500}, id="full is later here"),
        pytest.param(group(owner_before="zhaoliu"), {}, id="the owner may change"),
        pytest.param(group(), {"owner_may_change": "否"}, id="the owner has not changed"),
        pytest.param(group("闲聊", size=300), {"name_like": "会员*", "groups": "会员*"}, id="not a group of this rule"),
    ],
)
def test_a_group_as_it_should_be(given: GroupFacts, more: dict[str, Any]) -> None:
    """Where all that is asked for is there, or not known, nobody is bothered."""
    assert judge(given, **more).verdict == "miss"


@pytest.mark.parametrize(
    ("given", "more", "says"),
    [
        pytest.param(group(), {"needs": ["王五", "孙七"]}, "孙七 不在群里", id="somebody is missing"),
        pytest.param(group("随便聊"), {"name_like": "会员*"}, "群名「随便聊」不合要求，应当像 会员*", id="name"),
        pytest.param(
            group("随便聊", name_before="会员1群"), {"name_like": "会员*"}, "原来叫「会员1群」", id="name as it was"
        ),
        pytest.param(group(notice="欢迎"), {"notice_has": "群规"}, "群公告里没有「群规」", id="notice"),
        pytest.param(group(notice=""), {"notice_has": "群规"}, "群公告里没有「群规」", id="no notice"),
        pytest.param(group(), {"most_staff": 1}, "群里有 2 位同事，最多 1 位", id="staff"),
        pytest.param(group(size=180), {}, "群里已有 180 人，满 200 人就不能再扫码进群", id="nearly full"),
        pytest.param(group(size=200), {}, "不能再扫码进群，只能邀请，最多 500 人", id="full"),
        pytest.param(
            group(owner_before="zhaoliu"), {"owner_may_change": "否"}, "群主从 赵六 换成了 王五", id="owner changed"
        ),
    ],
)
def test_what_is_wrong(given: GroupFacts, more: dict[str, Any], says: str) -> None:
    """Each thing that is wrong is a hit about the group, told in words that name it."""
    decision = judge(given, **more)
    assert (decision.verdict, decision.subject, decision.chat_id) == ("hit", "", "wr1")
    assert says in decision.because


def test_all_that_is_wrong_is_one_hit() -> None:
    """Somebody missing, a wrong name and a full group are one thing to be told, with all of it in the reason."""
    decision = judge(group("随便聊", size=190), needs=["孙七", "周八"], name_like="会员*")
    assert [word in decision.because for word in ("孙七", "周八", "随便聊", "190")] == [True] * 4


def test_the_same_state_is_one_offence() -> None:
    """More members, or people asked for in another order, change nothing; something new does, and so does a group."""
    wants = {"needs": ["孙七", "周八"]}
    before = judge(group(size=181), **wants).offence
    assert before == judge(group(size=190), needs=["周八", "孙七"]).offence
    assert before != judge(group(size=200), **wants).offence
    assert before != judge(group(size=190, notice=""), notice_has="群规", **wants).offence
    elsewhere = Group(chat_id="wr2", name="会员2群", kind="members", owner="wangwu")
    assert before != judge(group(size=181).model_copy(update={"group": elsewhere}), **wants).offence


@pytest.mark.parametrize("then", ["移出", "拉黑", ["提醒", "移出"]])
def test_a_group_is_not_removed(then: str | list[str]) -> None:
    """移出 and 拉黑 are about people: refused with what can be written instead."""
    with pytest.raises(ValidationError, match="不能移出、拉黑：可以写 提醒、仅观察"):
        GroupIntegrity.model_validate({"rule": "group_integrity", "then": then})


@pytest.mark.parametrize("then", ["提醒", "仅观察", ["仅观察", "提醒"]])
def test_a_group_is_told_of(then: str | list[str]) -> None:
    """Telling and observing are what can be done about a group."""
    assert GroupIntegrity.model_validate({"rule": "group_integrity", "then": then}).then
