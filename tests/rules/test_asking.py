"""Whom to ask and when; when the next list comes; what a page says of a case."""

from datetime import UTC, datetime, time, timedelta

import pytest

from rules.removal import whom_to_ask
from rules.todo import next_list, say_state
from rules.when import DailySpan

NIGHT = DailySpan(start=time(22), end=time(9))


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("deputies", "now", "to", "not_before"),
    [
        ((), beijing(23, 12), ("owner", "admin"), beijing(23, 12)),
        (("admin",), beijing(23, 12), ("owner", "admin"), beijing(23, 12)),
        ((), beijing(23, 23), ("owner", "admin"), beijing(24, 9)),
        ((), beijing(24, 8, 59), ("owner", "admin"), beijing(24, 9)),
        ((), beijing(24, 9), ("owner", "admin"), beijing(24, 9)),
        (("admin",), beijing(23, 23), ("admin",), beijing(23, 23)),
        (("somebody",), beijing(23, 23), ("owner", "admin"), beijing(24, 9)),
    ],
)
def test_whom_to_ask(deputies: tuple[str, ...], now: datetime, to: tuple[str, ...], not_before: datetime) -> None:
    """Off duty only deputies who can remove are asked; where there is none, everybody is, when duty begins."""
    asking = whom_to_ask(("owner", "admin"), deputies, NIGHT, now)
    assert (asking.to, asking.not_before) == (to, not_before)


@pytest.mark.parametrize(
    ("last", "now", "then"),
    [
        (None, beijing(23, 9), beijing(23, 9, 30)),
        (None, beijing(23, 9, 30), beijing(24, 9, 30)),
        (beijing(22, 9, 30), beijing(23, 9), beijing(23, 9, 30)),
        (beijing(23, 9, 10), beijing(23, 9, 15), beijing(24, 9, 30)),
        (beijing(23, 0, 5), beijing(23, 0, 6), beijing(24, 9, 30)),
        (beijing(22, 23, 55), beijing(23, 0, 5), beijing(23, 9, 30)),
    ],
)
def test_a_list_comes_once_a_day(last: datetime | None, now: datetime, then: datetime) -> None:
    """At its time of day, and not again on a day of Beijing on which there was one already."""
    assert next_list(time(9, 30), last, now) == then


@pytest.mark.parametrize(
    ("step", "listed", "asked", "words"),
    [
        ("remind", False, True, "11-23 09:00 请过"),
        (None, False, True, "11-23 09:00 请过"),
        ("check", False, True, "正在核对名单"),
        ("check", True, False, "正在核对名单"),
        ("ask", False, False, "公司的程序"),
        (None, True, False, "在名单上"),
        ("escalate", True, True, "在名单上"),
    ],
)
def test_a_case_says_where_it_stands(step: str | None, listed: bool, asked: bool, words: str) -> None:
    """Asked by a card, on the list, said to be done, or with the company's own program."""
    assert words in say_state(step, listed=listed, asked_at=beijing(23, 9) if asked else None)
