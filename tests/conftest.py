"""What tests of every floor may ask for: databases (both engines), Redis, a seed, sizes, and a way to wait.

Servers are real ones on free ports of 127.0.0.1, started at first use, once per pytest-xdist worker, stopped by pid.
A machine without them skips visibly; on CI that is a failure.
"""

import asyncio
import contextlib
import gc
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import asyncpg
import pytest
import redis

from store.database import Database
from store.migrate import upgrade

# --- seeds and sizes --------------------------------------------------------------------------------------------------


def pytest_configure() -> None:
    gc.disable()  # until all is collected: what is imported stays
    # In the environment before xdist starts its workers, so that all of them have the same one.
    os.environ.setdefault("STEWARD_SEED", str(random.SystemRandom().randrange(2**31)))
    # A database in memory waits for no disk. No promise is about losing power: killed processes lose no file.
    if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder in it that only we can read
ENOUGH_BYTES = 2_000_000_000


def pytest_collection_finish() -> None:
    gc.freeze()  # and is not looked through again and again while tests run
    gc.enable()


def pytest_report_header() -> str:
    return f"seed: STEWARD_SEED={os.environ['STEWARD_SEED']}, size: {os.environ.get('STEWARD_TEST_SIZE', 'test')}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    if report.failed:
        report.sections.append(("seed", f"run again with STEWARD_SEED={os.environ['STEWARD_SEED']}"))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # `make soak` runs what is marked soak: that is also every test that asks for its size.
    if os.environ.get("STEWARD_TEST_SIZE") == "soak":
        for item in items:
            if "size" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run, the same in all workers. STEWARD_SEED sets it."""
    return int(os.environ["STEWARD_SEED"])


@pytest.fixture(scope="session")
def size() -> Callable[[int, int], int]:
    """`size(small, big)`: small in `make test`, big in `make soak` (STEWARD_TEST_SIZE=soak)."""
    soak = os.environ.get("STEWARD_TEST_SIZE") == "soak"
    return lambda small, big: big if soak else small


# --- waiting for real processes ---------------------------------------------------------------------------------------


def _wait_until(what: str, ready: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """`wait_until("what", ready, seconds=20)`: the one helper that polls; for other processes only."""
    return _wait_until


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "steward.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """Where a SQLite database may be made."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
async def sqlite_db(sqlite_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    async with _opened(sqlite_url) as database:
        yield database


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


class PostgresServer(NamedTuple):
    """A server of ours. `folder` is its data directory. `by_copying`: how a database is made soonest."""

    port: int
    folder: Path
    by_copying: str

    def url(self, database: str) -> str:
        return f"postgresql://steward@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server with a migrated database named `template_steward`."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))
    if binaries is None or (os.geteuid() == 0 and not shutil.which("setpriv")):
        _missing("PostgreSQL (initdb and postgres in /usr/lib/postgresql/*/bin, and setpriv for root)")
    folder = Path(tempfile.mkdtemp(prefix="steward-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    try:
        data = folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (folder, data):
                os.chown(path, pwd.getpwnam("postgres").pw_uid, -1)
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "steward",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        as_postgres = ["setpriv", *_AS_POSTGRES] if _AS_POSTGRES else []
        subprocess.run([*as_postgres, *initdb], check=True, capture_output=True)
        port = _free_port()
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options |= {"full_page_writes": "off", "max_connections": "60", "autovacuum": "off"}
        options |= {"wal_level": "minimal", "max_wal_senders": "0"}
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *arguments]
        # By files, not through the log; before version 15 there is no other way, and no word for it.
        server = PostgresServer(port, data, " STRATEGY file_copy" if int(binaries.parent.name) >= 15 else "")
        with _process(command, folder / "log", signal.SIGINT, _AS_POSTGRES) as process:
            _wait_until("PostgreSQL answers", lambda: _alive(process, folder / "log") and _answers(server))
            _run(_administer(server, 'CREATE DATABASE "template_steward"'))
            _run(upgrade(server.url("template_steward")))
            yield server
    finally:
        shutil.rmtree(folder)


_numbers = count(1)


@contextlib.contextmanager
def _postgres_database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"steward_{next(_numbers)}"
    _run(_administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"{server.by_copying}'))
    yield server.url(name)
    _run(_administer(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with _postgres_database(postgres_server, "template_steward") as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database with nothing in it."""
    with _postgres_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
async def postgres_db(postgres_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    async with _opened(postgres_url) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def db_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own: the test runs once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_db_url(request: pytest.FixtureRequest) -> str:
    """A database without tables: the test runs once on each engine."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    async with _opened(db_url) as database:
        yield database


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url)
    try:
        yield database
    finally:
        await database.close()


async def _administer(server: PostgresServer, statement: str) -> None:
    """CREATE or DROP, after making sure that this is our own server and nobody else's."""
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        assert await connection.fetchval("SHOW data_directory") == str(server.folder)
        await connection.execute(statement)
    finally:
        await connection.close()


def _answers(server: PostgresServer) -> bool:
    try:
        _run(_administer(server, "SELECT 1"))
    except (OSError, asyncpg.PostgresError):
        return False
    return True


# initdb and postgres refuse to run as root.
_AS_POSTGRES = ("--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()


# --- Redis ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[int]:
    """The port of a Redis server that writes nothing to disk."""
    binary = shutil.which("redis-server")
    if binary is None:
        _missing("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="steward-redis-"))
    try:
        port = _free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        with _process(command, folder / "log", signal.SIGTERM) as process:
            _wait_until("Redis answers", lambda: _alive(process, folder / "log") and _pong(port))
            yield port
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def redis_url(redis_server: int) -> str:
    """An empty Redis."""
    with redis.Redis(port=redis_server) as client:
        client.flushall()
    return f"redis://127.0.0.1:{redis_server}/0"


class OwnRedis:
    """A Redis of one test's own, to be stopped, frozen and started again on the same port. It forgets all each time."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary, self._folder = binary, folder
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        log = self._folder / "log"
        self._process = process = self._running.enter_context(
            _process([*command, "--dir", str(self._folder)], log, signal.SIGTERM)
        )
        _wait_until("Redis answers", lambda: _alive(process, log) and _pong(self.port))

    def stop(self) -> None:
        """Gone, with all that it knew."""
        self.signal(signal.SIGCONT)
        self._running.close()
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP: it takes connections and answers nothing. SIGCONT: it goes on."""
        if self._process is not None:
            self._process.send_signal(number)


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """A Redis that this test may stop. It runs."""
    binary = shutil.which("redis-server")
    if binary is None:
        _missing("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="steward-redis-"))
    own = OwnRedis(binary, folder)
    try:
        own.start()
        yield own
    finally:
        own.stop()
        shutil.rmtree(folder)


def _pong(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


# --- processes --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _process(
    command: list[str], log: Path, stop: signal.Signals, privileges: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server; stops it by its pid. It also stops where this process is killed, so that none is left behind."""
    if shutil.which("setpriv"):  # in one call: a change of user forgets the signal
        command = ["setpriv", *privileges, f"--pdeathsig={stop.name.removeprefix('SIG')}", *command]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.send_signal(stop)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _alive(process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, f"the server ended by itself: {log.read_text()[-2000:]}"
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"not installed on CI: {what}")
    pytest.skip(f"not installed: {what}")


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Runs to the end in a loop and thread of its own: fixtures may be set up while a test's loop is there."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
