"""Durations as managers write them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from rules.when import Duration, parse_duration, say_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10分钟", 600),
        ("10m", 600),
        ("1小时", 3600),
        ("1h", 3600),
        ("3天", 259_200),
        ("3d", 259_200),
        ("30秒", 30),
        ("30s", 30),
        ("1小时30分钟", 5400),
        ("1h30m", 5400),
        ("1H30M", 5400),
        (" 1 小时 30 分钟 ", 5400),
        ("１０分钟", 600),
        ("0秒", 0),
        ("1天2小时3分钟4秒", 93_784),
    ],
)
def test_durations_in_both_spellings_are_read(text: str, seconds: int) -> None:
    """Every spelling of the guide means the length of time it says."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["10", "1.5", "-3", "１０"])
def test_a_bare_number_is_asked_for_its_unit(text: str) -> None:
    """A number without a unit is never guessed at."""
    with pytest.raises(ValueError, match=r"^请写明单位，例如 10分钟$"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "  ", "一会儿", "1.5小时", "30分钟1小时", "1小时1小时", "-10分钟", "10 minutes", "1234567秒"]
)
def test_what_cannot_be_read_is_refused_with_examples(text: str) -> None:
    """Text that is no duration is refused, and the answer shows how to write one."""
    with pytest.raises(ValueError, match=r"看不懂这个时长.*1小时30分钟"):
        parse_duration(text)


@given(st.integers(0, 999_999 * 86_400))
def test_what_is_said_can_be_read_again(seconds: int) -> None:
    """`say_duration` loses nothing."""
    assert parse_duration(say_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


class Reminder(BaseModel):
    model_config = ConfigDict(strict=True)
    after: Duration = timedelta(minutes=10)


def test_a_strict_model_takes_the_text_and_gives_it_back() -> None:
    """A duration survives a strict model in both directions."""
    assert Reminder.model_validate({"after": "1小时"}).after == timedelta(hours=1)
    assert Reminder.model_validate_json('{"after": "90s"}').model_dump(mode="json") == {"after": "1分钟30秒"}
    assert Reminder(after=timedelta(days=1)).after == timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "words"), [(10, "请写明单位"), (1.5, "请写明单位"), (True, "这里要写一段时长"), (None, "这里要写")]
)
def test_a_model_refuses_what_is_no_text_in_chinese(value: object, words: str) -> None:
    """Numbers, switches and nothing are refused with a Chinese sentence."""
    with pytest.raises(ValidationError, match=words):
        Reminder.model_validate({"after": value})


def test_the_schema_lets_an_editor_check_it() -> None:
    """The JSON schema's pattern accepts the guide's spellings and refuses a bare number; its description is Chinese."""
    schema = Reminder.model_json_schema()["properties"]["after"]
    assert re.search(schema["pattern"], "1小时30分钟")
    assert not re.search(schema["pattern"], "10")
    assert not re.search(schema["pattern"], "")
    assert "时长" in schema["description"]
