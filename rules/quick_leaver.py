"""Rule `quick_leaver`: who comes, looks and goes, in group after group, is no customer.

Only leaving by themselves counts (quit_scene 0, page 92130). Being removed (1) is not leaving; and where nobody said
how a stay ended (found by reconciling, or the group was dismissed) the end we know may be wrong, and proves nothing.

A group that somebody is in is judged by what came before they joined it, so the answer stays the same however often it
is asked for; and an old customer is not asked to leave it because of what they did elsewhere.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import Field

from rules.decision import Decision
from rules.events import MemberGone, MemberSeen
from rules.facts import Group, MemberFacts, Stay
from rules.rule import MostADay, Rule, Then
from rules.when import Duration, say_duration

BY_THEMSELVES = 0  # quit_scene (page 92130)
SHOWN = 5  # groups that a manager is told by name


class QuickLeaver(Rule[MemberSeen | MemberGone, MemberFacts]):
    """快进快出：进群不久就退，在好几个群都这样的人。"""

    about = (MemberSeen, MemberGone)
    looks_at = frozenset({"stays"})

    rule: Literal["quick_leaver"]
    groups_left: int = Field(default=2, ge=1, description="在几个不同的群里这样就算。")
    stayed_at_most: Duration = Field(default=timedelta(minutes=10), description="进群多久以内自己退的算快。")
    within: Duration = Field(default=timedelta(days=7), description="看最近多久。")
    then: Then = ("warn", "remove")
    most_a_day: MostADay = 50

    def judge(self, event: MemberSeen | MemberGone, facts: MemberFacts) -> Decision:
        """The last such leave is the offence: who comes back is judged by it again, and not held guilty twice."""
        until = (facts.member.joined_at or event.at) if isinstance(event, MemberSeen) else event.at
        leaves = self._quick_leaves(facts.stays, until)
        before = "退群" if isinstance(event, MemberGone) else "进群"
        counted = f"{before}前{say_duration(self.within)}里，TA进来不超过{say_duration(self.stayed_at_most)}就走的有"
        if len(leaves) < self.groups_left:
            return self.miss(facts, f"{counted} {len(leaves)} 个群，不到 {self.groups_left} 个")
        latest = "、".join(f"「{leave.group.name}」（{say_duration(leave.stayed)}）" for leave in leaves[-SHOWN:])
        last = leaves[-1]
        return self.hit(
            facts,
            f"{counted} {len(leaves)} 个群，最近的是{latest}",
            offence=f"{last.group.chat_id} left {last.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        )

    def _quick_leaves(self, stays: tuple[Stay, ...], until: datetime) -> list["_Leave"]:
        """The last of each group, in the order of time."""
        ends = (_leave(stay) for stay in stays if self.covers(stay.group))
        quick = [end for end in ends if end and end.stayed <= self.stayed_at_most]
        recent = sorted((end for end in quick if until - self.within <= end.at <= until), key=lambda end: end.at)
        last = {end.group.chat_id: end for end in recent}
        return sorted(last.values(), key=lambda end: end.at)


class _Leave(NamedTuple):
    at: datetime
    stayed: timedelta
    group: Group


def _leave(stay: Stay) -> _Leave | None:
    """None where somebody is still there, did not leave by themselves, or nobody knows for how long they stayed."""
    stayed = stay.lasted
    if stay.quit_scene != BY_THEMSELVES or stay.left_at is None or stayed is None or stayed < timedelta(0):
        return None
    return _Leave(stay.left_at, stayed, stay.group)
