"""Database work of a full reconcile of 1,000 groups × 200 members. `python -m benchmarks.reconcile [--quick]`

Reads are given as values: no network, no parsing. What is timed is what the bot itself does with them, from the list of
groups to the last commit, on one core; beside it the usual way, which loads the rows of each group and compares.
The exit code is 1 only where a roster is not what was read, however slow it was.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from loguru import logger
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select
from sqlmodel import col
from sqlmodel import select as select_rows

from benchmarks import stage
from handlers import corp
from handlers import reconcile as reconciling
from handlers import roster as handler
from handlers.reading import Seen
from rules.book import Book
from rules.events import GroupReadDue, GroupsReadDue, RosterReadDue
from rules.facts import Member
from store import inbox, queue, roster
from store.columns import table_of
from store.database import Database
from store.inbox import Inbox
from store.migrate import upgrade
from store.roster import GroupRow, MemberRow
from wecom.lookups import GroupChat

BOOK = Book.model_validate({"rules": [{"rule": "other_company"}]})
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=30)
LEASE = timedelta(seconds=30)

console = Console()


@dataclass(frozen=True)
class Size:
    """How many groups of how many members, and how often each is measured (the best counts: a lull, not luck)."""

    groups: tuple[int, ...]
    members: int
    rounds: int


FULL = Size(groups=(250, 500, 1000, 2000), members=200, rounds=3)
QUICK = Size(groups=(10, 20), members=20, rounds=1)
MUST, REACH = 0.5, 0.2  # seconds for 1,000 × 200


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconcile", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke of a few seconds, on SQLite only")
    wanted = parser.parse_args(arguments)
    size = QUICK if wanted.quick else FULL
    logger.remove()
    os.sched_setaffinity(0, {stage.BOT_CORE})
    console.print(f"core {stage.BOT_CORE}; load average before: {os.getloadavg()[0]:.2f}")
    broken: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        engines = [Engine("SQLite", lambda name: f"sqlite:///{folder}/{name}.db")]
        postgres = None if wanted.quick else stack.enter_context(stage.postgres())
        if postgres is not None:
            engines.append(Engine("PostgreSQL", postgres.url))
        for engine in engines:
            broken += asyncio.run(measure(engine, size))
    for each in broken:
        console.print(f"[bold red]BROKEN[/] {each}")
    return 1 if broken else 0


# --- the town and what is read of it ----------------------------------------------------------------------------------


def town(groups: int, members: int) -> dict[str, GroupChat]:
    """What a read shows of each group, by chat_id: everybody has been there for a month."""
    return {
        (chat_id := f"wr{number:030d}"): GroupChat(
            chat_id=chat_id,
            name=f"会员{number}群",
            owner=f"owner{number % 50}",
            created_at=LONG_AGO,
            notice="",
            admins=("zhaoliu",),
            version=f"{number:032x}",
            staff=(f"owner{number % 50}", "zhaoliu"),
            members=tuple(_member(number, place) for place in range(members)),
        )
        for number in range(groups)
    }


def _member(group: int, place: int, joined_at: datetime = LONG_AGO) -> Member:
    who = f"wm{group:010d}{place:018d}"
    return Member(external_userid=who, name=f"客户{place}", joined_at=joined_at, join_scene=3, unionid=f"o{who[3:]}")


def change(chat: GroupChat) -> GroupChat:
    """The same group later: one has left, another has come."""
    new = _member(int(chat.chat_id[2:]), 10**6, NOON)
    return chat.model_copy(update={"version": "f" + chat.version[1:], "members": (*chat.members[1:], new)})


async def fill(store: Database, chats: dict[str, GroupChat]) -> None:
    """The rows as the bot would have them after reading all of it an hour ago."""
    async with store.write() as tx:
        connection = await tx.connection()
        hour_ago = NOON - timedelta(hours=1)
        groups = [
            GroupRow(
                chat_id=chat.chat_id, name=chat.name, owner=chat.owner, admins=list(chat.admins),
                staff=list(chat.staff), version=chat.version, watched_since=LONG_AGO, read_at=hour_ago,
            ).model_dump()
            for chat in chats.values()
        ]  # fmt: skip
        await connection.execute(insert(table_of(GroupRow)), groups)
        for chat in chats.values():
            rows = [
                MemberRow(chat_id=chat.chat_id, detailed=True, seen_at=hour_ago, **dict(member)).model_dump()
                for member in chat.members
            ]
            await connection.execute(insert(table_of(MemberRow)), rows)


# --- the two ways -----------------------------------------------------------------------------------------------------


async def reconcile(store: Database, chats: dict[str, GroupChat], now: datetime) -> None:
    """As the worker does it: the list, batch by batch, and then by themselves those groups that differ."""
    event = RosterReadDue(at=now)
    async with store.write() as tx:
        await corp.handle(event, corp.Seen(chat_ids=tuple(chats)), tx, BOOK, now)
    later = now + timedelta(hours=1)  # the batches are spread over time; here all are due
    while True:
        async with store.write() as tx:
            row = await queue.claim(tx, Inbox, now=later, lease=LEASE, token="bench")
        if row is None:
            break
        due = inbox.event_of(row)
        assert isinstance(due, GroupsReadDue)
        answers = {chat_id: chats[chat_id] for chat_id in due.chat_ids}
        async with store.write() as tx:
            await reconciling.handle(due, reconciling.Seen(now, dict(answers)), tx, BOOK, now)
            await queue.finish(tx, Inbox, row.id, "bench", "done", now=now)
    async with store.write() as tx:
        differ = [group.chat_id for group in await roster.reads_due(tx, now=later, limit=len(chats))]
    for chat_id in differ:
        await _read(store, chats[chat_id], now)


async def _read(store: Database, chat: GroupChat, now: datetime) -> None:
    async with store.write() as tx:
        due = GroupReadDue(at=now, chat_id=chat.chat_id)
        await handler.handle(due, Seen(began=now, chat=chat), tx, BOOK, now)


async def usual_way(store: Database, chats: dict[str, GroupChat], now: datetime) -> None:
    """An ORM, group by group: load the rows, compare, write what differs, commit."""
    for chat in chats.values():
        async with store.write() as tx:
            group = await tx.get_one(GroupRow, chat.chat_id)
            query = select_rows(MemberRow).where(MemberRow.chat_id == chat.chat_id, col(MemberRow.left_at).is_(None))
            rows = {row.external_userid: row for row in (await tx.exec(query)).all()}
            for shown in chat.members:
                row = rows.pop(shown.external_userid, None)
                if row is None:
                    tx.add(MemberRow(chat_id=chat.chat_id, detailed=True, seen_at=now, **dict(shown)))
                else:
                    row.name, row.joined_at, row.unionid = shown.name, shown.joined_at, shown.unionid
            for row in rows.values():
                row.left_at = now
            group.name, group.owner, group.admins = chat.name, chat.owner, list(chat.admins)
            group.version, group.read_at = chat.version, now


# --- databases --------------------------------------------------------------------------------------------------------


@dataclass
class Engine:
    """Makes databases: a template filled once, and a copy of it for each measurement."""

    name: str
    address: Callable[[str], str]
    copies: int = 0

    async def fill(self, template: str, chats: dict[str, GroupChat]) -> None:
        """A migrated database with these groups in it."""
        await self._administer(f'CREATE DATABASE "{template}"')
        await upgrade(self.address(template))
        store = await Database.open(self.address(template))
        if chats:
            await fill(store, chats)
        await store.close()
        await self._administer("VACUUM ANALYZE", template)

    @asynccontextmanager
    async def copy(self, template: str) -> AsyncIterator[Database]:
        """A copy of the template, open; gone at the end."""
        self.copies += 1
        name = f"copy_{self.copies}"
        if self.name == "SQLite":
            shutil.copy(_file(self.address(template)), _file(self.address(name)))
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        await self._administer("CHECKPOINT")  # else what is timed would wait for the disk to finish the copy
        store = await Database.open(self.address(name))
        try:
            yield store
        finally:
            await store.close()
            if self.name == "SQLite":
                _file(self.address(name)).unlink()
            await self._administer(f'DROP DATABASE "{name}"')

    async def _administer(self, statement: str, database: str = "postgres") -> None:
        if self.name == "SQLite":
            return
        connection = await asyncpg.connect(self.address(database))
        await connection.execute(statement)
        await connection.close()


def _file(address: str) -> Path:
    return Path(address.removeprefix("sqlite:///"))


# --- measuring --------------------------------------------------------------------------------------------------------

Way = Callable[[Database, dict[str, GroupChat], datetime], Awaitable[None]]


async def measure(engine: Engine, size: Size) -> list[str]:
    """Prints one table per engine. Answers what was wrong."""
    table = Table(title=f"reconcile, {size.members} members a group, {engine.name} (best of {size.rounds}, ms)")
    for heading in (
        "groups",
        "nothing changed",
        "of it CPU",
        "2 % changed",
        "all changed",
        "first day",
        "ORM per group",
    ):
        table.add_column(heading, justify="right")
    broken = []
    for number in size.groups:
        chats = town(number, size.members)
        await engine.fill(f"filled_{number}", chats)
        await engine.fill(f"empty_{number}", {})
        some = {chat_id: change(chat) if n % 50 == 0 else chat for n, (chat_id, chat) in enumerate(chats.items())}
        all_of_them = {chat_id: change(chat) for chat_id, chat in chats.items()}
        ways: list[tuple[str, Way, dict[str, GroupChat], str]] = [
            ("same", reconcile, chats, "filled"),
            ("some", reconcile, some, "filled"),
        ]
        long: list[tuple[str, Way, dict[str, GroupChat], str]] = [
            ("all", reconcile, all_of_them, "filled"),
            ("first", reconcile, chats, "empty"),
            ("usual", usual_way, chats, "filled"),
        ]
        best: dict[str, float] = {}
        for name, way, read, template in ways * size.rounds + (long if number <= 1000 else []):
            async with engine.copy(f"{template}_{number}") as store:
                began, cpu_before = time.perf_counter(), time.process_time()
                await way(store, read, NOON)
                seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_before
                broken += [f"{engine.name}, {number} groups, {name}: {each}" for each in await _wrong(store, read)]
            for what, spent in ((name, seconds), (f"{name} CPU", cpu)):
                best[what] = min(best.get(what, spent), spent)
            said = f"{engine.name}, {number} groups, {name}: {seconds * 1e3:,.0f} ms, CPU {cpu * 1e3:,.0f} ms"
            console.print(f"  [dim]{said}[/]", highlight=False)
        columns = ("same", "same CPU", "some", "all", "first", "usual")
        table.add_row(f"{number:,}", *(f"{best[each] * 1e3:,.0f}" if each in best else "" for each in columns))
        if number == 1000:
            verdict = "reached" if best["same"] <= REACH else "kept" if best["same"] <= MUST else "MISSED"
            table.caption = f"must 500 ms, reach 200 ms for 1,000 groups of which nothing is news: {verdict}"
    console.print(table)
    return broken


async def _wrong(store: Database, read: dict[str, GroupChat]) -> list[str]:
    members, groups = table_of(MemberRow), table_of(GroupRow)
    async with store.read() as tx:
        connection = await tx.connection()
        there = await connection.execute(
            select(members.c.chat_id, members.c.external_userid).where(members.c.left_at.is_(None))
        )
        present: dict[str, set[str]] = {}
        for chat_id, who in there:
            present.setdefault(chat_id, set()).add(who)
        rows = await connection.execute(select(groups.c.chat_id, groups.c.read_at))
        read_at = {row.chat_id: row.read_at for row in rows}
    return [
        f"{chat_id} is not as it was read"
        for chat_id, chat in read.items()
        if read_at.get(chat_id) != NOON or present.get(chat_id) != {each.external_userid for each in chat.members}
    ]


if __name__ == "__main__":
    sys.exit(main())
