"""Promise 7, for every rule there is: staff, allowed and released people, and groups that are not covered, are let be.

The rules are the examples of config.yaml; the facts are anything at all.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as some

from bot.config.read import read_config
from rules.book import AnyRule, Book
from rules.events import Event, GroupSeen, MemberGone, MemberReported, MemberSeen, MessagePosted
from rules.facts import (
    Block,
    Earlier,
    Facts,
    Group,
    GroupFacts,
    Member,
    MemberFacts,
    MessageFacts,
    Person,
    Removed,
    ReportFacts,
    Stay,
)
from rules.rule import AnyRuleOf
from rules.text import normalise, shape

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SEED = int(os.environ["STEWARD_SEED"])
RULES = read_config(Path(__file__).parents[2] / "config.yaml", Book).rules
WHO = some.sampled_from(["woA", "wmA", "zzA"])
NAMES = some.sampled_from(["会员1群", "会员2群", "VIP·林小满", "闲聊", "[", "*"])
MOMENTS = some.sampled_from([0, 1, 3, 9, 60, 12 * 60, 60 * 24 * 20]).map(lambda ago: NOON - timedelta(minutes=ago))
MAYBE = some.none() | MOMENTS
STAFF = some.sampled_from(["wangwu", "zhaoliu", "sunqi"])


def _strings(value: Any) -> Iterator[str]:
    """All the words in a rule's settings."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _strings(each)


WORDS = sorted({word for rule in RULES for word in _strings(rule.model_dump(mode="json"))})
TEXTS = some.sampled_from(
    [*WORDS, "你好", "加我微信 13812345678", "https://ads.example.com/x", "兼职刷单，日结", "好" * 999]
)
GROUPS = some.builds(
    Group,
    chat_id=some.sampled_from(["wr1", "wr2", "wr3"]),
    name=NAMES,
    kind=some.sampled_from(["members", "vip", "newcomers", "other"]),
    owner=STAFF,
)
STAYS = some.builds(
    Stay,
    group=GROUPS,
    joined_at=MAYBE,
    left_at=MAYBE,
    quit_scene=some.sampled_from([None, 0, 1]),
    assigned=some.booleans(),
)

GLANCES = some.builds(  # in and out at once: too rare among all stays
    Stay,
    group=GROUPS,
    joined_at=some.just(NOON - timedelta(minutes=12)),
    left_at=some.just(NOON - timedelta(minutes=9)),
    quit_scene=some.just(0),
)


def members(who: str) -> some.SearchStrategy[Member]:
    return some.builds(
        Member,
        external_userid=some.just(who),
        name=TEXTS,
        joined_at=MAYBE,
        join_scene=some.sampled_from([None, 1, 2, 3]),
        invited_by=some.none() | STAFF,
        state=some.sampled_from([None, "door-1"]),
        unionid=some.sampled_from([None, "o1"]),
    )


def persons(who: str) -> some.SearchStrategy[Person]:
    accounts = some.sampled_from(["wechat", "wecom", "unknown"])
    companies = some.sampled_from(["", "合作伙伴有限公司", "对手公司"])
    return some.builds(Person, external_userid=some.just(who), account=accounts, company=companies)


@some.composite
def member_facts(draw: some.DrawFn) -> MemberFacts:
    who, group = draw(WHO), draw(GROUPS)
    member = draw(members(who))
    here = Stay(group=group, joined_at=member.joined_at)
    return MemberFacts(
        group=group,
        subject=who,
        member=member,
        person=draw(persons(who)),
        corp_gets_unionid=draw(some.booleans()),
        stays=(*draw(some.lists(STAYS | GLANCES, max_size=5)), here),
        blocked=draw(some.none() | some.builds(Block, by=STAFF, at=MOMENTS, because=TEXTS)),
        removed=draw(some.none() | some.builds(Removed, rule=TEXTS, group=NAMES, at=MOMENTS)),
        inviter=draw(some.sampled_from(["", "王五", "路人"])),
        last_advert_at=draw(MAYBE),
    )


@some.composite
def message_facts(draw: some.DrawFn) -> MessageFacts:
    text = draw(TEXTS)
    earlier = some.builds(Earlier, at=MOMENTS, shape=some.just(shape(normalise(text))), length=some.integers(0, 50))
    return MessageFacts(
        group=draw(GROUPS),
        subject=draw(WHO),
        text=text,
        plain=normalise(text),
        joined_at=draw(MAYBE),
        earlier=tuple(draw(some.lists(earlier, max_size=30))),
        found=draw(some.dictionaries(some.sampled_from(["keywords", "links", "patterns"]), TEXTS, max_size=2)),
    )


FACTS: Mapping[type[Event], some.SearchStrategy[Facts]] = {
    MemberSeen: member_facts(),
    MemberGone: member_facts(),
    GroupSeen: some.builds(
        GroupFacts,
        group=GROUPS,
        size=some.integers(0, 500),
        staff=some.lists(STAFF, unique=True).map(tuple),
        names=some.just({"wangwu": "王五"}),
        notice=some.none() | TEXTS,
        owner_before=some.just("") | STAFF,
        name_before=some.just("") | NAMES,
    ),
    MessagePosted: message_facts(),
    MemberReported: some.builds(ReportFacts, group=GROUPS, subject=WHO, reporters=some.integers(0, 9)),
}


def event_of(family: type[Event], facts: Facts, occasion: str) -> Event:
    """An event of this family about these facts."""
    values = {
        "at": NOON,
        "chat_id": facts.group.chat_id,
        "external_userid": facts.subject,
        "occasion": occasion,
        "quit_scene": 0,
        "reporter": "somebody",
        "msgid": "m1",
        "sender": facts.subject,
        "text": getattr(facts, "text", ""),
    }
    return family.model_validate({name: value for name, value in values.items() if name in family.model_fields})


QUESTIONS = some.sampled_from([(rule, family) for rule in RULES for family in rule.about])
OCCASIONS = some.sampled_from(["joined", "inside", "checked"])
LET_BE = some.sampled_from(["staff", "allowed", "released", "not covered", "left out"])


def let_be(rule: AnyRuleOf, facts: Facts, why: str) -> tuple[AnyRuleOf, Facts]:
    """The same rule and facts, with one reason to let be; the rule covers every group unless that is the reason."""
    rule = rule.model_copy(update={"groups": ("all",), "allow_groups": ()})
    match why:
        case "staff":
            return rule, facts.model_copy(update={"is_staff": True})
        case "allowed":
            return rule.model_copy(update={"allow_people": ("x", facts.subject)}), facts
        case "released":
            return rule, facts.model_copy(update={"released": {rule.title: "王五"}})
        case "not covered":
            return rule.model_copy(update={"groups": ("no such kind", "没有*")}), facts
    return rule.model_copy(update={"allow_groups": (facts.group.kind,)}), facts


@seed(SEED)
@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUESTIONS, OCCASIONS, LET_BE, some.data())
def test_they_are_let_be(
    question: tuple[AnyRuleOf, type[Event]], occasion: str, why: str, data: some.DataObject
) -> None:
    """Whatever the rule, the event and the facts: never a hit, nothing asked of anybody, and the reason is told."""
    rule, family = question
    rule, facts = let_be(rule, data.draw(FACTS[family]), why)
    decision = rule.decide(event_of(family, facts, occasion), facts)
    assert (decision.verdict, decision.actions) == ("miss", ())
    assert decision.because


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.title))
def test_others_are_not(rule: AnyRuleOf) -> None:
    """With no reason to let be, such facts do lead to hits of every rule: the promise above is not empty."""

    def is_hit(case: tuple[type[Event], Facts]) -> bool:
        family, facts = case
        return open_rule.decide(event_of(family, facts, "joined"), facts).verdict == "hit"

    open_rule = rule.model_copy(update={"groups": ("all",), "allow_groups": ()})
    cases = some.sampled_from(rule.about).flatmap(lambda family: some.tuples(some.just(family), FACTS[family]))
    how = settings(max_examples=5_000, deadline=None, database=None, phases=[Phase.generate])  # any will do: not shrunk
    family, facts = find(cases, is_hit, settings=how, random=Random(SEED))
    assert family in rule.about
    assert facts.subject not in rule.allow_people


def test_every_rule_has_an_example() -> None:
    """config.yaml shows each rule there is, and so each is tested here."""
    members = get_args(get_args(AnyRule)[0])
    assert {type(rule) for rule in RULES} == set(members)
