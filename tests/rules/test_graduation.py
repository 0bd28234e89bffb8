"""The end of a journey on values: where to, with which tags, and what is said of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules.checkin_rewards import cost_of, earned, kind_of, money_of
from rules.checkins import Checkin, Reward
from rules.graduation import Leaver, entrance_for, say_dropped, say_graduated, say_leavers, tags_from

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def checkin(**fields: Any) -> Checkin:
    question = {"text": "喝什么茶？", "options": {"绿茶": "喜好/绿茶", "都行": ""}}
    days = [{"theme": f"主题{n + 1}"} | ({"question": question} if n == 1 else {}) for n in range(7)]
    return Checkin.model_validate({"name": "newcomer-7", "to": "newcomers", "days": days} | fields)


TO = {"喜好/绿茶": "green-door", "红茶": "red-door", "else": "members-door"}


@pytest.mark.parametrize(
    ("tags", "entrance"),
    [
        (["喜好/绿茶"], "green-door"),
        (["绿茶"], "green-door"),
        (["喜好/红茶"], "red-door"),
        (["喜好/红茶", "绿茶"], "green-door"),
        (["白茶"], "members-door"),
        ([], "members-door"),
    ],
)
def test_graduates_are_invited_where_they_fit(tags: list[str], entrance: str) -> None:
    """The first that fits in the order written, with the tag's group or without; the others have one, too."""
    assert entrance_for(checkin(graduate_to=TO), tags) == entrance


def test_without_a_place_for_the_others_nobody_is_invited() -> None:
    """Who fits nowhere is invited nowhere."""
    assert entrance_for(checkin(graduate_to={"绿茶": "green-door"}), ["红茶"]) == ""
    assert entrance_for(checkin(), ["红茶"]) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"graduate_tag": "七日打卡/"},
        {"days": [{"theme": "茶", "question": {"text": "喝什么？", "options": {"绿茶": "/绿茶", "红茶": ""}}}]},
        {"days": [{"theme": "茶", "question": {"text": "喝什么？", "options": {"绿茶": "长" * 31, "红茶": ""}}}]},
    ],
)
def test_what_can_be_no_tag_is_refused(fields: dict[str, Any]) -> None:
    """A tag that WeCom could never have is told when the config is read, not when somebody graduates."""
    with pytest.raises(ValidationError, match="标签"):
        checkin(**fields)


def test_answers_set_tags() -> None:
    """The option that was chosen gives its tag, with whence; one without a tag, and an answer to no question, none."""
    assert tags_from(checkin(title="打卡"), {2: "绿茶"}) == {"喜好/绿茶": "「打卡」第 2 天：喝什么茶？ 绿茶"}
    assert tags_from(checkin(), {2: "都行", 1: "绿茶", 9: "绿茶"}) == {}


def test_why_a_journey_is_over() -> None:
    """Each end has its own words."""
    assert say_graduated(checkin(), 7) == "连续打了 7 天，毕业了"
    assert say_graduated(checkin(count="累计"), 7) == "一共打了 7 天，毕业了"
    assert say_dropped(2, NOW, inside=True) == "打了 2 天，11月23日以后再没有打卡"
    assert say_dropped(0, None, inside=True) == "一天也没有打卡"
    assert say_dropped(2, NOW, inside=False) == "已经不在群里了"


def test_the_owner_is_told_who_may_make_room() -> None:
    """Graduates and others apart, by name, no more than twenty of each."""

    def leaver(number: int, *, graduated: bool) -> Leaver:
        who = f"wm{number}"
        because = "毕业了" if graduated else "一天也没有打卡"
        return Leaver(
            chat_id="wr1",
            group="新人1群",
            external_userid=who,
            name=f"客{number}",
            graduated=graduated,
            because=because,
            since=NOW,
        )

    many = [leaver(each, graduated=True) for each in range(21)]
    title, text = say_leavers(checkin(title="打卡"), "新人1群", [*many, leaver(99, graduated=False)])
    assert title == "「新人1群」有 22 位可以请出群了"
    assert "毕业 21 位（客0、" in text
    assert "客19等）" in text
    assert "客20" not in text
    assert "没走完 1 位（客99）" in text


def test_milestones_are_earned_as_they_are_reached() -> None:
    """All up to what was reached, in order."""
    rules = checkin(rewards={7: {"points": 30}, 1: {"points": 5}, 3: {"money": "2元"}})
    assert [earned(rules, reached) for reached in (0, 1, 3, 6, 9)] == [(), (1,), (1, 3), (1, 3), (1, 3, 7)]


@pytest.mark.parametrize(
    ("fields", "kind", "cost"),
    [
        ({"money": "2元"}, "money", 200),
        ({"coupon": "content/券.xlsx", "value": "10元"}, "coupon", 1000),
        ({"ticket": "friday"}, "ticket", 0),
        ({"points": 5}, "points", 0),
    ],
)
def test_what_a_reward_is_and_costs(fields: dict[str, Any], kind: str, cost: int) -> None:
    """Money costs what it is, a coupon what it is said to be worth; the rest costs nothing."""
    reward = Reward.model_validate(fields)
    assert (kind_of(reward), cost_of(reward)) == (kind, cost)


def test_the_organiser_bears_the_tax_of_a_red_packet() -> None:
    """Whoever checks in gets all that was promised."""
    amounts = money_of(200)
    assert (amounts.net, amounts.gross, amounts.tax) == (200, 250, 50)
