"""Thirty days of newcomers by dice, with faults: what was promised to each of them, and what their sums come to."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from sqlmodel import select

from handlers.journeys import kinds_of
from rules.streak import tally
from simulator import Faults, VirtualClock, World
from store import checkins, identities, ledger
from store.checkin_rewards import CheckinRewardRow
from store.checkins import JourneyRow
from store.leading import GraduationRow, NudgeRow
from store.points import PointRow
from tests.life.conftest import living
from tests.life.course import DAY, Course, course
from tests.life.newcomers import ROOM, Newcomers

REWARDS = {1: {"points": 5}, 3: {"points": 10, "stock": 10_000}, 7: {"coupon": "content/券.xlsx", "what": "茶券"}}
INVITED, REMINDED = "恭喜您走完", "还没打卡"


def faults() -> Faults:
    """What goes wrong all the time, a little."""
    return Faults(
        lost=0.02, doubled=0.05, reordered=0.05, late=0.05, platform_busy=0.01, error_5xx=0.01, cut_after_effect=0.005
    )


async def lived(seed: int, database_url: str, *, total: int, days: int) -> Newcomers:
    """All of it, and then a quiet day: what was lost is found."""
    world = World(clock=VirtualClock(datetime(2026, 11, 2, 1, 0, tzinfo=UTC)), seed=seed, faults=faults())
    book = course(rewards=REWARDS, more={"rewards": {"check_in": 1}})
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    async with living(world, clock, book, database_url) as life:
        it = Course(life, rooms=0)
        for userid in ("wangwu", "zhaoliu"):
            world.staff[userid].confirms(timedelta(minutes=3), spread=timedelta(minutes=10))
        for number in range(2, 2 + total // ROOM):
            world.create_group(f"绿茶会员{number}群", owner="wangwu")
            world.create_group(f"会员{number}群", owner="wangwu")
        await life.bot.read_roster("start")
        await life.run(timedelta(minutes=2))
        newcomers = Newcomers(it, Random(seed))
        await newcomers.live(days, total=total, arriving=max(2, days - 10))
        world.faults.stop()
        for _ in range(2):
            await life.bot.read_roster("start")
            await it.until("12:00")
        await it.life.stride(DAY, 4)
        newcomers.wrong += await wrong_in(newcomers)
        return newcomers


async def wrong_in(newcomers: Newcomers) -> list[str]:
    """Everything that was promised and is not so."""
    store = newcomers.it.life.bot.store
    async with store.read() as tx:
        journeys = list((await tx.exec(select(JourneyRow))).all())
        days = await checkins.days_of_all(tx, [row.id for row in journeys])
        rewards = list((await tx.exec(select(CheckinRewardRow))).all())
        graduations = list((await tx.exec(select(GraduationRow))).all())
        nudges = list((await tx.exec(select(NudgeRow))).all())
        names = {row.visitor_id: await identities.external_of(tx, row.visitor_id) for row in journeys}
        points = Counter[str]()
        for entry in (await tx.exec(select(PointRow))).all():
            points[entry.external_userid] += entry.points
        wrong = [f"the ledger is out of step: {each}" for each in await ledger.out_of_step(tx)]
    wrong += _funnel(newcomers, journeys)
    checkin, now = newcomers.it.life.bot.worker.rules.book.checkins[0], newcomers.it.life.clock.now()
    by_visitor = {
        row.visitor_id: [each.milestone for each in rewards if each.visitor_id == row.visitor_id] for row in journeys
    }
    for row in journeys:
        state = tally(checkin, row.started_on, kinds_of(days[row.id]), now)
        earned = [each for each in REWARDS if each <= state.reached]
        if sorted(by_visitor[row.visitor_id]) != earned:
            wrong.append(f"journey {row.id} reached {state.reached} and has rewards {by_visitor[row.visitor_id]}")
        owed = 5 * (state.reached >= 1) + 10 * (state.reached >= 3) + len(days[row.id])
        if points[names[row.visitor_id] or ""] != owed:
            wrong.append(f"journey {row.id} has {points[names[row.visitor_id] or '']} points, not {owed}")
        if (row.state == "graduated") != state.done or (row.state == "going") != (not state.done and not state.over):
            wrong.append(f"journey {row.id} is {row.state}, done {state.done}, over {state.over}")
        if (row.state == "graduated") != (sum(each.journey_id == row.id for each in graduations) == 1):
            wrong.append(f"journey {row.id} is {row.state} and was not invited once")
    return wrong + _sends(newcomers, nudges, graduations)


def _funnel(newcomers: Newcomers, journeys: list[JourneyRow]) -> list[str]:
    """Everybody who came has one journey; the ends add up to the beginnings."""
    states, wrong = Counter(row.state for row in journeys), []
    newcomers.ends = dict(states)
    if len(journeys) != len(newcomers.people):
        wrong.append(f"{len(newcomers.people)} came and {len(journeys)} journeys began")
    if len({row.visitor_id for row in journeys}) != len(journeys):
        wrong.append("somebody has two journeys")
    if sum(states[each] for each in ("going", "graduated", "dropped")) != len(newcomers.people):
        wrong.append(f"the funnel does not add up: {states}")
    return wrong


def _sends(newcomers: Newcomers, nudges: list[NudgeRow], graduations: list[GraduationRow]) -> list[str]:
    """What people got 1:1, by the platform's own truth."""
    wrong = []
    for who, moments in newcomers.sent_to(INVITED).items():
        if len(moments) != 1:
            wrong.append(f"{who} was invited {len(moments)} times")
    for who, moments in newcomers.sent_to(REMINDED).items():
        days = sorted(each.date() for each in moments)
        close = any((later - earlier).days < 2 for earlier, later in pairwise(days))
        if len(days) > 3 or close:
            wrong.append(f"{who} was reminded on {days}")
    every = {**newcomers.sent_to(INVITED), **newcomers.sent_to(REMINDED)}
    wrong += [
        f"{who} was written to at {each:%H:%M}"
        for who, moments in every.items()
        for each in moments
        if not 9 <= each.hour < 21
    ]
    for who, groups in newcomers.member_groups_of().items():
        if len(groups) > 1 and who.startswith("wm"):
            wrong.append(f"{who} is in {groups}")
    if not graduations or not any(each.nudge == "remind" for each in nudges):
        wrong.append("nothing happened at all")
    return wrong


def counts(newcomers: Newcomers) -> str:
    """What became of them."""
    parts = {
        "pressed": newcomers.told.total(),
        "invited 1:1": len(newcomers.sent_to(INVITED)),
        "reminded": len(newcomers.sent_to(REMINDED)),
        "in a member group": len(newcomers.member_groups_of()) - 2,
        **newcomers.ends,
    }
    return ", ".join(f"{name} {number}" for name, number in parts.items())


@pytest.mark.parametrize("seed", [1])
async def test_a_month_of_newcomers(
    seed: int, size: Callable[[int, int], int], sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each reward once, each graduate invited once, nobody in two member groups, reminders within caps and hours, and
    the funnel's sums right, whatever is lost, doubled, late or cut.
    """
    total, days = size(20, 2_000), size(10, 30)
    newcomers = await lived(seed, sqlite_url, total=total, days=days)
    with capsys.disabled():
        sys.stdout.write(f"\n{total} newcomers in {days} days, seed {seed}: {counts(newcomers)}\n")
    assert newcomers.wrong == []
