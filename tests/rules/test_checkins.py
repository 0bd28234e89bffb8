"""The settings of a check-in: what is refused, and what the page says of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.book import Book
from rules.checkin_words import rules_of, say_reward
from rules.checkins import Checkin, JourneyDay, Reward

DAY = {"theme": "认识绿茶"}


def checkin(**more: Any) -> Checkin:
    settings = {"name": "newcomer-7", "to": "newcomers", "days": [DAY] * 7, **more}
    return Book.model_validate({"groups": {"newcomers": "新人*"}, "checkins": [settings]}).checkins[0]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"name": "新人"}, "小写字母"),
        ({"days": "content/七日打卡.docx"}, "不是表格文件"),
        ({"days": []}, "1 到 60 天"),
        ({"days": [{"theme": "选茶", "evidence": "选择"}]}, "要写 question"),
        ({"grace": "7小时"}, "最多宽限 6 小时"),
        ({"keyword": [""]}, "不能是空的"),
        ({"rewards": {"1": {}}}, "只能写一样"),
        ({"rewards": {"1": {"points": 1, "ticket": "friday"}}}, "只能写一样"),
        ({"within": 9}, "不用写 within"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], reason: str) -> None:
    """Each of these is refused, with a reason in Chinese."""
    with pytest.raises(ValidationError) as error:
        checkin(**settings)
    assert reason in str(error.value)


def test_two_check_ins_are_told_apart() -> None:
    """Two of one name, and two that listen to one word in one kind of group, are refused."""
    one = {"name": "a", "to": "newcomers", "days": [DAY]}
    for other, reason in (({**one}, "都叫「a」"), ({**one, "name": "b"}, "口令")):
        with pytest.raises(ValidationError, match=reason):
            Book.model_validate({"checkins": [one, other]})
    assert len(Book.model_validate({"checkins": [one, {**one, "name": "b", "keyword": ["签到"]}]}).checkins) == 2


def test_days_of_a_sheet_are_given_by_whoever_reads_it() -> None:
    """Before that nobody can ask for them; after it the length and the target follow from them."""
    in_sheet = checkin(days="content/七日打卡.xlsx")
    with pytest.raises(LookupError, match="with_days"):
        _ = in_sheet.plan
    given = in_sheet.with_days([JourneyDay(theme=f"第{n}天") for n in range(5)])
    assert (given.length, given.target, given.lasts) == (5, 5, 5)
    assert checkin(count="累计").lasts == 14
    assert checkin(count="累计", within=10, enough=3).target == 3


@pytest.mark.parametrize(
    ("day", "evidence", "answer", "lacks"),
    [
        ({}, "", "", ""),
        ({"evidence": "文字"}, " ", "", "请先写一句话"),
        ({"evidence": "文字"}, "好喝", "", ""),
        ({"evidence": "图片"}, "好喝", "", "请先选一张图片"),
        ({"evidence": "图片"}, "picture:7", "", ""),
        (
            {"evidence": "选择", "question": {"text": "?", "options": {"绿茶": "", "红茶": ""}}},
            "",
            "",
            "请先回答今天的问题",
        ),
        ({"evidence": "选择", "question": {"text": "?", "options": {"绿茶": "", "红茶": ""}}}, "", "绿茶", ""),
        ({"question": {"text": "?", "options": {"绿茶": "", "红茶": ""}}}, "", "", ""),
        ({"question": {"text": "?", "options": {"绿茶": "", "红茶": ""}}}, "", "咖啡", "请从选项里选一个"),
        ({}, "", "咖啡", "请从选项里选一个"),
    ],
)
def test_what_a_day_asks_for(day: dict[str, Any], evidence: str, answer: str, lacks: str) -> None:
    """A day is done by what it asks for, and by nothing that nobody asked for."""
    [only] = checkin(days=[{**DAY, **day}]).plan
    assert only.lacks(evidence, answer) == lacks


def test_how_rewards_are_said() -> None:
    """Every kind of reward has words of its own, with its stock and its worth."""
    said = [
        say_reward(Reward(coupon="a.xlsx", what="茶券", value="10元", stock=3)),  # type: ignore[arg-type]  # as written
        say_reward(Reward(money="2元")),  # type: ignore[arg-type]
        say_reward(Reward(points=5)),
        say_reward(Reward(ticket="friday")),
    ]
    assert said == ["茶券（价值 10元），共 3 份，发完为止", "2元红包", "5 个积分", "一次抽奖机会"]


def test_the_rules_say_what_is_written() -> None:
    """Whatever decides about a journey stands in the rules that the page shows; what is not offered does not."""
    shown = dict(rules_of(checkin(leave_days=1, organiser="茶里", rewards={"3": {"points": 5}})))
    assert shown["怎么算完成"] == "连续打卡 7 天"
    assert "2小时" in shown["什么时候打"]
    assert shown["请假"] == "可以请 1 天假，连续不断，往后顺延"
    assert shown["连续 3 天"] == "5 个积分"
    plain = dict(rules_of(checkin(count="累计", make_up_cards=0, grace="0分钟")))
    assert plain["怎么算完成"] == "累计打卡 7 天，14 天之内"
    assert {"补签", "请假", "主办方"} & set(plain) == set()
