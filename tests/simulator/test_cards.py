"""What a card must look like."""

from typing import TYPE_CHECKING

import pytest

from simulator.api.cards import check_card
from simulator.errors import ApiError

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json


def _button(key: str) -> "Json":
    return {"text": "好", "key": key}


def _selection(*ids: str) -> "Json":
    return {"question_key": "choice", "option_list": [{"id": each, "text": "选项"} for each in ids]}


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"task_id": None}, 42014),
        ({"task_id": "带中文"}, 42014),
        ({"task_id": "a" * 129}, 42014),
        ({"card_type": "no_such_type"}, 40058),
        ({"main_title": None}, 40063),
        ({"colour": "red"}, 40058),
        ({"main_title": {"title": "好", "size": 3}}, 40058),
        ({"button_list": []}, 40063),
        ({"button_list": [_button(str(number)) for number in range(7)]}, 40058),
        ({"button_list": [_button("a"), _button("a")]}, 42018),
        ({"button_list": [{"text": "好"}]}, 42019),
        ({"button_list": [_button("a"), {"text": "好", "type": 1}]}, 40063),
        ({"button_list": [_button("k" * 1025)]}, 40058),
        ({"button_list": [_button("a") | {"style": "blue"}]}, 40058),
        ({"horizontal_content_list": [{"keyname": "姓名"}] * 7}, 40058),
        ({"horizontal_content_list": [{"value": "孙强"}]}, 40063),
        ({"button_selection": _selection(*map(str, range(11)))}, 40058),
        ({"button_selection": _selection()}, 40063),
        ({"button_selection": _selection("a", "a")}, 40058),
        ({"button_selection": _selection("i" * 129)}, 40058),
        ({"button_selection": {"option_list": []}}, 40063),
    ],
)
def test_cards_that_are_refused(removal_card: "Json", change: "Json", errcode: int) -> None:
    """Each documented rule has a card that breaks it."""
    with pytest.raises(ApiError) as refused:
        check_card(removal_card | change, strict=True, task_id_required=True)
    assert refused.value.errcode == errcode


def test_a_card_at_all_its_limits_is_accepted(removal_card: "Json") -> None:
    """Six buttons, six lines, ten options, a task_id of 128: fine."""
    card = removal_card | {
        "task_id": "a" * 128,
        "button_list": [_button(str(number)) for number in range(6)],
        "horizontal_content_list": [{"keyname": "姓名", "value": "孙强"}] * 6,
        "button_selection": _selection(*map(str, range(10))),
    }
    assert check_card(card, strict=True, task_id_required=True) == []


def test_unknown_fields_pass_where_cards_are_not_strict(removal_card: "Json") -> None:
    """strict=False is the real platform's patience."""
    assert check_card(removal_card | {"colour": "red"}, strict=False, task_id_required=True) == []


async def test_what_is_too_long_to_be_shown_is_noted(desk: "Desk", removal_card: "Json") -> None:
    """A text above the advised length is delivered, and `too_long` says which."""
    lines = [{"keyname": "六个字的名称", "value": "孙强"}]
    answer = await desk.send_card("lihua", removal_card | {"horizontal_content_list": lines})
    assert answer["errcode"] == 0
    assert desk.world.too_long == [("case-1", "horizontal_content_list.keyname", 6, 5)]


_JUMP = {"type": 1, "title": "打开名单", "url": "https://bot.example/"}


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({}, 0),
        ({"main_title": {"desc": "没有标题"}}, 40063),
        ({"main_title": None, "sub_title_text": "也行"}, 0),
        ({"card_action": None}, 42045),
        ({"card_action": {"type": 1}}, 42045),
        ({"card_action": {"type": 0}}, 42045),
        ({"card_action": {"type": 2, "appid": "wx1"}}, 0),
        ({"jump_list": [_JUMP] * 3}, 0),
        ({"jump_list": [_JUMP] * 4}, 40058),
        ({"jump_list": [{"type": 1, "title": "打开"}]}, 40063),
        ({"jump_list": [{"type": 1, "url": "https://bot.example/"}]}, 40063),
        ({"horizontal_content_list": [{"keyname": "姓名"}] * 7}, 40058),
        ({"emphasis_content": {"colour": "red"}}, 40058),
    ],
)
async def test_a_notice_must_lead_somewhere(desk: "Desk", change: "Json", errcode: int) -> None:
    """A text_notice needs a title, an action with its address, and at most three jumps and six lines."""
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "今日待办"},
        "card_action": {"type": 1, "url": "https://bot.example/"},
    }
    card = {name: value for name, value in {**notice, **change}.items() if value is not None}
    assert (await desk.send_card("wangwu", card))["errcode"] == errcode
