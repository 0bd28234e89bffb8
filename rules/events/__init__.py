"""What happened, in the past tense. Every event carries `at`: aware, UTC, when it happened (not when we heard).

Callbacks become these in `wecom/callbacks.py`; timers and reconciling write them as inbox rows of their own. Ids are
the platform's: `chat_id` (`wr…`), `userid` (a member of our corp), `external_userid` (`wm…` WeChat, `wo…` WeCom).
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from rules.events.base import (
    Event,
)
from rules.events.contact import (
    ArchiveApproved,
    ContactAdded,
    ContactDeleted,
    ContactEdited,
    ContactEvent,
    StaffDeletedByContact,
    TransferFailed,
)
from rules.events.corp import (
    StaffChanged,
    TagChanged,
    UnknownEvent,
)
from rules.events.customer import (
    AppealMade,
    CheckedIn,
    CheckinUndone,
    DrawEntered,
    EntranceScanned,
    JoinerSeen,
    JourneyAsked,
    JourneyStarted,
    LeaveTaken,
    MadeUp,
    MemberReported,
    OptedOut,
    PersonIdentified,
    PrizeClaimed,
)
from rules.events.due import (
    CalendarDue,
    CardDue,
    CaseStep,
    CaseStepDue,
    ControlsCheckDue,
    DrawsDue,
    DrawStepDue,
    GroupReadDue,
    GroupsReadDue,
    JoinWaysReadDue,
    JourneysDue,
    OpenidsDue,
    OwnSendsDue,
    OwnTagsDue,
    PayoutsDue,
    PersonCheckDue,
    PostDue,
    PostReportDue,
    RewardsDue,
    RosterReadDue,
    SeatDue,
    SendDue,
    SendOver,
    StockDue,
    TodoDue,
    WelcomeDue,
    WinnerUnpayable,
)
from rules.events.group import (
    GroupChanged,
    GroupCreated,
    GroupDismissed,
    GroupEvent,
    GroupSeen,
    MemberGone,
    MemberSeen,
    MembersJoined,
    MembersLeft,
    MessagePosted,
    RosterEvent,
)
from rules.events.staff import (
    AppealDecided,
    BlocklistChanged,
    CardPressed,
    CasesPressed,
    CouponRedeemed,
    MattersPressed,
    PostDecided,
    SendSaid,
)

__all__ = [
    "AnyEvent",
    "AppealDecided",
    "AppealMade",
    "ArchiveApproved",
    "BlocklistChanged",
    "CalendarDue",
    "CardDue",
    "CardPressed",
    "CaseStep",
    "CaseStepDue",
    "CasesPressed",
    "CheckedIn",
    "CheckinUndone",
    "ContactAdded",
    "ContactDeleted",
    "ContactEdited",
    "ContactEvent",
    "ControlsCheckDue",
    "CouponRedeemed",
    "DrawEntered",
    "DrawStepDue",
    "DrawsDue",
    "EntranceScanned",
    "Event",
    "GroupChanged",
    "GroupCreated",
    "GroupDismissed",
    "GroupEvent",
    "GroupReadDue",
    "GroupSeen",
    "GroupsReadDue",
    "JoinWaysReadDue",
    "JoinerSeen",
    "JourneyAsked",
    "JourneyStarted",
    "JourneysDue",
    "LeaveTaken",
    "MadeUp",
    "MattersPressed",
    "MemberGone",
    "MemberReported",
    "MemberSeen",
    "MembersJoined",
    "MembersLeft",
    "MessagePosted",
    "OpenidsDue",
    "OptedOut",
    "OwnSendsDue",
    "OwnTagsDue",
    "PayoutsDue",
    "PersonCheckDue",
    "PersonIdentified",
    "PostDecided",
    "PostDue",
    "PostReportDue",
    "PrizeClaimed",
    "RewardsDue",
    "RosterEvent",
    "RosterReadDue",
    "SeatDue",
    "SendDue",
    "SendOver",
    "SendSaid",
    "StaffChanged",
    "StaffDeletedByContact",
    "StockDue",
    "TagChanged",
    "TodoDue",
    "TransferFailed",
    "UnknownEvent",
    "WelcomeDue",
    "WinnerUnpayable",
    "any_event",
]

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
    | OwnTagsDue
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
    | MemberReported
    | CheckedIn
    | CheckinUndone
    | JourneyAsked
    | JourneysDue
    | JourneyStarted
    | LeaveTaken
    | MadeUp
    | OptedOut,
    Field(discriminator="kind"),
]

any_event: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
