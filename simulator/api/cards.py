"""What a template card must look like (page 90236): one table per kind of part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.errors import ApiError

TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")


@dataclass(frozen=True)
class Field:
    """`most`: characters that are shown (advice: the client cuts the rest). `bytes`: refused above. 0: no limit."""

    kind: type = str
    required: bool = False
    most: int = 0
    bytes: int = 0


Shape = dict[str, Field]
NUMBER = Field(int)

SOURCE: Shape = {"icon_url": Field(), "desc": Field(most=13), "desc_color": NUMBER}
TITLE: Shape = {"title": Field(most=36), "desc": Field(most=44)}
QUOTE: Shape = {
    "type": NUMBER,
    "url": Field(),
    "appid": Field(),
    "pagepath": Field(),
    "title": Field(),
    "quote_text": Field(),
}
LINE: Shape = {
    "keyname": Field(required=True, most=5),
    "value": Field(most=30),
    "type": NUMBER,
    "url": Field(),
    "media_id": Field(),
    "userid": Field(),
}
ACTION: Shape = {"type": NUMBER, "url": Field(), "appid": Field(), "pagepath": Field()}
BUTTON: Shape = {
    "text": Field(required=True, most=10),
    "key": Field(bytes=1024),
    "style": NUMBER,
    "type": NUMBER,
    "url": Field(),
}
SELECTION: Shape = {
    "question_key": Field(required=True, bytes=1024),
    "title": Field(),
    "option_list": Field(list, required=True),
    "selected_id": Field(),
}
JUMP: Shape = {
    "type": NUMBER,
    "title": Field(required=True, most=13),
    "url": Field(),
    "appid": Field(),
    "pagepath": Field(),
    "question": Field(),
}
EMPHASIS: Shape = {"title": Field(most=10), "desc": Field(most=15)}
OPTION: Shape = {"id": Field(required=True, bytes=128), "text": Field(required=True, most=16)}
CARD: Shape = {
    "card_type": Field(required=True),
    "task_id": Field(),
    "source": Field(dict),
    "action_menu": Field(dict),
    "main_title": Field(dict),
    "quote_area": Field(dict),
    "sub_title_text": Field(most=160),
    "horizontal_content_list": Field(list),
    "card_action": Field(dict),
    "replace_text": Field(),
}
KINDS: Mapping[str, Shape] = {
    "button_interaction": CARD
    | {
        "button_selection": Field(dict),
        "button_list": Field(list, required=True),
        "main_title": Field(dict, required=True),
    },
    "text_notice": CARD
    | {"emphasis_content": Field(dict), "jump_list": Field(list), "card_action": Field(dict, required=True)},
}
PARTS: Mapping[str, Shape] = {
    "source": SOURCE,
    "main_title": TITLE,
    "quote_area": QUOTE,
    "card_action": ACTION,
    "emphasis_content": EMPHASIS,
    "button_selection": SELECTION,
}
# list → (what each item looks like, most items)
LISTS: Mapping[str, tuple[Shape, int]] = {
    "horizontal_content_list": (LINE, 6),
    "jump_list": (JUMP, 3),
    "button_list": (BUTTON, 6),
}

TooLong = tuple[str, int, int]  # field, its length, what is shown


def check_card(card: Any, *, strict: bool, task_id_required: bool) -> list[TooLong]:
    """Raises ApiError for what the platform refuses (and, when strict, for fields nobody documents). Returns what is
    longer than the client shows."""
    if not isinstance(card, dict):
        raise ApiError(40063, "template_card")
    shape = KINDS.get(card.get("card_type", ""))
    if shape is None:
        raise ApiError(40058, "template_card.card_type (the simulator knows: " + ", ".join(KINDS) + ")")
    _check_task_id(card, required=task_id_required)
    too_long = list(_check_part("template_card", card, shape, strict=strict))
    for name, part in PARTS.items():
        if card.get(name) is not None:
            too_long += _check_part(name, card[name], part, strict=strict)
    for name, (item_shape, most) in LISTS.items():
        too_long += _check_list(name, card.get(name) or [], item_shape, most, strict=strict)
    if card["card_type"] == "button_interaction":
        _check_buttons(card["button_list"])
        if card.get("button_selection") is not None:
            options = card["button_selection"]["option_list"]
            too_long += _check_list("option_list", options, OPTION, 10, strict=strict)
            _check_options(options)
    else:
        _check_notice(card)
    return too_long


def _check_notice(card: Mapping[str, Any]) -> None:
    """A text_notice has a title of some sort, and all that can be pressed leads somewhere."""
    title, emphasis = card.get("main_title") or {}, card.get("emphasis_content") or {}
    if not (title.get("title") or emphasis.get("title") or card.get("sub_title_text")):
        raise ApiError(40063, "main_title.title or sub_title_text")
    action = card["card_action"]
    if action.get("type") not in {1, 2} or not action.get("url" if action["type"] == 1 else "appid"):
        raise ApiError(42045)
    for jump in card.get("jump_list") or []:
        if not jump.get({1: "url", 2: "appid", 3: "question"}.get(jump.get("type", 0), "title")):
            raise ApiError(40063, "jump_list")


def _check_task_id(card: Mapping[str, Any], *, required: bool) -> None:
    task_id = card.get("task_id")
    if task_id is None and not (required and card["card_type"] == "button_interaction"):
        return
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
        raise ApiError(42014)


def _check_part(name: str, part: Any, shape: Shape, *, strict: bool) -> Iterator[TooLong]:
    if not isinstance(part, dict):
        raise ApiError(40058, f"{name} must be an object")
    if strict and (unknown := sorted(set(part) - set(shape))):
        raise ApiError(40058, f"{name} has unknown fields: {', '.join(unknown)}")
    for field_name, field in shape.items():
        yield from _check_field(f"{name}.{field_name}", part.get(field_name), field)


def _check_field(path: str, value: Any, field: Field) -> Iterator[TooLong]:
    if value is None:
        if field.required:
            raise ApiError(42045 if path.endswith("card_action") else 40063, path)
        return
    if not isinstance(value, field.kind) or (field.kind is int and isinstance(value, bool)):
        raise ApiError(40058, f"{path} must be {field.kind.__name__}")
    if isinstance(value, str):
        if field.required and not value:
            raise ApiError(40063, path)
        if field.bytes and len(value.encode()) > field.bytes:
            raise ApiError(40058, f"{path} is longer than {field.bytes} bytes")
        if field.most and len(value) > field.most:
            yield path, len(value), field.most


def _check_list(name: str, items: Any, shape: Shape, most: int, *, strict: bool) -> list[TooLong]:
    if not isinstance(items, list):
        raise ApiError(40058, f"{name} must be a list")
    if len(items) > most:
        raise ApiError(40058, f"{name} has more than {most}")
    return [each for item in items for each in _check_part(name, item, shape, strict=strict)]


def _check_buttons(buttons: list[dict[str, Any]]) -> None:
    if not buttons:
        raise ApiError(40063, "button_list")
    callback_buttons = [each for each in buttons if each.get("type", 0) == 0]
    keys = [each.get("key") for each in callback_buttons]
    if not all(keys):
        raise ApiError(42019, "button_list.key")
    if len(set(keys)) < len(keys):
        raise ApiError(42018, "button_list.key comes twice")
    if any(each.get("type") == 1 and not each.get("url") for each in buttons):
        raise ApiError(40063, "button_list.url")


def _check_options(options: list[dict[str, Any]]) -> None:
    if not options:
        raise ApiError(40063, "option_list")
    if len({each["id"] for each in options}) < len(options):
        raise ApiError(40058, "option_list.id comes twice")
