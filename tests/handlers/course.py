"""A check-in on a database: people who press, in transactions of their own, and what it came to."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from handlers import checkins, identity, journeys
from handlers.journeys import Seen, kinds_of
from rules.book import Book
from rules.checkin_days import date_of
from rules.checkins import Checkin
from rules.events import CheckedIn, CheckinUndone, LeaveTaken, MadeUp, OptedOut
from rules.identity import Proof
from rules.streak import Kind, Tally, tally
from store import checkins as rows
from store import identities
from store.checkins import JourneyRow
from store.database import Clash, Database

MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # noon in Beijing
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEEK = [{"theme": f"第 {number} 课"} for number in range(1, 8)]


def course_book(**more: Any) -> Book:
    checkin = {"name": "c", "to": "newcomers", "days": WEEK, "exclude_tags": [], "leave_days": 1, **more}
    return Book.model_validate({"groups": {"newcomers": "新人*"}, "checkins": [checkin]})


def openid_of(value: str, appid: str = "ww", evidence: Any = "oauth", source: str = "") -> Proof:
    return Proof(kind="openid", value=value, appid=appid, evidence=evidence, source=source)


class Course:
    """One check-in. `now` goes on as the test says."""

    def __init__(self, db: Database, book: Book | None = None, now: datetime = MONDAY) -> None:
        self.db, self.book, self.now = db, book or course_book(), now

    @property
    def checkin(self) -> Checkin:
        return self.book.checkins[0]

    async def somebody(self, openid: str, external_userid: str = "") -> int:
        """A visitor with this openid; with an external_userid the platform has told both."""
        proofs = [openid_of(openid)]
        if external_userid:
            proofs.append(Proof(kind="external_userid", value=external_userid, evidence="oauth"))
        return await self.comes(*proofs)

    async def member(self, external_userid: str) -> int:
        """A visitor of whom only the roster's name is known."""
        return await self.comes(Proof(kind="external_userid", value=external_userid, evidence="roster"))

    async def comes(self, *proofs: Proof) -> int:
        async with self.db.write() as tx:
            return (await identity.visitor_of(tx, proofs, now=self.now)).visitor_id

    async def are_apart(self, source: str, evidence: Any = "join_state") -> None:
        """What was inferred from this was wrong."""
        async with self.db.write() as tx:
            for tie in await identities.ties_by(tx, source, evidence):
                await identity.split(tx, tie.id, because="推断错了", now=self.now)

    async def now_is(self, who: int) -> int:
        async with self.db.read() as tx:
            found = await identities.visitor_now(tx, who)
            assert found is not None
            return found

    async def does(self, deed: checkins.Deed | OptedOut, tags: tuple[str, ...] = ()) -> str:
        """Why not; "" where it is done. Again where it clashed, as the page does it."""
        handler = journeys if isinstance(deed, OptedOut) else checkins
        for _ in range(20):
            try:
                async with self.db.write() as tx:
                    [found] = await handler.handle(deed, Seen(tags), tx, self.book, self.now)
            except Clash:
                continue
            return found.because if found.verdict == "miss" else ""
        raise RuntimeError("twenty clashes in a row")

    async def taps(self, who: int, on: date | None = None, **more: Any) -> str:
        return await self.does(CheckedIn(at=self.now, checkin="c", visitor_id=who, on=on, **more))

    async def makes_up(self, who: int, on: date) -> str:
        return await self.does(MadeUp(at=self.now, checkin="c", visitor_id=who, on=on))

    async def takes_leave(self, who: int, on: date) -> str:
        return await self.does(LeaveTaken(at=self.now, checkin="c", visitor_id=who, on=on))

    async def undoes(self, who: int, on: date) -> str:
        return await self.does(CheckinUndone(at=self.now, checkin="c", visitor_id=who, on=on))

    async def wishes(self, who: int, wish: Any) -> str:
        return await self.does(OptedOut(at=self.now, checkin="c", visitor_id=who, wish=wish))

    async def journey(self, who: int) -> JourneyRow | None:
        async with self.db.read() as tx:
            return await rows.of_visitor(tx, "c", who)

    async def days(self, who: int) -> Mapping[date, Kind]:
        async with self.db.read() as tx:
            row = await rows.of_visitor(tx, "c", who)
            return kinds_of(await rows.days_of(tx, row.id)) if row else {}

    async def stands(self, who: int) -> Tally:
        row = await self.journey(who)
        assert row is not None
        return tally(self.checkin, row.started_on, await self.days(who), self.now)

    def today(self) -> date:
        return date_of(self.now)
