"""Rule `nickname`: adverts and rivals' brands in what people call themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person
from rules.nickname import Nickname

SETTINGS = {"words": ["代购"], "brands": ["茗香阁", "TeaOne"], "patterns": [r"1[3-9]\d{9}"]}


def named(name: str, **settings: Any) -> Decision:
    rule = Nickname.model_validate({"rule": "nickname", **(settings or SETTINGS)})
    if rule.word_files:
        rule = rule.with_words(dict.fromkeys(rule.word_files, "微商\n"))
    group = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
    member, person = Member(external_userid="wmA", name=name), Person(external_userid="wmA")
    event = MemberSeen(at=datetime(2026, 11, 23, tzinfo=UTC), chat_id="wr1", external_userid="wmA", occasion="joined")
    return rule.decide(event, MemberFacts(group=group, subject="wmA", member=member, person=person))


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("小王🌸代-購", "昵称「小王🌸代-購」里有「代-購」（代购）"),
        ("茗香阁-小李", "里有对手的品牌「茗香阁」"),
        ("ＴｅａＯｎｅ店长", "里有对手的品牌「ＴｅａＯｎｅ」（TeaOne）"),
        ("小美①③⑧00138000", "「①③⑧00138000」合正则表达式"),
        ("代购 茗香阁", "对手的品牌"),
    ],
)
def test_hits(name: str, because: str) -> None:
    """What is found is shown as written; the offence is the name, so the same one is one offence in every group."""
    decision = named(name)
    assert (decision.verdict, decision.offence) == ("hit", name)
    assert because in decision.because
    assert decision.words


@pytest.mark.parametrize(("name", "because"), [("林小满", "没有问题"), ("", "没有昵称"), ("🌸", "没有问题")])
def test_misses(name: str, because: str) -> None:
    """An ordinary name, or none, is let be."""
    decision = named(name)
    assert (decision.verdict, decision.offence) == ("miss", "")
    assert because in decision.because


def test_words_may_come_from_files() -> None:
    """Likewise as for messages."""
    assert named("微 商 小李", word_files="a.txt").verdict == "hit"


def test_a_rule_that_looks_for_nothing_is_refused() -> None:
    """At least one of its lists has something in it."""
    with pytest.raises(ValidationError, match="至少写一样"):
        Nickname.model_validate({"rule": "nickname"})
