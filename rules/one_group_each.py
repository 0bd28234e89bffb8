"""Rule `one_group_each`: one customer, so many groups of a kind. The groups we gave them stay, else the oldest."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts, Stay
from rules.rule import Rule, Then

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class OneGroupEach(Rule[MemberSeen, MemberFacts]):
    """一客一群：同一个人进了几个同类的群，留下我们安排的（没有就留最早进的），其余的提醒退出。"""

    about = (MemberSeen,)
    looks_at = frozenset({"stays"})
    for_cause = False

    rule: Literal["one_group_each"]
    most: int = Field(default=1, ge=1, description="同类的群最多进几个。")
    then: Then = ("warn",)

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        here = facts.group
        present = {
            stay.group.chat_id: stay
            for stay in sorted(facts.stays, key=_goes_first)
            if stay.left_at is None and stay.group.kind == here.kind and self.covers(stay.group)
        }
        kept, others = list(present.values())[: self.most], list(present)[self.most :]
        if here.chat_id not in others:
            return self.miss(facts, f"{here.kind} 这一类群里，TA在 {len(present)} 个（最多 {self.most} 个），本群保留")
        names = "、".join(f"「{stay.group.name}」" for stay in kept)
        return self.hit(
            facts,
            f"{here.kind} 这一类群最多进 {self.most} 个，TA同时在 {len(present)} 个；"
            f"保留{'、'.join(_say(stay) for stay in kept)}",
            words=f"您已经在{names}里了，内容是一样的，请退出本群，把位置留给其他朋友，谢谢！",
        )


def _goes_first(stay: Stay) -> tuple[bool, datetime]:
    """The group we gave them before any other; then the oldest, and what nobody knows is old."""
    return not stay.assigned, stay.joined_at or _LONG_AGO


def _say(stay: Stay) -> str:
    return f"「{stay.group.name}」（{'我们安排的' if stay.assigned else '更早进的'}）"
