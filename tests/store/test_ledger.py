"""The ledger: every fen is somewhere, nothing is ever below zero, and each move is made once."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from store import ledger
from store.database import Clash, Database, Tx
from store.ledger import Month, MonthRow, Overdrawn, Purse, PurseRow

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NOVEMBER = "2026-11"


async def _reserve(tx: Tx, purse: str, amount: int, key: str = "", month: str = NOVEMBER) -> bool:
    return await ledger.reserve(tx, purse, amount, month=month, key=key or f"reserve:{purse}", why="抽奖", now=NOW)


async def test_life_of_a_purse(db: Database) -> None:
    """Reserved, paid, come back, given free again: the sums follow, and the entries tell all of it."""
    async with db.write() as tx:
        assert await ledger.fund(tx, NOVEMBER, 500_000, now=NOW) == 500_000
        assert await _reserve(tx, "draw:1", 20_000)
        assert await ledger.settle(tx, "draw:1", 8_000, key="pay:1", why="红包", now=NOW)
        assert await ledger.settle(tx, "draw:1", 2_000, key="pay:2", why="红包", now=NOW)
        assert await ledger.unsettle(tx, "draw:1", 2_000, key="refund:2", why="退回", now=NOW)
        assert await ledger.purse(tx, "draw:1") == Purse(NOVEMBER, 12_000, 8_000)
        assert await ledger.release(tx, "draw:1", 5_000, key="back:1", why="没人领", now=NOW)
        assert await ledger.release_rest(tx, "draw:1", key="close:1", why="结束", now=NOW) == 7_000
        assert await ledger.release_rest(tx, "draw:1", key="close:1", why="结束", now=NOW) == 0
    async with db.read() as tx:
        assert await ledger.purse(tx, "draw:1") == Purse(NOVEMBER, 0, 8_000)
        assert await ledger.month(tx, NOVEMBER) == Month(budget=500_000, free=492_000, held=0, paid=8_000)
        kinds = [(row.kind, row.amount) for row in await ledger.entries(tx, purse="draw:1")]
        assert kinds == [
            ("reserve", 20_000),
            ("settle", 8_000),
            ("settle", 2_000),
            ("unsettle", 2_000),
            ("release", 5_000),
            ("release", 7_000),
        ]
        assert await ledger.out_of_step(tx) == []
        assert await ledger.purse(tx, "draw:2") is None


async def test_nothing_is_taken_that_is_not_there(db: Database) -> None:
    """A reservation beyond the budget holds back nothing; nothing can be paid or released that is not held."""
    async with db.write() as tx:
        await ledger.fund(tx, NOVEMBER, 1_000, now=NOW)
        assert await _reserve(tx, "draw:1", 700)
        assert not await _reserve(tx, "draw:2", 301)
        assert not await _reserve(tx, "draw:3", 1, month="2026-12")
        for move in (ledger.settle, ledger.release):
            with pytest.raises(Overdrawn):
                await move(tx, "draw:1", 701, key="too much", why="", now=NOW)
            with pytest.raises(Overdrawn):
                await move(tx, "draw:9", 1, key="nobody's", why="", now=NOW)
        with pytest.raises(Overdrawn):
            await ledger.unsettle(tx, "draw:1", 1, key="never paid", why="", now=NOW)
        assert await _reserve(tx, "draw:2", 300)
    async with db.read() as tx:
        assert await ledger.month(tx, NOVEMBER) == Month(budget=1_000, free=0, held=1_000, paid=0)
        assert await ledger.out_of_step(tx) == []


async def test_each_move_is_made_once(db: Database) -> None:
    """The same key again changes nothing, and answers well; a key that stands for something else is told."""
    async with db.write() as tx:
        await ledger.fund(tx, NOVEMBER, 1_000, now=NOW)
    for first in (True, False):
        async with db.write() as tx:
            assert await _reserve(tx, "draw:1", 1_000)
            assert await ledger.settle(tx, "draw:1", 400, key="pay", why="", now=NOW) is first
            assert await ledger.unsettle(tx, "draw:1", 100, key="back", why="", now=NOW) is first
            assert await ledger.release(tx, "draw:1", 50, key="free", why="", now=NOW) is first
    async with db.write() as tx:
        assert await ledger.purse(tx, "draw:1") == Purse(NOVEMBER, 650, 300)
        with pytest.raises(KeyError, match="pay"):
            await ledger.settle(tx, "draw:1", 401, key="pay", why="", now=NOW)
        with pytest.raises(KeyError, match="reserve:draw:1"):
            await _reserve(tx, "draw:2", 1_000, key="reserve:draw:1")
        with pytest.raises(ValueError, match="above zero"):
            await ledger.settle(tx, "draw:1", 0, key="nothing", why="", now=NOW)


async def test_the_budget_follows_the_config(db: Database) -> None:
    """It can be raised, and lowered as far as to what is taken already; a purse has money of one month only."""
    async with db.write() as tx:
        assert await ledger.fund(tx, NOVEMBER, 1_000, now=NOW) == 1_000
        assert await ledger.fund(tx, NOVEMBER, 1_000, now=NOW) == 1_000
        await _reserve(tx, "draw:1", 600)
        assert await ledger.fund(tx, NOVEMBER, 1_500, now=NOW) == 900
        assert await ledger.fund(tx, NOVEMBER, 100, now=NOW) == 0
        assert (await ledger.month(tx, NOVEMBER)).budget == 600
        await ledger.fund(tx, "2026-12", 1_000, now=NOW)
        assert await ledger.out_of_step(tx) == []
        assert [row.amount for row in await ledger.entries(tx, month=NOVEMBER) if row.kind == "fund"] == [
            1_000,
            500,
            -900,
        ]
    with pytest.raises(ValueError, match="another month"):
        async with db.write() as tx:
            await _reserve(tx, "draw:1", 1, key="again", month="2026-12")
    async with db.read() as tx:
        assert (await ledger.month(tx, "2026-12")).free == 1_000


async def _contend(db: Database, works: list[tuple[str, str, int]], answers: list[bool]) -> None:
    """Each (purse, key, amount) as one of several workers would, again where two stood in each other's way."""

    async def one(purse: str, key: str, amount: int) -> None:
        for _ in range(20):
            try:
                async with db.write() as tx:
                    answer = await _reserve(tx, purse, amount, key)
                answers.append(answer)
                return
            except Clash:
                continue
        pytest.fail("stood in the way for ever")

    await asyncio.gather(*(one(*work) for work in works))


async def test_two_workers_never_take_more_than_there_is(db_url: str) -> None:
    """40 reservations of 100 by two workers on a budget of 1,000: ten fit, to the fen."""
    stores = [await Database.open(db_url) for _ in range(2)]
    try:
        async with stores[0].write() as tx:
            await ledger.fund(tx, NOVEMBER, 1_000, now=NOW)
        answers = list[bool]()
        works = [(f"draw:{number}", f"reserve:{number}", 100) for number in range(40)]
        await asyncio.gather(*(_contend(store, works[side::2], answers) for side, store in enumerate(stores)))
        assert sorted(answers) == [False] * 30 + [True] * 10
        async with stores[0].read() as tx:
            assert await ledger.month(tx, NOVEMBER) == Month(budget=1_000, free=0, held=1_000, paid=0)
            assert await ledger.out_of_step(tx) == []
    finally:
        for store in stores:
            await store.close()


async def test_two_workers_with_one_key_make_one_move(db_url: str) -> None:
    """The same reservation, and the same payment, by two workers at once ten times: one of each, all are told yes."""
    stores = [await Database.open(db_url) for _ in range(2)]
    try:
        async with stores[0].write() as tx:
            await ledger.fund(tx, NOVEMBER, 150, now=NOW)
        answers = list[bool]()
        await asyncio.gather(*(_contend(store, [("draw:1", "key", 100)] * 10, answers) for store in stores))
        assert answers == [True] * 20

        async def pay(store: Database) -> bool:
            for _ in range(20):
                try:
                    async with store.write() as tx:
                        return await ledger.settle(tx, "draw:1", 60, key="pay", why="", now=NOW)
                except Clash:
                    continue
            return False

        assert sum(await asyncio.gather(*(pay(store) for store in stores * 5))) == 1
        async with stores[0].read() as tx:
            assert await ledger.purse(tx, "draw:1") == Purse(NOVEMBER, 40, 60)
            assert await ledger.out_of_step(tx) == []
    finally:
        for store in stores:
            await store.close()


@pytest.mark.parametrize("column", ["held", "paid"])
async def test_the_database_itself_refuses_sums_below_zero(db: Database, column: str) -> None:
    """Even a statement that forgets to look cannot take a purse or a month below zero."""
    async with db.write() as tx:
        await ledger.fund(tx, NOVEMBER, 10, now=NOW)
        await _reserve(tx, "draw:1", 10)
    with pytest.raises(IntegrityError):
        async with db.write() as tx:
            await tx.exec(update(PurseRow).values({column: -1}))
    with pytest.raises(IntegrityError):
        async with db.write() as tx:
            await tx.exec(update(MonthRow).values(free=-1))


async def test_any_order_of_moves_adds_up(db: Database, seed: int) -> None:
    """300 random moves, many of them impossible or repeated: the sums are those of the entries, never below zero."""
    chance = random.Random(seed)
    keys = [f"k{number}" for number in range(150)]
    async with db.write() as tx:
        await ledger.fund(tx, NOVEMBER, 1_000, now=NOW)
        for _ in range(300):
            key, purse = chance.choice(keys), f"draw:{chance.randrange(3)}"
            move = chance.choice([ledger.settle, ledger.unsettle, ledger.release, None])
            try:
                if move is None:
                    await _reserve(tx, purse, chance.randrange(1, 200), key)
                else:
                    await move(tx, purse, chance.randrange(1, 200), key=key, why="", now=NOW)
            except (Overdrawn, KeyError):
                pass
        month = await ledger.month(tx, NOVEMBER)
        assert month.free + month.held + month.paid == month.budget == 1_000
        assert min(month) >= 0
        assert await ledger.out_of_step(tx) == []
        written = len(await ledger.entries(tx))
        assert written > 20


async def test_what_is_out_of_step_is_told(db: Database) -> None:
    """If something wrote past the ledger, `out_of_step` says where."""
    async with db.write() as tx:
        await ledger.fund(tx, NOVEMBER, 10, now=NOW)
        await _reserve(tx, "draw:1", 4)
        await tx.exec(update(PurseRow).values(held=5))
    async with db.read() as tx:
        assert await ledger.out_of_step(tx) == ["draw:1"]


async def test_money_that_comes_back_and_money_that_never_went_do_not_block_each_other(db_url: str) -> None:
    """One worker gives a payment that came back to the month, another what was never paid: both get on."""
    one, other = [await Database.open(db_url) for _ in range(2)]
    try:
        async with one.write() as tx:
            await ledger.fund(tx, NOVEMBER, 1_000, now=NOW)
            assert await _reserve(tx, "draw:1", 200, "reserve")
            assert await ledger.settle(tx, "draw:1", 100, key="pay", why="", now=NOW)

        async def give_back() -> bool:
            async with other.write() as tx:
                return await ledger.release(tx, "draw:1", 100, key="never", why="", now=NOW)

        async with one.write() as tx:
            assert await ledger.unsettle(tx, "draw:1", 100, key="back", why="", now=NOW)
            theirs = asyncio.create_task(give_back())
            await asyncio.wait({theirs}, timeout=0.3)  # it stands in the queue by now
            assert await ledger.release(tx, "draw:1", 100, key="back:month", why="", now=NOW)
        assert await theirs
        async with one.read() as tx:
            assert await ledger.month(tx, NOVEMBER) == Month(budget=1_000, free=1_000, held=0, paid=0)
    finally:
        for store in (one, other):
            await store.close()
