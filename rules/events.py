"""What happened, in the past tense. Every event carries `at`: aware, UTC, when it happened (not when we heard).

Callbacks become these in `wecom/callbacks.py`; timers and reconciling write them as inbox rows of their own. Ids are
the platform's: `chat_id` (`wr…`), `userid` (a member of our corp), `external_userid` (`wm…` WeChat, `wo…` WeCom).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from rules.value import Value


class Event(Value):
    """Something that happened."""

    at: AwareDatetime


# --- customer groups (change_external_chat, page 92130) ---------------------------------------------------------------


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


# --- external contacts (change_external_contact, page 92130) ----------------------------------------------------------


class ContactEvent(Event):
    """Something between a member of our staff and one external contact."""

    userid: str
    external_userid: str


class ContactAdded(ContactEvent):
    """`half`: added without confirmation (add_half_external_contact). `welcome_code` lives 20 seconds."""

    kind: Literal["contact_added"] = "contact_added"
    half: bool
    state: str | None
    welcome_code: str | None


class ContactEdited(ContactEvent):
    kind: Literal["contact_edited"] = "contact_edited"


class ContactDeleted(ContactEvent):
    """Our staff deleted the contact. `source` is DELETE_BY_TRANSFER when a transfer did it."""

    kind: Literal["contact_deleted"] = "contact_deleted"
    source: str | None


class StaffDeletedByContact(ContactEvent):
    kind: Literal["staff_deleted_by_contact"] = "staff_deleted_by_contact"


class TransferFailed(ContactEvent):
    kind: Literal["transfer_failed"] = "transfer_failed"
    reason: str | None


class ArchiveApproved(ContactEvent):
    kind: Literal["archive_approved"] = "archive_approved"
    welcome_code: str | None


# --- cards, tags, staff -----------------------------------------------------------------------------------------------


class CardPressed(Event):
    """A member of staff pressed a button (template_card_event). `selected`: question key → chosen option ids."""

    kind: Literal["card_pressed"] = "card_pressed"
    userid: str
    task_id: str
    button: str
    card_type: str
    response_code: str | None
    selected: dict[str, tuple[str, ...]]


class CasesPressed(Event):
    """A member of staff pressed a button on a page of ours, about these cases."""

    kind: Literal["cases_pressed"] = "cases_pressed"
    userid: str
    case_ids: tuple[int, ...]
    button: Literal["removed", "warned", "release", "release_company", "later"]


class MattersPressed(Event):
    """A member of staff says on a page of ours that these matters are done."""

    kind: Literal["matters_pressed"] = "matters_pressed"
    userid: str
    matter_ids: tuple[int, ...]


class AppealMade(Event):
    """A customer says that a case about them is a mistake. `text`: in their own words."""

    kind: Literal["appeal_made"] = "appeal_made"
    external_userid: str
    case_id: int
    text: str


class AppealDecided(Event):
    """A manager has looked at the appeal that is this matter: release, or uphold what was done."""

    kind: Literal["appeal_decided"] = "appeal_decided"
    userid: str
    matter_id: int
    verdict: Literal["release", "uphold"]


class BlocklistChanged(Event):
    """People were put on the blocklist, or taken off it, by hand. Each by external_userid or by unionid."""

    kind: Literal["blocklist_changed"] = "blocklist_changed"
    people: tuple[str, ...]


class TagChanged(Event):
    """`change`: create, update, delete, shuffle …; `tag_type`: tag or tag_group."""

    kind: Literal["tag_changed"] = "tag_changed"
    change: str
    tag_id: str | None
    tag_type: str | None
    strategy_id: str | None


class StaffChanged(Event):
    """The corp's address book changed (change_contact): create_user, update_user, delete_user, create_party …"""

    kind: Literal["staff_changed"] = "staff_changed"
    change: str
    userid: str | None
    new_userid: str | None
    fields: dict[str, str]


class UnknownEvent(Event):
    """A callback that no code knows. Everything that came is kept, so that support can be written from it."""

    kind: Literal["unknown"] = "unknown"
    event: str
    change: str
    xml: str


# --- what rules are asked about ------------------------------------------------------------------------------------


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


class MemberReported(GroupEvent):
    """A customer reported a member of their group. `external_userid`: whom; `reporter`: a pseudonym of a browser.

    `reason`: a key of rules/report.py. What else they wrote is in the store.
    """

    kind: Literal["member_reported"] = "member_reported"
    external_userid: str
    reporter: str
    reason: str = ""


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


# --- our own clock ----------------------------------------------------------------------------------------------------


class RosterReadDue(Event):
    """All groups are to be listed, to find new ones and those that are gone; with `whole`, all are read again too."""

    kind: Literal["roster_read_due"] = "roster_read_due"
    whole: bool = True


class GroupsReadDue(Event):
    """Some groups are to be looked over: those of which something was missed are then read each by itself."""

    kind: Literal["groups_read_due"] = "groups_read_due"
    chat_ids: tuple[str, ...]


class GroupReadDue(GroupEvent):
    """One group is to be read again."""

    kind: Literal["group_read_due"] = "group_read_due"


class PersonCheckDue(Event):
    """Somebody whose company was unknown is to be asked about again."""

    kind: Literal["person_check_due"] = "person_check_due"
    external_userid: str


class CardDue(Event):
    """A planned card has waited long enough for company and is to be written."""

    kind: Literal["card_due"] = "card_due"
    card_id: int


CaseStep = Literal["ask", "check", "remind", "escalate", "lapse"]


class CaseStepDue(Event):
    """An open case is due for its next step.

    `ask` by a card what the company's own program did not do, `check` after a press, `remind`, `escalate`; `lapse`: a
    warning that nobody gave.
    """

    kind: Literal["case_step_due"] = "case_step_due"
    case_id: int
    chat_id: str
    step: CaseStep


class TodoDue(Event):
    """Somebody's 今日待办 is to be written."""

    kind: Literal["todo_due"] = "todo_due"
    userid: str


class WelcomeDue(Event):
    """The group welcomes are to be brought in line with the config."""

    kind: Literal["welcome_due"] = "welcome_due"


class RewardsDue(Event):
    """A week is over, and whoever kept the rules in it is to be given points. `week`: the Monday it began with."""

    kind: Literal["rewards_due"] = "rewards_due"
    week: date


class ControlsCheckDue(Event):
    """The managers are to be asked to look at what only WeCom's console can switch on."""

    kind: Literal["controls_check_due"] = "controls_check_due"


AnyEvent = Annotated[
    GroupCreated
    | GroupDismissed
    | MembersJoined
    | MembersLeft
    | GroupChanged
    | ContactAdded
    | ContactEdited
    | ContactDeleted
    | StaffDeletedByContact
    | TransferFailed
    | ArchiveApproved
    | CardPressed
    | CasesPressed
    | MattersPressed
    | AppealMade
    | AppealDecided
    | BlocklistChanged
    | TagChanged
    | StaffChanged
    | UnknownEvent
    | RosterReadDue
    | GroupsReadDue
    | GroupReadDue
    | PersonCheckDue
    | CardDue
    | CaseStepDue
    | TodoDue
    | WelcomeDue
    | RewardsDue
    | ControlsCheckDue
    | MessagePosted
    | MemberReported,
    Field(discriminator="kind"),
]

any_event: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
