"""What editors and readers are told of `config.yaml`: its JSON Schema, and the tables of `docs/configuration.md`.

Both follow from the settings' own classes, so a new feature shows up without a change here.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, WithJsonSchema
from pydantic.fields import FieldInfo

from rules.book import Book

_GENERATED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_Part = dict[str, Any]


def schema_text() -> str:
    """The JSON Schema (2020-12) that editors check `config.yaml` against and take their hints from."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def schema() -> _Part:
    """Every setting with a Chinese description, which also says how its kind of value is written."""
    return _build()[0]


@cache
def _build() -> tuple[_Part, dict[tuple[str, str], str]]:
    """The schema, and by class and key how the value is written where its type says so."""
    top, hints = Book.model_json_schema(), dict[tuple[str, str], str]()
    parts = {Book.__name__: top, **top["$defs"]}
    for model in {each.__name__: each for each in _classes(Book)}.values():
        if model.__name__ in parts:
            hints |= _complete(parts[model.__name__], model)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "群管家的设置（config.yaml）"}
    return about | {key: value for key, value in top.items() if key not in about}, hints


def _classes(kind: Any) -> Iterator[type[BaseModel]]:
    """All classes of settings inside a type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from _classes(field.annotation)
    for inner in get_args(kind):
        yield from _classes(inner)


def _complete(part: _Part, model: type[BaseModel]) -> dict[tuple[str, str], str]:
    """What pydantic leaves out or says in its own way: descriptions, defaults as they are written. No titles.

    Returns how values are written, as `_build` does.
    """
    hints = {}
    part.pop("title", None)
    for name, field in model.model_fields.items():
        written = part["properties"][name]
        written.pop("title", None)
        said = field.description or _first_line(model)
        hint = _how_to_write(field, written)
        written["description"] = said + hint if hint not in said else said
        if "default" in written:
            kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            default = field.get_default(call_default_factory=True)
            written["default"] = json.loads(TypeAdapter[Any](kind).dump_json(default))
        if hint:
            hints[model.__name__, name] = hint
    return hints


def _how_to_write(field: FieldInfo, written: _Part) -> str:
    """What the kind of value itself has to say: "一段时长，要写单位。…", or ""."""
    own = [each.json_schema or {} for each in field.metadata if isinstance(each, WithJsonSchema)]
    for part in (*own, *written.get("anyOf", ())):
        if "description" in part:
            return str(part["description"])
    return ""


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]


# --- tables -----------------------------------------------------------------------------------------------------------


def with_tables(page: str, example: _Part) -> str:
    """The page with every `<!-- generated: Name -->` followed by the table of the settings class of that name.

    A class that the page does not mention gets a section at its end. `example`: a config, as plain data, to take the
    column of examples from. Raises KeyError where there is no class of a name.
    """
    parts = {Book.__name__: schema(), **schema()["$defs"]}
    for name in parts:
        if f"<!-- generated: {name} -->" not in page:
            heading = re.split("[：。\n]", parts[name].get("description", name))[0]
            page = (
                f"{page.rstrip()}\n\n## {heading}：`{_home(name, parts)}`\n\n<!-- generated: {name} -->\n<!-- end -->\n"
            )
    found: dict[tuple[str, str], Any] = {}
    _collect(Book.__name__, example, parts, found)
    return _GENERATED.sub(lambda match: f"{match[1]}{_table(match[2], parts[match[2]], found)}{match[3]}", page)


def _home(name: str, parts: dict[str, _Part]) -> str:
    """Where a class of settings is written: `removal.webhook`."""
    for parent, part in parts.items():
        for key, field in part["properties"].items():
            if parent != name and f'"#/$defs/{name}"' in json.dumps(field):
                return f"{_home(parent, parts)}.{key}".removeprefix(".")
    return ""


def _collect(name: str, data: Any, parts: dict[str, _Part], found: dict[tuple[str, str], Any]) -> None:
    """Remember the first value that each setting has in the example, by class and key."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if key in parts[name]["properties"]:
            found.setdefault((name, key), value)
            for inner, each in _inside(parts[name]["properties"][key], value):
                _collect(inner, each, parts, found)


def _inside(part: _Part, value: Any) -> Iterator[tuple[str, Any]]:
    """The classes of settings that stand in a value, with what they say."""
    if "$ref" in part:
        yield part["$ref"].rsplit("/", 1)[1], value
    elif isinstance(value, list):
        for each in value:
            yield from _inside(part.get("items", {}), each)
    elif "anyOf" in part:
        for member in part["anyOf"]:
            yield from _inside(member, value)
    elif "discriminator" in part and isinstance(value, dict):
        tagged = part["discriminator"]
        chosen = tagged["mapping"].get(value.get(tagged["propertyName"]))
        yield from _inside({"$ref": chosen}, value) if chosen else ()
    elif isinstance(value, dict) and isinstance(part.get("additionalProperties"), dict):
        for each in value.values():
            yield from _inside(part["additionalProperties"], each)


def _table(name: str, part: _Part, found: dict[tuple[str, str], Any]) -> str:
    rows = ["| 键 | 写什么 | 不写就是 | 例子 | 说明 |", "|---|---|---|---|---|"]
    for key, field in part["properties"].items():
        default = "**必填**" if key in part.get("required", ()) else _default(field)
        example = _example(field, found.get((name, key)))
        hint = _build()[1].get((name, key), "")
        about = _plain(field["description"].removesuffix(hint))
        rows.append(f"| `{key}` | {_what(field, hint)} | {default} | {example} | {about} |")
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """The text as Markdown that means nothing but itself."""
    return re.sub(r"([*|<])", r"\\\1", text)


def _what(field: _Part, hint: str) -> str:
    """What can be written there, in words of a manager."""
    if words := field.get("enum", [field["const"]] if "const" in field else []):
        return "、".join(f"`{_yaml(word)}`" for word in words)
    if hint:
        return hint.split("，", maxsplit=1)[0].removeprefix("一段").removeprefix("一个")
    if words := [word for part in field.get("anyOf", ()) for word in part.get("enum", ())]:
        return f"{'、'.join(f'`{_yaml(word)}`' for word in words)}，或一列"
    kinds = {part.get("type") for part in field.get("anyOf", ())} - {"null"}
    if kinds == {"string", "array"}:
        return "一个名字，或一列名字"
    if kinds == {None, "array"}:
        return "一组，或一列，见下"
    kind = field.get("type") or next(iter(kinds), "object")
    words_for = {
        "string": "文字",
        "array": "一列，见下",
        "integer": "整数",
        "number": "数字",
        "boolean": "true 或 false",
    }
    return words_for.get(kind or "object", "一组，见下")


def _default(field: _Part) -> str:
    default = field.get("default")
    if isinstance(default, dict):
        return "各键的默认值" if default else "没有"
    if isinstance(default, list):
        return "、".join(f"`{each}`" for each in default) or "没有"
    return "没有" if default in (None, "") else f"`{_yaml(default)}`"


def _yaml(value: Any) -> str:
    """As it is written in the file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _example(field: _Part, value: Any) -> str:
    """As it would be written: from the example config, else from the type's own examples; "" for what has a table."""
    value = next(iter(field.get("examples", ())), None) if value is None else value
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return "" if any(isinstance(each, dict) for each in value) else f"`[{', '.join(map(str, value))}]`"
    first, *more = str(value).strip().split("\n")
    value = f"{first}…" if more else value
    quoted = f'"{value}"' if str(value)[:1] in {"*", "@", "&", "!", "%"} else value
    return f"`{quoted}`"
