"""What a measurement needs around it: processes on cores of their own, the bot among them, databases, free ports."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator import corp

ROOT = Path(__file__).parent.parent
CORES = sorted(os.sched_getaffinity(0))
BOT_CORE, OTHER_CORE = CORES[0], CORES[-1]


@contextlib.contextmanager
def process(
    *arguments: str | Path, core: int, folder: Path, env: Mapping[str, str] | None = None, stop: int = signal.SIGTERM
) -> Iterator[subprocess.Popen[str]]:
    """A process with all its threads on one core, stopped by pid at the end. Its stderr goes to a file in `folder`.

    It runs in `folder` and has no environment but PATH, PYTHONPATH and `env`: nobody's .env is read.
    """
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(env or {})}
    log = tempfile.NamedTemporaryFile(dir=folder, suffix=".log", delete=False)  # noqa: SIM115 - closed below
    with log, _on(core):
        running = subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    with running:
        try:
            yield running
        finally:
            running.send_signal(stop)
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
            said = Path(log.name).read_text()
            if running.returncode not in (0, -stop):
                print(said[-4000:], file=sys.stderr)


def python(*arguments: str) -> tuple[str, ...]:
    """`python -m …` of this very installation."""
    return (sys.executable, "-m", *arguments)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _on(core: int) -> Iterator[None]:
    """What is started meanwhile stays on this core, and so do its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def bot(*, role: str, port: int, database: str, api: str, config: str, folder: Path) -> Iterator[int]:
    """`steward serve`, the real thing, once it answers on `port`; gives its pid."""
    (folder / "config.yaml").write_text(config)
    env = {
        "WECOM_CORP_ID": corp.CORP_ID,
        "WECOM_AGENT_ID": str(corp.AGENT_ID),
        "WECOM_SECRET": corp.SECRET,
        "WECOM_CALLBACK_TOKEN": corp.TOKEN,
        "WECOM_CALLBACK_AES_KEY": corp.AES_KEY,
        "WECOM_API_BASE": api,
        "DATABASE_URL": database,
        "STEWARD_PUBLIC_URL": "http://127.0.0.1",
        "STEWARD_SECRET_KEY": "a-key-for-benchmarks-only",
        "STEWARD_CONFIG": str(folder / "config.yaml"),
        "STEWARD_PORT": str(port),
    }
    with process(*python("bot.cli", "serve", "--role", role), core=BOT_CORE, folder=folder, env=env) as running:
        wait_for_port(port, running)
        yield running.pid


def wait_for_port(port: int, running: subprocess.Popen[str]) -> None:
    """Returns once something listens there. RuntimeError: the process has ended, or half a minute has passed."""

    def listens() -> bool:
        if running.poll() is not None:
            raise RuntimeError(f"{running.args!r} has ended")
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    _wait_until(listens)


def _wait_until(ready: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds:.0f} s in vain")
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postgres:
    """A server of our own, durable as it comes (fsync on)."""

    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://steward@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def postgres() -> Iterator[Postgres | None]:
    """A fresh server on the core the bot is not on; None where none is installed."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))
    root = os.geteuid() == 0
    if binaries is None or (root and not shutil.which("setpriv")):
        yield None
        return
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if root else ()
    with tempfile.TemporaryDirectory(prefix="steward-bench-pg-") as name:
        folder, data = Path(name), Path(name, "data")
        data.mkdir(mode=0o700)
        if root:
            for path in (folder, data):
                os.chown(path, pwd.getpwnam("postgres").pw_uid, -1)
        initdb = (*as_postgres, str(binaries / "initdb"), "-D", str(data), "-U", "steward", "-A", "trust", "-E", "UTF8")
        subprocess.run(initdb, check=True, capture_output=True)
        port = free_port()
        serve = (*as_postgres, binaries / "postgres", "-D", data, "-p", str(port))
        options = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
        with process(*serve, *options, core=OTHER_CORE, folder=folder, stop=signal.SIGINT) as running:
            wait_for_port(port, running)
            yield Postgres(port)
