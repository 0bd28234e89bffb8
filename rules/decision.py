"""What a rule answers, hit or miss: the record that `explain` shows a manager."""

from typing import Literal

from rules.actions import AnyAction
from rules.value import Value

Verdict = Literal["hit", "miss", "unknown"]


class Decision(Value):
    """One rule's answer about one subject. `because` is a Chinese sentence that a manager reads."""

    rule: str
    verdict: Verdict
    because: str
    subject: str = ""
    evidence: str = ""
    actions: tuple[AnyAction, ...] = ()
