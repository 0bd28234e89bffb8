"""Our own clock: what is due, or over. Timers and reconciling write these as inbox rows."""

from datetime import date
from typing import Literal

from rules.events.base import Event
from rules.events.group import GroupEvent


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


class SendDue(Event):
    """A send is to be looked at: has its sender confirmed, and if not, what is to be done about it."""

    kind: Literal["send_due"] = "send_due"
    send_id: int


class SendOver(Event):
    """Nothing more will come of a send. `about`: what it was for, such as "post:12"."""

    kind: Literal["send_over"] = "send_over"
    send_id: int
    about: str


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


class WinnerUnpayable(Event):
    """A winner cannot be paid, for certain, or did not take it: the money is here. The next alternate's turn.

    `because`: why, in words for the winner.
    """

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


class StockDue(Event):
    """What entrances have left is to be counted, and codes are to be made ahead."""

    kind: Literal["stock_due"] = "stock_due"


class JoinWaysReadDue(Event):
    """These join ways are to be read back."""

    kind: Literal["join_ways_read_due"] = "join_ways_read_due"
    way_ids: tuple[int, ...]


class JourneysDue(Event):
    """The next steps of these journeys have come: people are to be reminded, looked after, rewarded, seen off."""

    kind: Literal["journeys_due"] = "journeys_due"
    journey_ids: tuple[int, ...]


class OwnTagsDue(Event):
    """Tags that we keep of people ourselves are to be put on their contacts. `row_ids`: of store/own_tags.py."""

    kind: Literal["own_tags_due"] = "own_tags_due"
    row_ids: tuple[int, ...]


class ControlsCheckDue(Event):
    """The managers are to be asked to look at what only WeCom's console can switch on."""

    kind: Literal["controls_check_due"] = "controls_check_due"
