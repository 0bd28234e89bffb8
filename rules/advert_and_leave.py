"""Rule `advert_and_leave`: who comes to advertise, or advertises and is gone, did not come to stay.

Whether a message is an advert is for the rules above this one in the config to say (keywords, patterns, links). Both
halves need a time: of joining, of the last advert; where it is unknown nothing is claimed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, PrivateAttr

from rules.decision import Decision
from rules.events import MemberGone, MessagePosted
from rules.facts import MemberFacts, MessageFacts
from rules.rule import AnyRuleOf, CoolDown, MostADay, Names, Rule, Then
from rules.when import Duration, say_duration

REMOVED = 1  # quit_scene: the owner or an admin took them out (page 92130)
TELL_ADVERTS = ("keywords", "patterns", "links")


class AdvertAndLeave(Rule[MessagePosted | MemberGone, MessageFacts | MemberFacts]):
    """发完广告就走的人：刚进群就发，或者发了马上退群。"""

    about = (MessagePosted, MemberGone)
    looks_at = frozenset({"adverts"})

    rule: Literal["advert_and_leave"]
    adverts: Names = Field(
        default=(),
        description="哪些规则查到的算广告，写规则的名字：要写在本规则上面；不写就是上面所有查词、查写法、查链接的规则。",
    )
    soon_after_joining: Duration = Field(
        default=timedelta(minutes=10), description="进群多久以内发广告就算；写 0秒 就不看这一条。"
    )
    leaves_within: Duration = Field(
        default=timedelta(minutes=10), description="发完广告多久以内退群就算；写 0秒 就不看这一条。"
    )
    then: Then = ("block",)
    cool_down: CoolDown = timedelta(minutes=10)
    most_a_day: MostADay = 50
    _counted: frozenset[str] | None = PrivateAttr(default=None)

    def stand_below(self, above: Iterable[AnyRuleOf]) -> str:
        """Told once which rules stand above. Answers the name in `adverts` that is none of theirs; "" = all are."""
        rules = list(above)
        titles = [rule.title for rule in rules]
        of_adverts = [rule.title for rule in rules if getattr(rule, "rule", "") in TELL_ADVERTS]
        self._counted = frozenset(self.adverts or of_adverts)
        return next((name for name in self.adverts if name not in titles), "")

    def advert_in(self, found: Iterable[str]) -> str:
        """The first of these rules (their titles) whose hit counts as an advert; "" = none does."""
        return next((title for title in found if self._counted is None or title in self._counted), "")

    def judge(self, event: MessagePosted | MemberGone, facts: MessageFacts | MemberFacts) -> Decision:
        if isinstance(event, MessagePosted) and isinstance(facts, MessageFacts):
            return self._posted(event, facts)
        if isinstance(event, MemberGone) and isinstance(facts, MemberFacts):
            return self._gone(event, facts)
        raise TypeError(f"{type(event).__name__} with {type(facts).__name__}")

    def _posted(self, event: MessagePosted, facts: MessageFacts) -> Decision:
        advert = self.advert_in(facts.found) if facts.found else ""
        if not advert:
            return self.miss(facts, "不是广告（上面的规则没有查到什么）")
        if facts.joined_at is None:
            return self.miss(facts, f"是广告（{advert}），但不知道TA什么时候进的群")
        stayed = _between(facts.joined_at, event.at)
        if stayed > self.soon_after_joining or not self.soon_after_joining:
            return self.miss(facts, f"是广告（{advert}），但TA进群已经 {say_duration(stayed)}")
        return self.hit(facts, f"进群 {say_duration(stayed)}就发广告：{facts.found[advert]}", offence=event.msgid)

    def _gone(self, event: MemberGone, facts: MemberFacts) -> Decision:
        if event.quit_scene == REMOVED:
            return self.miss(facts, "是被移出的，不是自己走的")
        if facts.last_advert_at is None:
            return self.miss(facts, "退群之前没有发过广告")
        waited = _between(facts.last_advert_at, event.at)
        if waited > self.leaves_within or not self.leaves_within:
            return self.miss(facts, f"退群是发广告 {say_duration(waited)}以后的事")
        offence = f"advert {facts.group.chat_id} {facts.last_advert_at.isoformat()}"
        return self.hit(facts, f"发完广告 {say_duration(waited)}就退了群", offence=offence)


def _between(earlier: datetime, later: datetime) -> timedelta:
    """Never negative: the two times come from different clocks."""
    return max(timedelta(0), later - earlier)
