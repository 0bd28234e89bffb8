"""Rule `other_company`: what counts as evidence, who is let be, and what the manager reads."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.actions import CheckAgain
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person
from rules.other_company import OtherCompany, weigh

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEA = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")


def facts(
    who: str = "woA",
    *,
    unionid: str | None = None,
    gets: bool = False,
    came: Mapping[str, Any] = {},
    released_by: str = "",
    inviter: str = "",
    **person: Any,
) -> MemberFacts:
    return MemberFacts(
        group=TEA,
        subject=who,
        released={"other_company": released_by} if released_by else {},
        member=Member(external_userid=who, name="张三", unionid=unionid, **came),
        person=Person(external_userid=who, **person),
        corp_gets_unionid=gets,
        inviter=inviter,
    )


def judge(given: MemberFacts, **settings: Any) -> Decision:
    rule = OtherCompany.model_validate({"rule": "other_company", **settings})
    event = MemberSeen(
        at=NOON, chat_id=given.group.chat_id, external_userid=given.member.external_userid, occasion="joined"
    )
    return rule.decide(event, given)


@pytest.mark.parametrize(
    ("given", "level"),
    [
        pytest.param(facts("woA", account="wecom", company="对手"), "certain", id="record says WeCom"),
        pytest.param(facts("wmA", account="wecom", company="对手"), "certain", id="record outweighs a wm id"),
        pytest.param(facts("woA", account="wechat"), "none", id="record outweighs a wo id"),
        pytest.param(facts("woA", unionid="u"), "none", id="only WeChat people have a unionid"),
        pytest.param(facts("woA"), "strong", id="wo id, nobody has added them (84061)"),
        pytest.param(facts("wmA"), "none", id="wm id, corp without unionids"),
        pytest.param(facts("wmA", unionid="u", gets=True), "none", id="wm id with its unionid"),
        pytest.param(facts("wmA", gets=True), "unknown", id="wm id without the unionid that WeChat people have here"),
        pytest.param(facts("zzA", gets=True), "strong", id="strange id, no unionid where WeChat people have one"),
        pytest.param(facts("zzA"), "unknown", id="strange id, corp without unionids"),
    ],
)
def test_evidence_has_levels(given: MemberFacts, level: str) -> None:
    """Certain, strong, unknown and none follow from the record, the unionid and the id, in that order."""
    assert weigh(given).level == level


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        pytest.param(
            facts(account="wecom", company="伙伴"), {"allow_companies": ["伙伴"]}, "「伙伴」是允许的公司", id="company"
        ),
        pytest.param(
            facts(account="wecom", company="伙伴", company_full_name="伙伴有限公司"),
            {"allow_companies": "伙伴有限公司"},
            "「伙伴有限公司」是允许的公司",
            id="company by its full name",
        ),
        pytest.param(facts("woA"), {"allow_people": ["woA"]}, "允许名单", id="person"),
        pytest.param(facts("woA"), {"allow_groups": ["*茶友*"]}, "不管「静安茶友1群」", id="group by pattern"),
        pytest.param(facts("woA"), {"allow_groups": "members"}, "不管", id="group by kind"),
        pytest.param(facts("woA"), {"groups": "vip"}, "不管", id="not a group of this rule"),
        pytest.param(facts("woA", released_by="王五"), {}, "王五 已放行", id="released"),
    ],
)
def test_who_is_allowed_is_let_be(given: MemberFacts, settings: dict[str, Any], words: str) -> None:
    """Allow-lists by company, person and group, and releases, outweigh any evidence; the answer says which did."""
    decision = judge(given, **settings)
    assert (decision.verdict, decision.actions) == ("miss", ())
    assert words in decision.because


def test_what_is_certain_is_not_asked_again() -> None:
    """Once the company is on record there is nothing more to learn."""
    decision = judge(facts(account="wecom", company="对手公司"))
    assert (decision.verdict, decision.actions) == ("hit", ())
    assert "对手公司" in decision.because


def test_an_unknown_company_leaves_a_doubt_where_some_are_allowed() -> None:
    """Nobody can tell a partner from a rival by an id: the card then says what to look at before removing."""
    assert "伙伴有限公司" in judge(facts("woA"), allow_companies=["伙伴有限公司"]).doubt
    assert judge(facts("woA")).doubt == ""


@pytest.mark.parametrize(
    ("came", "inviter", "at_the_wrong_door", "says"),
    [
        pytest.param({"join_scene": 3, "state": "door-7"}, "", True, "自己扫我们的码", id="our join way"),
        pytest.param({"join_scene": 3}, "", False, "", id="the group's own code"),
        pytest.param({"join_scene": 1, "invited_by": "zhaoliu"}, "赵六", False, "赵六 邀请", id="invited by staff"),
        pytest.param({"join_scene": 1}, "", False, "被邀请进来", id="invited by a customer"),
        pytest.param({"join_scene": 2}, "", False, "被邀请进来", id="followed a link"),
        pytest.param({}, "", False, "", id="nobody knows how"),
    ],
)
def test_the_wrong_door(came: dict[str, Any], inviter: str, at_the_wrong_door: bool, says: str) -> None:
    """Who came through our own code is told to scan again with WeChat and given time; who was invited in is not."""
    decision = judge(facts("woA", came=came, inviter=inviter))
    assert decision.verdict == "hit"
    assert says in decision.because
    assert bool(decision.words) == bool(decision.grace) == at_the_wrong_door
    assert judge(facts("woA", came=came), wrong_door="0秒").grace is None


def test_unknown_is_never_proof() -> None:
    """Who cannot be told apart is asked about again later, and nobody is asked to remove them."""
    decision = judge(facts("zzA"))
    assert decision.verdict == "unknown"
    assert [type(action) for action in decision.actions] == [CheckAgain]


def test_certain_evidence_can_be_demanded() -> None:
    """With `evidence: certain` an id alone is not enough; the record is."""
    assert judge(facts("woA"), evidence="certain").verdict == "unknown"
    assert judge(facts("woA", account="wecom"), evidence="certain").verdict == "hit"


def test_a_rule_signs_with_its_name() -> None:
    """Records hang on the rule's name, which is the rule's own where none is given."""
    assert judge(facts("woA")).rule == "other_company"
    assert judge(facts("woA"), name="防挖角").rule == "防挖角"
