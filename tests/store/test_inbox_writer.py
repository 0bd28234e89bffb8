"""The way of a callback into the inbox (promises 1 and 2): on disk before it is acknowledged, and there once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlmodel import col, select

from store.database import Database, StoreUnavailable
from store.inbox import Inbox, digest
from store.inbox_writer import InboxWriter

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Bell:
    """Counts how often the writer says that there is work."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
async def writer(db: Database, bell: Bell) -> AsyncIterator[InboxWriter]:
    writer = InboxWriter(db, wake=bell)
    yield writer
    await writer.close()


async def put(writer: InboxWriter, xml: bytes, *, key: str | None = None, at: datetime = NOON) -> None:
    await writer.put(xml, lane=2, ordering_key=key, received_at=at)


async def rows(db: Database) -> list[Inbox]:
    async with db.read() as tx:
        return list(await tx.exec(select(Inbox).order_by(col(Inbox.id))))


async def test_a_callback_is_a_row(db: Database, writer: InboxWriter, bell: Bell) -> None:
    """What came is in the inbox as it came, open and due, when put() returns; and the worker is woken."""
    xml = "<xml><Name><![CDATA[新人打卡群]]></Name></xml>".encode()
    await writer.put(xml, lane=1, ordering_key="chat:wr1", received_at=NOON)
    [row] = await rows(db)
    assert (row.source, row.payload, row.digest) == ("callback", xml.decode(), digest(xml))
    assert (row.lane, row.ordering_key, row.state, row.attempts) == (1, "chat:wr1", "open", 0)
    assert row.received_at == row.due_at == row.created_at == NOON
    assert (row.lease_token, row.leased_until, row.finished_at) == (None, None, None)
    assert bell.rung == 1


async def test_ten_deliveries_are_one_row(db: Database, writer: InboxWriter) -> None:
    """A callback delivered ten times, to two machines, at once and later, is there once."""
    other = InboxWriter(db, wake=lambda: None)
    await asyncio.gather(*(put(which, b"<xml>1</xml>") for which in [writer, other] * 5))
    await put(writer, b"<xml>1</xml>", at=NOON + timedelta(seconds=5))
    await other.close()
    assert [row.payload for row in await rows(db)] == ["<xml>1</xml>"]


async def test_two_events_in_one_second_are_two_rows(db: Database, writer: InboxWriter) -> None:
    """Two joins of one group in the same second differ in one field and are both kept, in their order."""
    joins = [f"<xml><CreateTime>1764072000</CreateTime><Item>{name}</Item></xml>".encode() for name in ("wo1", "wo2")]
    await asyncio.gather(*(put(writer, join, key="chat:wr1") for join in joins))
    assert [row.payload.encode() for row in await rows(db)] == joins


async def test_callbacks_share_commits_and_keep_their_order(db: Database, writer: InboxWriter, bell: Bell) -> None:
    """Callbacks that come together are committed together, and are numbered as they came."""
    xmls = [f"<xml>{number}</xml>".encode() for number in range(200)]
    await asyncio.gather(*(put(writer, xml) for xml in xmls))
    assert [row.payload.encode() for row in await rows(db)] == xmls
    assert 1 <= bell.rung <= 3


async def test_two_machines_given_the_same_callbacks_do_not_wait_for_each_other(db: Database, seed: int) -> None:
    """Two machines that write the same callbacks in different orders both succeed: no deadlock, no double."""
    xmls = [f"<xml>{seed} {number}</xml>".encode() for number in range(100)]
    writers = [InboxWriter(db, wake=lambda: None) for _ in range(2)]
    for _ in range(5):
        orders = (xmls, xmls[::-1])
        await asyncio.gather(
            *(put(writer, xml) for writer, order in zip(writers, orders, strict=True) for xml in order)
        )
    for writer in writers:
        await writer.close()
    assert sorted(row.payload.encode() for row in await rows(db)) == sorted(xmls)


async def test_what_is_not_text_is_kept_readable(db: Database, writer: InboxWriter) -> None:
    """Bytes that no database takes as text (NUL, broken UTF-8) do not stop what came with them."""
    await asyncio.gather(put(writer, b"<xml>\x00\xff</xml>"), put(writer, b"<xml>good</xml>"))
    assert [row.payload for row in await rows(db)] == ["<xml>\\x00\\xff</xml>", "<xml>good</xml>"]


async def test_one_bad_row_does_not_sink_the_others(postgres_db: Database) -> None:
    """A row that the database refuses fails alone; those in the same commit are written."""
    writer = InboxWriter(postgres_db, wake=lambda: None)
    bad = put(writer, b"<xml>bad</xml>", key="\x00")
    results = await asyncio.gather(
        put(writer, b"<xml>1</xml>"), bad, put(writer, b"<xml>2</xml>"), return_exceptions=True
    )
    await writer.close()
    assert [type(result) for result in results] == [type(None), StoreUnavailable, type(None)]
    assert [row.payload for row in await rows(postgres_db)] == ["<xml>1</xml>", "<xml>2</xml>"]


async def test_a_naive_time_is_refused(db: Database, writer: InboxWriter) -> None:
    """A callback without a zone on its time is a mistake of ours, and writes nothing (promise 12)."""
    with pytest.raises(ValueError, match="naive"):
        await put(writer, b"<xml/>", at=NOON.replace(tzinfo=None))
    assert await rows(db) == []


async def test_one_who_stops_waiting_harms_nobody(db: Database, writer: InboxWriter) -> None:
    """A caller that was cancelled (its connection went away) does not take the others' answers with it."""
    first, second = (asyncio.create_task(put(writer, xml)) for xml in (b"<xml>1</xml>", b"<xml>2</xml>"))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert "<xml>2</xml>" in [row.payload for row in await rows(db)]


async def test_takes_turns_with_the_worker(sqlite_db: Database, bell: Bell) -> None:
    """While a worker holds SQLite's one pen a callback waits, and is written as soon as the worker is done."""
    writer = InboxWriter(sqlite_db, wake=bell)
    async with sqlite_db.write():
        waiting = asyncio.create_task(put(writer, b"<xml/>"))
        async with asyncio.timeout(0.2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 0.05)
    await waiting
    await writer.close()
    assert len(await rows(sqlite_db)) == 1


async def test_a_database_that_was_away_is_found_again(postgres_url: str) -> None:
    """While PostgreSQL is away nothing is acknowledged; when it is back the writer and the door work by themselves."""
    db = await Database.open(postgres_url)
    writer = InboxWriter(db, wake=lambda: None)
    await put(writer, b"<xml>before</xml>")
    address, name = postgres_url.rsplit("/", 1)
    admin = await asyncpg.connect(f"{address}/postgres")
    await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    for _ in range(2):
        answers = await asyncio.gather(*(put(writer, b"<xml>%d</xml>" % i) for i in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    with pytest.raises(StoreUnavailable):
        async with db.write() as tx:
            await tx.get(Inbox, 1)
    await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await admin.close()
    await put(writer, b"<xml>after</xml>")
    assert [row.payload for row in await rows(db)] == ["<xml>before</xml>", "<xml>after</xml>"]
    await writer.close()
    await db.close()


# --- real processes ---------------------------------------------------------------------------------------------------

CHILD = """
import asyncio, json, os, resource, sys
from datetime import UTC, datetime
from store.database import Database, StoreUnavailable
from store.inbox_writer import InboxWriter

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

async def main(url):
    db = await Database.open(url)
    writer = InboxWriter(db, wake=lambda: None)
    async def put(name, body=""):
        await writer.put(f"<xml>{name}{body}</xml>".encode(), lane=2, ordering_key=None, received_at=NOON)
"""

ENDLESS = """
    async def caller(number):
        for turn in range(1_000_000):
            name = f"{number}.{turn}"
            await put(name)
            os.write(1, f"{name}\\n".encode())  # only now: it was acknowledged
    await asyncio.gather(*(caller(number) for number in range(16)))

asyncio.run(main(sys.argv[1]))
"""


async def test_kill_9_loses_nothing_that_was_acknowledged(db_url: str, size: Callable[[int, int], int]) -> None:
    """Every callback whose put() returned is in the inbox after the process was killed in the middle of its work."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD + ENDLESS, db_url, stdout=pipe)
    assert child.stdout is not None
    acknowledged = [(await child.stdout.readline()).decode() for _ in range(size(300, 20_000))]
    child.send_signal(signal.SIGKILL)
    rest = (await child.stdout.read()).decode()
    await child.wait()
    acknowledged += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    db = await Database.open(db_url)
    written = {row.payload for row in await rows(db)}
    await db.close()
    assert "" not in acknowledged, "the child ended by itself"
    assert {f"<xml>{line.strip()}</xml>" for line in acknowledged} <= written


FULL = """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    told = {}
    async def tell(name, body):
        try:
            await put(name, body)
            told[name] = True
        except StoreUnavailable:
            told[name] = False
    for turn in range(20):
        await asyncio.gather(*(tell(f"{turn}.{number}", "x" * 10_000) for number in range(8)))
    try:
        async with db.write() as tx:
            connection = await tx.connection()
            for turn in range(100):
                await connection.exec_driver_sql("UPDATE inbox SET last_error = hex(randomblob(5000))")
        told["the worker"] = True
    except StoreUnavailable:
        told["the worker"] = False
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await put("afterwards")
    async with db.write() as tx:
        await (await tx.connection()).exec_driver_sql("UPDATE inbox SET last_error = 'written afterwards'")
    print(json.dumps(told))
    await writer.close()
    await db.close()

asyncio.run(main(sys.argv[1]))
"""


async def test_a_full_disk_is_never_a_success(sqlite_url: str) -> None:
    """On a full disk put() raises, and what it did acknowledge is there; with room again it goes on by itself."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD + FULL, sqlite_url, stdout=pipe)
    told: dict[str, bool] = json.loads((await child.communicate())[0])
    assert child.returncode == 0
    assert told.pop("the worker") is False
    assert set(told.values()) == {True, False}, "the limit must be met on the way"
    db = await Database.open(sqlite_url)
    written = await rows(db)
    await db.close()
    there = {row.payload.removeprefix("<xml>").rstrip("x</ml>") for row in written}
    assert {name for name, good in told.items() if good} | {"afterwards"} == there
    assert {row.last_error for row in written} == {"written afterwards"}


async def test_a_full_disk_of_postgres_is_never_a_success(postgres_url: str) -> None:
    """Where PostgreSQL cannot make its files larger put() raises; with room again it goes on by itself."""
    db = await Database.open(postgres_url)
    writer = InboxWriter(db, wake=lambda: None)
    await put(writer, b"<xml>before</xml>")
    admin = await asyncpg.connect(postgres_url)
    pids = await admin.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    root = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    limit = f"--fsize={16 * 1024 * 1024}:"  # bytes: a segment of its log must fit
    for row in pids:
        subprocess.run([*root, "prlimit", "--pid", f"{row['pid']}", limit], check=True, timeout=10)  # noqa: ASYNC221
    failed = 0
    for number in range(40):
        try:
            await put(writer, b"<xml>%d%s</xml>" % (number, os.urandom(400_000).hex().encode()))
        except StoreUnavailable:
            failed += 1
            break
    assert failed == 1
    await put(writer, b"<xml>after</xml>")
    payloads = [row.payload for row in await rows(db)]
    assert len(payloads) == number + 2
    assert payloads[-1] == "<xml>after</xml>"
    await admin.close()
    await writer.close()
    await db.close()
