"""Rule `advert_and_leave`: adverts by those who have just come, or are gone at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from rules.advert_and_leave import AdvertAndLeave
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberGone, MemberSeen
from rules.facts import Group, Member, MemberFacts, Person

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FLOOD, LINKS, NAMED = {"rule": "flood"}, {"rule": "links"}, {"rule": "keywords", "name": "广告词", "words": "刷单"}
RULE = {"rule": "advert_and_leave"}


@pytest.mark.parametrize(
    ("rules", "found", "joined", "verdict", "because"),
    [
        pytest.param([LINKS, RULE], {"links": "发了链接"}, 2, "hit", "进群 2分钟就发广告：发了链接", id="just came"),
        pytest.param([NAMED, RULE], {"广告词": "有「刷单」"}, 2, "hit", "有「刷单」", id="a rule with a name"),
        pytest.param([LINKS, RULE], {"links": "x"}, 10, "hit", "10分钟", id="on the edge"),
        pytest.param([LINKS, RULE], {"links": "x"}, -1, "hit", "进群 0秒", id="clocks differ"),
        pytest.param([LINKS, RULE], {"links": "x"}, 11, "miss", "进群已经 11分钟", id="has been here a while"),
        pytest.param(
            [LINKS, RULE], {"links": "x"}, None, "miss", "不知道TA什么时候进的群", id="nobody knows since when"
        ),
        pytest.param([LINKS, RULE], {}, 2, "miss", "不是广告", id="no advert"),
        pytest.param([FLOOD, RULE], {"flood": "x"}, 2, "miss", "不是广告", id="flooding is no advert"),
        pytest.param([FLOOD, {**RULE, "adverts": "flood"}], {"flood": "x"}, 2, "hit", "就发广告", id="unless so set"),
        pytest.param(
            [LINKS, NAMED, {**RULE, "adverts": "广告词"}], {"links": "x"}, 2, "miss", "", id="only those named"
        ),
        pytest.param([LINKS, {**RULE, "soon_after_joining": "0秒"}], {"links": "x"}, 0, "miss", "", id="switched off"),
    ],
)
def test_adverts_soon_after_joining(
    about_message: Any, rules: list[Any], found: dict[str, str], joined: int | None, verdict: str, because: str
) -> None:
    """What a rule above found is an advert; soon after joining it is a hit, with that rule's words."""
    joined_at = None if joined is None else NOON - joined * MINUTE
    decision = about_message(rules, "刷单", found=found, joined_at=joined_at)
    assert decision.verdict == verdict
    assert because in decision.because
    assert decision.offence == ("m7" if verdict == "hit" else "")


def gone(advert: int | None, quit_scene: int | None = 0, **settings: Any) -> Decision:
    rule = AdvertAndLeave.model_validate({**RULE, **settings})
    facts = MemberFacts(
        group=Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu"),
        subject="wmA",
        member=Member(external_userid="wmA"),
        person=Person(external_userid="wmA"),
        last_advert_at=None if advert is None else NOON - advert * MINUTE,
    )
    return rule.decide(MemberGone(at=NOON, chat_id="wr1", external_userid="wmA", quit_scene=quit_scene), facts)


@pytest.mark.parametrize(
    ("advert", "more", "verdict", "because"),
    [
        pytest.param(3, {}, "hit", "发完广告 3分钟就退了群", id="gone at once"),
        pytest.param(10, {}, "hit", "10分钟", id="on the edge"),
        pytest.param(11, {}, "miss", "发广告 11分钟以后的事", id="later"),
        pytest.param(None, {}, "miss", "没有发过广告", id="never advertised"),
        pytest.param(3, {"quit_scene": 1}, "miss", "是被移出的", id="was removed"),
        pytest.param(3, {"leaves_within": "0秒"}, "miss", "", id="switched off"),
    ],
)
def test_leaving_after_an_advert(advert: int | None, more: dict[str, Any], verdict: str, because: str) -> None:
    """Who leaves by themselves within minutes of an advert is a hit."""
    decision = gone(advert, **more)
    assert decision.verdict == verdict
    assert because in decision.because


def test_one_advert_is_one_offence() -> None:
    """Leaving again after the same advert is nothing new; after another one it is."""
    assert gone(3).offence == gone(3).offence != gone(4).offence


def test_rules_that_tell_adverts_stand_above() -> None:
    """A name in `adverts` that no rule above has is a mistake: the rule would never hit."""
    with pytest.raises(ValidationError, match="本规则上面没有叫「广告词」的规则"):
        Book.model_validate({"rules": [{**RULE, "adverts": "广告词"}, NAMED]})
    Book.model_validate({"rules": [NAMED, {**RULE, "adverts": "广告词"}]})


def test_it_is_asked_only_about_what_it_is_about() -> None:
    """Being asked about anything else is a mistake of the program, and is not passed over."""
    event = MemberSeen(at=NOON, chat_id="wr1", external_userid="wmA", occasion="joined")
    group = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
    facts = MemberFacts(group=group, member=Member(external_userid="wmA"), person=Person(external_userid="wmA"))
    with pytest.raises(TypeError):
        AdvertAndLeave.model_validate(RULE).judge(event, facts)  # type: ignore[arg-type]  # the mistake that is meant
