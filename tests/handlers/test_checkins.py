"""Checking in on a database: once a day, undone, made up for, on leave; two people who turn out to be one, and not."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlmodel import select

from handlers import journeys
from handlers.checkins import (
    DONE,
    NO_CARD,
    NO_LEAVE,
    NOT_FREE,
    NOT_MEANT,
    NOT_MISSED,
    NOTHING,
    OPTED_OUT,
    SHUT,
    TOO_LATE,
)
from handlers.journeys import OVER
from rules.events import CheckedIn, JourneyAsked
from rules.identity import Proof
from store import checkins, inbox
from store.database import Database
from store.inbox import Inbox
from store.roster import GroupRow, MemberRow
from tests.handlers.course import DAY, HOUR, MINUTE, MONDAY, Course, course_book, openid_of
from tests.rules.test_streak import by_brute_force


@pytest.fixture
def course(sqlite_db: Database) -> Course:
    return Course(sqlite_db)


async def test_pressing_twice_is_one_day(course: Course) -> None:
    """The second press of a day is told that it is done, and leaves nothing; the next day is another one."""
    who = await course.somebody("oA")
    assert [await course.taps(who), await course.taps(who), await course.taps(who, course.today())] == ["", "", ""]
    assert await course.days(who) == {date(2026, 11, 23): "tap"}
    course.now += DAY
    assert await course.taps(who) == ""
    assert (await course.stands(who)).streak == 2


async def test_after_midnight(course: Course) -> None:
    """Within the grace a press that names no day is for yesterday, the next for today; after it yesterday is shut."""
    who = await course.somebody("oA")
    await course.taps(who)
    course.now = MONDAY + DAY + 13 * HOUR  # Wednesday, one o'clock
    tuesday, wednesday = date(2026, 11, 24), date(2026, 11, 25)
    assert await course.taps(who) == ""
    assert list(await course.days(who)) == [date(2026, 11, 23), tuesday]
    await course.taps(who)
    assert (await course.stands(who)).streak == 3
    course.now += 24 * HOUR + 59 * MINUTE
    assert await course.taps(who, wednesday) == ""  # done already
    course.now += DAY
    assert await course.taps(who, date(2026, 11, 26)) == ""  # 1:59
    course.now += 2 * DAY + MINUTE
    assert await course.taps(who, date(2026, 11, 28)) == SHUT  # 2:00
    assert await course.taps(who, date(2026, 11, 30)) == SHUT  # beyond the seventh day
    assert wednesday in await course.days(who)


async def test_undo(course: Course) -> None:
    """Within five minutes it is as if it had never been, and the day can be done again; later it stays."""
    who = await course.somebody("oA")
    assert await course.undoes(who, course.today()) == NOTHING
    await course.taps(who)
    course.now += 5 * MINUTE
    assert await course.undoes(who, course.today()) == ""
    assert await course.undoes(who, course.today()) == NOTHING
    assert await course.days(who) == {}
    await course.taps(who)
    course.now += 5 * MINUTE + timedelta(seconds=1)
    assert await course.undoes(who, course.today()) == TOO_LATE
    assert (await course.stands(who)).streak == 1


async def test_making_up(course: Course) -> None:
    """A missed day can be made up for once, with a card; a day that is open, done, or too long ago cannot."""
    who = await course.somebody("oA")
    await course.taps(who)
    course.now += 3 * DAY
    first, second, third = (date(2026, 11, 23) + n * DAY for n in range(3))
    assert await course.makes_up(who, course.today()) == NOT_MISSED
    assert await course.makes_up(who, first) == NOT_MISSED
    assert [await course.makes_up(who, second), await course.makes_up(who, second)] == ["", ""]
    assert await course.makes_up(who, third) == NO_CARD
    await course.taps(who)
    assert (await course.stands(who)).streak == 1
    assert await course.undoes(who, second) == ""
    assert await course.makes_up(who, third) == ""  # the card was given back
    course.now += 2 * DAY
    assert await course.makes_up(who, second) == NO_CARD


async def test_leave(course: Course) -> None:
    """Leave keeps the row whole and moves the end; whoever checks in after all has it back; only so many days."""
    who = await course.somebody("oA")
    await course.taps(who)
    tuesday, wednesday = course.today() + DAY, course.today() + 2 * DAY
    assert await course.takes_leave(who, course.today()) == NOT_FREE
    assert [await course.takes_leave(who, tuesday), await course.takes_leave(who, tuesday)] == ["", ""]
    assert await course.takes_leave(who, wednesday) == NO_LEAVE
    course.now += DAY
    assert (await course.stands(who)).last == 8
    assert await course.taps(who) == ""
    assert (await course.stands(who)).last == 7
    course.now += DAY
    assert await course.takes_leave(who, tuesday) == NOT_FREE
    assert await course.takes_leave(who, wednesday) == ""
    course.now += DAY
    await course.taps(who)
    assert ((await course.stands(who)).streak, (await course.stands(who)).last) == (3, 8)


async def test_what_the_day_asks_for(sqlite_db: Database) -> None:
    """Without an answer the day is not done; a member of staff who does it for somebody is asked for none."""
    question = {"text": "喝什么？", "options": {"绿茶": "喜欢绿茶", "红茶": ""}}
    course = Course(sqlite_db, course_book(days=[{"theme": "选", "evidence": "选择", "question": question}]))
    who = await course.somebody("oA")
    assert await course.taps(who) == "请先回答今天的问题"
    assert await course.taps(who, answer="咖啡") == "请从选项里选一个"
    assert await course.days(who) == {}
    assert await course.taps(who, answer="绿茶") == ""
    async with sqlite_db.read() as tx:
        row = await checkins.of_visitor(tx, "c", who)
        assert row is not None
        assert [day.answer for day in await checkins.days_of(tx, row.id)] == ["绿茶"]


async def test_cohorts(sqlite_db: Database) -> None:
    """Whoever is known begins on the next Monday; whoever is not may be in the cohort that is on, and does not wait."""
    course = Course(sqlite_db, course_book(start="每周一"), now=MONDAY + 2 * DAY)
    known, unknown = await course.somebody("oA", "wmA"), await course.somebody("oB")
    assert await course.taps(known) == "11月30日（周一）开始，到时候再来"
    assert await course.taps(unknown) == ""
    assert (await course.stands(unknown)).missed == (1, 2)
    course.now = MONDAY + 7 * DAY
    assert await course.taps(known) == ""
    assert (await course.stands(known)).streak == 1


async def test_who_is_left_out_and_who_leaves(course: Course) -> None:
    """Whoever has a tag that is left out begins nothing; whoever leaves is let be, and can come back in time."""
    course.book = course_book(exclude_tags=["B"])
    vip, who = await course.somebody("oV", "wmV"), await course.somebody("oA")
    deed = CheckedIn(at=course.now, checkin="c", visitor_id=vip)
    assert await course.does(deed, tags=("B",)) == NOT_MEANT
    assert await course.journey(vip) is None
    await course.taps(who)
    await course.wishes(who, "no_reminders")
    row = await course.journey(who)
    assert row is not None
    assert row.no_reminders
    await course.wishes(who, "leave")
    course.now += DAY
    assert await course.taps(who) == OPTED_OUT
    assert await course.wishes(who, "return") == ""
    assert await course.taps(who) == ""
    assert (await course.stands(who)).streak == 2
    await course.wishes(who, "leave")
    course.now += 30 * DAY
    assert await course.wishes(who, "return") == OVER


@pytest.mark.parametrize(("state", "because"), [("graduated", DONE), ("dropped", OVER)])
async def test_what_is_over_stays_over(course: Course, state: str, because: str) -> None:
    """After the end a press changes nothing, and begins no second journey."""
    who = await course.somebody("oA")
    await course.taps(who)
    async with course.db.write() as tx:
        row = await checkins.of_visitor(tx, "c", who)
        assert row is not None
        row.state = state
    course.now += 60 * DAY
    assert await course.taps(who) == because
    assert len(await course.days(who)) == 1
    async with course.db.read() as tx:
        assert len(await checkins.all_of_visitor(tx, who)) == 1


async def test_who_dropped_out_and_comes_back_in_time(course: Course) -> None:
    """A journey that was closed goes on where it was, as long as a day of it is to come."""
    who = await course.somebody("oA")
    await course.taps(who)
    async with course.db.write() as tx:
        row = await checkins.of_visitor(tx, "c", who)
        assert row is not None
        row.state, row.because, row.ended_at = "dropped", "退群了", course.now
    course.now += DAY
    assert await course.taps(who) == ""
    again = await course.journey(who)
    assert again is not None
    assert (again.state, again.because, (await course.stands(who)).streak) == ("going", "", 2)


async def test_what_others_ask(course: Course) -> None:
    """Who checked in today, on a day, and as which of the group; made-up days and leave are no check-ins; after a year
    the days are gone, and the journeys stay.
    """
    people = [await course.somebody(f"o{n}") for n in range(4)]
    for who in people[:2]:
        await course.taps(who, chat_id="wr1")
    await course.taps(people[2], chat_id="wr2")
    async with course.db.read() as tx:
        places = [await checkins.of_visitor(tx, "c", who) for who in people]
        assert [await checkins.place_of(tx, row, course.today()) for row in places if row] == [1, 2, 1]
        assert await checkins.checked_in_on(tx, "c", course.today()) == set(people[:3])
        assert [await checkins.checked_in_today(tx, "c", who, course.now) for who in people] == [True] * 3 + [False]
    course.now += 2 * DAY
    await course.makes_up(people[0], course.today() - DAY)
    await course.takes_leave(people[1], course.today())
    async with course.db.read() as tx:
        assert await checkins.checked_in_on(tx, "c", course.today() - DAY) == set()
        assert not await checkins.checked_in_today(tx, "c", people[1], course.now)
    async with course.db.write() as tx:
        assert await checkins.prune(tx, now=course.now) == 0
        assert await checkins.prune(tx, now=course.now + 366 * DAY) == 5
    assert await course.days(people[0]) == {}
    assert await course.journey(people[0]) is not None


async def test_who_of_a_read_begins(course: Course) -> None:
    """Whoever joined while we watched, also where we slept meanwhile; not who was there before us, of whom more became
    known long after they came, who has left, who uses another company's WeCom; and of each stay once.
    """
    watched = MONDAY - 30 * DAY
    group = GroupRow(chat_id="wr1", name="新人1群", kind="newcomers", owner="wangwu", watched_since=watched)
    came = {"wmNew": 0, "wmSlept": 2, "wmLater": 4, "wmOld": 40, "woRival": 0, "wmGone": 0}
    rows = [
        MemberRow(chat_id="wr1", external_userid=who, seen_at=MONDAY, joined_at=MONDAY - days * DAY)
        for who, days in came.items()
    ]
    rows[-1].left_at = MONDAY
    for _ in range(2):
        async with course.db.write() as tx:
            await journeys.people_came(tx, course.book, group, rows, now=MONDAY)
            await journeys.people_came(tx, course_book(pause=True), group, rows, now=MONDAY)
    async with course.db.read() as tx:
        asked = [inbox.event_of(row) for row in (await tx.exec(select(Inbox))).all()]
    assert sorted(each.external_userid for each in asked if isinstance(each, JourneyAsked)) == ["wmNew", "wmSlept"]


# --- two who are one --------------------------------------------------------------------------------------------------


async def test_two_who_are_one(course: Course) -> None:
    """A group member who pressed on the page before anybody knew them: their days join, from the earlier first day on,
    and a page that is still open on the old number goes on with the same journey.
    """
    member, guest = await course.member("wmA"), await course.somebody("oA")
    await course.taps(member)
    course.now += DAY
    await course.taps(guest)
    await course.taps(member)  # the same day, on both
    course.now += DAY
    await course.taps(guest)
    assert await course.somebody("oA", "wmA") == member
    state = await course.stands(member)
    assert (state.streak, state.counted, state.missed) == (3, 3, ())
    assert await course.taps(guest) == ""
    assert (await course.stands(member)).counted == 3
    async with course.db.read() as tx:
        row = await checkins.of_visitor(tx, "c", member)
        assert row is not None
        assert len(await checkins.family_of(tx, row.id)) == 2
        assert await checkins.checked_in_on(tx, "c", date(2026, 11, 24)) == {member}


async def test_who_was_finished_stays_finished(course: Course) -> None:
    """Of a finished journey and one that is going the finished one stays: nobody graduates twice."""
    guest, member = await course.somebody("oA"), await course.member("wmA")
    await course.taps(guest)
    await course.taps(member)
    async with course.db.write() as tx:
        row = await checkins.of_visitor(tx, "c", member)
        assert row is not None
        row.state, row.ended_at, number = "graduated", course.now, row.id
    assert await course.somebody("oA", "wmA") == guest
    joined = await course.journey(guest)
    assert joined is not None
    assert (joined.id, joined.state) == (number, "graduated")
    assert await course.taps(guest) == DONE


async def test_a_split_gives_everybody_their_days_back(course: Course) -> None:
    """What was inferred was wrong: each has the days they had, and what came since stays with the older one."""
    member, guest = await course.member("wmA"), await course.somebody("oA")
    await course.taps(guest)
    course.now += DAY
    await course.taps(member)
    await course.taps(guest)
    tied = Proof(kind="external_userid", value="wmA", evidence="join_state", source="s1")
    assert await course.comes(openid_of("oA"), tied) == member
    course.now += DAY
    await course.taps(member)
    assert (await course.stands(member)).streak == 3
    await course.are_apart("s1")
    days = [date(2026, 11, 23) + n * DAY for n in range(3)]
    assert await course.now_is(guest) == guest
    assert list(await course.days(guest)) == days[:2]
    assert list(await course.days(member)) == days[1:]
    rows = [await course.journey(who) for who in (guest, member)]
    assert [(row.state, row.started_on) for row in rows if row] == [("going", days[0]), ("going", days[1])]


# --- any history ------------------------------------------------------------------------------------------------------

PEOPLE = 3  # a name on the roster, an openid of the corp, one of the 公众号


class Model:
    """What each of them should have, by the answers they got."""

    def __init__(self, course: Course, random: Random, people: list[int]) -> None:
        self.course, self.random, self.people = course, random, people
        self.days: list[dict[date, str]] = [{} for _ in people]

    async def step(self) -> None:
        """Somebody does something, some hours later."""
        course, random = self.course, self.random
        course.now += timedelta(hours=random.randrange(1, 30), minutes=random.randrange(60))
        which = random.randrange(len(self.people))
        who, days = self.people[which], self.days[which]
        on = course.today() - random.choice([0, 0, 0, 1, 2]) * DAY
        deed = random.choice(["tap", "tap", "tap", "make_up", "leave", "undo"])
        if deed == "undo" and not await course.taps(who, on):  # a moment after it
            days.setdefault(on, "tap")
            days[on] = "tap" if days[on] == "leave" else days[on]
        ask = {"tap": course.taps, "make_up": course.makes_up, "leave": course.takes_leave, "undo": course.undoes}
        if await ask[deed](who, on):
            return
        if deed == "undo":
            del days[on]
        elif deed != "tap" or days.get(on) != "make_up":
            days[on] = deed

    async def check(self) -> None:
        """Everybody has exactly these days, and they come to what brute force counts."""
        for who, days in zip(self.people, self.days, strict=True):
            found = await self.course.days(who)
            assert found == days
            row = await self.course.journey(who)
            if row is not None:
                state = await self.course.stands(who)
                counted = by_brute_force(self.course.checkin, row.started_on, found, self.course.now)
                assert (state.streak, state.best) == counted


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_with_merges_and_splits(course: Course, seed: int) -> None:
    """Check-ins, make-ups, undos and leave of three names, which turn out to be one person's in some order: nothing is
    lost, nothing counts twice, the streak is brute force's; and a split gives each what was theirs.
    """
    random = Random(seed)
    course.book = course_book(make_up_cards=3, leave_days=2, count=random.choice(["连续", "累计"]))
    names = [
        Proof(kind="external_userid", value="wmA", evidence="roster"),
        openid_of("oA"),
        openid_of("oM", "mp", "mp_oauth"),
    ]
    model = Model(course, random, [await course.comes(name) for name in random.sample(names, PEOPLE)])
    for _ in range(random.randrange(4, 12)):
        await model.step()
    await model.check()
    before = [dict(days) for days in model.days]
    ties = [
        (names[1], names[0].model_copy(update={"evidence": "join_state", "source": "s"}), ("s", "join_state")),
        (names[1], openid_of("oM", "mp", "same_login", "t"), ("t", "same_login")),
    ]
    for one, other, _ in random.sample(ties, 2):
        await course.comes(one, other)
    [joined] = {await course.now_is(who) for who in model.people}
    found = await course.days(joined)
    assert set(found) == set().union(*before)
    assert all(kind in {days.get(on) for days in before} for on, kind in found.items())
    merged = Model(course, random, [joined])
    merged.days = [dict(found)]
    await merged.check()
    for source, evidence in [tie[2] for tie in random.sample(ties, 2)]:
        await course.are_apart(source, evidence)
    assert len({await course.now_is(who) for who in model.people}) == PEOPLE
    await model.check()
    for one, other, _ in random.sample(ties, 2):
        await course.comes(one, other)
    for _ in range(5):
        await merged.step()
        await merged.check()


async def test_rules_that_held_at_the_beginning_hold_to_the_end(sqlite_db: Database) -> None:
    """A manager takes the make-up cards away: whoever had begun has theirs, whoever comes later has none."""
    course = Course(sqlite_db, course_book(make_up_cards=1))
    early = await course.somebody("early")
    assert await course.taps(early) == ""
    course.now += 2 * DAY
    course.book = course_book(make_up_cards=0)
    late = await course.somebody("late")
    assert await course.taps(late) == ""
    assert await course.makes_up(early, course.today() - DAY) == ""
    course.now += 2 * DAY
    assert await course.makes_up(late, course.today() - DAY) == NO_CARD
