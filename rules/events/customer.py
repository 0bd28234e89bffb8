"""What customers did on pages of ours, and what was learnt of who they are."""

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
