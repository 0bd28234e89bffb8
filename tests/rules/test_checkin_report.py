"""The overview of a check-in: its sums are right, whatever the journeys were."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pages.checkin_chart import chart
from rules.checkin_report import Given, Run, as_table, overview, say_share, say_stopped, say_week
from rules.checkins import Checkin

MONDAY = date(2026, 11, 23)
TODAY = MONDAY + timedelta(days=9)
ASKED = {"text": "喝什么？", "options": {"绿茶": "喜欢绿茶", "红茶": "喜欢红茶"}}
CHECKIN = Checkin.model_validate(
    {
        "name": "newcomer-7",
        "title": "七天",
        "to": "newcomers",
        "leave_days": 1,
        "days": [{"theme": f"第{n}天", "question": ASKED if n == 2 else None} for n in range(1, 8)],
    }
)


def run(began: int, done: str, state: str = "going", **more: Any) -> Run:
    """`began`: days after Monday. `done`: a letter a day: x a press, m a make-up, l leave, - nothing."""
    kinds = {"x": "tap", "m": "make_up", "l": "leave"}
    first = MONDAY + timedelta(days=began)
    days = {first + timedelta(days=n): kinds[letter] for n, letter in enumerate(done) if letter in kinds}
    return Run.model_validate({"started_on": first, "state": state, "days": days, "answers": {}, **more})


def test_a_funnel_counts_whom_a_day_has_come_for() -> None:
    """Who began later is not counted for days to come, nor who stopped for days after that."""
    found = overview(
        CHECKIN,
        [
            run(0, "xxxxxxx", "graduated", ended_on=MONDAY + timedelta(days=6), reachable=True),
            run(0, "xxlm", "dropped", because="三天没有来", ended_on=MONDAY + timedelta(days=5)),
            run(8, "x"),
        ],
        [
            Given(milestone=7, reward="money", state="paid", number=1, amount=200),
            Given(milestone=7, reward="coupon", state="owed", number=1, amount=1000),
        ],
        TODAY,
    )
    assert [(day.due, day.done) for day in found.total.days[:4]] == [(3, 3), (3, 2), (2, 1), (2, 2)]
    assert found.total.days[2].leave == 1
    assert [(day.due, day.done) for day in found.total.days[6:]] == [(1, 1)]
    assert [(each.of, each.began) for each in found.cohorts] == [(MONDAY, 2), (MONDAY + timedelta(days=7), 1)]
    assert (found.stopped, found.why) == ({4: 1}, {"三天没有来": 1})
    assert (found.reachable, found.cost) == (1, 200)
    assert say_week(found, MONDAY) == "七天：新 2 人，还在走 1 人，毕业 1 人"


def test_an_answer_is_counted_for_the_question_that_was_asked() -> None:
    """After a day of leave the themes move on with the person; what nobody offers any more is counted all the same."""
    second = MONDAY + timedelta(days=1)
    found = overview(
        CHECKIN,
        [
            run(0, "xx", answers={second: "绿茶"}),
            run(0, "lxx", answers={second + timedelta(days=1): "绿茶"}),
            run(0, "xx", answers={second: "白茶"}),
        ],
        [],
        TODAY,
    )
    [asked] = found.answers
    assert (asked.theme, asked.options) == (2, {"绿茶": 2, "红茶": 0, "白茶": 1})


def test_nobody_is_nothing() -> None:
    """An overview of no journeys has no funnel, no picture, and divides by nothing."""
    found = overview(CHECKIN, [], [], TODAY)
    assert (found.total.began, found.cohorts, chart(found.total, "七天"), say_week(found, MONDAY)) == (0, (), "", "")
    assert (say_share(0, 0), say_stopped(0), say_stopped(3)) == ("—", "一天也没打", "打了第 3 天以后")


STATES = st.sampled_from(["going", "graduated", "dropped", "opted_out"])
RUNS = st.lists(
    st.builds(
        lambda began, done, state, lasted: run(
            began, done, state, ended_on=None if state == "going" else MONDAY + timedelta(days=began + lasted)
        ),
        st.integers(-20, 9),
        st.text("xml-", max_size=9),
        STATES,
        st.integers(0, 9),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(RUNS)
def test_the_sums_are_right(runs: list[Run]) -> None:
    """States add up to who began, cohorts to all together, and no day is done by more people than it has come for."""
    found = overview(CHECKIN, runs, [], TODAY)
    for each in (*found.cohorts, found.total):
        assert each.began == each.going + each.graduated + each.dropped + each.opted_out
        assert all(day.done + day.leave <= day.due <= each.began for day in each.days)
    for number, day in enumerate(found.total.days, 1):
        same = [each for cohort in found.cohorts for each in cohort.days if each.number == number]
        assert (sum(each.done for each in same), sum(each.due for each in same)) == (day.done, day.due)
    assert sum(found.stopped.values()) == sum(found.why.values()) == found.total.dropped + found.total.opted_out
    head, *rows = as_table(found)
    assert {len(row) for row in rows} == {len(head)}
    assert sum(int(row[1]) for row in rows[:-1]) == rows[-1][1] == len(runs)


def test_a_picture_says_in_words_what_it_shows() -> None:
    """Whoever cannot see the chart is told each day's figures; a title cannot break out of it."""
    found = overview(CHECKIN, [run(0, "xx"), run(0, "x")], [], TODAY)
    drawn = chart(found.total, "<b>七天</b>")
    assert "第 1 天 2/2（100%）" in drawn
    assert "<b>" not in drawn
    assert drawn.count("<rect") == 2 * len(found.total.days)
