"""What a rule may look at: one Facts per family of events. A rule reads nothing by itself; all is handed over."""

from collections.abc import Mapping
from datetime import timedelta
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
    """One external member as the roster shows them. `join_scene`: 1 invited directly, 2 by a link, 3 scanned a code.

    `invited_by`: the userid of one of our own staff; the platform names nobody else (page 96338).
    """

    external_userid: str
    name: str = ""
    joined_at: AwareDatetime | None = None
    join_scene: int | None = None
    invited_by: str | None = None
    state: str | None = None
    unionid: str | None = None


class Person(Value):
    """What `externalcontact/get` says of somebody. `checks`: how many answers in a row told nothing."""

    external_userid: str
    account: Account = "unknown"
    company: str = ""
    company_full_name: str = ""
    checks: int = 0


class Stay(Value):
    """One group that somebody is or was in. `left_at` None: still there. `assigned`: we gave them this group."""

    group: Group
    joined_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None
    quit_scene: int | None = None
    assigned: bool = False

    @property
    def lasted(self) -> timedelta | None:
        """How long, where it is over and both ends are known."""
        return self.left_at - self.joined_at if self.left_at and self.joined_at else None


class Block(Value):
    """Somebody is on the blocklist. `by`: who put them there, a name or the rule's title; `because` in Chinese."""

    by: str
    at: AwareDatetime
    because: str


class Removed(Value):
    """Somebody was taken out of a group because a rule asked for it: the last time."""

    rule: str
    group: str
    at: AwareDatetime


class Facts(Value):
    """What all families have in common. `subject`: whom a decision is about; the chat_id where it is about a group.

    `released`: title of a rule → who released this person (or their company) from it.
    """

    group: Group
    subject: str = ""
    is_staff: bool = False
    released: Mapping[str, str] = {}


class MemberFacts(Facts):
    """For rules that judge one member of one group, at MemberSeen and MemberGone.

    `corp_gets_unionid`: this corp has been given unionids for WeChat people (so a member without one is not one).
    `stays`: every group the person is or was in, this one included, the oldest first. `last_advert_at`: when another
    rule last found an advert of theirs in this group.
    """

    member: Member
    person: Person
    corp_gets_unionid: bool = False
    stays: tuple[Stay, ...] = ()
    blocked: Block | None = None
    removed: Removed | None = None
    inviter: str = ""
    last_advert_at: AwareDatetime | None = None


class GroupFacts(Facts):
    """For rules about a group as such, at GroupSeen. `staff`: userids of our own people in it, the owner included.

    `names`: userid → name. `size`: everybody in it. `owner_before`, `name_before`: as it was before; "" where it is the
    same.
    """

    size: int = 0
    staff: tuple[str, ...] = ()
    names: Mapping[str, str] = {}
    notice: str | None = None
    owner_before: str = ""
    name_before: str = ""


class Earlier(Value):
    """A message that somebody sent in this group before. `shape`: its normalised text."""

    at: AwareDatetime
    shape: str
    length: int


class MessageFacts(Facts):
    """For rules that read messages, at MessagePosted. `text`: as written; `plain`: normalised (rules/text.py).

    `earlier`: what the same person wrote in this group within the last hour, the oldest first. `found`: title → because
    of the rules above this one in the config that hit the same message.
    """

    text: str = ""
    plain: str = ""
    joined_at: AwareDatetime | None = None
    earlier: tuple[Earlier, ...] = ()
    found: Mapping[str, str] = {}


class ReportFacts(Facts):
    """For rules about what customers report, at MemberReported. `reporters`: how many people did so lately.

    `reasons`: reason → how many of them gave it (rules/report.py); `words`: what they wrote besides.
    """

    reporters: int = 0
    reasons: Mapping[str, int] = {}
    words: tuple[str, ...] = ()
