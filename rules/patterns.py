"""Rule `patterns`: what a list of words cannot say, as regular expressions in RE2's syntax.

RE2 takes time linear in the text whatever the pattern; Python's own `re` can be made to hang by one message. A pattern
is tried on the text as written and then as normalised (where digits are 0-9 and nothing stands between letters).
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import MessageFacts
from rules.rule import CoolDown, MostADay, Names, Rule, Then
from rules.text import Plain, reads_as_one
from rules.words import Found

_WRONG = {  # what RE2 says → what a manager reads
    "missing ]": "方括号「[」没有对应的「]」",
    "missing )": "括号「(」没有对应的「)」",
    "unexpected )": "多了一个「)」",
    "no argument for repetition operator": "「*」「+」「?」前面没有可以重复的东西",
    "bad repetition operator": "两个表示重复的符号连在了一起",
    "invalid repetition size": "重复的次数不对（最多 1000，小的在前）",
    "invalid perl operator": "不支持这种写法（前后断言 (?=…)、(?<=…) 之类）",
    "invalid escape sequence": "不支持这个「\\」写法（反向引用 \\1 也不支持）",
    "invalid character class range": "方括号里的范围写反了，或者不认识",
    "trailing \\": "末尾多了一个「\\」",
    "pattern too large": "太长太复杂了",
}


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


def _can_be_used(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for place, pattern in enumerate(patterns):
        reason = _what_is_wrong(pattern)
        if reason:
            raise PydanticCustomError("pattern", "正则表达式{reason}", {"reason": reason, "at": (place,)})
    return patterns


def _what_is_wrong(pattern: str) -> str:
    """A Chinese half-sentence; "" for a pattern that can be used."""
    try:
        compiled = re2.compile(pattern, _options())
    except re2.error as error:
        english = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        found = [chinese for words, chinese in _WRONG.items() if english.startswith(words)]
        return found[0] if found else f"写法不对（{english}）"
    return "什么都不写也算合，会管到每一条消息" if compiled.search("") else ""


Patterns = Annotated[
    Names,
    AfterValidator(_can_be_used),
    Field(
        description="正则表达式：一个或一列，RE2 写法，不分大小写，要加单引号，如 '1[3-9]\\d{9}'。"
        "先照原文找，再照整理过的文字找（小写、简体、没有空格和符号、中文数字成了 0-9）。"
    ),
]
"""Regular expressions in RE2's syntax, upper and lower case alike."""


class PatternList:
    """Patterns, compiled. One pass tells which of them fit at all; only those are then asked where."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re2.compile(pattern, _options()) for pattern in patterns]
        self._any = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._any.Add(pattern)
        if patterns:
            self._any.Compile()

    def __len__(self) -> int:
        return len(self._patterns)

    def find(self, written: str, text: str) -> Found | None:
        """The first pattern that fits, in the order of the list. `text`: `written`, normalised."""
        if not self._patterns:
            return None
        as_bytes = written.encode(errors="replace")
        for number in self._that_fit(as_bytes):
            found = self._patterns[number].search(as_bytes)
            if found and found.group():
                return Found(self._patterns[number].pattern, found.group().decode(errors="replace"))
        for number in self._that_fit(text):
            plain = Plain(written=written, text=text)
            for found in self._patterns[number].finditer(text):
                start, end = found.span()
                if start < end and reads_as_one(plain, start, end):
                    return Found(self._patterns[number].pattern, plain.as_written(start, end))
        return None

    def _that_fit(self, text: str | bytes) -> Sequence[int]:
        numbers = self._any.Match(text)
        return sorted(numbers) if numbers else ()


class PatternRule(Rule[MessagePosted, MessageFacts]):
    """发了合某种写法的话：手机号、「日赚多少元」之类，用正则表达式写。"""

    about = (MessagePosted,)

    rule: Literal["patterns"]
    patterns: Annotated[Patterns, Field(min_length=1)]
    then: Then = ("warn", "warn", "remove")
    cool_down: CoolDown = timedelta(minutes=10)
    most_a_day: MostADay = 50

    @cached_property
    def pattern_list(self) -> PatternList:
        """All patterns, compiled."""
        return PatternList(self.patterns)

    def judge(self, event: MessagePosted, facts: MessageFacts) -> Decision:
        found = self.pattern_list.find(facts.text, facts.plain)
        if found is None:
            return self.miss(facts, f"不合任何一个正则表达式（共 {len(self.patterns)} 个）")
        because = f"消息里的「{found.written}」合正则表达式 {found.word}"
        return self.hit(facts, because, evidence=found.written, offence=event.msgid)
