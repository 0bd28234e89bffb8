"""What a rule may look at: one Facts per family of events. A rule reads nothing by itself; all is handed over."""

from typing import Literal

from pydantic import AwareDatetime

from rules.value import Value

Account = Literal["wechat", "wecom", "unknown"]
"""Whose client somebody uses. Unknown is never proof of anything."""


class Group(Value):
    """A customer group. `kind` is the config's name for groups of this sort, "other" where none fits."""

    chat_id: str
    name: str
    kind: str
    owner: str
    admins: tuple[str, ...] = ()


class Member(Value):
    """One external member as the roster shows them. `join_scene`: 1 invited directly, 2 by a link, 3 scanned a code."""

    external_userid: str
    name: str = ""
    joined_at: AwareDatetime | None = None
    join_scene: int | None = None
    invited_by: str | None = None
    state: str | None = None
    unionid: str | None = None


class Person(Value):
    """What `externalcontact/get` says of somebody, and who has released them from the rule that asks."""

    external_userid: str
    account: Account = "unknown"
    company: str = ""
    company_full_name: str = ""
    released_by: str | None = None


class MemberFacts(Value):
    """For rules that judge one member of one group.

    `corp_gets_unionid`: this corp has been given unionids for WeChat people (so a member without one is not one).
    """

    group: Group
    member: Member
    person: Person
    corp_gets_unionid: bool = False
