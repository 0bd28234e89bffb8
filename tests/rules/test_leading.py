"""Whom to remind and when, who is about to drop out, and the posts that a check-in makes of itself."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.book import Book
from rules.checkins import Checkin
from rules.clock import BEIJING
from rules.leading import AtRisk, Led, due, next_at, next_waking, say_at_risk
from rules.post_plan import plan, render
from rules.posts import PostGroup

MONDAY = date(2026, 11, 23)


def checkin(**fields: Any) -> Checkin:
    plain = {"name": "newcomer-7", "to": "newcomers", "days": [{"theme": f"主题{n + 1}"} for n in range(7)]}
    return Checkin.model_validate(plain | fields)


def at(day: int, clock: str) -> datetime:
    """The so-many-th day of the journey, at this time in Beijing."""
    return datetime.combine(MONDAY + timedelta(days=day - 1), time.fromisoformat(clock), BEIJING).astimezone(UTC)


def led(*done: int, reminded: tuple[int, ...] = (), handed: tuple[int, ...] = (), quiet: bool = False) -> Led:
    def on(numbers: tuple[int, ...]) -> list[date]:
        return [MONDAY + timedelta(days=each - 1) for each in numbers]

    return Led(
        started_on=MONDAY,
        days=dict.fromkeys(on(done), "tap"),
        reminded=frozenset(on(reminded)),
        handed=frozenset(on(handed)),
        quiet=quiet,
        last=7,
    )


@pytest.mark.parametrize(
    ("so_far", "now", "steps"),
    [
        (led(), at(1, "18:59"), ()),
        (led(), at(1, "19:00"), ("remind",)),
        (led(), at(1, "19:59"), ("remind",)),
        (led(), at(1, "20:00"), ()),
        (led(1), at(1, "19:00"), ()),
        (led(reminded=(1,)), at(2, "19:00"), ()),
        (led(reminded=(1,)), at(3, "19:00"), ("remind",)),
        (led(reminded=(1, 3, 5)), at(7, "19:00"), ()),
        (led(quiet=True), at(1, "19:00"), ()),
        (led(), at(8, "19:00"), ()),
        (led(), at(2, "10:00"), ("hand_over",)),
        (led(1), at(2, "10:00"), ()),
        (led(2), at(2, "10:00"), ()),
        (led(handed=(2,)), at(2, "10:30"), ()),
        (led(1, 2), at(4, "10:00"), ("hand_over",)),
        (led(), at(3, "10:00"), ()),
        (led(quiet=True), at(4, "10:59"), ("hand_over",)),
    ],
)
def test_what_is_due(so_far: Led, now: datetime, steps: tuple[str, ...]) -> None:
    """Reminders in the evening, spaced and capped, looking after on days 2 and 4: each only as long as it does good."""
    assert due(checkin(), so_far, now) == steps


def test_reminders_never_pass_the_end_of_waking_hours() -> None:
    """Where waking hours end half an hour after the reminder, it is late for no longer than that."""
    early = checkin(lead={"remind_at": "20:30"})
    assert due(early, led(), at(1, "20:59")) == ("remind",)
    assert due(early, led(), at(1, "21:00")) == ()


@given(
    done=st.sets(st.integers(1, 7)),
    reminded=st.sets(st.integers(1, 7)),
    minute=st.integers(0, 9 * 24 * 60),
    quiet=st.booleans(),
)
def test_the_next_moment_is_the_next_at_which_something_is_due(
    done: set[int], reminded: set[int], minute: int, quiet: bool
) -> None:
    """A clock that is set to `next_at` misses nothing: whatever comes due, it is due at that very moment first."""
    rules, now = checkin(), at(1, "00:00") + timedelta(minutes=minute)
    so_far = led(*done, reminded=tuple(reminded), quiet=quiet)
    found = next_at(rules, so_far, now)
    hours = [now + timedelta(minutes=each) for each in range(1, 9 * 24 * 60, 15)]
    ahead = [moment for moment in hours if due(rules, so_far, moment) and not due(rules, so_far, now)]
    if found is None:
        assert not ahead or due(rules, so_far, ahead[0] - timedelta(minutes=15))
    else:
        assert now < found
        assert due(rules, so_far, found)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("12:00", (1, "12:00")),
        ("20:29", (1, "20:29")),
        ("20:31", (2, "09:00")),
        ("03:00", (1, "09:00")),
        ("23:00", (2, "09:00")),
    ],
)
def test_words_wait_for_people_to_be_awake(now: str, then: tuple[int, str]) -> None:
    """Nothing is said at night, and nothing so late that nobody could still press in time."""
    assert next_waking(checkin(), at(1, now), leave=timedelta(minutes=30)) == at(*then)


@pytest.mark.parametrize(
    "lead",
    [{"waking": "21:00-09:00"}, {"remind_at": "21:00"}, {"at_risk_at": "08:59"}, {"at_risk": [1]}, {"at_risk": ["二"]}],
)
def test_settings_that_would_wake_people_are_refused(lead: dict[str, Any]) -> None:
    """Reminders lie in waking hours, waking hours in one day, and looking after begins on day 2."""
    with pytest.raises(ValidationError):
        checkin(lead=lead)


def book(**fields: Any) -> Book:
    plain: dict[str, Any] = checkin(**fields).model_dump(exclude_defaults=True, mode="json")
    return Book.model_validate({"groups": {"newcomers": "新人*"}, "checkins": [{**plain, **fields}]})


GROUP = PostGroup(chat_id="wr1", name="新人1群", kind="newcomers", owner="wangwu")


def test_everybody_with_a_day_1_of_their_own_gets_one_post_a_day() -> None:
    """A rolling check-in posts daily, in words that fit any day, with a card that leads to its page."""
    rolling = book()
    fires = plan(rolling, [GROUP], at(1, "00:00"), at(8, "00:00")).fires
    assert [fire.at for fire in fires] == [at(day, "09:30") for day in range(1, 8)]
    post = rolling.post(fires[0].post)
    assert post is not None
    content = render(post, GROUP, fires[0], rolling)
    assert [each.url for each in content.attachments] == ["/c/newcomer-7"]
    assert "主题" in content.text


def test_whoever_begins_on_a_monday_hears_the_theme_of_the_day() -> None:
    """Of cohorts each weekday has its own themes; ten days share them out over the week."""
    weekly = book(start="每周一", days=[{"theme": f"主题{n + 1}"} for n in range(9)])
    fires = plan(weekly, [GROUP], at(1, "00:00"), at(8, "00:00")).fires
    texts = [render(post, GROUP, fire, weekly).text for fire in fires if (post := weekly.post(fire.post))]
    assert len(texts) == 7
    assert "第 1 天：主题1\n第 8 天：主题8" in texts[0]
    assert "第 7 天：主题7" in texts[6]


def test_posts_can_be_switched_off() -> None:
    """Without daily posts, or paused, there is nothing of it in the calendar; a copy with other posts has its own."""
    assert book(lead={"post": False}).calendar == ()
    assert book(pause=True).calendar == ()
    whole = book()
    assert len(whole.calendar) == 1
    assert whole.model_copy(update={"checkins": ()}).calendar == ()


def test_staff_are_told_what_to_say() -> None:
    """Names, their days, and words ready to be sent."""
    title, text = say_at_risk(checkin(title="七天打卡"), [AtRisk(name="小陈", day=2), AtRisk(name="", day=4)])
    assert title == "「七天打卡」：2 位快掉队了"
    assert text.startswith("小陈（第 2 天）、一位客户（第 4 天）。")
    assert "可以这样说：" in text
    _, long = say_at_risk(checkin(), [AtRisk(name=f"客{each}", day=2) for each in range(31)])
    assert "客29（第 2 天）等。" in long
    assert "客30" not in long
