"""What happened to a customer group, and whom a rule is asked about (change_external_chat, page 92130)."""

from typing import Literal

from rules.events.base import Event


class GroupEvent(Event):
    """Something that happened to one customer group."""

    chat_id: str


class GroupCreated(GroupEvent):
    kind: Literal["group_created"] = "group_created"


class GroupDismissed(GroupEvent):
    kind: Literal["group_dismissed"] = "group_dismissed"


class RosterEvent(GroupEvent):
    """People came or went. `members` is None where the platform named nobody; versions are opaque, equal or not."""

    members: tuple[str, ...] | None
    count: int | None
    last_version: str | None
    version: str | None


class MembersJoined(RosterEvent):
    """`join_scene`: 0 invited by a member, 3 scanned the group's code; other numbers occur and mean nothing to us."""

    kind: Literal["members_joined"] = "members_joined"
    join_scene: int | None


class MembersLeft(RosterEvent):
    """`quit_scene`: 0 left by themselves, 1 removed by the owner or an admin; other numbers mean nothing to us."""

    kind: Literal["members_left"] = "members_left"
    quit_scene: int | None


class GroupChanged(GroupEvent):
    """The owner, name or notice changed; `detail` is the platform's UpdateDetail as it came (an open list)."""

    kind: Literal["group_changed"] = "group_changed"
    detail: str


class MemberSeen(GroupEvent):
    """An external member is on the roster and their details are known: the moment rules are asked about them.

    `joined`: they came while we watched; `checked`: so they did, and we learnt more about them; `inside`: they were
    there before us.
    """

    external_userid: str
    occasion: Literal["joined", "inside", "checked"]


class MemberGone(GroupEvent):
    """An external member has left a group, or was removed from it (`quit_scene` 1)."""

    external_userid: str
    quit_scene: int | None


class GroupSeen(GroupEvent):
    """A group was read, and what was read is in the store."""


class MessagePosted(GroupEvent):
    """Somebody wrote in a group, as the message source told (POST /ingest/messages). `at`: when it was sent.

    `sender`: external_userid or userid; `type` as the source names it (text, link, image …: an open list); `text` is
    what there is to read of it: for a link its title, description and address.
    """

    kind: Literal["message_posted"] = "message_posted"
    msgid: str
    sender: str
    type: str = "text"
    text: str = ""
