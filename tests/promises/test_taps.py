"""Everybody taps at the same moment, on two processes: one journey and one row each."""

import asyncio
from collections.abc import Callable
from random import Random

from sqlalchemy import func, select

from store.checkins import DayRow, JourneyRow
from store.columns import table_of
from store.database import Database
from tests.handlers.course import Course, openid_of

AT_ONCE = 50  # presses that one process has under way


async def test_a_thousand_taps_by_a_hundred_people(db_url: str, size: Callable[[int, int], int]) -> None:
    """1,000 taps at once by 100 people (`make test`: 200 by 25) who have no journey yet, while every fourth of them
    turns out to be somebody on the roster: everybody is told that it is done, and there is one row a person.
    """
    people_in_all, taps = size(25, 100), size(200, 1_000)
    stores = [await Database.open(db_url) for _ in range(2)]
    try:
        course, second = (Course(each) for each in stores)
        people = [await course.somebody(f"o{number}") for number in range(people_in_all)]
        members = [await course.member(f"wm{number}") for number in range(0, people_in_all, 4)]
        presses = [who for who in people for _ in range(taps // people_in_all)] + members
        Random(7).shuffle(presses)
        gate = asyncio.Semaphore(AT_ONCE)

        async def press(turn: int, who: int) -> str:
            async with gate:
                return await (course, second)[turn % 2].taps(who)

        async def become_one(number: int) -> None:
            async with gate:
                await second.somebody(f"o{number}", f"wm{number}")

        merges = [become_one(number) for number in range(0, people_in_all, 4)]
        answers, _ = await asyncio.gather(
            asyncio.gather(*(press(*each) for each in enumerate(presses))), asyncio.gather(*merges)
        )
        assert set(answers) == {""}
        days, journeys = table_of(DayRow).c, table_of(JourneyRow).c
        going = (journeys.state == "going") & (days.journey_id == journeys.id)
        async with stores[0].read() as tx:
            connection = await tx.connection()
            found = await connection.execute(select(func.count(), func.count(days.journey_id.distinct())).where(going))
            assert tuple(found.one()) == (people_in_all, people_in_all)
        standing = {await course.now_is(who) for who in people}
        assert len(standing) == people_in_all
        assert [(await course.stands(who)).streak for who in sorted(standing)] == [1] * people_in_all
        assert await course.comes(openid_of("o1")) in standing
    finally:
        for store in stores:
            await store.close()
