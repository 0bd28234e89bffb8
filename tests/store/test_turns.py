"""Writers on SQLite: one at a time, and those that come together share a commit."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlmodel import select

from store.columns import UtcTime
from store.database import Database, StoreUnavailable
from store.turns import SHARED_BY, Turns

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

noted = Table("noted", MetaData(), Column("at", UtcTime()))


class Disk:
    """Commits when it is told to, and counts."""

    def __init__(self) -> None:
        self.commits = 0
        self.error: Exception | None = None
        self.spins = asyncio.Event()

    async def commit(self) -> Exception | None:
        self.commits += 1
        await self.spins.wait()
        return self.error


async def _share(turns: Turns) -> Exception | None:
    async with turns.shared() as written:
        pass
    return await written


async def test_writers_that_come_together_share_a_commit() -> None:
    """While one commit is on its way the writers that come wait, and the next commit is for all of them."""
    disk = Disk()
    turns = Turns(disk.commit)
    writers = [asyncio.create_task(_share(turns))]
    await asyncio.sleep(0)
    writers += [asyncio.create_task(_share(turns)) for _ in range(SHARED_BY)]
    await asyncio.sleep(0)
    assert not any(writer.done() for writer in writers)  # nobody is told before it is so
    disk.spins.set()
    assert set(await asyncio.gather(*writers)) == {None}
    assert disk.commits == 2


async def test_everybody_is_told_when_the_commit_fails() -> None:
    """A commit that fails has failed for all who share it, and the next one is tried."""
    disk = Disk()
    disk.spins.set()
    disk.error = OSError("full")
    turns = Turns(disk.commit)
    assert set(await asyncio.gather(_share(turns), _share(turns))) == {disk.error}
    disk.error = None
    assert await _share(turns) is None


async def test_who_has_a_connection_of_their_own_meets_no_open_transaction() -> None:
    """Before a turn alone, what was shared is committed; it cannot be kept waiting for ever either."""
    disk = Disk()
    disk.spins.set()
    turns = Turns(disk.commit)
    order: list[str] = []

    async def share() -> None:
        for _ in range(20):
            await _share(turns)
            order.append("shared")

    async def alone() -> None:
        async with turns.alone():
            order.append("alone")
            before = disk.commits
            await asyncio.sleep(0)
            assert disk.commits == before

    first, second = asyncio.create_task(share()), asyncio.create_task(share())
    await asyncio.sleep(0)
    await alone()
    await asyncio.gather(first, second)
    assert "alone" in order[: 2 * SHARED_BY]


async def test_a_cancelled_waiter_holds_up_nobody() -> None:
    """Those behind somebody who gave up get their turn, also where it came in that very moment."""
    disk = Disk()
    turns = Turns(disk.commit)
    first = asyncio.create_task(_share(turns))
    await asyncio.sleep(0)
    second, third = asyncio.create_task(_share(turns)), asyncio.create_task(_share(turns))
    await asyncio.sleep(0)
    disk.spins.set()
    await first  # and with it, the second has been given its turn
    second.cancel()
    assert await third is None
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_one_of_several_undoes_only_its_own(sqlite_db: Database) -> None:
    """A writer that fails between two others leaves nothing, and theirs is there."""
    async with sqlite_db.write() as tx:
        await (await tx.connection()).run_sync(noted.metadata.create_all)

    async def write(minute: int, *, fails: bool) -> None:
        async with sqlite_db.write() as tx:
            await tx.exec(noted.insert().values(at=NOON + timedelta(minutes=minute)))
            await asyncio.sleep(0)
            if fails:
                raise ZeroDivisionError

    results = await asyncio.gather(
        *(write(minute, fails=minute % 3 == 1) for minute in range(9)), return_exceptions=True
    )
    assert [isinstance(each, ZeroDivisionError) for each in results] == [minute % 3 == 1 for minute in range(9)]
    async with sqlite_db.read() as tx:
        kept = list(await tx.exec(select(noted.c.at).order_by(noted.c.at)))
    assert kept == [NOON + timedelta(minutes=minute) for minute in range(9) if minute % 3 != 1]


async def test_what_was_shared_and_lost_is_told_to_all(sqlite_db: Database) -> None:
    """Where SQLite undoes a whole transaction, nobody who shared it is told "written", nor is who comes next."""
    async with sqlite_db.write() as tx:
        await (await tx.connection()).run_sync(noted.metadata.create_all)

    async def write(minute: int, *, undoes_all: bool = False) -> None:
        async with sqlite_db.write() as tx:
            await tx.exec(noted.insert().values(at=NOON + timedelta(minutes=minute)))
            await asyncio.sleep(0)
            if undoes_all:
                await (await tx.connection()).exec_driver_sql("ROLLBACK")  # what a full disk does
                raise ZeroDivisionError

    results = await asyncio.gather(write(0), write(1, undoes_all=True), write(2), return_exceptions=True)
    assert [type(each) for each in results] == [StoreUnavailable, ZeroDivisionError, StoreUnavailable]
    with contextlib.suppress(StoreUnavailable):
        await write(3)
    await write(4)
    async with sqlite_db.read() as tx:
        assert NOON not in list(await tx.exec(select(noted.c.at)))
