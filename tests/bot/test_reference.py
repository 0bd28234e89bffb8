"""What editors and readers are told of the config is what the code accepts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.config.read import ConfigError, parse_config, read_text
from bot.config.reference import schema, schema_text, with_tables
from bot.config.yaml_tree import read_tree
from rules.book import Book

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"
AGAIN = "run .venv/bin/steward schema --write --reference docs/configuration.md"


def data_of(text: str) -> Any:
    node, faults = read_tree(text)
    assert node is not None
    assert faults == []
    return node.data()


def refusals(data: Any, part: dict[str, Any], where: str = "") -> list[str]:
    """What an editor would underline: the keywords of JSON Schema that our schema uses, and no others."""
    if "$ref" in part:
        return refusals(data, schema()["$defs"][part["$ref"].rsplit("/", 1)[1]], where)
    known = {"type", "enum", "const", "pattern", "anyOf", "oneOf", "discriminator", "items", "properties", "required"}
    known |= {"additionalProperties", "description", "title", "default", "examples", "$schema", "$defs", "minLength"}
    assert part.keys() <= known | {"maxLength", "minimum", "maximum", "minItems", "maxItems", "exclusiveMinimum"}, part
    kinds: dict[str, Any] = {
        "string": str,
        "array": list,
        "object": dict,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    kinds["null"] = type(None)
    if "type" in part and not isinstance(data, kinds[part["type"]]):
        return [f"{where}: not {part['type']}"]
    if members := part.get("anyOf") or part.get("oneOf"):
        return [] if any(not refusals(data, each, where) for each in members) else [f"{where}: no member"]
    wrong = []
    if ("enum" in part and data not in part["enum"]) or ("const" in part and data != part["const"]):
        wrong.append(f"{where}: not one of them")
    if "pattern" in part and not re.search(part["pattern"], data):
        wrong.append(f"{where}: not like {part['pattern']}")
    if isinstance(data, list):
        wrong += [each for n, item in enumerate(data) for each in refusals(item, part["items"], f"{where}[{n}]")]
    return wrong + (refusals_inside(data, part, where) if isinstance(data, dict) else [])


def refusals_inside(data: dict[str, Any], part: dict[str, Any], where: str) -> list[str]:
    wrong = [f"{where}: {name} is missing" for name in part.get("required", ()) if name not in data]
    for name, value in data.items():
        inner = part.get("properties", {}).get(name, part.get("additionalProperties", True))
        if inner is False:
            wrong.append(f"{where}: {name} is not known")
        elif isinstance(inner, dict):
            wrong += refusals(value, inner, f"{where}.{name}")
    return wrong


def test_the_schema_that_editors_use_is_current() -> None:
    """`config.schema.json` says what the code accepts."""
    assert (ROOT / "config.schema.json").read_text(encoding="utf-8") == schema_text(), AGAIN
    assert json.loads(schema_text())["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_reference_is_current_and_whole() -> None:
    """The tables of `docs/configuration.md` are those of the code, and no class of settings is left out."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, data_of(read_text(ROOT / "config.yaml"))) == page, AGAIN


def test_a_new_class_of_settings_gets_a_section_by_itself() -> None:
    """Nobody has to remember the page: what it does not mention is put at its end, with what is written there."""
    page = with_tables("# config.yaml\n", {"shops": {"静安店": {"groups": "*静安*"}}})
    assert "\n## 一家门店：`shops`\n" in page
    assert '| `groups` | 一个名字，或一列名字 | **必填** | `"*静安*"` | 这家店的群' in page


def test_the_example_pleases_the_editor() -> None:
    """`config.yaml` is fine by the schema, and names it in its first line."""
    text = read_text(ROOT / "config.yaml")
    assert refusals(data_of(text), schema()) == []
    assert text.startswith("# yaml-language-server: $schema=./config.schema.json\n")


def test_every_setting_has_a_chinese_description() -> None:
    """An editor shows what each key is for, in Chinese, and no English titles that say nothing."""
    parts = [schema(), *schema()["$defs"].values()]
    for part in parts:
        for name, field in part["properties"].items():
            assert re.search("[\u4e00-\u9fff]", field.get("description", "")), name
            assert "title" not in field, name


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{rule: other_company, then: 移出}]",
        "rules: [{rule: other_company, then: remove, groups: 全部}]",
        "rules: [{rule: other_company, then: 仅观察, groups: [vip, '*静安*']}]",
        "removal: {remind_after: 1小时30分钟, escalate_after: 2天}",
        "removal: {remind_after: 10 分钟, escalate_after: 1h30m}",
        "removal: {remind_after: １０分钟, escalate_after: 1D}",
        "removal: {todo_at: 9:30, open_group: 是}",
        "rules: [{rule: other_company, evidence: 确凿, existing_members: 汇总}]",
        "removal: {todo_at: 09：30}",
        "shops: {静安店: {groups: '*静安*', off_duty: 22:00-09:00}}",
        "shops: {静安店: {groups: '*静安*', off_duty: 22:00到09:00}}",
        "shops: {静安店: {groups: ['*静安*', 静安一群], staff: 王五}}",
    ],
)
def test_what_the_bot_takes_the_editor_does_not_underline(text: str) -> None:
    """Chinese and English spellings of values and units, one name or a list: the schema is no stricter than the bot."""
    parse_config(text, "c.yaml", Book)
    assert refusals(data_of(text), schema()) == []


@pytest.mark.parametrize(
    "text",
    [
        "mangers: [李华]",
        "managers: 7",
        "rules: [{rule: other_compny}]",
        "rules: [{rule: other_company, then: 移走}]",
        "rules: [{groups: all}]",
        "removal: {remind_after: 10}",
        "removal: {remind_after: 一会儿}",
        "shops: {静安店: {staff: [王五]}}",
        "groups: [vip]",
    ],
)
def test_what_the_bot_refuses_the_editor_underlines(text: str) -> None:
    """The frequent mistakes are seen while they are made."""
    with pytest.raises(ConfigError):
        parse_config(text, "c.yaml", Book)
    assert refusals(data_of(text), schema()) != []


def test_one_or_a_list_is_said_as_that() -> None:
    """In the same words each time: what two kinds come to does not hang on the order of a set."""
    page = PAGE.read_text(encoding="utf-8")
    assert "| `prize` | 一组，或一列，见下 |" in page
    assert "| `link` | 一组，或一列，见下 |" in page
