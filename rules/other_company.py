"""Rule `other_company`: people who use WeCom for another company do not belong in a customer group.

Evidence, strongest first (pages 96315, 92323; what the platform really says is weighed in docs/decisions/0004):

- certain: the contact's record says type 2 (WeCom user);
- strong: the id starts with `wo`; or it starts with neither `wo` nor `wm`, and there is no unionid although this
  corp gets one for WeChat people;
- unknown: anything else that cannot be told apart, including 84061 (nobody has added the person). Never proof.

A record of type 1, or a unionid (only WeChat people have one), proves a WeChat user and outweighs the id.

Somebody who scanned a code of our own (the roster shows its `state`) may be an office worker whose phone opened it with
WeCom: a customer at the wrong door, who is told so and has some time to come back with WeChat. Who was invited in, or
scanned the group's own code, which anybody may have passed on, is not.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from rules.actions import CheckAgain
from rules.decision import Decision
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.rule import Names, Rule, Spelled
from rules.value import Value
from rules.when import Duration

Level = Literal["certain", "strong", "unknown", "none"]


class Evidence(Value):
    """How sure we are that somebody uses another company's WeCom; `says` is the Chinese half-sentence for it."""

    level: Level
    says: str


class OtherCompany(Rule[MemberSeen, MemberFacts]):
    """其他企业的员工（企业微信用户）进群：请群主移出、提醒群主，或只记录。"""

    about = (MemberSeen,)

    rule: Literal["other_company"]
    allow_companies: Names = Field(default=(), description="允许进群的公司，写全称或简称。")
    evidence: Annotated[Literal["certain", "strong"], Spelled({"确凿": "certain", "有力": "strong"})] = Field(
        default="strong",
        description="要多少把握才行动：有力（strong，凭企业微信编号即可）、确凿（certain，要等同事加了对方、能查到公司）。",
    )
    existing_members: Annotated[Literal["report"], Spelled({"汇总": "report"})] = Field(
        default="report", description="机器人到岗前就在群里的人：汇总（report，只列成名单，不逐个打扰群主）。"
    )
    wrong_door: Duration = Field(
        default=timedelta(minutes=30),
        description="走错门的宽限：用企业微信扫了我们自己的入群码（带 state 的）进来的人，"
        "先请群主告诉TA换微信扫，过了这么久还在才催着移出。",
    )

    def judge(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        """Judge one member of one group."""
        for company in (facts.person.company, facts.person.company_full_name):
            if company and company in self.allow_companies:
                return self.miss(facts, f"「{company}」是允许的公司（allow_companies）")
        evidence = weigh(facts)
        level, says = evidence.level, evidence.says
        again = (CheckAgain(external_userid=facts.subject),)
        if level == "none":
            return self.miss(facts, says, evidence=level)
        if level == "unknown":
            return self.unknown(facts, says, evidence=level, actions=again)
        if level == "strong" and self.evidence == "certain":
            because = f"{says}；但本规则要有确凿证据（evidence: certain）才行动，以后再查"
            return self.unknown(facts, because, evidence=level, actions=again)
        decision = self.hit(
            facts,
            f"{says}；{_door(facts)}" if _door(facts) else says,
            evidence=level,
            doubt=self._doubt(facts),
            actions=() if facts.person.company else again,
        )
        if not at_the_wrong_door(facts) or not self.wrong_door:
            return decision
        words = "您是用企业微信进的群，请退出后用微信重新扫码，谢谢！"
        return decision.model_copy(update={"words": words, "grace": self.wrong_door})

    def _doubt(self, facts: MemberFacts) -> str:
        """With companies allowed and this one unknown, only a human eye in the group can tell: say what to look at."""
        if facts.person.company or not self.allow_companies:
            return ""
        return f"还查不到公司。请先看群成员名字后面的公司名：若是 {'、'.join(self.allow_companies)}，请按「误判，放行」"


def at_the_wrong_door(facts: MemberFacts) -> bool:
    """Whether they came by themselves through a code of ours, not through somebody who let them in."""
    return bool(facts.member.state) and not facts.member.invited_by


def _door(facts: MemberFacts) -> str:
    if at_the_wrong_door(facts):
        return "是自己扫我们的码进来的，可能是走错门的顾客"
    if facts.inviter:
        return f"由 {facts.inviter} 邀请进来的"
    return "是被邀请进来的" if facts.member.join_scene in (1, 2) else ""


def weigh(facts: MemberFacts) -> Evidence:
    """How sure it is that this member uses another company's WeCom."""
    person, member = facts.person, facts.member
    if person.account == "wechat":
        return Evidence(level="none", says="联系人资料显示是微信用户")
    if person.account == "wecom":
        company = person.company_full_name or person.company
        whose = f"「{company}」的" if company else "其他企业的"
        return Evidence(level="certain", says=f"联系人资料显示是{whose}企业微信用户")
    if member.unionid:
        return Evidence(level="none", says="名单上有 unionid，只有微信用户才有")
    return _by_id(member.external_userid, corp_gets_unionid=facts.corp_gets_unionid)


def _by_id(external_userid: str, *, corp_gets_unionid: bool) -> Evidence:
    if external_userid.startswith("wo"):
        return Evidence(level="strong", says="编号以 wo 开头，是企业微信用户（公司名要等同事加了对方才查得到）")
    if external_userid.startswith("wm"):
        if not corp_gets_unionid:
            return Evidence(level="none", says="编号以 wm 开头，是微信用户")
        return Evidence(
            level="unknown", says="编号以 wm 开头像是微信用户，名单上却没有 unionid；两个迹象不一致，以后再查"
        )
    if corp_gets_unionid:
        return Evidence(level="strong", says="名单上没有 unionid，而本企业的微信用户都有，所以是企业微信用户")
    return Evidence(level="unknown", says="看不出是微信还是企业微信用户（没有同事加过对方），以后再查")
