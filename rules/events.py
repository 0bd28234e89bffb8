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


class EntranceScanned(Event):
    """Somebody opened an entrance's page. `channel`: where the code hung (`?from=…`), "" where it did not say."""

    kind: Literal["entrance_scanned"] = "entrance_scanned"
    entrance: str
    visitor_id: int
    channel: str = ""


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


class OpenidsDue(Event):
    """The platform is to be asked which openids some more people on the rosters have."""

    kind: Literal["openids_due"] = "openids_due"


class PersonIdentified(Event):
    """Of somebody who has a seat the platform has said more of who they are."""

    kind: Literal["person_identified"] = "person_identified"
    external_userid: str


class SendDue(Event):
    """A send is to be looked at: has its sender confirmed, and if not, what is to be done about it."""

    kind: Literal["send_due"] = "send_due"
    send_id: int


class SendOver(Event):
    """Nothing more will come of a send. `about`: what it was for, such as "post:12"."""

    kind: Literal["send_over"] = "send_over"
    send_id: int
    about: str


class SendSaid(Event):
    """A member of staff says on a page of ours that they have sent something by hand to these groups."""

    kind: Literal["send_said"] = "send_said"
    userid: str
    send_id: int
    chat_ids: tuple[str, ...]


class OwnSendsDue(Event):
    """What staff have sent to groups of themselves is to be counted: it uses up what the groups may get."""

    kind: Literal["own_sends_due"] = "own_sends_due"


class CalendarDue(Event):
    """The calendar of posts is to be written out for the next days."""

    kind: Literal["calendar_due"] = "calendar_due"


class PostDue(Event):
    """A post is due for its next step: to be shown to somebody, or to go out."""

    kind: Literal["post_due"] = "post_due"
    post_id: int


class PostDecided(Event):
    """Somebody has looked at a post before it goes out. `say_at`: with `move`, when it is to stand there."""

    kind: Literal["post_decided"] = "post_decided"
    userid: str
    post_id: int
    verdict: Literal["pass", "move", "cancel"]
    say_at: AwareDatetime | None = None


class PayoutsDue(Event):
    """The next steps of these payouts have come; with none, managers are to be told of a pause."""

    kind: Literal["payouts_due"] = "payouts_due"
    payout_ids: tuple[int, ...] = ()


class DrawsDue(Event):
    """The calendar of draws is to be gone over: what is to be announced is announced."""

    kind: Literal["draws_due"] = "draws_due"


class DrawStepDue(Event):
    """The next step of a draw has come."""

    kind: Literal["draw_step_due"] = "draw_step_due"
    draw_id: int


class DrawEntered(Event):
    """Somebody wants to take part; in a grab, wants a share. `answer`: the option they chose in a quiz."""

    kind: Literal["draw_entered"] = "draw_entered"
    draw_id: int
    visitor_id: int
    answer: str = ""


class PrizeClaimed(Event):
    """A winner wants their prize."""

    kind: Literal["prize_claimed"] = "prize_claimed"
    draw_id: int
    visitor_id: int


class CouponRedeemed(Event):
    """A member of staff hands a gift over for this code, on our page."""

    kind: Literal["coupon_redeemed"] = "coupon_redeemed"
    userid: str
    code: str


class WinnerUnpayable(Event):
    """A winner cannot be paid, for certain: nothing was paid. The next alternate's turn. `because`: the last code."""

    kind: Literal["winner_unpayable"] = "winner_unpayable"
    draw_id: int
    winner_id: int
    because: str


class WelcomeDue(Event):
    """The group welcomes are to be brought in line with the config."""

    kind: Literal["welcome_due"] = "welcome_due"


class PostReportDue(Event):
    """Days are over, and the managers are to hear what became of their posts. `first` and `last` are included."""

    kind: Literal["post_report_due"] = "post_report_due"
    first: date
    last: date


class RewardsDue(Event):
    """A week is over, and whoever kept the rules in it is to be given points. `week`: the Monday it began with."""

    kind: Literal["rewards_due"] = "rewards_due"
    week: date


class SeatDue(Event):
    """A seat has waited long enough: for its holder to come, to be freed, or to be looked at once more."""

    kind: Literal["seat_due"] = "seat_due"
    seat_id: int
    chat_id: str


class JoinerSeen(GroupEvent):
    """Somebody came through the code that was made for one visitor. Whether they are that visitor is asked now."""

    kind: Literal["joiner_seen"] = "joiner_seen"
    external_userid: str
    seat_id: int


class StockDue(Event):
    """What entrances have left is to be counted, and codes are to be made ahead."""

    kind: Literal["stock_due"] = "stock_due"


class JoinWaysReadDue(Event):
    """These join ways are to be read back."""

    kind: Literal["join_ways_read_due"] = "join_ways_read_due"
    way_ids: tuple[int, ...]


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
    | EntranceScanned
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
    | OpenidsDue
    | PersonIdentified
    | SendDue
    | SendOver
    | SendSaid
    | OwnSendsDue
    | CalendarDue
    | PostDue
    | PostDecided
    | PayoutsDue
    | DrawsDue
    | DrawStepDue
    | DrawEntered
    | PrizeClaimed
    | CouponRedeemed
    | WinnerUnpayable
    | WelcomeDue
    | RewardsDue
    | PostReportDue
    | ControlsCheckDue
    | SeatDue
    | JoinerSeen
    | StockDue
    | JoinWaysReadDue
    | MessagePosted
    | MemberReported,
    Field(discriminator="kind"),
]

any_event: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
