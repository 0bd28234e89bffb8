"""Rule `group_integrity`: whether a group is still as it should be: who is in it, its name, notice, owner and size.

Several things can be wrong at once: they are one hit, and the same set of them is one offence, however often the group
is read. Capacity: scanning a group's code stops at 200 members, beyond that people can only be invited, up to 500
(vendors' manuals; no page of the platform says so).
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from rules.decision import Decision
from rules.events import GroupSeen
from rules.facts import GroupFacts
from rules.rule import Names, Rule, Step, Then, YesNo

SCANS_UP_TO = 200
HOLDS = 500


class Finding(NamedTuple):
    """One thing that is wrong. `key` stays the same while it does."""

    key: str
    says: str


class GroupIntegrity(Rule[GroupSeen, GroupFacts]):
    """群的样子：该在的人在不在，群名、公告、群主有没有被改，同事是不是太多，是不是快满了。"""

    about = (GroupSeen,)

    rule: Literal["group_integrity"]
    needs: Names = Field(default=(), description="必须在群里的同事：姓名或 userid。写了几位，就几位都要在。")
    name_like: Names = Field(default=(), description="群名应有的样子：群名的通配写法，合其中一个就行。")
    notice_has: Names = Field(default=(), description="群公告里必须有的话，写了几句，就几句都要有。")
    most_staff: int | None = Field(default=None, ge=1, description="群里最多几位同事（连群主）。")
    nearly_full: int = Field(
        default=180, ge=1, le=HOLDS, description="快满的人数：到了就提醒（满 200 人就不能再扫码进群，最多 500 人）。"
    )
    owner_may_change: YesNo = Field(default=True, description="群主可不可以换，写 是 或 否：否，就是换了要提醒。")
    then: Then = ("warn",)

    @field_validator("then")
    @classmethod
    def _a_group_can_only_be_told_of(cls, then: tuple[Step, ...]) -> tuple[Step, ...]:
        if {"remove", "block"} & {*then}:
            raise ValueError("这条规则说的是群，不是人，不能移出、拉黑：可以写 提醒、仅观察")
        return then

    def judge(self, event: GroupSeen, facts: GroupFacts) -> Decision:
        findings = [*self._people(facts), *self._texts(facts), *self._size(facts)]
        if not findings:
            return self.miss(facts, "群名、公告、人员和人数都合要求")
        offence = " ".join([facts.group.chat_id, *sorted(finding.key for finding in findings)])
        return self.hit(facts, "；".join(finding.says for finding in findings), offence=offence)

    def _people(self, facts: GroupFacts) -> Iterator[Finding]:
        owner, staff = facts.group.owner, set(facts.staff)
        there = staff | {facts.names[userid] for userid in staff if userid in facts.names}
        for who in self.needs:
            if who not in there:
                yield Finding(f"needs:{who}", f"{_name(who, facts)} 不在群里")
        if self.most_staff is not None and len(staff) > self.most_staff:
            yield Finding("most_staff", f"群里有 {len(staff)} 位同事，最多 {self.most_staff} 位")
        if facts.owner_before and facts.owner_before != owner and not self.owner_may_change:
            says = f"群主从 {_name(facts.owner_before, facts)} 换成了 {_name(owner, facts)}"
            yield Finding(f"owner:{facts.owner_before}>{owner}", says)

    def _texts(self, facts: GroupFacts) -> Iterator[Finding]:
        name = facts.group.name
        if self.name_like and not any(fnmatchcase(name, pattern) for pattern in self.name_like):
            was = f"（原来叫「{facts.name_before}」）" if facts.name_before else ""
            yield Finding("name", f"群名「{name}」不合要求{was}，应当像 {' 或 '.join(self.name_like)}")
        if facts.notice is None:  # nobody has read it yet: that proves nothing
            return
        for text in self.notice_has:
            if text not in facts.notice:
                yield Finding(f"notice:{text}", f"群公告里没有「{text}」")

    def _size(self, facts: GroupFacts) -> Iterator[Finding]:
        if facts.size < self.nearly_full:
            return
        if facts.size < SCANS_UP_TO:
            yield Finding("nearly_full", f"群里已有 {facts.size} 人，满 {SCANS_UP_TO} 人就不能再扫码进群")
        else:
            yield Finding("full", f"群里已有 {facts.size} 人，不能再扫码进群，只能邀请，最多 {HOLDS} 人")


def _name(userid: str, facts: GroupFacts) -> str:
    return facts.names.get(userid, userid)
