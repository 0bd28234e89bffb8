"""What a rule answers, hit or miss: the record that `explain` shows a manager."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from rules.actions import AnyAction
from rules.value import Value

Verdict = Literal["hit", "miss", "unknown"]
Came = Literal["", "observe", "warn", "remove", "block", "repeat", "held"]


class Decision(Value):
    """One rule's answer about one subject, in one group where it is about a group's member.

    `because` is a Chinese sentence that a manager reads. `offence`: what makes this hit this one: the same hit found
    again is no second offence; "" stands for the person's stay in the group. `doubt`: what whoever is asked should look
    at first. `words`: what to tell the person, ready to be sent (Chinese, "" = the usual words). `grace`: how long
    the person has to put it right before anybody is reminded. `came_to`: the step taken (rules/answer.py): "repeat":
    within the cool-down, "held": over the rule's cap of the day.
    """

    rule: str
    verdict: Verdict
    because: str
    subject: str = ""
    chat_id: str = ""
    evidence: str = ""
    offence: str = ""
    doubt: str = ""
    words: str = ""
    grace: timedelta | None = None
    came_to: Came = ""
    strikes: int = 0
    actions: tuple[AnyAction, ...] = ()


_BLANK: Mapping[str, Any] = dict(Decision(rule="", verdict="miss", because=""))


def decided(fields: Mapping[str, Any]) -> Decision:
    """A Decision of fields that are right already: as made by calling it, unchecked, at half the cost.

    Every rule makes one for every message; checking what our own typed code has put together would be most of the work.
    """
    made = Decision.__new__(Decision)
    object.__setattr__(made, "__dict__", {**_BLANK, **fields})
    object.__setattr__(made, "__pydantic_fields_set__", set(fields))
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made
