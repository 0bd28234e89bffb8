"""What a rehearsal found, as values."""

from typing import Literal

from pydantic import AwareDatetime

from rules.decision import Came
from rules.value import Value

Asked = Literal["warn", "remove", "block", "held"]
STRONGEST_FIRST: tuple[Asked, ...] = ("block", "remove", "held", "warn")


class Line(Value):
    """Somebody who would have been asked about: where, when, the step, and every rule's reason.

    `listed`: they were there before the bot came, and only stand in the daily list. `gone`: they had left by then, and
    were only put on the blocklist.
    """

    at: AwareDatetime
    chat_id: str
    group: str
    external_userid: str
    person: str
    step: Asked
    rules: tuple[str, ...]
    because: tuple[str, ...]
    listed: bool = False
    gone: bool = False


class RuleCount(Value):
    """How often a rule hit, how many people, and what it came to. `rehearsed`: whether it could be asked at all."""

    rule: str
    rehearsed: bool
    hits: int
    people: int
    steps: dict[Came, int]


class Often(Value):
    """Somebody who would have been asked about more than once."""

    external_userid: str
    person: str
    times: int


class Wrong(Value):
    """Somebody who must never be asked about, and would have been: `why` in Chinese."""

    external_userid: str
    person: str
    why: str


class Rehearsal(Value):
    """`unknown`: in Chinese sentences, what could not be taken into account."""

    since: AwareDatetime
    until: AwareDatetime
    joins: int
    leaves: int
    messages: int
    rules: tuple[RuleCount, ...]
    steps: dict[Came, int]
    lines: tuple[Line, ...]
    often: tuple[Often, ...]
    unknown: tuple[str, ...]
    wrong: tuple[Wrong, ...]
