"""Rule `nickname`: what somebody calls themselves is read by the whole group, too: adverts, and rivals' brands."""

from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.patterns import PatternList, Patterns
from rules.rule import MostADay, Rule, Then
from rules.text import normalise
from rules.words import HasWords, WordList, Words


class Nickname(HasWords, Rule[MemberSeen, MemberFacts]):
    """昵称里有广告、联系方式，或者对手的品牌。"""

    about = (MemberSeen,)
    looks_at = frozenset({"name"})

    rule: Literal["nickname"]
    patterns: Patterns = ()
    brands: Words = Field(default=(), description="对手的品牌：昵称里有就算，写法和 words 一样。")
    then: Then = ("warn",)
    most_a_day: MostADay = 50

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not (self.words or self.word_files or self.patterns or self.brands):
            raise ValueError("没有写昵称里要找什么：words、word_files、patterns、brands 至少写一样")
        return self

    @cached_property
    def pattern_list(self) -> PatternList:
        """All patterns, compiled."""
        return PatternList(self.patterns)

    @cached_property
    def brand_list(self) -> WordList:
        """All brands, compiled."""
        return WordList(self.brands)

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        name = facts.member.name
        if not name:
            return self.miss(facts, "名单上没有昵称")
        plain = normalise(name)
        if brand := self.brand_list.find(name, plain):
            return self._hit(facts, f"昵称「{name}」里有对手的品牌{brand.says}", brand.written)
        if word := self.word_list.find(name, plain):
            return self._hit(facts, f"昵称「{name}」里有{word.says}", word.written)
        if pattern := self.pattern_list.find(name, plain):
            because = f"昵称「{name}」里的「{pattern.written}」合正则表达式 {pattern.word}"
            return self._hit(facts, because, pattern.written)
        return self.miss(facts, f"昵称「{name}」没有问题")

    def _hit(self, facts: MemberFacts, because: str, written: str) -> Decision:
        words = "您的群昵称不合群规，请改一下，谢谢！"
        # Another name is another offence; the same one is one, wherever and however often it is seen.
        return self.hit(facts, because, evidence=written, offence=facts.member.name, words=words)
