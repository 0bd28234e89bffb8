"""Writes what follows from the settings' own classes: `config.schema.json` and the tables of `docs/configuration.md`.

    .venv/bin/python docs/make_reference.py

`tests/docs/test_reference.py` fails where somebody forgot to.
"""

import json
import re
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from rules.book import Book
from rules.when import say_duration

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "config.schema.json"
REFERENCE = ROOT / "docs" / "configuration.md"

_GENERATED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Both files."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    REFERENCE.write_text(with_tables(REFERENCE.read_text(encoding="utf-8")), encoding="utf-8")


class AsWritten(GenerateJsonSchema):
    """Shows defaults as a manager would write them, not as ISO 8601."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return say_duration(dft)
        if isinstance(dft, time):
            return f"{dft:%H:%M}"
        return super().encode_default(dft)


def _schema() -> dict[str, Any]:
    return Book.model_json_schema(schema_generator=AsWritten)


def schema_text() -> str:
    """The JSON Schema that editors check `config.yaml` against and take their hints from."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def with_tables(page: str) -> str:
    """The page with every `<!-- generated: Name -->` followed by the table of the settings class of that name."""
    return _GENERATED.sub(lambda found: f"{found[1]}{_table(found[2])}{found[3]}", page)


def _table(name: str) -> str:
    """Raises KeyError where there is no such class in the schema."""
    top = _schema()
    part = top if name == top["title"] else top["$defs"][name]
    must = part.get("required", [])
    rows = ["| 键 | 写什么 | 不写就是 | 说明 |", "|---|---|---|---|"]
    for key, field in part["properties"].items():
        default = "**必填**" if key in must else _default(field)
        rows.append(f"| `{key}` | {_what(field)} | {default} | {_plain(field.get('description', ''))} |")
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """The text as Markdown that means nothing but itself."""
    return re.sub(r"([*|<])", r"\\\1", text)


def _what(field: dict[str, Any]) -> str:
    """What can be written there, in words of a manager."""
    if words := field.get("enum", [field["const"]] if "const" in field else []):
        return "、".join(f"`{word}`" for word in words)
    if members := [each for each in field.get("anyOf", []) if each.get("type") != "null"]:
        return "一个名字，或一列名字" if len(members) > 1 else _what(members[0])
    if "examples" in field:
        return f"例如 `{field['examples'][0]}`"
    return {"string": "文字", "array": "一列，见下"}.get(field.get("type", ""), "一组，见下")


def _default(field: dict[str, Any]) -> str:
    default = field["default"]
    if isinstance(default, dict):
        return "各键的默认值" if default else "没有"
    if isinstance(default, list):
        return "、".join(f"`{each}`" for each in default) or "没有"
    return f"`{default}`" if default else "没有"


if __name__ == "__main__":
    main()
