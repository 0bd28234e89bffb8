"""Promise 10: secrets appear in no log, error, trace, page or command's output, whatever goes wrong.

The scrubber of `bot/logs.py` is left out here: it is the last line, and nothing should ever get that far.
"""

import asyncio
import logging
import os
import re
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from io import StringIO
from itertools import count
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from loguru import logger

from bot.logs import redact, set_up_logs
from simulator import Faults, Limits, VirtualClock, World
from tests.promises.conftest import AES_KEY, ROOT, Street, everything, street
from wecom.errors import PlatformError

SECRETS = {
    "wecom_secret": "corp-Secret/of+the+app",
    "wecom_callback_token": "theTokenOfCallbacks",
    "wecom_callback_aes_key": AES_KEY,
    "steward_secret_key": "a-Key+that/signs=links",
    "steward_metrics_token": "the-Metrics/token",
    "steward_admin_password": "the-Admin/password",
    "steward_ingest_secret": "the-Ingest/secret",
    "steward_webhook_secret": "the-Webhook/secret",
}
PASSWORD = "the-Database-password"


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything that is logged, down to DEBUG, without the scrubber."""
    stream = StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_logs("DEBUG", [], stream)
    yield stream
    logger.remove()
    logger.configure(patcher=redact([]))
    root.handlers[:], root.level = before, level


def assert_tells_nothing(text: str, secrets: list[str]) -> None:
    """None of the secrets is in the text, plain, in a URL, or with its first half only."""
    for secret in secrets:
        for form in (secret, quote(secret, safe=""), repr(secret)[1:-1], secret[: len(secret) // 2 + 1]):
            at = text.find(form)
            assert at < 0, f"a secret is told: …{text[max(0, at - 200) : at + 100]}…"


class Troubled:
    """A life in which all sorts of things go wrong, and all the tokens that the platform gave out in it."""

    def __init__(self, life: Street) -> None:
        self.life = life
        self.tokens: set[str] = set()
        self._names = count()

    def secrets(self) -> list[str]:
        links = {
            link for sent in self.life.world.sent for link in re.findall(r"/(?:todo|open)/([\w.-]{20,})", sent.text)
        }
        return [*SECRETS.values(), *self.tokens, *links]

    async def something_happens(self) -> None:
        """A rival and a customer enter, and a while passes."""
        world = self.life.world
        for chat_id in world.groups:
            world.join(chat_id, world.add_rival(f"对手{next(self._names)}", "对手公司"))
            world.join(chat_id, world.add_customer(f"顾客{next(self._names)}"))
        await self.life.run(timedelta(minutes=3))
        self.tokens |= set(world.tokens._issued)


@pytest.fixture
async def troubled(sqlite_url: str, logged: StringIO) -> AsyncIterator[Troubled]:
    world = World(
        clock=VirtualClock(),
        secret=SECRETS["wecom_secret"],
        token=SECRETS["wecom_callback_token"],
        aes_key=SECRETS["wecom_callback_aes_key"],
        limits=Limits.none(),
    )
    assert isinstance(world.clock, VirtualClock)
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五").does("removes_and_presses", after=timedelta(seconds=20))
    async with street(world, world.clock, sqlite_url, settings=SECRETS) as life:
        world.create_group("静安群", owner="wangwu")
        trouble = Troubled(life)
        await trouble.something_happens()
        yield trouble


async def the_platform_refuses(trouble: Troubled) -> None:
    """Tokens taken back, a wrong secret, an address that is not allowed, no permission."""
    world = trouble.life.world
    world.invalidate_token()
    await trouble.something_happens()
    world.secret = "another"
    world.invalidate_token()
    await trouble.something_happens()
    world.secret = SECRETS["wecom_secret"]
    for switch in ("ip_allowed", "contact_permission"):
        setattr(world, switch, False)
        await trouble.something_happens()
        setattr(world, switch, True)


async def the_wire_fails(trouble: Troubled) -> None:
    """Connections cut before and after, broken answers, answers that come too late."""
    world = trouble.life.world
    kinds = ("platform_busy", "error_5xx", "error_5xx_after_effect", "cut", "cut_after_effect", "slow")
    world.faults = Faults(**dict.fromkeys(kinds, 0.2))  # type: ignore[arg-type]  # only rates
    for _ in range(3):
        world.invalidate_token()
        await trouble.something_happens()
    world.faults.stop()
    await trouble.life.run(timedelta(minutes=10))
    world.join(next(iter(world.groups)), world.add_rival("张三", "对手公司"))
    await trouble.life.run(timedelta(seconds=2))
    world.faults.cut_after_effect = 1.0  # as the card goes out
    await trouble.life.run(timedelta(seconds=5))
    world.faults.stop()


async def the_database_breaks(trouble: Troubled, path: str) -> None:
    """A table is gone for a while: statements fail in the middle of everything."""
    connection = sqlite3.connect(path)
    for table in ("members", "trace"):
        connection.execute(f"ALTER TABLE {table} RENAME TO gone")
        await trouble.something_happens()
        connection.execute(f"ALTER TABLE gone RENAME TO {table}")
    connection.close()


async def strangers_call(trouble: Troubled) -> list[httpx2.Response]:
    """Everything that a callback can be and should not, and pages that are not there or not for everybody."""
    life = trouble.life
    query, body = life.world.courier.sealed("<xml><Event>e</Event></xml>", life.clock.now())
    bad_queries = [{}, {**query, "msg_signature": "0" * 40}, {**query, "timestamp": "1"}, {**query, "nonce": "x"}]
    bad_bodies = ["", "<xml>", "<xml><Event>plain</Event></xml>", body.replace("A", "B"), "x" * 2_000_000]
    answers = [
        await life.to_bots.post("http://bot/callback", params=each, content=body.encode()) for each in bad_queries
    ]
    answers += [
        await life.to_bots.post("http://bot/callback", params=query, content=each.encode()) for each in bad_bodies
    ]
    answers.append(await life.to_bots.get("http://bot/callback", params={**query, "echostr": "AAAA"}))
    assert {answer.status_code for answer in answers} <= {400, 403, 413}
    return answers


async def pages(life: Street) -> list[httpx2.Response]:
    """All that anybody may look at, also with a wrong or forged key."""
    paths = (
        "/healthz",
        "/readyz",
        "/metrics",
        "/nothing",
        "/WW_verify_abc.txt",
        "/todo/forged",
        "/open/forged",
        "/docs",
    )
    headers = [{}, {"accept": "text/html"}, {"x-forwarded-for": "1.2.3.4", "authorization": "Bearer wrong"}]
    return [await life.to_bots.get(f"http://bot{path}", headers=each) for path in paths for each in headers]


async def test_whatever_goes_wrong_no_secret_is_told(troubled: Troubled, logged: StringIO, sqlite_url: str) -> None:
    """Through refusals, cut connections, a broken database and forged callbacks, no secret, access token or signed link
    is in any log line, page, metric or answer, nor in the database."""
    life = troubled.life
    await the_platform_refuses(troubled)
    await the_wire_fails(troubled)
    await the_database_breaks(troubled, sqlite_url.removeprefix("sqlite:///"))
    answers = await strangers_call(troubled) + await pages(life)
    await life.run(timedelta(hours=1))
    for bot in life.bots:
        await bot.measure()
    answers += await pages(life)

    said, secrets = logged.getvalue(), troubled.secrets()
    for sign in ("40001", "60020", "48002", "-1002", "refused: signature", "Traceback", "no such table"):
        assert sign in said, f"what was to go wrong did not: {sign}"
    assert len(troubled.tokens) >= 3
    assert_tells_nothing(said, secrets)
    for answer in answers:
        assert_tells_nothing(f"{answer.text}{answer.headers}", secrets)
    assert_tells_nothing(repr(await everything(life.bots[0].store)), secrets)


@pytest.mark.parametrize("kind", ["platform_busy", "error_5xx", "cut", "cut_after_effect", "slow"])
async def test_an_error_carries_no_secret(troubled: Troubled, kind: str) -> None:
    """What the gateway raises tells no secret in its text, its repr, its cause or its context."""
    world, wecom = troubled.life.world, troubled.life.bots[0].worker.wecom
    for before in ("a call", "gettoken"):
        setattr(world.faults, kind, 1.0)
        if before == "gettoken":
            world.invalidate_token()
            troubled.life.clock.advance(timedelta(hours=3))
        with pytest.raises(PlatformError) as caught:
            await wecom.get("user/get", userid="wangwu")
        world.faults.stop()
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
        assert_tells_nothing(told, troubled.secrets())


def command(folder: Path, *arguments: str, **settings: str) -> tuple[subprocess.Popen[str], list[str]]:
    """Start a command of ours, with all the secrets in its environment. It and the secrets."""
    values = SECRETS | settings
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "WECOM_CORP_ID": "ww1",
        "WECOM_AGENT_ID": "1000002",
        "WECOM_API_BASE": "http://127.0.0.1:9",
        "STEWARD_PUBLIC_URL": "http://127.0.0.1:9",
        "STEWARD_PORT": "0",
        **{name.upper(): value for name, value in values.items()},
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, [*values.values(), PASSWORD]


async def test_no_command_tells_a_secret(tmp_path: Path) -> None:
    """`serve` with a database that is away or with secrets that cannot be used, `doctor` and `status` with a platform
    that does not answer: all say what is wrong, and none says a secret."""
    (tmp_path / "config.yaml").write_text("managers: [李华]\n")
    away = f"postgresql://steward:{PASSWORD}@127.0.0.1:9/steward"
    started = [
        command(tmp_path, "serve", database_url=away),
        command(tmp_path, "serve", wecom_callback_aes_key="not-43-characters-Long", steward_secret_key="tooShort"),
        command(tmp_path, "serve", database_url=f"mysql://steward:{PASSWORD}@127.0.0.1/steward"),
        command(tmp_path, "doctor"),
        command(tmp_path, "status", database_url=away),
    ]
    for process, secrets in started:
        told, _ = await asyncio.to_thread(process.communicate, timeout=90)
        assert process.returncode in (1, 2), told
        assert len(told) > 20
        assert_tells_nothing(told, [each for each in secrets if "://" not in each])
