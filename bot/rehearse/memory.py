"""What would have been written down along the way, had the rules been in force: strikes, blocks, adverts, messages.

The same functions count (rules/answer.py) as when it happens; only the rows are missing.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from rules.answer import Record, answer, counts
from rules.clock import BEIJING
from rules.decision import Came, Decision
from rules.events import Event, MessagePosted
from rules.facts import Block, Earlier, Facts
from rules.rule import AnyRuleOf
from store.messages import LOOKED_BACK


class Strike(NamedTuple):
    offence: str
    at: datetime
    came_to: Came


@dataclass
class Memory:
    """What would have been written down by now: strikes, the blocklist, who advertised when, what was said lately."""

    strikes: dict[tuple[str, str], list[Strike]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[tuple[str, date], set[str]] = field(default_factory=lambda: defaultdict(set))
    blocked: dict[str, Block] = field(default_factory=dict)
    adverts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    written: dict[tuple[str, str], list[Earlier]] = field(default_factory=lambda: defaultdict(list))

    def record(self, rule: AnyRuleOf, who: str, offence: str, now: datetime) -> Record:
        """As store/strikes.py tells it."""
        theirs = self.strikes[who, rule.title]
        same = next((each for each in theirs if each.offence == offence), None)
        alive = [each for each in theirs if each.offence != offence and each.at > now - rule.forget_after]
        return Record(
            strikes=len(alive),
            last_at=alive[-1].at if alive else None,
            same=same.came_to if same else "",
            asked_today=len(self.asked[rule.title, _day(now)]),
        )

    def note(self, decision: Decision, offence: str, now: datetime) -> None:
        self.strikes[decision.subject, decision.rule].append(Strike(offence, now, decision.came_to))
        if decision.came_to in ("remove", "block"):
            self.asked[decision.rule, _day(now)].add(decision.subject)

    def earlier(self, event: MessagePosted) -> tuple[Earlier, ...]:
        """What the sender wrote here within the hour before; what is older is forgotten."""
        place = event.chat_id, event.sender
        self.written[place] = [each for each in self.written[place] if each.at > event.at - LOOKED_BACK]
        return tuple(self.written[place])

    def ask(self, rule: AnyRuleOf, event: Event, known: Facts, offence: str) -> Decision:
        """As handlers/verdicts.py asks."""
        decision = rule.decide(event, known)
        if decision.verdict != "hit":
            return decision
        offence, now = decision.offence or offence, event.at
        if not counts(rule):
            return answer(rule, decision, Record(), now)
        record = self.record(rule, decision.subject, offence, now)
        answered = answer(rule, decision, record, now)
        if not record.same and answered.came_to != "repeat":
            self.note(answered, offence, now)
        return answered


def _day(moment: datetime) -> date:
    """In Beijing, where a day's cap begins anew."""
    return moment.astimezone(BEIJING).date()
