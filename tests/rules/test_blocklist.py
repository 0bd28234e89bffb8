"""Rule `blocklist`: the three ways onto it, and what a manager reads."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules.blocklist import Blocklist
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Block, Group, Member, MemberFacts, Person, Removed
from rules.invite_guard import InviteGuard
from rules.one_group_each import OneGroupEach

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEA = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
BLOCKED = Block(by="李华", at=NOON, because="发广告")
REMOVED = Removed(rule="other_company", group="徐汇茶友群", at=NOON)


def facts(**more: Any) -> MemberFacts:
    member = Member(external_userid="wmA", name="张三", unionid="oA")
    return MemberFacts(group=TEA, subject="wmA", member=member, person=Person(external_userid="wmA"), **more)


def judge(given: MemberFacts, **more: Any) -> Decision:
    rule = Blocklist.model_validate({"rule": "blocklist", **more})
    return rule.decide(MemberSeen(at=NOON, chat_id="wr1", external_userid="wmA", occasion="joined"), given)


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        pytest.param(facts(blocked=BLOCKED), {}, "李华 2026-11-23 12:00 拉黑：发广告", id="on the list"),
        pytest.param(
            facts(removed=REMOVED), {}, "因规则「other_company」被移出过「徐汇茶友群」", id="taken out before"
        ),
        pytest.param(facts(), {"people": "wmA"}, "people", id="in the config by external_userid"),
        pytest.param(facts(), {"people": ["x", "oA"]}, "people", id="in the config by unionid"),
        pytest.param(facts(blocked=BLOCKED), {"removed_people": "否"}, "李华", id="on the list, whatever else"),
        pytest.param(facts(blocked=BLOCKED, removed=REMOVED), {}, "李华", id="the list says more than the removal"),
    ],
)
def test_who_is_on_it(given: MemberFacts, more: dict[str, Any], words: str) -> None:
    """The list, the config, and a removal for cause are three ways onto it; the reason says which, by whom and when."""
    decision = judge(given, **more)
    assert decision.verdict == "hit"
    assert words in decision.because


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        pytest.param(facts(), {}, "也没有被移出过", id="nothing known"),
        pytest.param(facts(), {"people": "wmB"}, "也没有被移出过", id="somebody else"),
        pytest.param(facts(removed=REMOVED), {"removed_people": "否"}, "本规则不管", id="removals do not count here"),
        pytest.param(facts(blocked=BLOCKED), {"allow_people": "wmA"}, "允许名单", id="allowed"),
        pytest.param(facts(blocked=BLOCKED, released={"blocklist": "王五"}), {}, "王五 已放行", id="released"),
    ],
)
def test_who_is_not(given: MemberFacts, more: dict[str, Any], words: str) -> None:
    """Nobody else is hit; people who are allowed or released are not, even where they are on the list."""
    decision = judge(given, **more)
    assert decision.verdict == "miss"
    assert words in decision.because


def test_a_block_without_a_reason_is_told_as_it_is() -> None:
    """No dangling colon where nobody wrote why."""
    because = judge(facts(blocked=Block(by="CSV", at=NOON, because=""))).because
    assert because.endswith("CSV 2026-11-23 12:00 拉黑")


def test_without_a_member_unionid_nothing_matches_nothing() -> None:
    """Who has no unionid is not everybody without one: an empty id in the config fits nobody."""
    given = facts().model_copy(update={"member": Member(external_userid="wmA")})
    assert judge(given, people=[""]).verdict == "miss"


def test_rules_that_only_put_in_order_are_no_cause() -> None:
    """Who was sent to their other group, or was to scan, is welcome back: that is held against nobody."""
    assert Blocklist.for_cause
    assert not OneGroupEach.for_cause
    assert not InviteGuard.for_cause


# --- in the book ------------------------------------------------------------------------------------------------------


def test_the_list_is_in_force_even_where_it_is_not_written() -> None:
    """拉黑 by other rules and by hand works without the rule; but only the list, not removals, counts then."""
    (written, unwritten) = Book.model_validate({"rules": [{"rule": "other_company"}]}).in_force
    assert (written.title, unwritten.title) == ("other_company", "blocklist")
    event = MemberSeen(at=NOON, chat_id="wr1", external_userid="wmA", occasion="joined")
    assert unwritten.decide(event, facts(blocked=BLOCKED)).verdict == "hit"
    assert unwritten.decide(event, facts(removed=REMOVED)).verdict == "miss"


def test_a_written_list_is_the_only_one() -> None:
    """Whatever it is called: nothing is added to what the manager wrote."""
    book = Book.model_validate({"rules": [{"rule": "blocklist", "name": "黑名单", "groups": "vip"}]})
    assert [rule.title for rule in book.in_force] == ["黑名单"]


def test_no_other_rule_takes_its_name() -> None:
    """Records of the list hang on its name."""
    with pytest.raises(ValidationError, match="是黑名单规则的名字"):
        Book.model_validate({"rules": [{"rule": "other_company", "name": "blocklist"}]})
