"""The managers' week of posts: every group of every post is accounted for."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.post_report import (
    FATES,
    Fate,
    NotOut,
    OwnerWeek,
    Report,
    Told,
    monday_before,
    next_report,
    say_card,
    say_days,
    say_late,
    say_not_out,
    say_reason,
    span_of,
    tally,
)

FIRST, LAST = date(2026, 11, 16), date(2026, 11, 22)
AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def told(group: int, fate: Fate = "arrived", post: str = "周三分享", **more: Any) -> Told:
    return Told(post=post, at=AT, chat_id=f"wr{group}", group=f"会员{group}群", fate=fate, **more)


def lines_of(report: Report) -> Mapping[str, str]:
    return {line.label: line.value for line in say_card(report)[2]}


def test_a_good_week_is_a_short_card() -> None:
    """How many, and that all of them arrived; by hand and merged count as arrived."""
    report = tally(FIRST, LAST, [told(1), told(2, "by_hand"), told(3, "merged")])
    title, days, lines = say_card(report)
    assert (title, days) == ("上周群发：3/3 群次发到了", "11月16日到11月22日")
    assert [(line.label, line.value) for line in lines] == [("应发", "1 条，共 3 群次"), ("发到", "3 群次")]


def test_who_did_not_confirm_what_was_late_and_what_was_not_sent() -> None:
    """Names with their counts, the worst first; reasons with theirs; posts that never went out."""
    report = tally(
        FIRST,
        LAST,
        [
            told(1, got_at=AT + timedelta(hours=1, minutes=5)),
            told(2, got_at=AT + timedelta(minutes=29)),
            told(3, "unconfirmed", owner="王五"),
            told(4, "unconfirmed", owner="赵六"),
            told(5, "unsent", owner="王五"),
            told(6, "capped"),
            told(7, "dropped", why="本月需 39 条，额度 30 条"),
            told(8, "waiting", owner="赵六"),
            told(9, "unreachable", why="群主不在可见范围"),
        ],
        [NotOut(post="早报", at=AT, state="skipped", why="机器人停过，晚了 3小时")],
    )
    assert (report.planned, report.delivered, report.undone) == (9, 2, {"王五": 2, "赵六": 1})
    assert lines_of(report) == {
        "应发": "1 条，共 9 群次",
        "发到": "2 群次",
        "没点": "王五 2、赵六 1",
        "晚了": "1 群次",
        "没发": "额度用完了 1、额度不够，没发 1、没有人能发 1、整条没发 1 条",
    }
    assert say_late(report.late[0]) == "11月18日 20:00 的「周三分享」，1 个群晚了，最多 1小时5分钟"
    assert say_not_out(report.not_out[0]) == "11月18日 20:00 的「早报」没有发：机器人停过，晚了 3小时"
    assert "「周三分享」1 个群额度不够，没发：本月需 39 条，额度 30 条" in [say_reason(each) for each in report.reasons]
    assert not any("还在等" in say_reason(each) for each in report.reasons)


def test_how_lively_the_groups_were() -> None:
    """Summed up on the card, by owner in the report; None where the platform did not tell."""
    weeks = [
        OwnerWeek(owner="wangwu", groups=5, new_members=3, members=500, active=40, messages=200),
        OwnerWeek(owner="zhaoliu", groups=5, new_members=9, members=400, active=60, messages=700),
    ]
    report = tally(FIRST, LAST, [told(1)], owners=weeks)
    assert report.owners is not None
    assert [each.owner for each in report.owners] == ["zhaoliu", "wangwu"]
    assert lines_of(report)["群里"] == "新 12 人，说话 100 人，900 条"
    assert "群里" not in lines_of(tally(FIRST, LAST, [told(1)]))


def test_weeks_are_beijings_and_told_on_mondays_at_ten() -> None:
    """At ten sharp it is due; a second later the next one is."""
    ten = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert next_report(ten - timedelta(seconds=1)) == ten
    assert next_report(ten) == ten + timedelta(days=7)
    assert monday_before(ten) == FIRST
    assert span_of(FIRST, LAST) == (datetime(2026, 11, 15, 16, tzinfo=UTC), datetime(2026, 11, 22, 16, tzinfo=UTC))
    assert say_days(tally(FIRST, LAST, [])) == "11月16日到11月22日"
    assert say_card(tally(FIRST, LAST, []))[0] == "上周没有群发"


TOLD = st.lists(
    st.builds(
        lambda group, post, fate, late: told(
            group, fate, post, owner="王五", got_at=AT + timedelta(minutes=late) if late else None
        ),
        st.integers(0, 500),
        st.sampled_from(["早报", "周三分享"]),
        st.sampled_from(sorted(FATES)),
        st.integers(0, 200),
    ),
    unique_by=lambda each: (each.chat_id, each.post),
    max_size=60,
)


@settings(deadline=None)  # the machine may be busy
@given(TOLD)
def test_nothing_is_missing_from_the_sums(some: list[Told]) -> None:
    """Delivered, waiting and what has a reason are all there is; the counts add up to what was planned."""
    report = tally(FIRST, LAST, some)
    assert sum(report.counts.values()) == report.planned == len(some)
    explained = sum(count for *_, count in report.reasons)
    assert report.delivered + report.counts.get("waiting", 0) + explained == report.planned
    assert sum(report.undone.values()) == report.counts.get("unconfirmed", 0) + report.counts.get("unsent", 0)
