"""What a check-in promised whoever began: later rules hold only where they are better for them."""

from datetime import timedelta
from typing import Any

import pytest

from rules.checkin_promise import as_promised, number_of, promise_of
from rules.checkins import Checkin

DAYS = [{"theme": f"第 {number} 课"} for number in range(1, 8)]


def course(**more: Any) -> Checkin:
    return Checkin.model_validate({"name": "c", "to": "newcomers", "days": DAYS, **more})


MONEY = {7: {"money": "5元", "stock": 10}}


@pytest.mark.parametrize(
    ("then", "later", "holds"),
    [
        ({"rewards": MONEY}, {}, {7: (500, 10)}),
        ({"rewards": MONEY}, {"rewards": {7: {"money": "2元", "stock": 10}}}, {7: (500, 10)}),
        ({"rewards": MONEY}, {"rewards": {7: {"money": "5元", "stock": 9}}}, {7: (500, 10)}),
        ({"rewards": MONEY}, {"rewards": {7: {"money": "9元", "stock": 9}}}, {7: (500, 10)}),
        ({"rewards": MONEY}, {"rewards": {7: {"money": "6元", "stock": 10}}}, {7: (600, 10)}),
        ({"rewards": MONEY}, {"rewards": {7: {"money": "5元"}}}, {7: (500, None)}),
        ({"rewards": MONEY}, {"rewards": {7: {"points": 1000}}}, {7: (500, 10)}),
        ({"rewards": MONEY}, {"rewards": {3: {"money": "1元"}}}, {3: (100, None), 7: (500, 10)}),
    ],
)
def test_rewards_only_get_better(then: dict[str, Any], later: dict[str, Any], holds: dict[int, Any]) -> None:
    """Worth more or more of them, and never less of either; another kind of thing, or none, changes nothing."""
    found = as_promised(course(**later), promise_of(course(**then)))
    assert {days: (reward.money, reward.stock) for days, reward in found.rewards.items()} == holds


def test_the_other_rules_only_get_better_too() -> None:
    """Cards, leave and grace do not shrink, and no more days are asked for."""
    then = course(make_up_cards=2, leave_days=1, grace="1小时", enough=5, make_up_counts=True)
    worse = course(make_up_cards=0, leave_days=0, grace="0分钟", enough=7, make_up_counts=False)
    held = as_promised(worse, promise_of(then))
    assert (held.make_up_cards, held.leave_days, held.grace, held.target) == (2, 1, timedelta(hours=1), 5)
    assert held.make_up_counts
    better = as_promised(course(make_up_cards=3, grace="2小时", enough=4), promise_of(then))
    assert (better.make_up_cards, better.leave_days, better.grace, better.target) == (3, 1, timedelta(hours=2), 4)


def test_how_days_are_counted_stays() -> None:
    """Whoever began to count all days does not have to do them in a row."""
    then = course(count="cumulative", within=20)
    held = as_promised(course(), promise_of(then))
    assert (held.count, held.lasts) == ("cumulative", 20)


def test_what_has_nothing_to_do_with_the_promise_is_as_it_is_written() -> None:
    """Texts, groups and reminders are the config's of today; without a promise everything is."""
    held = as_promised(course(title="新的名字"), promise_of(course(title="老的")))
    assert (held.title, held.plan) == ("新的名字", course().plan)
    assert as_promised(course(make_up_cards=0), {}).make_up_cards == 0


def test_the_same_rules_have_the_same_number() -> None:
    """And others another one."""
    assert number_of(promise_of(course())) == number_of(promise_of(course(title="别的")))
    assert number_of(promise_of(course())) != number_of(promise_of(course(make_up_cards=4)))
    assert number_of({}) == ""
