"""What people earn by checking in, on a database: once, from stock, within the budget, as soon as they are known."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from handlers import checkins as checkin_handler
from handlers import leading
from handlers.draw_entry import CHECK_IN_FIRST, by_ticket
from handlers.identity import bind, split, visitor_of
from handlers.journeys import Seen
from rules.book import Book
from rules.checkins import JourneyDay
from rules.events import CheckedIn, JourneysDue
from rules.identity import Proof
from store import (
    blocks,
    checkin_rewards,
    coupon_codes,
    draw_entrants,
    draws,
    identities,
    ledger,
    matters,
    own_tags,
    points,
)
from store import leading as rows
from store.checkin_rewards import CheckinRewardRow
from store.database import Database
from tests.handlers.fair import Fair, settings

DAY, MINUTES = timedelta(days=1), timedelta(minutes=1)


def book(*rewards: tuple[int, dict[str, Any]], monthly: str = "5000元", more: dict[str, Any] | None = None) -> Book:
    checkin = {
        "name": "newcomer-7",
        "title": "七天打卡",
        "to": "members",
        "days": [{"theme": f"主题{each}"} for each in range(7)],
        "rewards": dict(rewards),
        "organiser": "茶里有限公司",
    }
    return Book.model_validate(
        {
            "managers": ["lihua"],
            "groups": {"members": "会员*"},
            "budget": {"monthly": monthly},
            "draws": [settings()],
            "checkins": [checkin],
            **(more or {}),
        }
    )


class Booth:
    """A fair whose visitors check in."""

    def __init__(self, db: Database, settings_: Book) -> None:
        self.fair, self.db, self.book = Fair(db, settings_), db, settings_

    async def checks_in(self, *visitors: int, days: int = 1, answer: str = "") -> None:
        """On so many days in a row, and nothing can be undone any more afterwards."""
        for day in range(days):
            async with self.db.write() as tx:
                for each in visitors:
                    event = CheckedIn(at=self.fair.now, checkin="newcomer-7", visitor_id=each, answer=answer)
                    [said] = await checkin_handler.handle(event, Seen(), tx, self.book, self.fair.now)
                    assert said.verdict == "hit"
            await self.goes_on(at_once=True)
            self.fair.now += 6 * MINUTES if day == days - 1 else DAY
            await self.goes_on()

    async def goes_on(self, *, at_once: bool = False) -> None:
        """Whatever is due of journeys; twice, as two workers might."""
        async with self.db.write() as tx:
            if at_once:  # as JourneyStarted does
                await tx.flush()
                ids = tuple(range(1, 20))
            else:
                ids = tuple(row.id for row in await rows.due(tx, now=self.fair.now, limit=100))
            for _ in range(2):
                await leading.handle(JourneysDue(at=self.fair.now, journey_ids=ids), {}, tx, self.book, self.fair.now)

    async def has(self, visitor_id: int) -> list[CheckinRewardRow]:
        async with self.db.read() as tx:
            return await checkin_rewards.of_visitor(tx, visitor_id)

    async def states(self, visitor_id: int) -> list[tuple[int, str, str]]:
        return [(row.milestone, row.state, row.why) for row in await self.has(visitor_id)]


async def open_booth(db: Database, settings_: Book, *people: str) -> Booth:
    booth = Booth(db, settings_)
    await booth.fair.open(people=people)
    return booth


async def test_points_are_given_once_and_daily_ones_too(sqlite_db: Database) -> None:
    """A milestone's points and those of each day, each once however often it is gone over."""
    booth = await open_booth(
        sqlite_db, book((1, {"points": 5}), (3, {"points": 30}), more={"rewards": {"check_in": 2}}), "wmA"
    )
    who = await booth.fair.visitor("wmA")
    await booth.checks_in(who, days=3)
    assert await booth.states(who) == [(1, "handed", ""), (3, "handed", "")]
    async with booth.db.read() as tx:
        assert await points.balance(tx, "wmA") == 5 + 30 + 3 * 2


async def test_an_answer_has_its_own_points(sqlite_db: Database) -> None:
    """Of a day with a question: those of the day and those of the answer, once."""
    asking = book(more={"rewards": {"check_in": 2, "answer": 3}})
    question = {"text": "喝什么茶？", "options": {"绿茶": "", "红茶": ""}}
    days = tuple(
        JourneyDay.model_validate({"theme": each.theme, "question": question}) for each in asking.checkins[0].plan
    )
    checkin = asking.checkins[0].model_copy(update={"days": days})
    booth = await open_booth(sqlite_db, asking.model_copy(update={"checkins": (checkin,)}), "wmA")
    who = await booth.fair.visitor("wmA")
    await booth.checks_in(who, answer="绿茶")
    booth.fair.now += DAY
    await booth.checks_in(who)
    async with booth.db.read() as tx:
        assert await points.balance(tx, "wmA") == 2 + 3 + 2


async def test_adding_a_colleague_is_never_paid_for(sqlite_db: Database) -> None:
    """A day whose task is that brings no points, though it counts like any other."""
    added = book((3, {"points": 30}), more={"rewards": {"check_in": 2}})
    first, *others = added.checkins[0].plan
    first = first.model_copy(update={"add_staff": True})
    checkin = added.checkins[0].model_copy(update={"days": (first, *others)})
    booth = await open_booth(sqlite_db, added.model_copy(update={"checkins": (checkin,)}), "wmA")
    who = await booth.fair.visitor("wmA")
    await booth.checks_in(who, days=3)
    async with booth.db.read() as tx:
        assert await points.balance(tx, "wmA") == 30 + 2 * 2


async def test_nothing_before_it_can_no_longer_be_undone(sqlite_db: Database) -> None:
    """Within the minutes in which a day can be taken back nothing is granted for it."""
    booth = await open_booth(sqlite_db, book((1, {"points": 5})), "wmA")
    who = await booth.fair.visitor("wmA")
    async with booth.db.write() as tx:
        event = CheckedIn(at=booth.fair.now, checkin="newcomer-7", visitor_id=who)
        await checkin_handler.handle(event, Seen(), tx, booth.book, booth.fair.now)
    booth.fair.now += 4 * MINUTES
    await booth.goes_on(at_once=True)
    assert await booth.has(who) == []
    booth.fair.now += 1 * MINUTES
    await booth.goes_on()
    assert await booth.states(who) == [(1, "handed", "")]


async def test_the_last_of_the_stock_goes_to_one(db: Database) -> None:
    """Of three people two get what there are two of; the third is told so, and never asked about again."""
    booth = await open_booth(db, book((1, {"points": 5, "stock": 2})), "wmA", "wmB", "wmC")
    people = [await booth.fair.visitor(who) for who in ("wmA", "wmB", "wmC")]
    await booth.checks_in(*people)
    assert sorted([(await booth.states(each))[0][1] for each in people]) == ["handed", "handed", "none"]
    async with booth.db.read() as tx:
        given = await checkin_rewards.counted(tx, "newcomer-7")
    assert sorted((each.state, each.number) for each in given) == [("handed", 2), ("none", 1)]


async def test_a_coupon_waits_for_codes(sqlite_db: Database) -> None:
    """Without codes left it stays owed, the managers are asked for more, and it is given when there are some."""
    booth = await open_booth(
        sqlite_db, book((1, {"coupon": "content/券.xlsx", "what": "茶券", "value": "10元"})), "wmA"
    )
    who = await booth.fair.visitor("wmA")
    await booth.checks_in(who)
    assert [state for _, state, _ in await booth.states(who)] == ["owed"]
    async with booth.db.write() as tx:
        assert await matters.is_open(tx, "no-codes:content/券.xlsx")
        await coupon_codes.add(tx, "content/券.xlsx", ["TEA-1", "TEA-2"], now=booth.fair.now)
    booth.fair.now += DAY + MINUTES
    await booth.goes_on()
    [row] = await booth.has(who)
    assert (row.state, row.code) == ("handed", "TEA-1")
    async with booth.db.read() as tx:
        assert await coupon_codes.left(tx, "content/券.xlsx") == 1


async def test_money_is_held_until_the_person_is_known(sqlite_db: Database) -> None:
    """The budget holds it at once; a payout is planned when the person is known by name and to the paying account."""
    booth = await open_booth(sqlite_db, book((1, {"money": "2元"})), "wmA")
    who = await booth.fair.visitor("", phone="oA")
    await booth.checks_in(who)
    assert await booth.states(who) == [(1, "owed", "要先知道您是哪一位：用微信打开这个页面，或者加一下导购")]
    async with booth.db.write() as tx:
        assert (await ledger.month(tx, "2026-11")).held == 200
        await bind(tx, who, Proof(kind="external_userid", value="wmA", evidence="oauth"), now=booth.fair.now)
    await booth.goes_on()
    assert [why for _, _, why in await booth.states(who)] == ["要在微信里打开这个页面，才能收红包"]
    await booth.fair.authorises(who, "mpA")
    await booth.goes_on()
    [row] = await booth.has(who)
    assert (row.state, row.payout_id is not None) == ("handed", True)
    async with booth.db.read() as tx:
        assert await ledger.out_of_step(tx) == []
        assert (await ledger.month(tx, "2026-11")).held == 200


async def test_the_budget_is_never_passed(sqlite_db: Database) -> None:
    """What the month has no money for is not promised to anybody."""
    booth = await open_booth(sqlite_db, book((1, {"money": "2元"}), monthly="3元", more={"draws": []}), "wmA", "wmB")
    people = [await booth.fair.visitor(who) for who in ("wmA", "wmB")]
    await booth.checks_in(*people)
    assert sorted([(await booth.states(each))[0][1:] for each in people]) == [
        ("none", "这个月的预算用完了"),
        ("owed", "要在微信里打开这个页面，才能收红包"),
    ]


async def test_two_who_are_one_get_it_once(db: Database) -> None:
    """Somebody checked in on two phones: when it is known to be one person, one reward counts, the other's money goes
    back, and its stock.
    """
    booth = await open_booth(db, book((1, {"money": "2元", "stock": 10})), "wmA")
    first = await booth.fair.visitor("", phone="oA")
    known = Proof(kind="external_userid", value="wmA", evidence="roster")
    async with booth.db.write() as tx:
        second = (await visitor_of(tx, [known], now=booth.fair.now)).visitor_id
    await booth.checks_in(first, second)
    async with booth.db.write() as tx:
        assert (await ledger.month(tx, "2026-11")).held == 400
        same = known.model_copy(update={"evidence": "converted"})
        assert (await bind(tx, first, same, now=booth.fair.now)).came_to == "joined"
    assert sorted([state for _, state, _ in await booth.states(first)]) == ["owed", "void"]
    async with booth.db.read() as tx:
        assert (await ledger.month(tx, "2026-11")).held == 200
        assert await ledger.out_of_step(tx) == []
    await booth.checks_in(first, days=2)
    assert sorted([state for _, state, _ in await booth.states(first)]) == ["owed", "void"]


async def test_two_who_are_two_after_all_have_each_their_own(sqlite_db: Database) -> None:
    """What made two people one was wrong: each has what was theirs again, earned anew where it had given way."""
    booth = await open_booth(sqlite_db, book((1, {"points": 5})), "wmA")
    first = await booth.fair.visitor("", phone="oA")
    known = Proof(kind="external_userid", value="wmA", evidence="roster")
    async with booth.db.write() as tx:
        second = (await visitor_of(tx, [known], now=booth.fair.now)).visitor_id
        for who, tag in ((first, "绿茶"), (second, "绿茶"), (second, "红茶")):
            await own_tags.give(tx, who, tag, why="选的", now=booth.fair.now)
    await booth.checks_in(first, second)
    async with booth.db.write() as tx:
        same = known.model_copy(update={"evidence": "join_state", "source": "s1"})
        assert (await bind(tx, first, same, now=booth.fair.now)).came_to == "joined"
    assert sorted(state for _, state, _ in await booth.states(first)) == ["handed", "void"]
    async with booth.db.write() as tx:
        assert [row.tag for row in await own_tags.of_visitor(tx, first)] == ["绿茶", "红茶"]
        [tie] = await identities.ties_by(tx, "s1", "join_state")
        await split(tx, tie.id, because="弄错了", now=booth.fair.now)
    await booth.goes_on()
    assert [state for _, state, _ in await booth.states(second)] == ["handed"]
    assert [state for _, state, _ in await booth.states(first)] == ["owed"]
    async with booth.db.read() as tx:
        assert [row.tag for row in await own_tags.of_visitor(tx, second)] == ["红茶"]


async def test_a_ticket_is_an_entry_of_the_next_draw(sqlite_db: Database) -> None:
    """Before people can enter it waits; then it is an entry like any other, once."""
    booth = await open_booth(sqlite_db, book((1, {"ticket": "friday"})), "wmA")
    who = await booth.fair.visitor("wmA")
    await booth.checks_in(who)
    assert [(state, why) for _, state, why in await booth.states(who)] == [("owed", "下一期抽奖开始报名时自动帮您报名")]
    await booth.fair.until(booth.fair.now + timedelta(hours=30))
    await booth.goes_on()
    assert [state for _, state, _ in await booth.states(who)] == ["handed"]
    async with booth.db.write() as tx:
        glance = await draw_entrants.glance(tx, 1, who)
        assert glance is not None
        assert glance.entered
        row = await draws.draw(tx, 1)
        assert row is not None
        assert await by_ticket(tx, row, who, now=booth.fair.now) == ""


@pytest.mark.parametrize(("when", "state"), [("before", "void"), ("after", "handed")])
async def test_whoever_is_blocked_gets_nothing_any_more(sqlite_db: Database, when: str, state: str) -> None:
    """On the blocklist: what is still owed is taken back; what was handed over stays."""
    booth = await open_booth(sqlite_db, book((1, {"points": 5})), "wmA")
    who = await booth.fair.visitor("wmA")
    if when == "after":
        await booth.checks_in(who)
    async with booth.db.write() as tx:
        await blocks.put(tx, external_userid="wmA", unionid=None, by="李华", because="捣乱", now=booth.fair.now)
    if when == "before":
        await booth.checks_in(who)
    else:
        await booth.checks_in(who, days=2)
    assert [each for _, each, _ in await booth.states(who)] == [state]


async def test_only_whoever_has_checked_in_today_may_enter(sqlite_db: Database) -> None:
    """`enter: 打卡`: the check-in of the day is the way in; yesterday's is none."""
    way = {"draws": [settings(enter="打卡", checkin="newcomer-7")]}
    booth = await open_booth(sqlite_db, book(more=way), "wmA", "wmB")
    first, second = [await booth.fair.visitor(who) for who in ("wmA", "wmB")]
    await booth.checks_in(second)
    await booth.fair.until(booth.fair.now + timedelta(hours=30))
    assert await booth.fair.enter(first) == CHECK_IN_FIRST
    assert await booth.fair.enter(second) == CHECK_IN_FIRST
    await booth.checks_in(first)
    assert await booth.fair.enter(first) == ""


def test_a_draw_is_entered_by_a_check_in_that_there_is() -> None:
    """A name that no check-in has is refused, and so is a draw that says no name."""
    for named in ("newcomer-8", ""):
        with pytest.raises(ValidationError, match=r"打卡|checkin"):
            book(more={"draws": [settings(enter="打卡", checkin=named)]})
