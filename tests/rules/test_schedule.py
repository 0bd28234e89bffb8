"""Schedules: what managers may write, and when that is."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.clock import BEIJING
from rules.holidays import KNOWN_ONLY_HERE, Holidays, UnknownYearError
from rules.schedule import MOST_A_DAY, parse_schedule


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def refusal(text: str) -> str:
    """Why a text is refused, or ""."""
    try:
        parse_schedule(text)
    except ValueError as error:
        return str(error)
    return ""


def times_after(text: str, after: str, count: int) -> list[str]:
    """The next times, as Beijing has them."""
    schedule, moment, found = parse_schedule(text), beijing(after), list[str]()
    while len(found) < count:
        following = schedule.next_after(moment, KNOWN_ONLY_HERE)
        if following is None:
            break
        moment = following
        found.append(moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        ("每天 08:30", "2026-11-25T08:30", ["2026-11-26 08:30", "2026-11-27 08:30"]),
        ("每天 20:00、08:30", "2026-11-25T09:00", ["2026-11-25 20:00", "2026-11-26 08:30"]),
        ("每周三 20:00", "2026-11-25T19:59", ["2026-11-25 20:00", "2026-12-02 20:00"]),
        ("每周三 20：00", "2026-11-25T20:00", ["2026-12-02 20:00"]),
        ("每周一三五 10:00", "2026-11-23T10:00", ["2026-11-25 10:00", "2026-11-27 10:00", "2026-11-30 10:00"]),
        ("每周一至周五 09:00", "2026-11-27T09:00", ["2026-11-30 09:00"]),
        ("每周五至周日 09:00", "2026-11-27T09:00", ["2026-11-28 09:00", "2026-11-29 09:00", "2026-12-04 09:00"]),
        ("每周六、周日 10点半", "2026-11-25T00:00", ["2026-11-28 10:30", "2026-11-29 10:30"]),
        ("每周末 10点", "2026-11-25T00:00", ["2026-11-28 10:00", "2026-11-29 10:00"]),
        ("每星期天 10:00", "2026-11-25T00:00", ["2026-11-29 10:00"]),
        ("每月1日、15号 10:00", "2026-11-15T10:00", ["2026-12-01 10:00", "2026-12-15 10:00", "2027-01-01 10:00"]),
    ],
)
def test_days_and_weeks(text: str, after: str, then: list[str]) -> None:
    """The next time is strictly later, in Beijing's days, whatever the order of writing."""
    assert times_after(text, after, len(then)) == then


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        pytest.param(
            "每月31日 09:00",
            "2026-11-01T00:00",
            ["2026-12-31 09:00", "2027-01-31 09:00", "2027-03-31 09:00"],
            id="months without a 31st",
        ),
        pytest.param(
            "每月最后一天 18:00",
            "2028-01-31T18:00",
            ["2028-02-29 18:00", "2028-03-31 18:00"],
            id="month ends in a leap year",
        ),
        pytest.param(
            "每月最后一天 18:00",
            "2027-01-31T18:00",
            ["2027-02-28 18:00", "2027-03-31 18:00"],
            id="month ends in another year",
        ),
        pytest.param(
            "每年2月29日 10:00", "2026-01-01T00:00", ["2028-02-29 10:00", "2032-02-29 10:00"], id="29 February"
        ),
        pytest.param("每年2月29日 10:00", "2096-02-29T10:00", ["2104-02-29 10:00"], id="2100 has no 29 February"),
        pytest.param(
            "每月第一个周六 10:00",
            "2026-08-01T09:00",
            ["2026-08-01 10:00", "2026-09-05 10:00"],
            id="first Saturday on the first",
        ),
        pytest.param(
            "每月第五个周五 20:00", "2026-11-01T00:00", ["2027-01-29 20:00", "2027-04-30 20:00"], id="fifth Friday"
        ),
        pytest.param(
            "每月最后一个周五 20:00",
            "2026-11-01T00:00",
            ["2026-11-27 20:00", "2026-12-25 20:00", "2027-01-29 20:00"],
            id="last Friday",
        ),
        pytest.param("每天 00:00", "2026-12-31T23:59", ["2027-01-01 00:00"], id="year change at midnight"),
        pytest.param(
            "每周四 23:59", "2026-12-31T23:58", ["2026-12-31 23:59", "2027-01-07 23:59"], id="week over the year's end"
        ),
        pytest.param("每年12月24日 19:00", "2026-12-24T19:00", ["2027-12-24 19:00"], id="once a year"),
        pytest.param("2026-12-24 19:00", "2026-11-25T00:00", ["2026-12-24 19:00"], id="one day, then never"),
        pytest.param("2026年12月24日19:00", "2026-12-24T19:00", [], id="a day that has passed"),
    ],
)
def test_ends_of_months_and_years(text: str, after: str, then: list[str]) -> None:
    """Months without the day are passed over; the last one, 29 February and the year's end are what they say."""
    assert times_after(text, after, len(then) + 1)[: len(then)] == then
    assert len(times_after(text, after, 20)) == (20 if "-" not in text and "年12月24日19" not in text else len(then))


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        ("30 8 * * mon-fri", "2026-11-27T08:30", ["2026-11-30 08:30"]),
        ("0 20 * * wed", "2026-11-23T00:00", ["2026-11-25 20:00"]),
        ("0 9 1 */3 *", "2026-10-02T00:00", ["2027-01-01 09:00", "2027-04-01 09:00"]),
        ("0,30 9-10 * * sat", "2026-11-28T09:00", ["2026-11-28 09:30", "2026-11-28 10:00", "2026-11-28 10:30"]),
        ("0 10 29 feb *", "2026-11-28T09:00", ["2028-02-29 10:00"]),
    ],
)
def test_cron_with_names(text: str, after: str, then: list[str]) -> None:
    """Cron means what it always meant, with weekdays by their names."""
    assert times_after(text, after, len(then)) == then


def test_a_working_day_knows_the_days_that_are_swapped() -> None:
    """每个工作日 leaves out National Day 2026 and takes the Sunday and the Saturday that are worked instead."""
    assert times_after("每个工作日 09:00", "2026-09-18T09:00", 9) == [
        "2026-09-20 09:00",  # a Sunday, worked
        "2026-09-21 09:00",
        "2026-09-22 09:00",
        "2026-09-23 09:00",
        "2026-09-24 09:00",
        "2026-09-28 09:00",  # Mid-autumn: 25 to 27 are off
        "2026-09-29 09:00",
        "2026-09-30 09:00",
        "2026-10-08 09:00",
    ]
    with pytest.raises(UnknownYearError, match="2027"):
        times_after("每个工作日 09:00", "2026-12-31T09:00", 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "没有写什么时候"),
        ("每天", "没有写几点，例如 每天 20:00"),
        ("每周三 晚上8点", "24 小时制"),
        ("每天 24:00", "半夜十二点请写 00:00"),
        ("周三 20:00", "看不懂「周三」是哪些日子"),
        ("每周八 20:00", "看不懂「每周八」"),
        ("每周五至周一 10:00", "从前往后写"),
        ("每月32日 10:00", "没有 32日"),
        ("每年2月30日 10:00", "永远不会到"),
        ("0 9 31 4,6 *", "永远不会到"),
        ("2026-02-29 10:00", "没有 2026年2月29日 这一天"),
        ("0 20 * * 3", "星期请写名字"),
        ("0 20 1 * mon", "日和星期只能写一个"),
        ("99 8 * * *", "应当在 0 到 59 之间"),
        ("*/5 * * * *", f"最多 {MOST_A_DAY} 次"),
        ("*/0 8 * * *", "看不懂 cron 里的「*/0」"),
        ("每天 08:30 左右", "看不懂「左右」"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, says: str) -> None:
    """Each mistake has its own sentence, in Chinese."""
    assert says in refusal(text)


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=40))
def test_any_text_is_a_schedule_or_a_sentence(text: str) -> None:
    """Nothing a manager types makes it stumble."""
    assert re.search("[\u4e00-\u9fff]", refusal(text)) or parse_schedule(text).times


WRITTEN = st.sampled_from(
    [
        "每天 08:30",
        "每周三 20:00",
        "每周一至周五 00:00、23:59",
        "每月最后一天 18:00",
        "每月第五个周五 20:00",
        "30 8 * * sat,sun",
    ]
)
FIRST = datetime(2025, 1, 1)  # noqa: DTZ001  # hypothesis puts the zone on
MOMENTS = st.datetimes(FIRST, FIRST.replace(year=2030), timezones=st.just(UTC))


@settings(deadline=None)  # the machine may be busy
@given(WRITTEN, MOMENTS)
def test_the_next_time_is_the_first_of_all_later_ones(text: str, moment: datetime) -> None:
    """`next_after` agrees with walking through all days, and never answers what is not later."""
    schedule = parse_schedule(text)
    following = schedule.next_after(moment, KNOWN_ONLY_HERE)
    assert following is not None
    assert following > moment
    assert following.tzinfo is UTC
    first, last = moment.astimezone(BEIJING).date(), following.astimezone(BEIJING).date()
    between = [each for each in schedule.moments(first, last, KNOWN_ONLY_HERE) if moment < each <= following]
    assert between == [following]


def test_a_schedule_reads_back_what_it_says() -> None:
    """What editors and `check` show is what was written."""
    assert parse_schedule("  每周三 20:00 ").text == "每周三 20:00"
    assert parse_schedule("每周三 20:00").falls_on(date(2026, 11, 25), Holidays())
