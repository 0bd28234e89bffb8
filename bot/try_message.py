"""What the message rules of a config say of one text, as if somebody had just written it: nothing is stored or sent."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from dotenv import dotenv_values
from rich.console import Console
from rich.text import Text

from bot import say
from rules.book import Book
from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import Group, MessageFacts
from rules.rule import AnyRuleOf
from rules.text import normalise

AT = datetime(2026, 1, 1, tzinfo=UTC)
"""No rule that reads one message asks what time it is; those that count have nothing to count."""


class Answer(NamedTuple):
    """What one rule says, and what would come of it the first time."""

    rule: AnyRuleOf
    decision: Decision


class Tried(NamedTuple):
    """A text, as normalised, and every message rule's answer in the order of the config."""

    text: str
    plain: str
    group: str
    answers: Sequence[Answer]

    @property
    def hits(self) -> list[Answer]:
        return [each for each in self.answers if each.decision.verdict == "hit"]


def config_file() -> Path:
    """As `serve` finds it: the environment, `.env`, or config.yaml."""
    env = {**dotenv_values(".env", interpolate=False, encoding="utf-8-sig"), **os.environ}
    return Path(env.get("STEWARD_CONFIG") or "config.yaml")


def try_on(book: Book, text: str, group: str = "") -> Tried:
    """Ask every rule that reads messages. Without a group's name no rule is asked which groups it covers."""
    plain = normalise(text)
    place = Group(chat_id="", name=group, kind=book.kind_of(group), owner="")
    event = MessagePosted(at=AT, chat_id="", msgid="try", sender="", text=text)
    found: dict[str, str] = {}
    answers = []
    for rule in book.about(MessagePosted):
        facts = MessageFacts(group=place, text=text, plain=plain, joined_at=None, found=found)
        decision = rule.decide(event, facts) if group else rule.judge(event, facts)
        if decision.verdict == "hit":
            found[decision.rule] = decision.because
        answers.append(Answer(rule, decision))
    return Tried(text, plain, group, answers)


# --- telling ----------------------------------------------------------------------------------------------------------


_STEPS = {"observe": "仅观察", "warn": "提醒", "remove": "移出", "block": "拉黑"}


def as_data(tried: Tried) -> dict[str, Any]:
    """For programs. `written`: the words that made a rule fire, as they stand in the text."""
    return {
        "text": tried.text,
        "plain": tried.plain,
        "group": tried.group,
        "fires": bool(tried.hits),
        "rules": [
            {
                "rule": decision.rule,
                "verdict": decision.verdict,
                "because": decision.because,
                "written": decision.evidence,
                "then": rule.then,
            }
            for rule, decision in tried.answers
        ],
    }


def show(tried: Tried, console: Console) -> None:
    """For people."""
    say.facts(console, {"原文": tried.text, "整理后": tried.plain or "（没有字）", "群": tried.group})
    console.print()
    say.rows(console, [_row(each) for each in tried.answers])
    console.print()
    if not tried.hits:
        say.line(console, "没有规则管这句话。", "bold")
        say.then(console, "steward check", "看每条规则管哪些群；要管住它，在词库里加一个词，再试一次")
        return
    say.line(console, f"有 {len(tried.hits)} 条规则管这句话。", "bold")
    say.then(console, "steward check", "看每条规则管哪些群；不该管的话，改词库或 allow，再试一次")


def _row(answer: Answer) -> tuple[str | Text, ...]:
    rule, decision = answer
    if decision.verdict != "hit":
        return decision.rule, Text("不管", style="green"), decision.because
    steps = " → ".join(_STEPS[step] for step in rule.then)
    return decision.rule, Text("管", style="red"), f"{decision.because}。怎么办：{steps}"
