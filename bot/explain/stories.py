"""What `steward explain` tells, as values: the shape of its `--json` too."""

from typing import Literal

from pydantic import AwareDatetime

from bot.explain.case import CaseStory
from bot.explain.identity import Identity
from bot.explain.journeys import Journeys
from bot.explain.prizes import Prizes
from rules.value import Value


class Candidate(Value):
    """Something that what was typed may mean. `id` is what to type to mean just this."""

    kind: Literal["case", "person", "group"]
    id: str
    name: str
    note: str = ""


class Answer(Value):
    """What a rule said about somebody in a group; it said the same `times` between `at` and `last_at`.

    `config`: the hash of the config it was asked under. `actions`: what it wanted done. `event`: what made us ask.
    """

    at: AwareDatetime
    last_at: AwareDatetime
    times: int
    event: str
    rule: str
    verdict: str
    because: str
    evidence: str
    chat_id: str
    group: str
    external_userid: str
    person: str
    actions: tuple[str, ...]
    config: str


class CaseLine(Value):
    """A case in a list. `outcome` is "" while it is open."""

    number: int
    group: str
    person: str
    rule: str
    because: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    outcome: str


class Stay(Value):
    """One group that a person is or was in. `detailed` is False where the platform has only told the id so far."""

    chat_id: str
    group: str
    joined_at: AwareDatetime | None
    join_scene: int | None
    invited_by: str
    left_at: AwareDatetime | None
    quit_scene: int | None
    detailed: bool


class Release(Value):
    """Somebody released the person: this rule does not ask about them any more."""

    rule: str
    by: str
    at: AwareDatetime
    case: int | None


class Strike(Value):
    """An offence that is held against the person, and what it came to. `forgiven`: a release took it back."""

    at: AwareDatetime
    rule: str
    because: str
    came_to: str
    forgiven: bool


class Blocked(Value):
    """The person is on the blocklist."""

    at: AwareDatetime
    by: str
    because: str


class Points(Value):
    """An entry of the person's points."""

    at: AwareDatetime
    points: int
    why: str


class Matter(Value):
    """Something open about a group that is not about a person."""

    since: AwareDatetime
    title: str
    text: str


class PersonStory(Value):
    """`account`: wechat, wecom, or unknown where nobody of ours has added the person, or it was never asked.

    `points`: how many there are in all; `point_entries`: the newest of them. `identity`: who they are on our pages,
    where they ever opened one. `prizes`: what they have to do with draws. `journeys`: through check-ins.
    """

    kind: Literal["person"] = "person"
    external_userid: str
    name: str
    account: str
    company: str
    company_full_name: str
    checked_at: AwareDatetime | None
    check_due_at: AwareDatetime | None
    stays: tuple[Stay, ...]
    releases: tuple[Release, ...]
    blocked: tuple[Blocked, ...]
    strikes: tuple[Strike, ...]
    points: int = 0
    point_entries: tuple[Points, ...] = ()
    identity: Identity | None = None
    prizes: Prizes | None = None
    journeys: Journeys | None = None
    cases: tuple[CaseLine, ...]
    answers: tuple[Answer, ...]


class GroupStory(Value):
    """`members`: how many external people are in it now. `version`: the platform's, of what we know."""

    kind: Literal["group"] = "group"
    chat_id: str
    name: str
    group_kind: str
    owner: str
    admins: tuple[str, ...]
    members: int
    version: str | None
    watched_since: AwareDatetime
    read_at: AwareDatetime | None
    read_due_at: AwareDatetime | None
    dismissed_at: AwareDatetime | None
    matters: tuple[Matter, ...]
    cases: tuple[CaseLine, ...]
    answers: tuple[Answer, ...]


class CaseFile(Value):
    """A case and what the rules said of its person in its group. `appeal`: the link for the person, where one can be
    written.
    """

    kind: Literal["case"] = "case"
    case: CaseStory
    answers: tuple[Answer, ...]
    appeal: str = ""


Story = CaseFile | PersonStory | GroupStory
