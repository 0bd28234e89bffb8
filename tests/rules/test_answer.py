"""What a hit leads to: each of the four points of rules/answer.py, their order, and the strongest of several."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as some

from rules.actions import AskForRemoval, BlockPerson, CheckAgain, WarnStaff
from rules.answer import Record, answer, counts, strongest
from rules.decision import Came, Decision
from rules.group_hopper import GroupHopper

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HIT = Decision(
    rule="r",
    verdict="hit",
    because="因为",
    subject="wmA",
    chat_id="wr1",
    doubt="先看看",
    words="请换微信",
    grace=timedelta(minutes=30),
)
SEED = int(os.environ["STEWARD_SEED"])


def rule(**more: Any) -> GroupHopper:
    """The settings that all rules share; which rule it is does not matter here."""
    return GroupHopper.model_validate({"rule": "group_hopper", "most_a_day": None, **more})


def ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


@pytest.mark.parametrize("verdict", ["miss", "unknown"])
def test_only_a_hit_leads_to_anything(verdict: str) -> None:
    """A miss, or what nobody knows, stays as it is: its own actions, no step, no strike."""
    decision = HIT.model_copy(update={"verdict": verdict, "actions": (CheckAgain(external_userid="wmA"),)})
    assert answer(rule(then=["提醒", "拉黑"]), decision, Record(strikes=5), NOON) == decision


@pytest.mark.parametrize(
    ("then", "strikes", "came_to", "note"),
    [
        pytest.param("移出", 0, "remove", "", id="one step"),
        pytest.param("移出", 7, "remove", "", id="one step, however often"),
        pytest.param(["提醒", "提醒", "移出", "拉黑"], 0, "warn", "第 1 次", id="first"),
        pytest.param(["提醒", "提醒", "移出", "拉黑"], 1, "warn", "第 2 次", id="second"),
        pytest.param(["提醒", "提醒", "移出", "拉黑"], 2, "remove", "第 3 次", id="third"),
        pytest.param(["提醒", "提醒", "移出", "拉黑"], 3, "block", "第 4 次", id="fourth"),
        pytest.param(["提醒", "提醒", "移出", "拉黑"], 9, "block", "第 10 次", id="the last one stays"),
        pytest.param(["仅观察", "移出"], 0, "observe", "第 1 次", id="observed at first"),
    ],
)
def test_strikes_choose_the_step(then: object, strikes: int, came_to: str, note: str) -> None:
    """So many strikes that have not faded, so far into `then`; the reason says which offence it is."""
    decision = answer(rule(then=then), HIT, Record(strikes=strikes, last_at=ago(999)), NOON)
    assert decision.came_to == came_to
    assert decision.because == (f"因为（{note}）" if note else "因为")


@pytest.mark.parametrize(
    ("came_to", "kinds"),
    [
        ("仅观察", []),
        ("提醒", [WarnStaff]),
        ("移出", [AskForRemoval]),
        ("拉黑", [BlockPerson, AskForRemoval]),
    ],
)
def test_every_step_has_its_actions(came_to: str, kinds: list[type]) -> None:
    """Observing asks nothing of anybody; blocking also asks for the removal from here. A rule's own actions follow."""
    own = CheckAgain(external_userid="wmA")
    decision = answer(rule(then=came_to), HIT.model_copy(update={"actions": (own,)}), Record(), NOON)
    assert [type(action) for action in decision.actions] == [*kinds, CheckAgain]
    for action in decision.actions:
        if isinstance(action, AskForRemoval):
            assert (action.doubt, action.words, action.grace) == ("先看看", "请换微信", timedelta(minutes=30))
            assert not action.held
        if isinstance(action, WarnStaff):
            assert action.words == "请换微信"
        if isinstance(action, BlockPerson):
            assert action.because == "因为"


@pytest.mark.parametrize(
    ("last_at", "came_to"),
    [
        pytest.param(None, "warn", id="never before"),
        pytest.param(ago(0), "repeat", id="just now"),
        pytest.param(ago(59.9), "repeat", id="within"),
        pytest.param(ago(60), "remove", id="just over"),
    ],
)
def test_within_the_cool_down_nothing_more_happens(last_at: datetime | None, came_to: str) -> None:
    """Another offence within `cool_down` of the last strike is written down, no strike, and bothers nobody."""
    before = Record(strikes=1 if last_at else 0, last_at=last_at)
    decision = answer(rule(then=["提醒", "移出"], cool_down="1小时"), HIT, before, NOON)
    assert decision.came_to == came_to
    assert decision.strikes == before.strikes + (came_to != "repeat")
    assert bool(decision.actions) == (came_to != "repeat")


@pytest.mark.parametrize(
    ("then", "asked_today", "came_to"),
    [
        pytest.param("移出", 1, "remove", id="below the cap"),
        pytest.param("移出", 2, "held", id="at the cap"),
        pytest.param("拉黑", 2, "held", id="blocking is removal"),
        pytest.param("提醒", 99, "warn", id="warnings are not capped"),
        pytest.param("仅观察", 99, "observe", id="observing is not"),
    ],
)
def test_a_runaway_rule_is_held(then: str, asked_today: int, came_to: str) -> None:
    """Beyond `most_a_day` a removal waits for a manager: it is asked for as held, and nobody is blocked."""
    decision = answer(rule(then=then, most_a_day=2), HIT, Record(asked_today=asked_today), NOON)
    assert decision.came_to == came_to
    if came_to == "held":
        assert [(type(each), getattr(each, "held", None)) for each in decision.actions] == [(AskForRemoval, True)]
        assert "已请移出 2 人" in decision.because


@pytest.mark.parametrize("same", ["observe", "warn", "remove", "block", "repeat", "held"])
def test_the_same_offence_goes_before_everything(same: Came) -> None:
    """Found again it leads to what it led to, whatever strikes, cool-down and cap would say of a new one."""
    strict = rule(then=["提醒", "拉黑"], cool_down="1小时", most_a_day=1)
    before = Record(strikes=3, last_at=ago(1), same=same, asked_today=99)
    assert answer(strict, HIT, before, NOON).came_to == same


def test_the_cool_down_goes_before_the_cap() -> None:
    """Within the cool-down nobody is bothered, not even a manager about the cap."""
    strict = rule(then="移出", cool_down="1小时", most_a_day=1)
    assert answer(strict, HIT, Record(strikes=1, last_at=ago(1), asked_today=99), NOON).came_to == "repeat"


@pytest.mark.parametrize(
    ("more", "counted"),
    [
        ({"then": "仅观察"}, False),
        ({"then": "仅观察", "cool_down": "1天", "most_a_day": 1}, False),
        ({"then": "移出"}, False),
        ({"then": "拉黑"}, False),
        ({"then": "提醒"}, True),
        ({"then": "移出", "cool_down": "1天"}, True),
        ({"then": "移出", "most_a_day": 5}, True),
        ({"then": ["仅观察", "移出"]}, True),
    ],
)
def test_what_counts_as_a_strike(more: dict[str, Any], counted: bool) -> None:
    """A rule that only observes holds nothing against anybody; one that leads to a case has the case."""
    assert counts(rule(**more)) == counted
    assert answer(rule(**more), HIT, Record(), NOON).strikes == int(counted)


@pytest.mark.parametrize(
    ("came", "step"),
    [
        ([], None),
        (["observe", "repeat", ""], None),
        (["observe", "warn"], "warn"),
        (["warn", "held"], "remove"),
        (["held", "warn", "remove"], "remove"),
        (["remove", "block", "warn"], "block"),
    ],
)
def test_of_several_the_strongest_is_taken(came: list[Came], step: str | None) -> None:
    """One person, several rules: the strongest step, whatever the order; None where nobody is asked for anything."""
    decisions = [HIT.model_copy(update={"came_to": each}) for each in came]
    assert strongest(decisions) == strongest(decisions[::-1]) == step


RULES = some.builds(
    rule,
    then=some.lists(some.sampled_from(["observe", "warn", "remove", "block"]), min_size=1, max_size=4),
    cool_down=some.sampled_from(["0秒", "1小时", "30天"]),
    most_a_day=some.none() | some.integers(1, 3),
)
RECORDS = some.builds(
    Record,
    strikes=some.integers(0, 6),
    last_at=some.none() | some.integers(0, 100_000).map(ago),
    same=some.sampled_from(["", "", "observe", "warn", "remove", "block", "repeat", "held"]),
    asked_today=some.integers(0, 5),
)


@seed(SEED)
@settings(max_examples=300, deadline=None, database=None)
@given(RULES, RECORDS)
def test_the_same_hit_again_changes_nothing(strict: GroupHopper, before: Record) -> None:
    """Strikes never sink and rise by one at most; what an offence came to, it comes to again, with the same strikes."""
    first = answer(strict, HIT, before, NOON)
    assert first.came_to
    assert 0 <= before.strikes <= first.strikes <= before.strikes + 1
    again = answer(strict, HIT, before.model_copy(update={"same": first.came_to}), NOON + timedelta(days=1))
    assert (again.came_to, again.strikes, again.actions) == (first.came_to, first.strikes, first.actions)


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(RULES, some.lists(some.integers(0, 40 * 24 * 60), min_size=1, max_size=8))
def test_strikes_over_a_life(strict: GroupHopper, minutes: list[int]) -> None:
    """Offence after offence, with strikes that fade: never negative, and never more than there were offences."""
    strikes: list[datetime] = []
    for offences, minute in enumerate(sorted(minutes), start=1):
        now = NOON + timedelta(minutes=minute)
        alive = [at for at in strikes if at > now - strict.forget_after]
        decision = answer(strict, HIT, Record(strikes=len(alive), last_at=alive[-1] if alive else None), now)
        assert 0 <= decision.strikes <= offences
        if decision.strikes > len(alive):
            strikes.append(now)
