"""What customers did on pages of ours, and what was learnt of who they are."""

from datetime import date
from typing import Literal

from rules.events.base import Event
from rules.events.group import GroupEvent


class AppealMade(Event):
    """A customer says that a case about them is a mistake. `text`: in their own words."""

    kind: Literal["appeal_made"] = "appeal_made"
    external_userid: str
    case_id: int
    text: str


class EntranceScanned(Event):
    """Somebody opened an entrance's page. `channel`: where the code hung (`?from=…`), "" where it did not say."""

    kind: Literal["entrance_scanned"] = "entrance_scanned"
    entrance: str
    visitor_id: int
    channel: str = ""


class MemberReported(GroupEvent):
    """A customer reported a member of their group. `external_userid`: whom; `reporter`: a pseudonym of a browser.

    `reason`: a key of rules/report.py. What else they wrote is in the store.
    """

    kind: Literal["member_reported"] = "member_reported"
    external_userid: str
    reporter: str
    reason: str = ""


class PersonIdentified(Event):
    """Of somebody who has a seat the platform has said more of who they are."""

    kind: Literal["person_identified"] = "person_identified"
    external_userid: str


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


class JoinerSeen(GroupEvent):
    """Somebody came through the code that was made for one visitor. Whether they are that visitor is asked now."""

    kind: Literal["joiner_seen"] = "joiner_seen"
    external_userid: str
    seat_id: int


class JourneyAsked(GroupEvent):
    """Somebody is in a group of a check-in: their journey is to begin, or to go on where it was. `not_tags`:
    whoever has one of these is left out.
    """

    kind: Literal["journey_asked"] = "journey_asked"
    checkin: str
    external_userid: str
    not_tags: tuple[str, ...] = ()


class JourneyStarted(Event):
    """A journey has begun, or was taken up again (`again`)."""

    kind: Literal["journey_started"] = "journey_started"
    journey_id: int
    again: bool = False


class CheckedIn(Event):
    """Somebody checks in. `on`: for which day (Beijing's); None: whichever is open at `at`. `by`: "" for the person
    themselves, else the member of staff who does it for them. `evidence`, `answer`: what they wrote, what they chose.
    """

    kind: Literal["checked_in"] = "checked_in"
    checkin: str
    visitor_id: int
    on: date | None = None
    evidence: str = ""
    answer: str = ""
    by: str = ""
    chat_id: str = ""


class MadeUp(Event):
    """Somebody makes up for a day that they missed, with one of their cards."""

    kind: Literal["made_up"] = "made_up"
    checkin: str
    visitor_id: int
    on: date
    evidence: str = ""
    answer: str = ""
    by: str = ""


class LeaveTaken(Event):
    """Somebody will not check in on this day, and says so beforehand."""

    kind: Literal["leave_taken"] = "leave_taken"
    checkin: str
    visitor_id: int
    on: date
    by: str = ""


class CheckinUndone(Event):
    """Somebody takes back what they did for this day a moment ago."""

    kind: Literal["checkin_undone"] = "checkin_undone"
    checkin: str
    visitor_id: int
    on: date
    by: str = ""


class OptedOut(Event):
    """Somebody wants no reminders (any more), wants them again, leaves the check-in, or takes it up again."""

    kind: Literal["opted_out"] = "opted_out"
    checkin: str
    visitor_id: int
    wish: Literal["no_reminders", "reminders", "leave", "return"]
