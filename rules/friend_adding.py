"""Rule `friend_adding`: customers report a member who adds everybody. No callback shows it; only people can tell.

Who reports is told to nobody, so the rule says how many did, and why; what they wrote stands in its evidence.
"""

from typing import Literal

from pydantic import Field

from rules.decision import Decision
from rules.events import MemberReported
from rules.facts import ReportFacts
from rules.rule import Rule, Then


class FriendAdding(Rule[MemberReported, ReportFacts]):
    """到处加人：好几位顾客举报同一个人在群里挨个加好友。"""

    about = (MemberReported,)

    rule: Literal["friend_adding"]
    reports: int = Field(default=3, ge=1, description="几个人举报才算：同一个人举报多次只算一个。")
    then: Then = ("warn",)

    def judge(self, event: MemberReported, facts: ReportFacts) -> Decision:
        if facts.reporters < self.reports:
            return self.miss(facts, f"有 {facts.reporters} 个人举报，不到 {self.reports} 个")
        return self.hit(
            facts,
            f"有 {facts.reporters} 个人举报TA{_say(facts)}",
            evidence=f"举报的话：{'／'.join(facts.words)}" if facts.words else "",
            doubt="举报的人是谁不会告诉任何人；请先在群里看看，确认是不是误会",
        )


def _say(facts: ReportFacts) -> str:
    """The reasons that were given, the most frequent first."""
    if not facts.reasons:
        return "到处加人"
    told = sorted(facts.reasons.items(), key=lambda each: -each[1])
    return "：" + "、".join(f"{reason}（{count} 人）" for reason, count in told)
