"""The whole configuration as one value."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.book import Book


@pytest.mark.parametrize(
    ("name", "kind"), [("VIP·林小满", "vip"), ("会员一群", "members"), ("会员VIP·群", "members"), ("闲聊", "other")]
)
def test_a_name_belongs_to_the_first_kind_that_fits(name: str, kind: str) -> None:
    """Kinds are tried in the order written; what fits none is "other"."""
    book = Book.model_validate({"groups": {"vip": "VIP·*", "members": ["会员*", "老客*"]}})
    assert book.kind_of(name) == kind


def test_two_rules_of_one_name_are_refused() -> None:
    """Strikes, releases and traces hang on a rule's name: two rules cannot share one."""
    twice: dict[str, Any] = {"rules": [{"rule": "other_company"}, {"rule": "other_company", "groups": "vip"}]}
    with pytest.raises(ValidationError, match="第 1 条和第 2 条规则都叫「other_company」"):
        Book.model_validate(twice)
    twice["rules"][1]["name"] = "vip-only"
    assert [rule.title for rule in Book.model_validate(twice).rules] == ["other_company", "vip-only"]


def test_nothing_unknown_is_taken() -> None:
    """A key that no feature has is an error, not a wish."""
    with pytest.raises(ValidationError):
        Book.model_validate({"manager": ["李华"]})
