"""What a check-in promises whoever begins it: its rules and rewards as they were then. Pure.

Of what a manager writes later only what is better for them holds for a journey that has begun (rules/published.py).
"""

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rules.checkin_rewards import cost_of, kind_of
from rules.checkins import Checkin, Reward
from rules.published import Promise, improved

_MORE_IS_BETTER = ("grace", "make_up_cards", "make_up_within", "leave_days", "undo_within")
_PROMISED = {*_MORE_IS_BETTER, "count", "within", "enough", "make_up_counts", "rewards"}


def promise_of(checkin: Checkin) -> dict[str, Any]:
    """The rules that hold for whoever begins now, as JSON has them."""
    within = checkin.lasts if checkin.count == "cumulative" else None
    said = checkin.model_copy(update={"enough": checkin.target, "within": within})
    return said.model_dump(mode="json", include=_PROMISED)


def number_of(promise: Mapping[str, Any]) -> str:
    """By which anybody can tell that rules are the same: the beginning of their SHA-256; "" where there are none."""
    return hashlib.sha256(_text(promise).encode()).hexdigest()[:12] if promise else ""


def as_promised(checkin: Checkin, promise: Mapping[str, Any]) -> Checkin:
    """The check-in as it holds for a journey that began with this promise; as it is written where there was none."""
    if not promise:
        return checkin
    old = _read(_text(promise))
    better = improved(_promises(old.rewards), _promises(checkin.rewards))
    return checkin.model_copy(
        update={
            **{name: max(getattr(old, name), getattr(checkin, name)) for name in _MORE_IS_BETTER},
            "count": old.count,
            "within": max(old.lasts, checkin.lasts) if old.count == "cumulative" else None,
            "enough": min(old.enough or checkin.target, checkin.target),
            "make_up_counts": old.make_up_counts or checkin.make_up_counts,
            "rewards": {**checkin.rewards, **old.rewards, **{place: checkin.rewards[place] for place in better}},
        }
    )


def _promises(rewards: Mapping[int, Reward]) -> dict[int, Promise]:
    return {
        milestone: Promise(
            what=f"{kind_of(reward)} {reward.what} {reward.ticket}",
            each=Fraction(reward.points or cost_of(reward)),
            number=reward.stock or 0,
        )
        for milestone, reward in rewards.items()
        if reward.stock != 0
    }


def _text(promise: Mapping[str, Any]) -> str:
    return json.dumps(promise, ensure_ascii=False, sort_keys=True)


@lru_cache(maxsize=200)  # every journey of a check-in has the same few
def _read(text: str) -> Checkin:
    """Its name, groups and days are not part of it."""
    return Checkin.model_validate({"name": "promised", "to": "all", "days": [{"theme": "-"}], **json.loads(text)})
