"""What is generated from the settings' classes is what lies in the tree."""

from docs.make_reference import REFERENCE, SCHEMA, schema_text, with_tables
from rules.book import Book


def test_the_schema_that_editors_use_is_current() -> None:
    """`config.schema.json` says what the code accepts; where not: `.venv/bin/python docs/make_reference.py`."""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_the_reference_of_the_settings_is_current() -> None:
    """The tables of `docs/configuration.md` say what the code accepts; where not: the same command."""
    page = REFERENCE.read_text(encoding="utf-8")
    assert with_tables(page) == page


def test_the_reference_leaves_no_settings_out() -> None:
    """Every class of settings that the config is made of has its table."""
    page = REFERENCE.read_text(encoding="utf-8")
    names = {"Book", *Book.model_json_schema()["$defs"]}
    assert {name for name in names if f"<!-- generated: {name} -->" not in page} == set()
