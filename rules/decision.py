"""What a rule answers, hit or miss: the record that `explain` shows a manager."""

from typing import Literal

from rules.actions import AnyAction
from rules.value import Value

Verdict = Literal["hit", "miss", "unknown"]


class Decision(Value):
    """One rule's answer about one subject, in one group where it is about a group's member.

    `because` is a Chinese sentence that a manager reads.
    """

    rule: str
    verdict: Verdict
    because: str
    subject: str = ""
    chat_id: str = ""
    evidence: str = ""
    actions: tuple[AnyAction, ...] = ()
