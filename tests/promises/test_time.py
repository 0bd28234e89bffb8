"""Promise 12: time is passed in, and stored times are aware and in UTC. (Business days and weeks: tests/rules.)"""

import ast
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel

from simulator import VirtualClock, World
from store import tables
from store.columns import UtcTime
from store.database import Database
from store.inbox import Inbox
from tests.promises.conftest import AES_KEY, ROOT, Street, everything, street

FLOORS = ("bot", "handlers", "scheduler", "store", "wecom", "rules")

ASKS_THE_WALL = {
    "datetime": {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"},
    "date": {"today", "fromtimestamp"},
    "time": {
        *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"),
        *("sleep", "localtime", "gmtime", "ctime"),
    },
    "asyncio": {"sleep"},
}

# file → what may stand in it, and why
ALLOWED: dict[str, dict[str, str]] = {
    "bot/clocks.py": {"datetime.now": "the one place that asks the wall clock"},
    "bot/cli.py": {"asyncio.sleep": "the pace at which people can read the demo"},
    "bot/demo/__init__.py": {"asyncio.sleep": "`--stay` lets virtual time go on as real time does"},
}


def wall_clock_calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """`datetime.now(…)`, `time.sleep(…)` and the like, also by another name (`import time as t`, `from time import …`).

    `fromtimestamp` with a time zone asks nobody; without one it asks where this machine stands.
    """
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            owner, _, what = f"{names.get(first, first)}.{rest}".rstrip(".").rpartition(".")
            reads_a_number = what == "fromtimestamp" and (len(node.args) == 2 or node.keywords)
            if what in ASKS_THE_WALL.get(owner.rpartition(".")[2], ()) and not reads_a_number:
                yield f"{owner.rpartition('.')[2]}.{what}", node


def test_nobody_asks_the_wall_clock() -> None:
    """No code of ours asks what time it is, or waits by itself, but where the list above says why."""
    found: list[str] = []
    unused = {(file, call) for file, calls in ALLOWED.items() for call in calls}
    for path in sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        for name, call in wall_clock_calls(ast.parse(path.read_text(), file)):
            if name not in ALLOWED.get(file, {}):
                found.append(f"{file}:{call.lineno} {name}")
            unused.discard((file, name))
    assert not found
    assert not unused, "allowed without need"


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.sleep(1)",
        "import time as t\nt.time()",
        "from time import monotonic as m\nm()",
        "from datetime import datetime\ndatetime.now(UTC)",
        "import datetime as d\nd.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
    ],
)
def test_the_look_at_the_code_can_find_something(code: str) -> None:
    """The test above sees these."""
    assert list(wall_clock_calls(ast.parse(code)))


def test_every_time_that_is_stored_has_the_type_for_it() -> None:
    """All columns that hold a time are of the one type that takes aware times only and gives UTC back."""
    assert tables
    times = [
        column
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, UtcTime) or issubclass(column.type.python_type, datetime)
    ]
    assert len(times) > 10
    assert {type(column.type) for column in times} == {UtcTime}


async def a_life_was_lived(life: Street) -> None:
    """A case is opened, reminded of and closed; another is released."""
    world = life.world
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五").does("removes_and_presses", "says_mistake", ignores_first=1)
    chat_id = world.create_group("静安群", owner="wangwu").chat_id
    for name in ("张三", "李四"):
        world.join(chat_id, world.add_rival(name, "对手公司"))
        await life.run(timedelta(minutes=15))


async def test_all_that_is_stored_is_aware_and_utc(db_url: str) -> None:
    """After a life on either engine, every time that is read back knows its zone and that is UTC; and so say the files
    themselves, read without our code: text that ends in Z on SQLite, TIMESTAMPTZ on PostgreSQL."""
    world = World(clock=VirtualClock(), aes_key=AES_KEY)
    assert isinstance(world.clock, VirtualClock)
    async with street(world, world.clock, db_url) as life:
        await a_life_was_lived(life)
        rows = await everything(life.bots[0].store)
    times = [value for each in rows.values() for row in each for value in row if isinstance(value, datetime)]
    assert len(times) > 50
    assert {time.tzinfo for time in times} == {UTC}
    assert {table for table, each in rows.items() if each} >= {"inbox", "outbox", "groups", "members", "cases", "cards"}
    columns = [
        (table.name, column.name)
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, UtcTime)
    ]
    if db_url.startswith("sqlite"):
        assert times_in_file(db_url.removeprefix("sqlite:///"), columns) == {(27, "Z")}
    else:
        assert await types_of(db_url, columns) == {"timestamp with time zone"}


def times_in_file(path: str, columns: list[tuple[str, str]]) -> set[tuple[int, str]]:
    """Length and last letter of every time."""
    connection = sqlite3.connect(path)
    found = {
        (len(text), text[-1])
        for table, column in columns
        for (text,) in connection.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')  # noqa: S608
    }
    connection.close()
    return found


async def types_of(url: str, columns: list[tuple[str, str]]) -> set[str]:
    """What PostgreSQL calls the types of these columns, and of all others of ours that hold a time."""
    admin = await asyncpg.connect(url)
    rows = await admin.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    )
    await admin.close()
    kinds = {(row["table_name"], row["column_name"]): row["data_type"] for row in rows}
    return {kinds[each] for each in columns} | {kind for kind in kinds.values() if kind.startswith("time")}


async def test_a_naive_time_cannot_be_stored(db: Database) -> None:
    """A time without a zone names no moment: it is refused, not guessed at."""
    naive = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001  # that is the point
    row = Inbox(
        lane=1, due_at=naive, created_at=naive, received_at=naive, source="timer", digest="d", payload="{}", id=1
    )
    with pytest.raises(StatementError):
        async with db.write() as tx:
            tx.add(row)
