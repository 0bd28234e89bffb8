"""Rule `invite_guard`: groups that are entered by scanning only. Whoever was invited in is told to, and by whom."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.rule import CoolDown, Names, Rule, Then

INVITED = {1: "直接拉进群", 2: "用链接邀请进群"}  # join_scene (page 96338)
SCANNED = 3


class InviteGuard(Rule[MemberSeen, MemberFacts]):
    """只能扫码进的群：被人邀请进来的，提醒；并记下是谁邀请的。"""

    about = (MemberSeen,)
    for_cause = False

    rule: Literal["invite_guard"]
    allow_inviters: Names = Field(default=(), description="可以邀请的同事：姓名或 userid。")
    tell_after: int = Field(
        default=3, ge=1, description="同一个人邀请来的人被移出几位以后告诉负责人（平台只说得出邀请的同事）。"
    )
    then: Then = ("warn",)
    cool_down: CoolDown = timedelta(hours=1)

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        """Who was in the group before us is not asked how they came."""
        member = facts.member
        if event.occasion == "inside":
            return self.miss(facts, "机器人到岗前就在群里，不追究怎么进来的")
        if not member.invited_by and member.join_scene not in INVITED:
            scanned = member.join_scene == SCANNED
            return self.miss(facts, "是扫码进群的") if scanned else self.unknown(facts, "看不出是怎么进群的")
        inviter = facts.inviter or member.invited_by or "有人"
        if {facts.inviter, member.invited_by} & {*self.allow_inviters}:
            return self.miss(facts, f"是 {inviter} 邀请的，可以邀请（allow_inviters）")
        how = INVITED.get(member.join_scene or 0, "邀请进群")
        return self.hit(
            facts,
            f"是 {inviter} {how}的，本群只能扫码进",
            words="本群请扫群码进，请不要直接邀请朋友，谢谢！",
        )
