"""What a wave of reports leads to, whatever the page looked like."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers import press, report, roster
from handlers.report import Taken
from handlers.roster import Seen
from rules.book import Book
from rules.decision import Decision
from rules.events import CasesPressed, MemberReported
from rules.report import MOST_OF_A_PLACE, WAVE, counted
from store import removal, strikes
from store.database import Database
from store.removal import CaseRow
from store.reports import ReportRow, prune
from tests.handlers.town import NOON, READ, chat

DAY = timedelta(days=1)


class Square:
    """A group with wmA and wmB in it, owned by wangwu; reporters r1, r2 … each at a place of their own."""

    def __init__(self, db: Database, **rule: Any) -> None:
        self.db, self.now = db, NOON
        self.book = Book.model_validate({"rules": [{"rule": "friend_adding", **rule}]})

    async def open(self) -> "Square":
        async with self.db.write() as tx:
            await roster.handle(READ, Seen(began=self.now, chat=chat("v1", "wmA", "wmB")), tx, self.book, self.now)
        return self

    async def report(self, number: int, who: str = "wmA", *, place: str = "", words: str = "") -> Taken:
        event = MemberReported(at=self.now, chat_id="wr1", external_userid=who, reporter=f"r{number}", reason="adding")
        async with self.db.write() as tx:
            return await report.take(tx, event, words=words, place=place or f"p{number}", now=self.now)

    async def judge(self, who: str = "wmA") -> list[Decision]:
        """The worker takes up what was reported last."""
        event = MemberReported(at=self.now, chat_id="wr1", external_userid=who, reporter="r1", reason="adding")
        async with self.db.write() as tx:
            return await report.handle(event, None, tx, self.book, self.now)

    async def wave(self, *numbers: int) -> list[Decision]:
        for number in numbers:
            assert await self.report(number) == "taken"
        return await self.judge()

    async def press(self, button: Any) -> None:
        [case] = [case for case in await self.cases() if case.open_key]
        event = CasesPressed(at=self.now, userid="wangwu", case_ids=(case.number,), button=button)
        async with self.db.write() as tx:
            await press.handle(event, None, tx, self.book, self.now)

    async def cases(self) -> list[CaseRow]:
        async with self.db.read() as tx:
            return [*await removal.closed_since(tx, NOON - DAY), *await removal.open_cases(tx)]

    async def strikes(self) -> int:
        async with self.db.read() as tx:
            return len(await strikes.of(tx, "wmA"))


@pytest.fixture
async def square(db: Database) -> Square:
    return await Square(db).open()


async def test_enough_different_people_open_one_case(square: Square) -> None:
    """Two are a miss, the third a warning for the owner; a fourth adds to the same case and is no second strike."""
    assert [each.verdict for each in await square.wave(1, 2)] == ["miss"]
    assert await square.cases() == []
    assert [each.came_to for each in await square.wave(3)] == ["warn"]
    await square.wave(4)
    [case] = await square.cases()
    assert (case.demand, case.external_userid) == ("warn", "wmA")
    assert "有 4 个人举报TA：到处加好友（4 人）" in case.because
    assert await square.strikes() == 1


async def test_people_are_counted_for_each_person_alone(square: Square) -> None:
    """Three reports about two people are no case about either."""
    await square.report(1, "wmA")
    await square.report(2, "wmA")
    await square.report(3, "wmB")
    answers = await square.judge("wmA") + await square.judge("wmB")
    assert [each.verdict for each in answers] == ["miss", "miss"]


async def test_a_wave_that_was_dealt_with_bothers_nobody_again(square: Square) -> None:
    """After 已提醒 a late report of the same wave opens no case and is no strike."""
    await square.wave(1, 2, 3)
    await square.press("warned")
    square.now += DAY
    [answer] = await square.wave(4)
    assert (answer.verdict, answer.came_to) == ("hit", "repeat")
    assert [case.outcome for case in await square.cases()] == ["warned"]
    assert await square.strikes() == 1


async def test_the_next_wave_is_the_next_strike(db: Database) -> None:
    """A week after the first report counting begins anew; the same browsers may report again, and it gets stronger."""
    square = await Square(db, then=["提醒", "移出"]).open()
    await square.wave(1, 2, 3)
    await square.press("warned")
    square.now += WAVE - timedelta(minutes=1)
    assert await square.report(1) == "known"
    square.now += timedelta(minutes=1)
    assert [each.verdict for each in await square.wave(1, 2)] == ["miss"]
    assert [each.came_to for each in await square.wave(3)] == ["remove"]
    assert await square.strikes() == 2


async def test_a_wave_over_a_weekend_is_one(square: Square) -> None:
    """What makes a wave is its first report, not the calendar's week."""
    square.now = NOON + 6 * DAY  # a Sunday
    await square.wave(1, 2, 3)
    square.now += DAY
    await square.wave(4)
    assert await square.strikes() == 1


async def test_a_new_wave_takes_nothing_back(square: Square) -> None:
    """A case that nobody has dealt with stays open when a first report of the next wave is too few."""
    await square.wave(1, 2, 3)
    square.now += WAVE
    await square.wave(4)
    assert [case.outcome for case in await square.cases()] == [None]


async def test_who_was_released_is_not_asked_about_again(square: Square) -> None:
    """误判，放行: whatever is reported afterwards is a miss that says who let them go."""
    await square.wave(1, 2, 3)
    await square.press("release")
    [answer] = await square.wave(4)
    assert (answer.verdict, "已放行" in answer.because) == ("miss", True)
    assert [case.outcome for case in await square.cases()] == ["released"]


async def test_limits_are_of_browsers_and_addresses(square: Square) -> None:
    """Three a day of a browser, in any group; twenty of an address; a report more is not written."""
    said = [await square.report(1, who) for who in ("wmA", "wmB", "wmC", "wmD")]
    assert said == ["taken", "taken", "taken", "too_many"]
    said = [await square.report(number, place="one") for number in range(10, 31)]
    assert (said.count("taken"), said[-1]) == (20, "too_many")
    square.now += DAY
    assert await square.report(1, "wmD") == "taken"


async def test_nothing_is_asked_about_a_group_that_is_not_known(square: Square) -> None:
    """A report that no row is left of, or of an unknown group, leads to nothing."""
    event = MemberReported(at=square.now, chat_id="wrX", external_userid="wmA", reporter="r1", reason="adding")
    async with square.db.write() as tx:
        assert await report.handle(event, None, tx, square.book, square.now) == []


async def test_reports_are_forgotten(square: Square) -> None:
    """After thirty days nothing of a report is left."""
    await square.report(1)
    for days, gone in ((30, 0), (31, 1)):
        async with square.db.write() as tx:
            assert await prune(tx, now=square.now + days * DAY) == gone


def row(reporter: str, place: str, at: datetime = NOON) -> ReportRow:
    return ReportRow(chat_id="wr1", reporter=reporter, reported="wmA", place=place, reason="adding", at=at, wave_at=at)


def test_browsers_of_one_address_count_up_to_two() -> None:
    """However many there are, and in whatever order they come."""
    farm = [row(f"r{number}", "farm") for number in range(50)]
    assert len(counted(farm)) == MOST_OF_A_PLACE
    assert len(counted([*farm, row("a", "home"), row("b", "home"), row("a", "home")])) == MOST_OF_A_PLACE + 2
    assert counted([]) == []
