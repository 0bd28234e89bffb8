"""Pydantic's errors → what a manager reads: the place in the file, the reason in Chinese, and what was perhaps meant.

A model's own validators say their reason themselves: `raise ValueError("中文")`, or, to point at a place inside the
model, `raise PydanticCustomError("doubled", "中文", {"at": ("rules", 1, "name")})`.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.problems import Problem, closest, short, written
from bot.config.schema import Schema
from bot.config.yaml_mistakes import about_colon
from bot.config.yaml_tree import Fields, Items, Node, Scalar, key_place

_A_LIST, _A_MAP = (
    "应当是一个列表：每项一行，以「- 」开头，或者写成 [甲, 乙]",
    "应当是一组「名称: 值」，在下一行缩进两格写",
)
_A_TEXT, _A_NUMBER = "应当是文字", "应当是一个数字"

_REASONS = {  # by pydantic's type of error; {…} is filled from its context
    "string_type": _A_TEXT,
    "string_too_short": "太短，至少要 {min_length} 个字",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_pattern_mismatch": "写法不对",
    "int_type": "应当是一个整数，不加引号",
    "int_parsing": "应当是一个整数",
    "int_from_float": "应当是一个整数，不带小数",
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "decimal_type": _A_NUMBER,
    "decimal_parsing": _A_NUMBER,
    "bool_type": "应当写 true（是）或 false（否），不加引号",
    "bool_parsing": "应当写 true（是）或 false（否）",
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "set_type": _A_LIST,
    "frozen_set_type": _A_LIST,
    "dict_type": _A_MAP,
    "model_type": _A_MAP,
    "model_attributes_type": _A_MAP,
    "greater_than": "应当大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应当小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "multiple_of": "应当是 {multiple_of} 的倍数",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多只能有 {max_length} 项",
    "date_parsing": "应当是日期，例如 2026-11-25",
    "date_from_datetime_parsing": "应当是日期，例如 2026-11-25",
    "time_parsing": "应当是时刻，例如 20:00",
}
_SECRET = re.compile("secret|token|password|api_?key|aes_?key|corp_?id|agent_?id|密钥|密码", re.IGNORECASE)
_FALLBACK = "这里的内容不对"
_STRUCTURE = {_A_LIST, _A_MAP}


class _Spot(NamedTuple):
    """Where an error is. `path`: the real keys down to `node`; `branch`: the union member it speaks of, "" = none;
    `branched`: how many keys of the path stand before that member; `last`: what is left of the error's own place."""

    path: tuple[str | int, ...]
    node: Node
    branch: str
    branched: int
    last: str


def explain(error: ValidationError, root: Node, model: type[BaseModel], file: str) -> list[Problem]:
    """One problem for each mistake. A value that fits no member of a union is one mistake, not one per member."""
    schema = Schema(model)
    found = [(_find(root, details), details) for details in error.errors(include_url=False)]
    problems = [_problem(spot, details, schema, root, file) for spot, details in _one_per_mistake(found)]
    return list(dict.fromkeys(problems))


def _find(root: Node, details: ErrorDetails) -> _Spot:
    """Follow the error's place through the file; what is no key there is the name of a union's member."""
    at = details.get("ctx", {}).get("at", ())
    node, path, branch, branched = root, list[str | int](), "", 0
    location = [*details["loc"], *at]
    last = str(location.pop()) if location and details["type"] in {"missing", "extra_forbidden"} else ""
    for step in location:
        if isinstance(node, Fields) and str(step) in node.nodes:
            node = node.nodes[str(step)]
            path.append(str(step))
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            node = node.nodes[step]
            path.append(step)
        elif step == "[key]":
            last = "[key]"
        elif not branch:
            branch, branched = str(step), len(path)
    return _Spot(tuple(path), node, branch, branched, last)


def _one_per_mistake(found: list[tuple[_Spot, ErrorDetails]]) -> Iterator[tuple[_Spot, ErrorDetails]]:
    """Of the members of one union only the likeliest speaks: the one that the value got furthest into."""
    yield from ((spot, details) for spot, details in found if not spot.branch)

    def union(item: tuple[_Spot, ErrorDetails]) -> list[str]:
        return [str(step) for step in item[0].path[: item[0].branched]]

    for _, errors in groupby(sorted((item for item in found if item[0].branch), key=union), key=union):
        members: dict[str, list[tuple[_Spot, ErrorDetails]]] = {}
        for spot, details in errors:
            members.setdefault(spot.branch, []).append((spot, details))
        yield from min(members.values(), key=_distance)


def _distance(errors: list[tuple[_Spot, ErrorDetails]]) -> tuple[int, int, int]:
    inside = any(len(spot.path) > spot.branched or spot.last for spot, _ in errors)
    wrong_kind = any(_REASONS.get(details["type"]) in _STRUCTURE | {_A_TEXT, _A_NUMBER} for _, details in errors)
    return (not inside, wrong_kind, len(errors))


def _problem(spot: _Spot, details: ErrorDetails, schema: Schema, root: Node, file: str) -> Problem:
    kind, node, path = details["type"], spot.node, spot.path
    if kind in {"missing", "union_tag_not_found"}:
        path = (*path, spot.last or _tag_name(details))
        return Problem(file, *node.place, written(path), "", _lacking(path, schema, root))
    if kind == "extra_forbidden" and isinstance(node, Fields):
        reason, meant = _unknown_name(spot.last, schema.names_at(root, path), schema.labels_at(root, path))
        return Problem(file, *node.keys[spot.last], written((*path, spot.last)), spot.last, reason, meant)
    if spot.last == "[key]":
        reason = f"名称「{path[-1]}」不对：{_said(details)}"
        return Problem(file, *key_place(root, path), written(path), str(path[-1]), reason)
    if kind == "union_tag_invalid" and isinstance(node, Fields):
        path = (*path, _tag_name(details))
        node = node.nodes[str(path[-1])]
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        reason, meant = _not_one_of(node, schema.values_at(root, path))
    else:
        reason, meant = _mismatch(node, _said(details)), ""
        if kind == "string_pattern_mismatch":
            reason += f"（{schema.description_at(root, path).split('。')[0]}）"
    return Problem(file, *node.place, written(path), _shown(node), reason, meant)


def _tag_name(details: ErrorDetails) -> str:
    return str(details["ctx"]["discriminator"]).strip("'")


def _lacking(path: tuple[str | int, ...], schema: Schema, root: Node) -> str:
    reason = f"缺少「{path[-1]}」"
    description, allowed = schema.description_at(root, path), schema.values_at(root, path)
    if description:
        reason += f"（{description.split('。')[0]}）"
    return f"{reason}：可以写 {_list(allowed)}" if allowed else reason


def _not_one_of(node: Node, allowed: list[str]) -> tuple[str, str]:
    if not isinstance(node, Scalar) or node.data() is None:
        return f"应当写下面之一：{_list(allowed)}", ""
    shown = _shown(node)
    return f"「{shown}」不是可用的值：可以写 {_list(allowed)}", closest(shown, allowed)


def _said(details: ErrorDetails) -> str:
    """The reason: from a validator of ours (it is in Chinese already), else from the table."""
    context = details.get("ctx", {})
    own = str(context["error"]) if isinstance(context.get("error"), Exception) else details["msg"]
    if any("\u4e00" <= letter <= "\u9fff" for letter in own):
        return own.rstrip("。")
    return _REASONS.get(details["type"], _FALLBACK).format(**context)


def _mismatch(node: Node, reason: str) -> str:
    """The reason with what the file's own writing adds to it: nothing there, a colon, missing quotes."""
    if not isinstance(node, Scalar):
        return reason
    if node.data() is None:
        return f"这里什么也没有写：{reason}；不需要的话请删掉这一行"
    if reason in _STRUCTURE and about_colon(node.text):
        return about_colon(node.text)
    if reason == _A_TEXT:
        return f'{_A_TEXT}：请加引号，写成 "{node.text}"'
    return f"「{short(node.text)}」不对：{reason}"


def _unknown_name(name: str, allowed: list[str], labels: dict[str, str]) -> tuple[str, str]:
    """Why a name is not known, and which one was meant."""
    if name != name.strip():
        return "这一行开头有全角空格或不可见的空格，请改成普通空格", ""
    head = name.replace("：", ":").split(":")[0]
    if head in allowed and about_colon(name):
        return about_colon(name), ""
    if _SECRET.search(name):
        return f"「{short(name)}」不写在这里：密钥和服务器的设置写在 .env 里", ""
    meant = closest(name, allowed) or labels.get(closest(name, list(labels)), "")
    known = "" if meant or not allowed else f"：这里可以写 {_list(allowed)}"
    return f"不认识「{short(name)}」{known}", meant


def _shown(node: Node) -> str:
    return short(node.text) if isinstance(node, Scalar) else ""


def _list(words: Iterable[str]) -> str:
    return "、".join(words)
