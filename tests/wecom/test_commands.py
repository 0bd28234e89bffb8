"""What is sent to staff, to the byte."""

from typing import TYPE_CHECKING

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.actions import Card, CardButton, CardChoice, CardLine, SendCard, SendText, UpdateCard
from wecom.commands import Sent, cut, send_card, send_text, update_card
from wecom.errors import PlatformError

if TYPE_CHECKING:
    from tests.wecom.conftest import Platform
    from wecom.gateway import Gateway

SEND, UPDATE = "message/send", "message/update_template_card"

CARD = Card(
    title="请移出一位同行",
    description="新人打卡1群",
    text="刚刚扫码进群",
    lines=(CardLine(label="姓名", value="赵"), CardLine(label="公司", value="腾讯")),
    choices=(CardChoice(id="wo1", text="赵（腾讯）"), CardChoice(id="wo2", text="钱（阿里）")),
    choices_title="哪一位",
    buttons=(CardButton(key="removed", text="已移出", style=1), CardButton(key="later", text="稍后")),
)


async def test_a_text(gateway: "Gateway", platform: "Platform") -> None:
    """A text goes to all at once, and the platform is asked to swallow a second copy."""
    platform.answers[SEND] = [{"errcode": 0, "msgid": "m1", "invaliduser": "gone|left"}]
    sent = await send_text(gateway, SendText(to=("wangwu", "gone", "left"), text="你好"))
    assert sent == Sent(msgid="m1", invalid_users=("gone", "left"), response_code=None)
    assert platform.bodies(SEND) == [
        {
            "touser": "wangwu|gone|left",
            "msgtype": "text",
            "agentid": 7,
            "text": {"content": "你好"},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
    ]


async def test_a_card(gateway: "Gateway", platform: "Platform") -> None:
    """A card has the documented shape, and its response code comes back."""
    platform.answers[SEND] = [{"errcode": 0, "msgid": "m1", "response_code": "RC", "invaliduser": ""}]
    sent = await send_card(gateway, SendCard(task_id="case-7", to=("wangwu",), card=CARD))
    assert sent == Sent(msgid="m1", invalid_users=(), response_code="RC")
    assert platform.bodies(SEND) == [
        {
            "touser": "wangwu",
            "msgtype": "template_card",
            "agentid": 7,
            "template_card": {
                "card_type": "button_interaction",
                "main_title": {"title": "请移出一位同行", "desc": "新人打卡1群"},
                "sub_title_text": "刚刚扫码进群",
                "horizontal_content_list": [
                    {"keyname": "姓名", "value": "赵"},
                    {"keyname": "公司", "value": "腾讯"},
                ],
                "task_id": "case-7",
                "button_selection": {
                    "question_key": "choice",
                    "title": "哪一位",
                    "option_list": [{"id": "wo1", "text": "赵（腾讯）"}, {"id": "wo2", "text": "钱（阿里）"}],
                    "selected_id": "wo1",
                },
                "button_list": [
                    {"text": "已移出", "style": 1, "key": "removed"},
                    {"text": "稍后", "style": 2, "key": "later"},
                ],
            },
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
    ]


async def test_a_card_without_choices_has_no_list(gateway: "Gateway", platform: "Platform") -> None:
    """An empty drop-down list would be refused, so there is none."""
    await send_card(gateway, SendCard(task_id="t", to=("a",), card=CARD.model_copy(update={"choices": ()})))
    assert "button_selection" not in platform.bodies(SEND)[0]["template_card"]


async def test_a_repeated_deed_is_the_same_body(gateway: "Gateway", platform: "Platform") -> None:
    """After an unknown outcome the deed is sent again byte for byte, or the duplicate check would not know it."""
    deed = SendCard(task_id="case-7", to=("wangwu", "lihua"), card=CARD)
    for copy in (deed, SendCard.model_validate_json(deed.model_dump_json())):
        await send_card(gateway, copy)
    assert platform.sent[-1] == platform.sent[-2] != b""


async def test_what_is_too_long_is_cut_to_what_a_card_shows(gateway: "Gateway", platform: "Platform") -> None:
    """Long names never make the platform refuse a card."""
    long = "很" * 300
    card = Card(
        title=long,
        description=long,
        text=long,
        lines=tuple(CardLine(label=long, value=long) for _ in range(9)),
        choices=(CardChoice(id="1", text=long),),
        choices_title=long,
        buttons=(CardButton(key="k", text=long),),
    )
    await send_card(gateway, SendCard(task_id="t", to=("a",), card=card))
    body = platform.bodies(SEND)[0]["template_card"]
    assert len(body["main_title"]["title"]) == 36
    assert len(body["main_title"]["desc"]) == 44
    assert len(body["sub_title_text"]) == 160
    assert [(len(line["keyname"]), len(line["value"])) for line in body["horizontal_content_list"]] == [(5, 30)] * 6
    assert len(body["button_selection"]["option_list"][0]["text"]) == 16
    assert len(body["button_list"][0]["text"]) == 10
    await send_text(gateway, SendText(to=("a",), text="很" * 3000))
    content = platform.bodies(SEND)[1]["text"]["content"]
    assert 2040 < len(content.encode()) <= 2048
    assert content.endswith("很…")


async def test_a_card_is_updated_for_everybody_who_got_it(gateway: "Gateway", platform: "Platform") -> None:
    """The buttons give way to one text, by way of the response code."""
    await update_card(
        gateway, UpdateCard(task_id="case-7", to=("wangwu", "lihua"), response_code="RC", replace_with="王五已处理")
    )
    assert platform.bodies(UPDATE) == [
        {"userids": ["wangwu", "lihua"], "agentid": 7, "response_code": "RC", "button": {"replace_name": "王五已处理"}}
    ]


async def test_a_lost_answer_leaves_a_command_unknown(gateway: "Gateway", platform: "Platform") -> None:
    """No command claims to have failed when it may have been done."""
    platform.answers[SEND] = platform.answers[UPDATE] = [httpx2.ReadTimeout("x")]
    calls = (
        send_text(gateway, SendText(to=("a",), text="x")),
        send_card(gateway, SendCard(task_id="t", to=("a",), card=CARD)),
        update_card(gateway, UpdateCard(task_id="t", to=("a",), response_code="RC", replace_with="x")),
    )
    for call in calls:
        with pytest.raises(PlatformError) as error:
            await call
        assert error.value.treatment == "unknown_outcome"


async def test_nobody_to_send_to_is_refused(gateway: "Gateway", platform: "Platform") -> None:
    """When no receiver exists the platform's refusal reaches the caller."""
    platform.answers[SEND] = [{"errcode": 81013}]
    with pytest.raises(PlatformError) as error:
        await send_text(gateway, SendText(to=("gone",), text="x"))
    assert error.value.treatment == "refused"


@given(st.text(max_size=40), st.integers(1, 30), st.integers(3, 60))
def test_cutting_keeps_within_both_limits(text: str, length: int, size: int) -> None:
    """What is cut fits, is the beginning of the text, and says that it was cut; what fits is left alone."""
    short = cut(text, length, size=size)
    assert len(short) <= length
    assert len(short.encode()) <= size
    if short != text:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
    else:
        assert len(text) <= length
        assert len(text.encode()) <= size


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("群管家", 3, "群管家"),
        ("群管家", 2, "群…"),
        ("a👨\u200d👩\u200d👧b", 4, "a…"),
        ("a👍🏽b", 3, "a…"),
        ("ae\u0301b", 3, "a…"),
        ("a❤\ufe0fb", 3, "a…"),
        ("a🇨🇳b", 3, "a…"),
        ("a🇨🇳bc", 4, "a🇨🇳…"),
    ],
)
def test_nothing_is_cut_in_the_middle_of_a_character(text: str, length: int, expected: str) -> None:
    """Accents, families, skin colours and flags stay whole or go whole."""
    assert cut(text, length) == expected
