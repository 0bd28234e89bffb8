"""Rule `group_hopper`: who joins one group after another within a short time is looking for something else.

A group is judged by what came before it was joined, so the answer stays the same however often it is asked for; and a
customer of years is not asked to leave their old group because of what they did elsewhere. A stay whose beginning
nobody knows proves nothing.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts, Stay
from rules.rule import MostADay, Rule, Then
from rules.when import Duration, say_duration

SHOWN = 5  # groups that a manager is told by name


class GroupHopper(Rule[MemberSeen, MemberFacts]):
    """串群：短时间里接连进好几个群的人。"""

    about = (MemberSeen,)
    looks_at = frozenset({"stays"})

    rule: Literal["group_hopper"]
    groups_joined: int = Field(default=3, ge=2, description="进了几个不同的群就算，退了的也算。")
    within: Duration = Field(default=timedelta(days=1), description="多久以内进的。")
    then: Then = ("warn", "remove")
    most_a_day: MostADay = 50

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        joined_here = facts.member.joined_at
        if joined_here is None:
            return self.miss(facts, "不知道是什么时候进的本群")
        if event.occasion == "inside":
            return self.miss(facts, "机器人到岗前就在群里，不追究")
        hops = {stay.group.chat_id: stay for stay in facts.stays if self._is_hop(stay, joined_here)}
        span = say_duration(self.within)
        if len(hops) < self.groups_joined:
            return self.miss(facts, f"{span}里进了 {len(hops)} 个群，不到 {self.groups_joined} 个")
        latest = "、".join(f"「{stay.group.name}」" for stay in list(hops.values())[-SHOWN:])
        return self.hit(facts, f"{span}里接连进了 {len(hops)} 个群，最近的是{latest}")

    def _is_hop(self, stay: Stay, until: datetime) -> bool:
        if stay.joined_at is None or not self.covers(stay.group):
            return False
        return until - self.within <= stay.joined_at <= until
