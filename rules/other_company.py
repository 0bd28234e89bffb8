"""Rule `other_company`: people who use WeCom for another company do not belong in a customer group.

Evidence, strongest first (pages 96315, 92323; what the platform really says is weighed in docs/decisions/0004):

- certain: the contact's record says type 2 (WeCom user);
- strong: the id starts with `wo`; or it starts with neither `wo` nor `wm`, and there is no unionid although this
  corp gets one for WeChat people;
- unknown: anything else that cannot be told apart, including 84061 (nobody has added the person). Never proof.

A record of type 1, or a unionid (only WeChat people have one), proves a WeChat user and outweighs the id.
"""

from typing import Annotated, Literal

from pydantic import Field

from rules.actions import AnyAction, AskForRemoval, CheckAgain, WarnStaff
from rules.decision import Decision, Verdict
from rules.events import MemberSeen
from rules.facts import MemberFacts
from rules.rule import Names, Rule, Spelled
from rules.value import Value

Level = Literal["certain", "strong", "unknown", "none"]


class Evidence(Value):
    """How sure we are that somebody uses another company's WeCom; `says` is the Chinese half-sentence for it."""

    level: Level
    says: str


class OtherCompany(Rule):
    """其他企业的员工（企业微信用户）进群：请群主移出、提醒群主，或只记录。"""

    rule: Literal["other_company"]
    allow_companies: Names = Field(default=(), description="允许进群的公司，写全称或简称。")
    allow_people: Names = Field(default=(), description="允许进群的人，写 external_userid（wo… 或 wm…）。")
    evidence: Annotated[Literal["certain", "strong"], Spelled({"确凿": "certain", "有力": "strong"})] = Field(
        default="strong",
        description="要多少把握才行动：有力（strong，凭企业微信编号即可）、确凿（certain，要等同事加了对方、能查到公司）。",
    )
    existing_members: Annotated[Literal["report"], Spelled({"汇总": "report"})] = Field(
        default="report", description="机器人到岗前就在群里的人：汇总（report，只列成名单，不逐个打扰群主）。"
    )

    def decide(self, event: MemberSeen, facts: MemberFacts) -> Decision:
        """Judge one member of one group."""
        allowed = self._why_allowed(facts)
        if allowed:
            return self._answer(event, "miss", allowed)
        evidence = weigh(facts)
        if evidence.level == "none":
            return self._answer(event, "miss", evidence.says, evidence)
        if evidence.level == "unknown":
            return self._answer(event, "unknown", evidence.says, evidence, self._check_again(event))
        if evidence.level == "strong" and self.evidence == "certain":
            because = f"{evidence.says}；但本规则要有确凿证据（evidence: certain）才行动，以后再查"
            return self._answer(event, "unknown", because, evidence, self._check_again(event))
        return self._answer(event, "hit", evidence.says, evidence, self._steps(event, facts))

    def _why_allowed(self, facts: MemberFacts) -> str:
        person = facts.person
        if not self.covers(facts.group):
            return f"本规则不管「{facts.group.name}」"
        if person.released_by:
            return f"{person.released_by} 已放行此人"
        if person.external_userid in self.allow_people:
            return "此人在允许名单里（allow_people）"
        for company in (person.company, person.company_full_name):
            if company and company in self.allow_companies:
                return f"「{company}」是允许的公司（allow_companies）"
        return ""

    def _steps(self, event: MemberSeen, facts: MemberFacts) -> tuple[AnyAction, ...]:
        again = () if facts.person.company else self._check_again(event)
        if self.then == "observe":
            return again
        if self.then == "warn":
            return (WarnStaff(chat_id=event.chat_id, external_userid=event.external_userid), *again)
        ask = AskForRemoval(chat_id=event.chat_id, external_userid=event.external_userid, doubt=self._doubt(facts))
        return (ask, *again)

    def _doubt(self, facts: MemberFacts) -> str:
        """With companies allowed and this one unknown, only a human eye in the group can tell: say what to look at."""
        if facts.person.company or not self.allow_companies:
            return ""
        return f"还查不到公司。请先看群成员名字后面的公司名：若是 {'、'.join(self.allow_companies)}，请按「误判，放行」"

    def _check_again(self, event: MemberSeen) -> tuple[AnyAction, ...]:
        return (CheckAgain(external_userid=event.external_userid),)

    def _answer(
        self,
        event: MemberSeen,
        verdict: Verdict,
        because: str,
        evidence: Evidence | None = None,
        actions: tuple[AnyAction, ...] = (),
    ) -> Decision:
        return Decision(
            rule=self.title,
            verdict=verdict,
            because=because,
            subject=event.external_userid,
            evidence=evidence.level if evidence else "",
            actions=actions,
        )


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
