"""What may stand where: names, values and descriptions, asked of a model's JSON schema along a path of the file."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from bot.config.yaml_tree import Fields, Node, Path, Scalar, child


class Schema:
    """A model's schema, looked into at a path. Unions are followed into all members, or the one that is tagged."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._top: dict[str, Any] = model.model_json_schema()

    def names_at(self, root: Node, path: Path) -> list[str]:
        """The names that may be written in the group of settings at `path`."""
        return list(dict.fromkeys(name for part in self._at(root, path) for name in part.get("properties", {})))

    def labels_at(self, root: Node, path: Path) -> dict[str, str]:
        """What those settings are called in Chinese, as their descriptions begin, and their names."""
        fields = [item for part in self._at(root, path) for item in part.get("properties", {}).items()]
        labels = ((re.split("[：，。；（]", field.get("description", ""))[0], name) for name, field in fields)
        return {label: name for label, name in labels if label}

    def values_at(self, root: Node, path: Path) -> list[str]:
        """The words that may be written at `path`, where it is one of a few."""
        parts = list(self._at(root, path))
        words = [word for part in parts for word in part.get("enum", [part["const"]] if "const" in part else [])]
        if not words and path:
            words = [tag for part in self._members(root, path[:-1], path[-1]) for tag in part]
        return list(dict.fromkeys(map(str, words)))

    def description_at(self, root: Node, path: Path) -> str:
        """What the setting at `path` is for, or ""."""
        for part in self._at(root, path):
            if part.get("description"):
                return str(part["description"])
        return ""

    def _members(self, root: Node, path: Path, name: str | int) -> Iterator[list[str]]:
        """The tags of unions at `path` that are told apart by `name`."""
        for part in self._at(root, path, into_unions=False):
            tagged = part.get("discriminator", {})
            if tagged.get("propertyName") == name:
                yield list(tagged["mapping"])

    def _at(self, root: Node, path: Path, *, into_unions: bool = True) -> Iterator[dict[str, Any]]:
        nodes: list[Node | None] = [root]
        for step in path:
            nodes.append(child(nodes[-1], step))
        parts = [self._top]
        for step, node in zip(path, nodes, strict=False):
            parts = [inner for part in parts for whole in self._open(part, node) for inner in _inside(whole, step)]
        for part in parts:
            yield from self._open(part, nodes[-1]) if into_unions else [self._resolved(part)]

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            # What stands beside a reference (a description, a default) is about this place and wins.
            part = {
                **self._top["$defs"][part["$ref"].rsplit("/", 1)[1]],
                **{k: v for k, v in part.items() if k != "$ref"},
            }
        return part

    def _open(self, part: dict[str, Any], node: Node | None) -> Iterator[dict[str, Any]]:
        part = self._resolved(part)
        tagged = part.get("discriminator")
        if tagged and isinstance(node, Fields):
            tag = node.nodes.get(tagged["propertyName"])
            chosen = tagged["mapping"].get(tag.text) if isinstance(tag, Scalar) else None
            if chosen:
                yield from self._open({"$ref": chosen}, node)
                return
        members = part.get("anyOf") or part.get("oneOf")
        if not members:
            yield part
        for member in members or ():
            yield from self._open(member, node)


def _inside(part: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    """The schema of one item or one setting."""
    if isinstance(step, int):
        inner = part.get("items")
    else:
        inner = part.get("properties", {}).get(step, part.get("additionalProperties"))
    if isinstance(inner, dict):
        yield inner
