"""Rule `flood`: too many messages in a short time, the same one again and again, or one that fills the screen.

What somebody wrote before is known for an hour (rules/facts.py), so no span here is longer.
"""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import MessageFacts
from rules.rule import CoolDown, MostADay, Rule, Then
from rules.text import shape
from rules.when import Duration, say_duration

KNOWN = timedelta(hours=1)
SHORT = 5  # letters: "好的", "已下单" and the like may be said as often as anybody likes


def _is_known(span: timedelta) -> timedelta:
    if not timedelta(0) < span <= KNOWN:
        raise ValueError(f"要在 1秒 到 {say_duration(KNOWN)} 之间")
    return span


class Flood(Rule[MessagePosted, MessageFacts]):
    """刷屏：短时间里发很多条、同样的话反复发，或一条特别长。"""

    about = (MessagePosted,)

    rule: Literal["flood"]
    messages: int = Field(default=10, ge=1, description="最多发几条：在 within 这么长的时间里，多一条就算刷屏。")
    within: Annotated[Duration, AfterValidator(_is_known)] = Field(
        default=timedelta(minutes=1), description="多长的时间里数条数，最长 1小时。"
    )
    repeats: int = Field(
        default=3,
        ge=1,
        description="同样的话最多发几遍，多一遍就算刷屏：在一小时里数，只差空格、符号也算同样；"
        f"不到 {SHORT} 个字的不算。",
    )
    letters: int | None = Field(
        default=None, ge=1, description="一条最多多少字，多了就算刷屏：空格和符号不算；不写就不限。"
    )
    then: Then = ("warn", "warn", "remove")
    cool_down: CoolDown = timedelta(minutes=10)
    most_a_day: MostADay = 50

    def judge(self, event: MessagePosted, facts: MessageFacts) -> Decision:
        length = len(facts.plain)
        if self.letters is not None and length > self.letters:
            return self.hit(facts, f"这一条有 {length} 个字，最多 {self.letters} 个", offence=event.msgid)
        began = event.at - self.within
        sent = 1 + sum([each.at > began for each in facts.earlier])
        if sent > self.messages:
            return self.hit(facts, f"{self._span}里发了 {sent} 条，最多 {self.messages} 条", offence=event.msgid)
        same = 1 + self._times_before(facts, length)
        if same > self.repeats:
            because = f"同样的话一小时里发了 {same} 遍，最多 {self.repeats} 遍"
            return self.hit(facts, because, offence=event.msgid)
        return self.miss(facts, f"{self._span}里发了 {sent} 条，没有反复发同样的话")

    @cached_property
    def _span(self) -> str:
        return say_duration(self.within)

    def _times_before(self, facts: MessageFacts, length: int) -> int:
        """How often the same was written before; not counted where it cannot have been too often."""
        alike = [each.shape for each in facts.earlier if each.length == length] if length >= SHORT else []
        return alike.count(shape(facts.plain)) if len(alike) >= self.repeats else 0
