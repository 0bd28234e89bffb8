"""Rule `flood`: how many, how often the same, how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from rules.facts import Earlier
from rules.flood import Flood
from rules.text import normalise, shape

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def before(*texts: str, seconds: float = 5) -> tuple[Earlier, ...]:
    """Sent one after another, `seconds` apart, the last one `seconds` ago."""
    spans = [timedelta(seconds=seconds * (len(texts) - place)) for place in range(len(texts))]
    plains = map(normalise, texts)
    return tuple(
        Earlier(at=NOON - span, shape=shape(plain), length=len(plain))
        for span, plain in zip(spans, plains, strict=True)
    )


@pytest.mark.parametrize(
    ("settings", "text", "earlier", "because"),
    [
        pytest.param({}, "你好", (), "", id="the first"),
        pytest.param({}, "你好", before(*"123456789"), "", id="ten in a minute"),
        pytest.param({}, "你好", before(*"1234567890"), "1分钟里发了 11 条，最多 10 条", id="eleven in a minute"),
        pytest.param({}, "你好", before(*"1234567890", seconds=6), "", id="the oldest is just out of it"),
        pytest.param({"messages": 1, "within": "1小时"}, "好", before("1"), "1小时里发了 2 条", id="as set"),
        pytest.param({}, "新店开业啦", before(*["新店开业啦"] * 2, seconds=600), "", id="thrice"),
        pytest.param({}, "新店，开业啦！", before(*["新店开业啦"] * 3, seconds=600), "发了 4 遍", id="a fourth time"),
        pytest.param({}, "好的", before(*["好的"] * 5, seconds=100), "", id="short ones may be said again"),
        pytest.param({}, "", before(*[""] * 5, seconds=100), "", id="pictures are not the same"),
        pytest.param({"letters": 5}, "一 二 三 四 五", (), "", id="five letters"),
        pytest.param({"letters": 5}, "一二三四五六", (), "这一条有 6 个字，最多 5 个", id="six letters"),
    ],
)
def test_what_is_too_much(
    about_message: Any, settings: dict[str, Any], text: str, earlier: tuple[Earlier, ...], because: str
) -> None:
    """One more than is allowed is a hit, and says how many there were."""
    decision = about_message({"rule": "flood", **settings}, text, earlier=earlier)
    assert decision.verdict == ("hit" if because else "miss")
    assert because in decision.because
    assert decision.offence == ("m7" if because else "")


@pytest.mark.parametrize("span", ["0秒", "2小时"])
def test_no_more_is_asked_for_than_is_known(span: str) -> None:
    """What was written more than an hour ago is forgotten, so no rule may count on it."""
    with pytest.raises(ValidationError, match="要在 1秒 到 1小时 之间"):
        Flood.model_validate({"rule": "flood", "within": span})
