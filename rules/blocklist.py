"""Rule `blocklist`: people who were put on the list, or taken out for cause, are not to be in any group, ever again.

Three ways onto it: the list itself (other rules' `then: 拉黑`, `steward block`, an imported file), the config
(`people`), and having been taken out of a group because a rule asked for it (`removed_people`; only rules that are
`for_cause`: who was sent from one group to another, or was to come by scanning, is welcome there).
"""

from typing import Literal

from pydantic import Field

from rules.clock import BEIJING
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import Block, MemberFacts, Removed
from rules.rule import Names, Rule, YesNo

BLOCKED = "blocked"
"""The evidence of who is on the list: whoever removes them is reminded of WeCom's own blocklist."""


class Blocklist(Rule[MemberSeen, MemberFacts]):
    """黑名单上的人，和因违规被移出过的人：在哪个群、什么时候回来，都请移出。"""

    about = (MemberSeen,)
    looks_at = frozenset({"removed"})

    rule: Literal["blocklist"]
    people: Names = Field(default=(), description="另外拉黑哪些人，写 external_userid（wo… 或 wm…）或 unionid。")
    removed_people: YesNo = Field(
        default=True, description="被移出过的人算不算，写 是 或 否：算，就是因违规被请出过一次，以后进哪个群都请移出。"
    )

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        if facts.blocked:
            return self.hit(facts, _listed(facts.blocked), evidence=BLOCKED)
        if {facts.member.external_userid, facts.member.unionid} & {*self.people}:
            return self.hit(facts, "设置里写明要拉黑此人（people）", evidence=BLOCKED)
        if facts.removed and self.removed_people:
            return self.hit(facts, _taken_out(facts.removed))
        if facts.removed:
            return self.miss(facts, f"不在黑名单上；{_taken_out(facts.removed)}，但本规则不管（removed_people: 否）")
        return self.miss(facts, "不在黑名单上，也没有被移出过" if self.removed_people else "不在黑名单上")


def _listed(block: Block) -> str:
    why = f"：{block.because}" if block.because else ""
    return f"在黑名单上，{block.by} {block.at.astimezone(BEIJING):%Y-%m-%d %H:%M} 拉黑{why}"


def _taken_out(removed: Removed) -> str:
    when = removed.at.astimezone(BEIJING)
    return f"{when:%Y-%m-%d %H:%M} 因规则「{removed.rule}」被移出过「{removed.group}」"
