"""What goes wrong, how often, and what has gone wrong so far."""

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import timedelta
from random import Random


@dataclass
class Faults:
    """Rates from 0.0 (never) to 1.0 (always), one roll per callback, call or change.

    Callbacks: `lost` (never sent), `doubled` (sent twice), `reordered` (held back by `reorder_by`, so others overtake
    it), `late` (by up to `late_by`), `answer_lost` (the bot's answer never arrives, so the platform tries again).
    The archive's batches of messages: `doubled` and `answer_lost` alike.
    Calls: `platform_busy` (-1, no effect), `error_5xx` (502, no effect), `error_5xx_after_effect`, `cut` (connection
    gone, no effect), `cut_after_effect`, `slow` (answered after `slow_by`; on virtual time the caller's own patience
    ends first: the effect is there, the answer is a read timeout).
    Changes: `lagging_reads` (the read API goes on telling the older state for `World.read_lag`); of the reads that
    lag, `flickering_reads` tell some newer state, or the truth, all the same: servers that do not agree yet.
    Greetings: `other_app_greets` (another app of the corp is just sending one: 41096, no effect).
    企业群发: `dispatching` (the task is being dispatched and nothing is told of it: 41063, no effect).
    Codes: `code_answer_lost` (add_join_way or add_contact_way took effect, its answer never arrives),
    `pictures_away` (the picture of a code: 502).
    """

    lost: float = 0.0
    doubled: float = 0.0
    reordered: float = 0.0
    late: float = 0.0
    answer_lost: float = 0.0
    platform_busy: float = 0.0
    error_5xx: float = 0.0
    error_5xx_after_effect: float = 0.0
    cut: float = 0.0
    cut_after_effect: float = 0.0
    slow: float = 0.0
    lagging_reads: float = 0.0
    flickering_reads: float = 0.0
    other_app_greets: float = 0.0
    dispatching: float = 0.0
    code_answer_lost: float = 0.0
    pictures_away: float = 0.0
    reorder_by: timedelta = timedelta(seconds=2)
    late_by: timedelta = timedelta(seconds=60)
    slow_by: timedelta = timedelta(seconds=1)
    injected: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """From now on nothing goes wrong any more; `injected` keeps what did."""
        for each in fields(self):
            if each.type is float:
                setattr(self, each.name, 0.0)


class Fate:
    """Rolls the dice: one seeded die per kind of fault, so switching one on never changes when another strikes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice: dict[str, Random] = {}

    def die(self, name: str) -> Random:
        if name not in self._dice:
            self._dice[name] = Random(f"{self._seed}|{name}")
        return self._dice[name]

    def strikes(self, faults: Faults, kind: str) -> bool:
        """True when a fault of this kind is to happen now; it is then counted as injected."""
        rate: float = getattr(faults, kind)
        if rate <= 0 or self.die(kind).random() >= rate:
            return False
        faults.injected[kind] += 1
        return True
