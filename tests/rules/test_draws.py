"""Draws as managers write them, what is published of them, and who may take part."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from rules.book import Book
from rules.draw_outlook import of_month
from rules.draw_proof import shares_of
from rules.draw_rules import (
    NOBODY_KNOWS,
    EntrantFacts,
    better,
    key_of,
    masked,
    prizes_of,
    published,
    times,
    why_not,
)
from rules.draw_words import say_drawn, say_opened, say_to_staff
from rules.draws import Draw
from rules.posts import PostGroup

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LUCKY = {"type": "拼手气", "total": "200元", "shares": 40}
FIXED = {"type": "固定", "amount": "5元", "shares": 3}
COUPON = {"type": "券", "what": "茶样", "value": "15元"}


def draw(**more: Any) -> Draw:
    """Signed up for, paid by WeChat Pay, as `more` says otherwise."""
    written = {"name": "friday", "to": "members", "when": "每周五 20:00", "prize": FIXED, "pay_by": "微信支付"}
    return Draw.model_validate({**written, "organiser": "茶里有限公司", "contact": "021-1", **more})


def book(*draws: dict[str, Any], monthly: str = "5000元") -> Book:
    base = {"to": "members", "when": "每周五 20:00", "organiser": "茶里", "contact": "021-1"}
    written = [{"name": f"draw-{place}", **base, **each} for place, each in enumerate(draws)]
    return Book.model_validate({"groups": {"members": "会员*"}, "budget": {"monthly": monthly}, "draws": written})


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"prize": {"type": "固定", "amount": "201元"}, "pay_by": "微信支付"}, "发不出去"),
        ({"prize": {"type": "固定", "amount": "0.99元"}, "pay_by": "微信支付"}, "发不出去"),
        ({"prize": {**LUCKY, "total": "39元"}, "pay_by": "微信支付"}, "分不成"),
        ({"prize": {**LUCKY, "total": "8001元"}, "pay_by": "群主"}, "装不下"),
        ({"prize": {**LUCKY, "least": "6元"}, "pay_by": "微信支付"}, "分不成"),
        ({"prize": {**LUCKY, "least": "6元", "most": "5元"}, "pay_by": "微信支付"}, "下限比上限还大"),
        ({"prize": FIXED, "pay_by": "券"}, "奖品却有红包"),
        ({"prize": [LUCKY, COUPON], "pay_by": "群主"}, "不能写在一起"),
        ({"prize": FIXED, "pay_by": "微信支付", "enter": "标签"}, "还要写 tags"),
        ({"prize": FIXED, "pay_by": "微信支付", "points": 5}, "enter 却不是 points"),
        ({"prize": FIXED, "pay_by": "微信支付", "close_before": "1天"}, "还没开始就截止"),
        ({"prize": FIXED, "pay_by": "微信支付", "claim_within": "10分钟"}, "领奖的时间太短"),
        ({"prize": FIXED, "pay_by": "微信支付", "enter": "抢", "grab_for": "0秒"}, "grab_for"),
        ({"prize": {**COUPON, "what": "邀请三位好友得茶样"}, "pay_by": "券"}, "诱导分享"),
        ({"prize": FIXED, "pay_by": "微信支付", "contact": ""}, "联系方式"),
        ({"prize": [], "pay_by": "微信支付"}, "1 到 10 种"),
        ({"prize": {**FIXED, "amount": "200元", "shares": 26}, "pay_by": "微信支付"}, "付不起"),
    ],
)
def test_what_does_not_fit_is_refused(written: dict[str, Any], says: str) -> None:
    """Floors and caps, ways that exclude each other, times out of order, inducement, the budget: with the reason."""
    with pytest.raises(ValidationError, match=says):
        book(written)


def test_two_draws_of_one_name_are_refused() -> None:
    """A name is an address."""
    with pytest.raises(ValidationError, match="都叫"):
        book({"prize": LUCKY, "name": "same"}, {"prize": LUCKY, "name": "same"})


def test_written_settings_come_back_as_they_are() -> None:
    """What is frozen with a draw is read again without loss: amounts, durations, schedule."""
    written = draw(prize=[{**LUCKY, "least": "1.5元"}, FIXED], claim_within="1天12小时")
    assert Draw.model_validate(written.model_dump(mode="json")) == written


def test_everything_the_law_wants_is_published() -> None:
    """Prizes and worth, number, who, how, when, the draw, the claim and its lapse, tax, organiser, contact."""
    it = draw(prize=[{**COUPON, "name": "一等奖", "shares": 2}], pay_by="券", who={"member_for": "7天"})
    said = dict(published(it, times(it, AT), 3))
    assert said["奖品"] == "一等奖：茶样（价值 15元），2 份"
    assert "2 ÷ 参加人数" in said["数量"]
    assert said["谁能参加"] == "活动群里的微信顾客，进群满 7天，一人一个月最多中一次，本公司员工不能参加"
    assert said["时间"] == "11月26日（周四）20:00 开始报名，11月27日（周五）20:00 截止，11月27日（周五）20:00 开奖"
    assert "3天 之内" in said["怎么领"]
    assert "候补" in said["怎么领"]
    assert (said["主办方"], said["联系方式"]) == ("茶里有限公司", "021-1")
    assert "个人所得税" not in said  # coupons are exempt
    in_group = draw(prize=LUCKY, pay_by="群主", contact="")
    said = dict(published(in_group, times(in_group, AT), 3))
    assert said["数量"] == "每个群 40 份，共 3 个群"
    assert said["联系方式"] == "本群群主"


@pytest.mark.parametrize("enter", ["报名", "全员", "抢"])
def test_steps_are_in_order(enter: str) -> None:
    """Announced before it opens, opened before it closes, whatever the way in."""
    it = draw(enter=enter, close_before="10分钟")
    steps = times(it, AT)
    assert steps.announce < steps.open < steps.close
    assert key_of("friday", AT) == "friday:2026-11-27T20:00+08:00"
    if enter == "抢":
        assert (steps.open, steps.close) == (AT, AT + timedelta(hours=1))


def test_shares_are_all_there_before_anybody_enters() -> None:
    """They follow from the seed, keep the pay way's floor, and come to the totals."""
    it = draw(prize=[{**LUCKY, "shares": 40}, FIXED])
    found = shares_of(prizes_of(it), seed=b"s" * 32, draw="d")
    assert [each.number for each in found] == list(range(1, 44))
    assert sum(each.amount for each in found if each.prize == 0) == 20_000
    assert min(each.amount for each in found) >= 100
    assert found == shares_of(prizes_of(it), seed=b"s" * 32, draw="d")
    assert found != shares_of(prizes_of(it), seed=b"t" * 32, draw="d")


FINE = {"known": True, "member_since": AT - timedelta(days=30)}


@pytest.mark.parametrize(
    ("facts", "more", "says"),
    [
        (FINE, {}, ""),
        ({"known": False}, {}, NOBODY_KNOWS),
        ({"known": False, "blocked": True}, {}, "您不能参加"),
        ({**FINE, "is_staff": True}, {}, "员工不能参加"),
        ({**FINE, "other_company": True}, {}, "收不了红包"),
        ({**FINE, "other_company": True}, {"prize": COUPON, "pay_by": "券"}, ""),
        ({**FINE, "won_this_month": True}, {}, "已经中过一次"),
        ({**FINE, "won_this_month": True}, {"who": {"once_a_month": "否"}}, ""),
        ({"known": True}, {}, "不在活动的群里"),
        (FINE, {"who": {"member_for": "31天"}}, "进群满 31天"),
        ({**FINE, "tags": ("黑粉",)}, {"who": {"not_tags": ["黑粉"]}}, "没有邀请您"),
        ({**FINE, "tags": ("新客",)}, {"enter": "标签", "tags": ["老客"]}, "没有邀请您"),
        ({**FINE, "tags": ("老客",)}, {"enter": "标签", "tags": ["老客"]}, ""),
    ],
)
def test_who_may_take_part(facts: dict[str, Any], more: dict[str, Any], says: str) -> None:
    """Each ground of refusal by itself, with its sentence; nobody is refused without one."""
    answer = why_not(draw(**more), EntrantFacts(**facts), AT)
    assert says in answer
    assert bool(says) == bool(answer)


@pytest.mark.parametrize(
    "worse",
    [
        {"prize": {**FIXED, "amount": "4元"}},
        {"prize": {**FIXED, "shares": 2}},
        {"prize": {**FIXED, "shares": 30, "amount": "1元"}},
        {"prize": COUPON, "pay_by": "券"},
        {"claim_within": "1天"},
        {"organiser": "别人"},
        {"close_before": "5小时"},
    ],
)
def test_nothing_worse_is_taken_over(worse: dict[str, Any]) -> None:
    """Less money, fewer shares, more shares of less, another prize, less time, another organiser: not this time."""
    assert better(draw(), draw(**worse)) == (draw(), [])


def test_better_is_taken_over_and_said() -> None:
    """More for each, more shares of as much, a longer claim."""
    assert better(draw(), draw(prize={**FIXED, "amount": "6元"})).changes == [
        "奖品增加：红包 5元，3 份 → 红包 6元，3 份"
    ]
    more = better(draw(), draw(prize={**FIXED, "shares": 5}, claim_within="7天"))
    assert (more.draw.winners, more.draw.claim_within) == (5, timedelta(days=7))
    assert len(more.changes) == 2


def test_more_than_the_published_cap_holds_can_still_be_split() -> None:
    """A prize that grows beyond what its shares could hold takes the new cap along, so that it can be split."""
    old = {"type": "拼手气", "total": "20元", "shares": 4, "most": "6元"}
    found = better(draw(prize=old), draw(prize={**old, "total": "200元", "most": "90元"})).draw
    shares = shares_of(prizes_of(found), seed=bytes(32), draw="d")
    assert sum(each.amount for each in shares) == 20_000
    assert max(each.amount for each in shares) <= 9_000


def test_a_month_of_draws() -> None:
    """Each Friday of November, in each group: four times two times 200元; a draw that is paid by us counts once."""
    it = book(
        {"prize": LUCKY, "pay_by": "群主"}, {"prize": FIXED, "pay_by": "微信支付"}, {"prize": COUPON, "pay_by": "券"}
    )
    groups = [PostGroup(chat_id=f"wr{n}", name=f"会员{n}", kind="members", owner="w") for n in range(2)]
    found = of_month(it, AT, groups)
    assert [(each.draw, each.times, each.groups, each.fen) for each in found] == [
        ("draw-0", 4, 2, 160_000),
        ("draw-1", 4, 1, 6_000),
    ]
    assert of_month(it, AT, None)[0].groups == 1


def test_names_are_masked() -> None:
    """张三 is 张*; spaces are no name; who has none is 微信用户."""
    assert [masked(name) for name in ("张三", " 林 小满", "A", "", "  ")] == [
        "张*",
        "林*",
        "A*",
        "微信用户",
        "微信用户",
    ]


def test_words_for_groups_and_staff() -> None:
    """What begins says how long; what has ended says who, how many more, and until when; staff read sums."""
    assert "开始报名啦" in say_opened(draw(), AT, AT)
    assert "开抢" in say_opened(draw(enter="抢"), AT, AT)
    assert "都算参加" in say_opened(draw(enter="全员"), AT, AT)
    said = say_drawn(draw(), [f"张{n}*" for n in range(12)], AT)
    assert "等 12 位" in said
    assert "没有人中奖" in say_drawn(draw(), [], None)
    told = say_to_staff(draw(), ["张三", "", "李四", "王五", "赵六"], 100, AT)
    assert (told.text, told.facts[:2]) == ("张三、李四、王五 等 5 位", [("参加", "100 人"), ("中奖", "5 人")])
    assert say_to_staff(draw(), [], 0, None).text == "这一期没有人中奖"
    assert say_to_staff(draw(), ["张三", "李四"], 9, AT).text == "张三、李四"
