"""A seeded month at the doors: whoever scans gets a live group, a place in the line, or a page that says so."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from simulator import VirtualClock, World
from tests.life.conftest import living
from tests.life.doors import HOURS, door_book
from tests.life.month import Month, month_faults

READ_WITHIN = timedelta(minutes=90)
"""A dismissed group is known when its callback arrives; where that is lost, after the hourly look at every group."""

SHOWN_AT_MOST = 2  # people, before a code with 群聊邀请确认 is set aside an hour later (issue 5, point 7)


async def lived(seed: int, database_url: str, *, days: int, a_day: int, vip: int) -> Month:
    """A whole month of one seed."""
    clock = VirtualClock(datetime(2026, 11, 1, 1, 0, tzinfo=UTC))
    world = World(clock=clock, seed=seed, faults=month_faults())
    async with living(world, clock, door_book(escalate_after="8小时"), database_url) as life:
        month = Month(life, Random(seed), a_day)
        await month.begin(vip=vip, spare=max(vip // 5, 1), members=2)
        await month.live(days)
        return month


def too_many_dead(month: Month) -> list[str]:
    """Codes that were dead when shown although the bot could have known."""
    found = [f"a deleted code was shown at {each.at}" for each in month.dead if each.why in ("deleted", "full")]
    late = [each for each in month.dead if each.why == "dismissed" and (each.since or 100 * HOURS) > READ_WITHIN]
    found += [f"the code of a group dismissed {each.since} ago was shown" for each in late]
    people: dict[str, set[str]] = {}
    for each in month.dead:
        if each.why == "confirms":
            people.setdefault(each.chat_id, set()).add(each.person)
    found += [
        f"{chat_id} lets nobody in and was shown to {len(who)}"
        for chat_id, who in people.items()
        if len(who) > SHOWN_AT_MOST
    ]
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_month_at_the_doors(
    seed: int, size: Callable[[int, int], int], sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At every scan a live group, a place in the line or a clear page; dead codes are only those nobody could know."""
    days = size(1, 30 if seed == 1 else 10)
    month = await lived(seed, sqlite_url, days=days, a_day=size(12, 20), vip=size(6, 40))
    with capsys.disabled():
        sys.stdout.write(f"\n{days} days at the doors, seed {seed}: {counts(month)}\n")
    assert month.wrong == []
    assert too_many_dead(month) == []
    assert month.ended["in"] > 0
    assert month.shown["preparing"] <= 0.05 * month.shown.total()


def counts(month: Month) -> str:
    """What the pages showed, what became of the codes that were pressed, what was dead, and what people did."""
    dead = Counter(each.why for each in month.dead)
    parts = {"pages": month.shown, "pressed": month.ended, "dead when shown": dead, "deeds": month.deeds}
    return "; ".join(
        f"{name}: " + ", ".join(f"{k} {n}" for k, n in found.most_common()) for name, found in parts.items()
    )
