"""YAML 1.2 as managers need it: every key and value with its place, and nothing clever (no anchors, tags or merging).

Built from ruamel's events, so that doubled keys and forbidden constructs are all found, not only the first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from bot.config import yaml_mistakes

DEEPEST = 40
"""Levels of nesting. A config has six."""


class Place(NamedTuple):
    """Counted from 1."""

    line: int
    column: int


class Fault(NamedTuple):
    """Something that is wrong with the writing itself; `reason` in Chinese, without its full stop."""

    place: Place
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `text` as written (without quotes); `plain`: it had none."""

    place: Place
    text: str
    plain: bool

    def data(self) -> Any:
        return _resolve(self.text) if self.plain else self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: list["Node"] = field(default_factory=list)

    def data(self) -> Any:
        return [node.data() for node in self.nodes]


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and their values. Names are always text. `keys`: where each name stands."""

    place: Place
    nodes: dict[str, "Node"] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)

    def data(self) -> Any:
        return {name: node.data() for name, node in self.nodes.items()}


Node: TypeAlias = Scalar | Items | Fields
Path: TypeAlias = tuple[str | int, ...]
"""The names and numbers of items down to a value: `("rules", 0, "then")`."""


def written_part(root: Node, path: Path) -> Path:
    """As much of `path` as stands in the file: a default does not, and one name may stand without being a list."""
    node: Node | None = root
    for depth, step in enumerate(path):
        node = child(node, step)
        if node is None:
            return path[:depth]
    return path


def value_place(root: Node, path: Path) -> Place:
    """Where the value at `path` stands, or the nearest around it that is written in the file."""
    node: Node | None = root
    for step in written_part(root, path):
        node = child(node, step)
    return node.place if node else root.place


def key_place(root: Node, path: Path) -> Place:
    """Where the name at the end of `path` stands; of an item of a list, the item."""
    node: Node | None = root
    for step in path[:-1]:
        node = child(node, step)
    if isinstance(node, Fields) and str(path[-1]) in node.keys:
        return node.keys[str(path[-1])]
    return value_place(root, path)


def child(node: Node | None, step: str | int) -> Node | None:
    """What stands at one step further down; None where nothing is written there."""
    if isinstance(node, Fields):
        return node.nodes.get(str(step))
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
        return node.nodes[step]
    return None


def read_tree(text: str) -> tuple[Node | None, list[Fault]]:
    """The document (None where it is empty or cannot be read) and everything wrong with how it is written.

    Frequent slips (full-width colons, tabs, no space after a colon) are reported and mended on the way, so that what
    comes after them is still looked at.
    """
    lines = text.splitlines(keepends=True)
    faults: list[Fault] = []
    while True:
        try:
            node, found = _Builder("".join(lines)).document()
        except YAMLError as error:
            mended = _mend(lines, error)
            if mended is None:
                return None, [*faults, _fault(error, lines)]
            lines, fault = mended
            faults.append(fault)
        else:
            return node, [*faults, *found]


def _mend(lines: list[str], error: YAMLError) -> tuple[list[str], Fault] | None:
    """The lines with one slip mended, if that slip was what the parser stumbled over: it must then get further."""
    stopped = _stopped_at(error)
    for slip in yaml_mistakes.slips(lines, stopped):
        try:
            _Builder("".join(slip.mended)).document()
        except YAMLError as next_error:
            if _stopped_at(next_error) <= stopped:
                continue
        return slip.mended, Fault(Place(slip.line + 1, slip.column + 1), lines[slip.line].strip(), slip.reason)
    return None


def _stopped_at(error: YAMLError) -> int:
    """The line, from 0, that the parser could not go beyond."""
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    return mark.line if mark else 0


def _fault(error: YAMLError, lines: list[str]) -> Fault:
    if not isinstance(error, MarkedYAMLError):  # a character that no text has; ruamel tells its place in characters
        before = "".join(lines)[: getattr(error, "position", 0)]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Fault(place, "", "这里有一个看不见的特殊字符，请删掉后重新输入这一行")
    problem, context = str(error.problem or ""), str(error.context or "")
    reason, at_start = yaml_mistakes.explain(problem, context)
    mark = error.context_mark if at_start and error.context_mark else error.problem_mark
    if mark is None or mark.line >= len(lines):
        return Fault(Place(len(lines), 1), "", reason)
    line = lines[mark.line]
    if "<block end>" in problem and line[: mark.column].rstrip().endswith(('"', "'")):
        reason = yaml_mistakes.AFTER_QUOTES
    return Fault(Place(mark.line + 1, mark.column + 1), line.strip(), reason)


class _Builder:
    """Puts ruamel's events together. Raises YAMLError where they break off."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
        self._faults: list[Fault] = []

    def document(self) -> tuple[Node | None, list[Fault]]:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._complain(event, "---", "一个文件只能有一份配置，请删掉这一行「---」")
            elif isinstance(event, ScalarEvent | CollectionStartEvent | AliasEvent):
                node = self._node(event, depth=0)
                root = node if documents == 1 else root
        if isinstance(root, Scalar) and root.plain and not root.text:
            root = None
        return root, self._faults

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event)
        if isinstance(event, AliasEvent):
            name = f"*{event.anchor}"
            self._complain(event, name, f'「{name}」这样以星号开头的文字要加引号，写成 "{name}"')
            return Scalar(place, name, plain=False)
        if event.anchor:
            self._complain(
                event, f"&{event.anchor}", f"以「&」开头的文字要加引号（这里不能用 YAML 的锚点 &{event.anchor}）"
            )
        if event.tag:
            self._complain(event, event.tag, f"以「!」开头的文字要加引号（这里不能用 YAML 的标签 {event.tag}）")
        if isinstance(event, ScalarEvent):
            if not event.style:
                self._look_at(event)
            return Scalar(place, event.value, plain=not event.style)
        if depth == DEEPEST:
            raise MarkedYAMLError(problem=yaml_mistakes.TOO_DEEP, problem_mark=event.start_mark)
        if isinstance(event, MappingStartEvent):
            return self._fields(place, depth + 1)
        return self._items(place, depth + 1, in_brackets=bool(event.flow_style))

    def _items(self, place: Place, depth: int, *, in_brackets: bool) -> Items:
        items = Items(place)
        while not isinstance(event := next(self._events), SequenceEndEvent):
            node = self._node(event, depth)
            if in_brackets and isinstance(node, Scalar) and node.plain and "，" in node.text:
                self._complain(event, node.text, "方括号里要用英文逗号隔开；如果逗号是文字的一部分，请给整段文字加引号")
            items.nodes.append(node)
        return items

    def _fields(self, place: Place, depth: int) -> Fields:
        fields = Fields(place)
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth)
            value = self._node(next(self._events), depth)
            if isinstance(value, Scalar) and value.plain and not value.text:
                value = replace(value, place=key.place)  # an empty value has no place of its own
                if re.match(r":\s*#\S", self._rest_of_line(event.end_mark)):
                    self._complain(event, "", yaml_mistakes.NUMBER_SIGN)
            if not isinstance(key, Scalar):
                self._complain(event, "", "冒号前面只能是一个名称")
            elif key.plain and re.match(r"-[^\W\d]", key.text):
                self._complain(event, key.text, yaml_mistakes.DASH)
            elif key.text == "<<" and key.plain:
                self._complain(event, "<<", "不支持「<<」合并写法，请把内容逐项写出来")
            elif key.text in fields.nodes:
                first = fields.keys[key.text].line
                self._complain(event, key.text, f"「{key.text}」写了两次（第一次在第 {first} 行），请合并成一处")
            else:
                fields.nodes[key.text], fields.keys[key.text] = value, key.place
        return fields

    def _look_at(self, event: ScalarEvent) -> None:
        """Slips that leave good YAML behind, with another meaning than was meant."""
        text, mark = event.value, event.end_mark
        if text[:1] in tuple("“”‘’"):
            self._complain(event, text, yaml_mistakes.CHINESE_QUOTES)
        elif text[:1] in tuple("［｛"):
            self._complain(event, text, yaml_mistakes.WIDE_BRACKETS)
        elif mark.line > event.start_mark.line and not yaml_mistakes.about_colon(text):
            self._complain(event, text, yaml_mistakes.MORE_LINES)

    def _rest_of_line(self, mark: Any) -> str:
        return self._lines[mark.line][mark.column :] if mark.line < len(self._lines) else ""

    def _complain(self, event: Event, value: str, reason: str) -> None:
        self._faults.append(Fault(_place(event), value, reason))


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)  # type: ignore[arg-type]
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")  # 007 stays text: it is somebody's id
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]+|(\.[0-9]*)?[eE][-+]?[0-9]{1,2})")


def _resolve(text: str) -> Any:
    """What an unquoted value means. 22:00, on, yes and 是 are text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
