"""What the platform's errors mean to us."""

from datetime import timedelta

import pytest

from wecom.errors import OUTCOME_UNKNOWN, TABLE, PlatformError


@pytest.mark.parametrize("errcode", [-1, 6000, 45009, 45033])
def test_passing_troubles_are_tried_again_later(errcode: int) -> None:
    """Busy, conflict, frequency and concurrency become later rows."""
    error = PlatformError(errcode, "message/send")
    assert error.treatment == "retry"
    assert error.retry_after is not None


def test_frequency_waits_a_minute() -> None:
    """45009 blocks an API for a minute, so nothing is tried before that."""
    retry_after = PlatformError(45009, "message/send").retry_after
    assert retry_after is not None
    assert retry_after >= timedelta(seconds=60)


@pytest.mark.parametrize("errcode", [40001, 40013, 48002, 60020, 301002])
def test_wrong_settings_alert(errcode: int) -> None:
    """What only a person can put right is told to one, with where to click or what to change."""
    error = PlatformError(errcode, "message/send")
    assert error.treatment == "alert"
    assert error.retry_after is None
    assert "管理后台 →" in error.hint


@pytest.mark.parametrize("errcode", [*TABLE, 999999])
def test_every_error_has_a_chinese_hint(errcode: int) -> None:
    """Nobody is left alone with a number, known or not."""
    error = PlatformError(errcode, "message/send")
    assert any("一" <= character <= "鿿" for character in error.hint)
    assert str(error) == f"message/send: errcode {errcode}: {error.hint}"


def test_an_unknown_outcome_has_no_date() -> None:
    """When to look again is for the caller to say, who knows how to look."""
    assert PlatformError(OUTCOME_UNKNOWN, "message/send").retry_after is None


def test_the_next_in_line_gets_an_equal_error() -> None:
    """A shared failure is raised for each who waits as an error of their own, equal in all parts."""
    error = PlatformError(40014, "gettoken", treatment="retry", retry_after=timedelta(seconds=7))
    again = error.again()
    assert again is not error
    assert vars(again) == vars(error)
