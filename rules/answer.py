"""What a hit leads to: strikes, escalation, cool-down, the cap of a day. One function for all rules, in this order:

1. The same offence found again leads to what it led to before; it is no second one.
2. Within `cool_down` of the last strike nothing more happens ("repeat").
3. The number of strikes that have not faded chooses the step out of `then`; the last one stays.
4. A removal beyond `most_a_day` is held until a manager has looked at it ("held").

Where several rules hit one person, each is answered by itself; of the steps the strongest is taken (STRENGTH in
rules/rule.py), with every reason, in the order of the config.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime

from rules.actions import AnyAction, AskForRemoval, BlockPerson, WarnStaff
from rules.decision import Came, Decision
from rules.rule import STRENGTH, AnyRuleOf, Step
from rules.value import Value


class Record(Value):
    """What is on record of one person under one rule.

    `strikes`: how many have not faded, this offence not counted; `last_at`: when the newest of them was. `same`: what
    this very offence came to before. `asked_today`: whose removal the rule has asked for today (Beijing), all people.
    """

    strikes: int = 0
    last_at: AwareDatetime | None = None
    same: Came = ""
    asked_today: int = 0


def counts(rule: AnyRuleOf) -> bool:
    """Whether a hit of this rule is a strike. A rule that only observes holds nothing against anybody; and where a hit
    can only lead to one case, which is a record itself, there is nothing to count.
    """
    if set(rule.then) == {"observe"}:
        return False
    return len(rule.then) > 1 or "warn" in rule.then or bool(rule.cool_down) or rule.most_a_day is not None


def answer(rule: AnyRuleOf, decision: Decision, record: Record, now: datetime) -> Decision:
    """A hit with what it comes to; anything else as it is."""
    if decision.verdict != "hit":
        return decision
    came_to, note = _came_to(rule, record, now)
    strikes = record.strikes + (1 if came_to != "repeat" and counts(rule) else 0)
    because = f"{decision.because}（{note}）" if note else decision.because
    actions = (*_actions(decision, came_to), *decision.actions)
    return decision.model_copy(update={"came_to": came_to, "strikes": strikes, "because": because, "actions": actions})


def _came_to(rule: AnyRuleOf, record: Record, now: datetime) -> tuple[Came, str]:
    if record.same:
        return record.same, ""
    if rule.cool_down and record.last_at is not None and now - record.last_at < rule.cool_down:
        return "repeat", "不久前刚提过，这次只记录"
    step = rule.then[min(record.strikes, len(rule.then) - 1)]
    note = f"第 {record.strikes + 1} 次" if len(rule.then) > 1 else ""
    if STRENGTH[step] >= STRENGTH["remove"] and rule.most_a_day is not None and record.asked_today >= rule.most_a_day:
        return "held", f"本规则今天已请移出 {record.asked_today} 人，到了上限，先等负责人看过"
    return step, note


def _actions(decision: Decision, came_to: Came) -> tuple[AnyAction, ...]:
    chat_id, who = decision.chat_id, decision.subject
    if came_to == "warn":
        return (WarnStaff(chat_id=chat_id, external_userid=who, words=decision.words),)
    ask = AskForRemoval(
        chat_id=chat_id,
        external_userid=who,
        doubt=decision.doubt,
        words=decision.words,
        grace=decision.grace,
        held=came_to == "held",
    )
    if came_to in ("remove", "held"):
        return (ask,)
    if came_to == "block":
        return (BlockPerson(external_userid=who, because=decision.because), ask)
    return ()


def strongest(decisions: Sequence[Decision]) -> Step | None:
    """The step that is taken about one person in one group; None where none of these asks for anything."""
    steps = (_AS_STEP[each.came_to] for each in decisions if each.came_to in _AS_STEP)
    return max(steps, key=STRENGTH.__getitem__, default=None)


_AS_STEP: Mapping[Came, Step] = {"warn": "warn", "held": "remove", "remove": "remove", "block": "block"}
