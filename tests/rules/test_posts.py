"""Posts: settings, whom they go to, when they go out, what they say."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.book import Book
from rules.clock import BEIJING
from rules.content import ContentError
from rules.holidays import UnknownYearError
from rules.post_outlook import look_ahead
from rules.post_plan import SOMEBODY, Fire, ask_at, fires, next_fires, plan, render
from rules.posts import Post, PostGroup, Row, audience, staff_named

SHOP = {
    "groups": {"members": ("会员*",), "vip": ("VIP·*",)},
    "shops": {
        "静安店": {"groups": ("*静安*",), "staff": ("王五", "赵六")},
        "徐汇店": {"groups": ("*徐汇*",), "staff": ("孙七",)},
    },
    "tags": {"老街": ("*一群*",)},
    "entrances": ({"name": "vip-tea", "groups": "vip"},),
}


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def book_of(*posts: dict[str, Any], **more: Any) -> Book:
    return Book.model_validate(
        {**SHOP, **more, "posts": [{"to": "all", "name": f"p{n}", **p} for n, p in enumerate(posts)]}
    )


def the_post(book: Book) -> Post:
    return book.posts[0]


def group_of(name: str, born: str = "", owner: str = "lihua") -> PostGroup:
    kind = Book.model_validate(SHOP).kind_of(name)
    return PostGroup(chat_id=f"wr{name}", name=name, kind=kind, owner=owner, born_at=beijing(born) if born else None)


GROUPS = [group_of(name) for name in ("会员一群（静安）", "会员二群（徐汇）", "VIP·林小满", "闲聊一群")]


def at_beijing(found: Sequence[Fire]) -> list[str]:
    return [each.at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") for each in found]


def between(book: Book, after: str, before: str) -> list[str]:
    return at_beijing(fires(the_post(book), beijing(after), beijing(before), book))


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"when": "每天 08:30"}, "没有写说什么"),
        ({"when": "每天 08:30", "text": "好", "series": ["早"]}, "只能写一样"),
        ({"text": "好"}, "没有写什么时候"),
        ({"when": "每天 08:30", "steps": [{"day": 1, "at": "10:00", "text": "好"}]}, "不用再写 when"),
        ({"when": "每天 08:30", "series": "a.xls"}, "不是表格文件"),
        ({"to": ["staff", "members"], "when": "每天 08:30", "text": "好"}, "要单独写"),
        ({"to": "同事", "when": "每天 08:30", "text": "{{群名}}"}, "发给同事的没有群名"),
        ({"when": "每天 08:30", "text": "好", "priority": "高"}, "priority"),
        ({"name": "早报#2", "when": "每天 08:30", "text": "好"}, "pattern"),
    ],
)
def test_what_does_not_go_together_is_refused(written: dict[str, Any], says: str) -> None:
    """Nothing to say, two things to say, no time, two times."""
    with pytest.raises(ValidationError) as refused:
        book_of(written)
    assert says in str(refused.value)


def test_names_are_unique_and_mean_one_thing() -> None:
    """Two posts of one name; a name in `to` that is a kind and a shop."""
    good = {"when": "每天 08:30", "text": "好"}
    with pytest.raises(ValidationError, match="第 1 条和第 2 条都叫「早报」"):
        book_of({**good, "name": "早报"}, {**good, "name": "早报"})
    with pytest.raises(ValidationError, match="既是一类群又是门店的名字"):
        book_of({**good, "to": "members"}, shops={"members": {"groups": ("*静安*",), "staff": ()}})
    with pytest.raises(ValidationError, match="不能是一整天"):
        book_of(good, posting={"quiet_hours": "22:00-22:00"})


@pytest.mark.parametrize(
    ("to", "names"),
    [
        ("all", ["会员一群（静安）", "会员二群（徐汇）", "VIP·林小满", "闲聊一群"]),
        ("members", ["会员一群（静安）", "会员二群（徐汇）"]),
        ("other", ["闲聊一群"]),
        ("静安店", ["会员一群（静安）"]),
        ("老街", ["会员一群（静安）", "闲聊一群"]),
        ("vip-tea", ["VIP·林小满"]),
        ("*徐汇*", ["会员二群（徐汇）"]),
        ("闲聊一群", ["闲聊一群"]),
        (["vip", "老街"], ["会员一群（静安）", "VIP·林小满", "闲聊一群"]),
        ("没有的", []),
    ],
)
def test_to_whom(to: Any, names: list[str]) -> None:
    """Kinds, shops, tags, entrances, patterns and names."""
    book = book_of({"to": to, "when": "每天 08:30", "text": "好"})
    assert [each.name for each in audience(the_post(book), GROUPS, book)] == names


def test_who_is_left_out() -> None:
    """By the post, by a pause of groups, of the post, or of everything."""
    good = {"to": "all", "when": "每天 08:30", "text": "好"}
    book = book_of({**good, "not_to": "vip"}, posting={"pause_groups": "徐汇店"})
    assert [each.name for each in audience(the_post(book), GROUPS, book)] == ["会员一群（静安）", "闲聊一群"]
    for paused in (book_of({**good, "pause": True}), book_of(good, posting={"pause": True})):
        assert audience(the_post(paused), GROUPS, paused) == ()
        assert plan(paused, GROUPS, beijing("2026-11-25T00:00"), beijing("2026-11-26T00:00")).fires == []


def test_posts_to_staff_go_to_people() -> None:
    """All of the shops, or those of a shop and a person by name; no group gets them."""
    good = {"to": "同事", "when": "每天 09:00", "text": "开门"}
    book = book_of(good, {**good, "staff": ["徐汇店", "李华"]})
    assert staff_named(book.posts[0], book) == ("王五", "赵六", "孙七")
    assert staff_named(book.posts[1], book) == ("孙七", "李华")
    (fire, _) = plan(book, GROUPS, beijing("2026-11-25T00:00"), beijing("2026-11-26T00:00")).fires
    assert fire.chat_ids == ()
    assert render(the_post(book), SOMEBODY, fire, book).text == "开门"


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holidays", "then"),
    [
        ("照常", ["10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07", "10-08"]),
        ("不发", ["10-08"]),
        ("顺延", ["10-08"]),
        ("仅假日", ["10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07"]),
    ],
)
def test_a_daily_post_over_national_day(holidays: str, then: list[str]) -> None:
    """Left out, moved behind and become one, or only then."""
    book = book_of({"when": "每天 08:30", "text": "早", "holidays": holidays})
    assert between(book, "2026-09-30T12:00", "2026-10-08T12:00") == [f"2026-{day} 08:30" for day in then]


@pytest.mark.parametrize(
    ("when", "holidays", "then"),
    [
        pytest.param(
            "每周四 20:00", "提前", ["2026-09-30 20:00", "2026-10-08 20:00"], id="a Thursday, brought forward"
        ),
        pytest.param("每周四 20:00", "顺延", ["2026-10-08 20:00"], id="a Thursday, put back onto the next one"),
        pytest.param("每周六 20:00", "不发", ["2026-10-10 20:00"], id="a Saturday that is worked is no holiday"),
        pytest.param("每周日 20:00", "顺延", ["2026-10-08 20:00", "2026-10-11 20:00"], id="an ordinary Sunday stays"),
        pytest.param(
            "每个工作日 20:00",
            "照常",
            ["2026-09-30 20:00", "2026-10-08 20:00", "2026-10-09 20:00", "2026-10-10 20:00"],
            id="workdays",
        ),
    ],
)
def test_weekly_posts_around_national_day(when: str, holidays: str, then: list[str]) -> None:
    """Swapped days are respected both ways."""
    book = book_of({"when": when, "text": "好", "holidays": holidays})
    assert between(book, "2026-09-29T21:00", "2026-10-11T21:00") == then


def test_quiet_hours_push_a_post_to_their_end() -> None:
    """Over midnight too; times that become the same are one; the holiday is that of the new day."""
    quiet = {"quiet_hours": "22:00-08:00"}
    book = book_of({"when": "每天 07:00、08:00、21:59、22:00、23:30", "text": "好"}, posting=quiet)
    assert between(book, "2026-11-25T00:00", "2026-11-26T12:00") == [
        "2026-11-25 08:00",
        "2026-11-25 21:59",
        "2026-11-26 08:00",
    ]
    late = book_of({"when": "每天 23:00", "text": "好", "holidays": "不发"}, posting=quiet)
    assert between(late, "2026-09-30T12:00", "2026-10-09T12:00") == ["2026-10-08 08:00", "2026-10-09 08:00"]


def test_the_owner_is_asked_before_but_not_at_night() -> None:
    """`ask_before`, or the end of the quiet hours, and never after the post itself."""
    book = book_of({"when": "每天 08:30", "text": "好", "ask_before": "1小时"}, posting={"quiet_hours": "22:00-08:00"})
    post = the_post(book)
    assert ask_at(post, beijing("2026-11-25T08:30"), book) == beijing("2026-11-25T08:00")
    assert ask_at(post, beijing("2026-11-25T20:00"), book) == beijing("2026-11-25T19:00")
    assert ask_at(post, beijing("2026-11-25T08:00"), book) == beijing("2026-11-25T08:00")


def test_a_post_begins_and_ends() -> None:
    """Both days included."""
    book = book_of({"when": "每天 08:30", "text": "好", "starts": date(2026, 11, 26), "ends": date(2026, 11, 27)})
    assert between(book, "2026-11-01T00:00", "2026-12-31T00:00") == ["2026-11-26 08:30", "2026-11-27 08:30"]


def test_a_year_nobody_knows_is_told_and_only_by_posts_that_need_it() -> None:
    """What is known is planned; the rest is held, with what to do; the manager's own days end it."""
    needs = {"name": "假日", "when": "每天 08:30", "text": "好", "holidays": "不发"}
    plain = {"name": "照常", "when": "每天 09:30", "text": "好"}
    book, after, before = book_of(needs, plain), beijing("2026-12-30T12:00"), beijing("2027-01-02T12:00")
    found = plan(book, GROUPS, after, before)
    assert at_beijing([each for each in found.fires if each.post == "假日"]) == ["2026-12-31 08:30"]
    assert len([each for each in found.fires if each.post == "照常"]) == 3
    assert [(each.post, each.year) for each in found.held] == [("假日", 2027)]
    assert "holidays" in found.held[0].because
    with pytest.raises(UnknownYearError):
        fires(the_post(book), after, before, book)
    known = book_of(needs, plain, holidays={"off": ("2027-01-01~2027-01-03",)})
    assert between(known, "2026-12-30T12:00", "2027-01-04T12:00") == ["2026-12-31 08:30", "2027-01-04 08:30"]


@pytest.mark.parametrize(
    ("holidays", "after", "before", "held"),
    [
        pytest.param("提前", "2026-12-20T00:00", "2026-12-27T00:00", False, id="before: known workdays lie between"),
        pytest.param("提前", "2026-12-30T00:00", "2026-12-31T23:00", True, id="before: New Year might come forward"),
        pytest.param("顺延", "2026-12-20T00:00", "2026-12-31T23:00", False, id="after: nothing comes back in time"),
        pytest.param("顺延", "2026-12-31T00:00", "2027-01-01T23:00", True, id="after: in the unknown year itself"),
    ],
)
def test_only_what_may_reach_the_time_asked_for_is_held(holidays: str, after: str, before: str, held: bool) -> None:
    """The end of a known year is not spoiled by the beginning of one that is not known."""
    book = book_of({"when": "每天 08:30", "text": "好", "holidays": holidays})
    assert bool(plan(book, GROUPS, beijing(after), beijing(before)).held) == held


# --- properties -------------------------------------------------------------------------------------------------------

WRITTEN = st.sampled_from(
    [
        "每天 08:30",
        "每天 00:00、12:00、23:59",
        "每周三 20:00",
        "每周六、周日 22:00",
        "每月最后一天 07:59",
        "每月第一个周六 10:00",
        "每个工作日 23:00",
    ]
)
QUIET = st.sampled_from([None, "22:00-08:00", "12:00-13:00", "00:00-23:30"])
POLICY = st.sampled_from(["照常", "不发", "提前", "顺延", "仅假日"])
YEAR = datetime(2025, 1, 10)  # noqa: DTZ001  # hypothesis puts the zone on
MOMENTS = st.datetimes(YEAR, datetime(2026, 11, 20), timezones=st.just(UTC))  # noqa: DTZ001  # likewise


@settings(deadline=None)  # the machine may be busy
@given(WRITTEN, QUIET, POLICY, MOMENTS, st.integers(1, 40), st.data())
def test_times_are_the_same_whenever_they_are_asked_for(
    when: str, quiet: str | None, policy: str, after: datetime, days: int, data: st.DataObject
) -> None:
    """In order and once each, never in quiet hours, and what two spans find is what the whole span finds."""
    book = book_of({"when": when, "text": "好", "holidays": policy}, posting={"quiet_hours": quiet} if quiet else {})
    post, before = the_post(book), after + timedelta(days=days)
    whole = fires(post, after, before, book)
    assert [each.at for each in whole] == sorted({each.at for each in whole})
    assert all(after < each.at <= before for each in whole)
    hours = book.posting.quiet_hours
    assert not any(hours and hours.covers(each.at) for each in whole)
    middle = data.draw(st.datetimes(after.replace(tzinfo=None), before.replace(tzinfo=None), timezones=st.just(UTC)))
    assert [*fires(post, after, middle, book), *fires(post, middle, before, book)] == whole
    assert next_fires(post, after, 1, book, within=timedelta(days=days)) == whole[:1]


@settings(deadline=None)  # the machine may be busy
@given(WRITTEN, POLICY, st.integers(1, 5), MOMENTS, MOMENTS)
def test_the_so_many_th_time_is_the_same_whenever_it_is_counted(
    when: str, policy: str, length: int, one: datetime, other: datetime
) -> None:
    """A rotating list says the same at the same time, whatever moment it is computed at."""
    book = book_of({"when": when, "series": [f"第{n}句" for n in range(length)], "holidays": policy})
    post, end = the_post(book), max(one, other) + timedelta(days=30)
    first, second = fires(post, one, end, book), fires(post, other, end, book)
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    assert longer[len(longer) - len(shorter) :] == shorter
    numbers = [each.number for each in longer]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


# --- series -----------------------------------------------------------------------------------------------------------


def with_rows(book: Book, *rows: dict[str, Any]) -> Book:
    posts = (the_post(book).with_rows([Row.model_validate(each) for each in rows]), *book.posts[1:])
    return book.model_copy(update={"posts": posts})


def told(book: Book, after: str, before: str) -> list[tuple[str, str, str]]:
    """(when, group, text) of everything that is said."""
    groups = {each.chat_id: each for each in GROUPS}
    return [
        (at_beijing([fire])[0][5:], groups[chat_id].name, render(the_post(book), groups[chat_id], fire, book).text)
        for fire in plan(book, GROUPS, beijing(after), beijing(before)).fires
        for chat_id in fire.chat_ids
    ]


def test_a_list_takes_turns() -> None:
    """From the day the post starts."""
    book = book_of({"to": "vip", "when": "每天 08:30", "series": ["一", "二"], "starts": date(2026, 11, 25)})
    assert [text for _, _, text in told(book, "2026-11-24T00:00", "2026-11-28T00:00")] == ["一", "二", "一"]


def test_a_sheet_with_days_says_when_and_to_whom() -> None:
    """Its own times, and a row for some groups before the row for all."""
    book = with_rows(
        book_of({"to": ["members", "vip"], "series": "a.xlsx"}),
        {"day": date(2026, 11, 25), "at": time(8, 30), "text": "给贵宾", "to": ("vip",)},
        {"day": date(2026, 11, 25), "at": time(8, 30), "text": "给大家"},
        {"day": date(2026, 11, 27), "at": time(20, 0), "text": "只给静安", "to": ("静安店",)},
    )
    assert told(book, "2026-11-24T00:00", "2026-12-24T00:00") == [
        ("11-25 08:30", "会员一群（静安）", "给大家"),
        ("11-25 08:30", "会员二群（徐汇）", "给大家"),
        ("11-25 08:30", "VIP·林小满", "给贵宾"),
        ("11-27 20:00", "会员一群（静安）", "只给静安"),
    ]


def test_a_sheet_with_days_follows_when_and_says_nothing_on_other_days() -> None:
    """A day without a row is no time at all; what is moved keeps its words."""
    book = with_rows(
        book_of({"to": "vip", "when": "每天 08:30", "series": "a.xlsx", "holidays": "顺延"}),
        {"day": date(2026, 9, 30), "text": "三十"},
        {"day": date(2026, 10, 7), "text": "七日"},
        {"day": date(2026, 10, 10), "text": "十日"},
    )
    assert told(book, "2026-09-29T00:00", "2026-10-30T00:00") == [
        ("09-30 08:30", "VIP·林小满", "三十"),
        ("10-08 08:30", "VIP·林小满", "七日"),
        ("10-10 08:30", "VIP·林小满", "十日"),
    ]


def test_a_numbered_sheet_ends_or_begins_again() -> None:
    """The n-th time says row n; with `repeat` the first follows the last."""
    rows = [{"number": number, "text": f"第 {{{{期数}}}} 期 {number}"} for number in (1, 2)]
    written = {"to": "vip", "when": "每周三 20:00", "series": "a.xlsx", "starts": date(2026, 11, 20)}
    once, again = with_rows(book_of(written), *rows), with_rows(book_of({**written, "repeat": True}), *rows)
    assert [text for _, _, text in told(once, "2026-11-01T00:00", "2026-12-30T00:00")] == ["第 1 期 1", "第 2 期 2"]
    said = [text for _, _, text in told(again, "2026-11-01T00:00", "2026-12-10T00:00")]
    assert said == ["第 1 期 1", "第 2 期 2", "第 3 期 1"]


def test_a_sheet_nobody_read_is_not_silently_empty() -> None:
    """Whoever forgets to give its rows is told."""
    book = book_of({"when": "每天 08:30", "series": "a.xlsx"})
    with pytest.raises(LookupError, match=r"a\.xlsx"):
        plan(book, GROUPS, beijing("2026-11-25T00:00"), beijing("2026-11-26T00:00"))


# --- step by step -----------------------------------------------------------------------------------------------------


STEPS = {
    "to": "vip",
    "steps": [
        {"day": 1, "at": "10:00", "text": "欢迎"},
        {"day": 3, "at": "20:00", "text": "第三天"},
        {"day": 3, "at": "23:00", "text": "晚安"},
    ],
}


def test_each_group_counts_from_its_own_birth() -> None:
    """Day 1 is the day of birth; an hour that had passed comes half an hour after it; quiet hours hold."""
    book = book_of(STEPS, posting={"quiet_hours": "22:00-08:00"})
    groups = [group_of("VIP·早", "2026-11-25T09:00"), group_of("VIP·晚", "2026-11-25T21:45"), group_of("VIP·谁知道")]
    found = plan(book, groups, beijing("2026-11-24T00:00"), beijing("2026-12-24T00:00")).fires
    assert [(at_beijing([each])[0][5:], each.step, each.chat_ids) for each in found] == [
        ("11-25 10:00", 1, ("wrVIP·早",)),
        ("11-26 08:00", 1, ("wrVIP·晚",)),
        ("11-27 20:00", 2, ("wrVIP·早", "wrVIP·晚")),
        ("11-28 08:00", 3, ("wrVIP·早", "wrVIP·晚")),
    ]
    assert found[2].key == "post:p0#2:2026-11-27T20:00+08:00"
    assert render(the_post(book), groups[0], found[3], book).text == "晚安"


def test_steps_may_count_from_a_day_for_all() -> None:
    """A campaign that starts for every group at once, whenever it was born."""
    book = book_of({**STEPS, "since": "2026-12-01"})
    found = plan(book, GROUPS, beijing("2026-11-24T00:00"), beijing("2026-12-24T00:00")).fires
    assert at_beijing(found) == ["2026-12-01 10:00", "2026-12-03 20:00", "2026-12-03 23:00"]
    assert {each.chat_ids for each in found} == {("wrVIP·林小满",)}


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_text_knows_its_group_and_its_day() -> None:
    """In Beijing's day, with the days to an event."""
    text = "{{群名}}|{{店名}}|{{种类}}|{{日期}}|{{星期}}|{{时间}}|{{还有几天('双十二')}}"
    book = book_of({"when": "每天 00:30", "text": text}, posting={"events": {"双十二": "2026-12-12"}})
    (fire,) = fires(the_post(book), beijing("2026-11-25T00:00"), beijing("2026-11-25T12:00"), book)
    assert (
        render(the_post(book), GROUPS[0], fire, book).text == "会员一群（静安）|静安店|members|11月25日|周三|00:30|17"
    )
    later = fire.model_copy(update={"at": fire.at + timedelta(days=30)})
    with pytest.raises(ContentError, match="已经过去 13 天"):
        render(the_post(book), GROUPS[0], later, book)


def test_the_outlook_renders_everything_for_everybody() -> None:
    """Texts that differ cost the owner a tap each; what cannot be rendered is found for the group it concerns."""
    book = book_of(
        {"name": "各不同", "when": "每天 08:30", "text": "{{群名}}"},
        {"name": "都一样", "when": "每天 09:30", "text": "好"},
        {"name": "静安坏", "when": "每天 10:30", "text": "{% if 店名 == '静安店' %}{{还有几天('没有')}}{% endif %}好"},
    )
    ahead = look_ahead(book, GROUPS, beijing("2026-11-25T00:00"), beijing("2026-11-25T23:00"))
    taps = {fire.post: ahead.owners_taps(fire) for fire in ahead.plan.fires}
    assert taps == {"各不同": {"lihua": 4}, "都一样": {"lihua": 1}, "静安坏": {"lihua": 1}}
    assert [(key, chat_id) for key, chat_id in ahead.broken] == [
        ("post:静安坏:2026-11-25T10:30+08:00", "wr会员一群（静安）")
    ]
