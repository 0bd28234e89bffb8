"""Reports: what a customer may say of another member of their group, and which reports count. Pure.

A reporter is a browser: nobody on the page is known by more. So what is cheap to make many of must not count as many.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar

REASONS: Mapping[str, str] = {"adding": "到处加好友", "advert": "发广告", "other": "其他"}
WAVE = timedelta(days=7)
"""Reports about one person within this time after the first are one wave; the next report begins another."""

MOST_A_DAY = 3  # of one browser, within 24 hours
MOST_A_DAY_OF_A_PLACE = 20  # of all browsers behind one address, likewise
MOST_OF_A_PLACE = 2  # browsers behind one address that count for one person: a family does, a farm of phones does not
MOST_WORDS = 100  # characters


class Report(Protocol):
    """`reporter`: the browser; `place`: the address it came from; neither as such (bot/pages/guest.py)."""

    reporter: str
    place: str


R = TypeVar("R", bound=Report)


def counted(reports: Iterable[R]) -> list[R]:
    """Those of a wave's reports that count: one of each browser, of each address the first MOST_OF_A_PLACE."""
    seen: set[str] = set()
    places: Counter[str] = Counter()
    kept = []
    for each in reports:
        if each.reporter not in seen and places[each.place] < MOST_OF_A_PLACE:
            seen.add(each.reporter)
            places[each.place] += 1
            kept.append(each)
    return kept
