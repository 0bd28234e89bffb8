"""A message, and what one rule says of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.book import Book
from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import Group, MessageFacts
from rules.rule import AnyRuleOf
from rules.text import normalise

AskAboutMessage = Callable[..., Decision]


@pytest.fixture
def about_message() -> AskAboutMessage:
    """`about_message({"rule": "links"}, "看 bad.com", joined_at=…)`: the rule's answer; `type` is the message's."""

    def ask(settings: dict[str, Any], text: str, type: str = "text", **known: Any) -> Decision:  # noqa: A002  # its name
        given = settings if isinstance(settings, list) else [settings]
        *_, rule = Book.model_validate({"rules": given}).rules
        noon = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
        event = MessagePosted(at=noon, chat_id="wr1", msgid="m7", sender="wmA", type=type, text=text)
        group = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
        facts = MessageFacts(group=group, subject="wmA", text=text, plain=normalise(text), **known)
        answered: AnyRuleOf = rule
        return answered.decide(event, facts)

    return ask
