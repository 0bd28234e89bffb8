"""One message through all message rules: `python -m benchmarks.messages [--quick]`.

Keywords (300 and 10,000 words), patterns, links, flood and advert_and_leave, on one core: normalising the text, and a
Decision with its because from every rule. Building the event and the facts is not part of it. Beside it the naive way:
a loop over the normalised words and patterns of Python's `re`. The exit code is 1 only where a rule's answer is wrong.
"""

import argparse
import os
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import stage
from rules.book import Book
from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import Earlier, Group, MessageFacts
from rules.text import normalise

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MUST, REACH = 30.0, 15.0  # microseconds
PATTERNS = [r"1[3-9]\d{9}", r"日赚.{0,4}元", r"私聊.{0,4}(微|v|V)", r"t\.me/\w+", r"扫码.{0,6}(领|送)"]
MANY, FEW = 10_000, 300
LENGTHS = (50, 100, 200, 400, 800, 1600)

CHAT = [
    "大家好，今天的茶真不错！请问明天几点开门？我想带朋友一起来看看新品😊",
    "收到，谢谢～",
    "我也要一份，地址还是上次那个，麻烦店长了",
    "請問這款綠茶還有貨嗎？上次買的已經喝完了，味道很好，想再買兩盒送人",
    "OK, see you at 3pm 周三下午见",
]
ADVERTS = {
    "keywords": "招代理 加 我 Ｖ-信 详聊",
    "patterns": "有兴趣的打一三八零零一三八零零零",
    "links": "新店开业 https://bad.example.com/x 快来",
}

console = Console()


class Way(NamedTuple):
    """What is measured: a function of a text, and its name."""

    name: str
    work: Callable[[str], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke of a second or two")
    wanted = parser.parse_args(arguments)
    times, rounds = (20, 2) if wanted.quick else (200, 60)
    os.sched_setaffinity(0, {stage.BOT_CORE})
    console.print(f"core {stage.BOT_CORE}; load average before: {os.getloadavg()[0]:.2f}")
    words = vocabulary(MANY)
    many, few = Judge(words), Judge(words[:FEW])
    broken = [*wrong(many), *wrong(few)]
    ways = [
        Way("normalise alone", normalise),
        Way(f"all rules, {FEW} words", few),
        Way(f"all rules, {MANY:,} words", many),
    ]
    naive = [Way(f"naive loop, {FEW} words", Naive(words[:FEW])), Way(f"naive loop, {MANY:,} words", Naive(words))]
    took = {way.name: per_message(way, CHAT, times, rounds) for way in ways}
    took |= {way.name: per_message(way, CHAT, max(1, times // 50), 5) for way in naive}
    table = Table("work", "µs a message", title=f"a message of the usual kind (best of {rounds})")
    for name, microseconds in took.items():
        table.add_row(name, f"{microseconds:,.1f}")
    whole, ratio = took[ways[2].name], took[ways[2].name] / took[ways[1].name]
    verdict = "reached" if whole <= REACH else "kept" if whole <= MUST else "MISSED"
    table.caption = f"must {MUST:.0f} µs, reach {REACH:.0f} µs: {verdict}; {ratio:.2f} times the cost of {FEW} words"
    console.print(table)
    console.print(lengths(many, max(1, times // 4), rounds))
    for each in broken:
        console.print(f"[bold red]BROKEN[/] {each}")
    return 1 if broken else 0


# --- the rules, and the naive way -------------------------------------------------------------------------------------


def vocabulary(count: int) -> list[str]:
    """So many different words of two to six letters out of 2,000, the adverts' own among them."""
    seeded = random.Random(7)
    letters = [chr(code) for code in seeded.sample(range(0x4E00, 0x9FA5), 2_000)]
    words = {"加我v信": None, "刷单": None}
    while len(words) < count:
        words["".join(seeded.choices(letters, k=seeded.randint(2, 6)))] = None
    return list(words)


class Judge:
    """All message rules, as a book of the config makes them."""

    def __init__(self, words: list[str]) -> None:
        rules: list[dict[str, Any]] = [
            {"rule": "keywords", "words": words},
            {"rule": "patterns", "patterns": PATTERNS},
            {"rule": "links", "allow": ["brand.com", "小程序"]},
            {"rule": "flood"},
            {"rule": "advert_and_leave"},
        ]
        self.rules = Book.model_validate({"rules": rules}).about(MessagePosted)
        group = Group(chat_id="wr1", name="静安茶友1群", kind="members", owner="wangwu")
        earlier = tuple(
            Earlier(at=NOON - timedelta(minutes=minutes), shape=f"{minutes:024x}", length=len(normalise(CHAT[0])))
            for minutes in (40, 20, 5)
        )
        # Neither is part of what is timed: the store hands them over.
        self.event = MessagePosted(at=NOON, chat_id="wr1", msgid="m1", sender="wmA")
        self.facts = MessageFacts(
            group=group, subject="wmA", joined_at=NOON - timedelta(minutes=3), earlier=earlier, found={}
        )

    def __call__(self, text: str) -> list[Decision]:
        plain = normalise(text)
        found: dict[str, str] = {}
        facts = self.facts
        facts.__dict__.update(text=text, plain=plain, found=found)  # a new one would be part of what is timed
        answers = []
        for rule in self.rules:
            decision = rule.decide(self.event, facts)
            if decision.verdict == "hit":
                found[decision.rule] = decision.because
            answers.append(decision)
        return answers


class Naive:
    """What one would write first: every word, and every pattern, one after another."""

    def __init__(self, words: list[str]) -> None:
        self.words = [normalise(word) for word in words]
        self.patterns = [re.compile(pattern, re.IGNORECASE) for pattern in PATTERNS]

    def __call__(self, text: str) -> tuple[list[str], list[str]]:
        plain = normalise(text)
        return (
            [word for word in self.words if word in plain],
            [pattern.pattern for pattern in self.patterns if pattern.search(text) or pattern.search(plain)],
        )


def wrong(judge: Judge) -> list[str]:
    """Every rule answers every message with a because; usual ones are let be, adverts are found by their rule."""
    found = [f"{text}: {each.because}" for text in CHAT for each in judge(text) if each.verdict != "miss"]
    found += [f"{text}: no because" for text in CHAT for each in judge(text) if not each.because]
    for rule, text in ADVERTS.items():
        hits = {each.rule for each in judge(text) if each.verdict == "hit"}
        if hits != {rule, "advert_and_leave"}:
            found.append(f"{text}: found by {sorted(hits)}")
    return found


# --- measuring --------------------------------------------------------------------------------------------------------


def per_message(way: Way, texts: Sequence[str], times: int, rounds: int) -> float:
    """Microseconds a message, the best of so many rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            for text in texts:
                way.work(text)
        best = min(best, (time.perf_counter() - began) / times / len(texts))
    return best * 1e6


def lengths(judge: Judge, times: int, rounds: int) -> Table:
    """Cost by length: linear means that the last column stays or falls. Near misses are the longest way."""
    table = Table("letters", "usual, µs", "a letter, ns", "near misses, µs", "a letter, ns", title="by length")
    usual, dressed = "".join(CHAT), "加、微，信 刷。单 1 3 8 b a d . c o m x.y "
    for length in LENGTHS:
        cells = [f"{length:,}"]
        for source in (usual, dressed):
            text = (source * (length // len(source) + 1))[:length]
            took = per_message(Way("", judge), [text], times, rounds)
            cells += [f"{took:,.1f}", f"{took / length * 1e3:,.0f}"]
        table.add_row(*cells)
    return table


if __name__ == "__main__":
    sys.exit(main())
