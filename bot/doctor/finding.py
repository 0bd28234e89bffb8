"""What the doctor is given, and what it finds."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx2

from bot.settings import Settings
from rules.clock import Clock
from rules.value import Value
from store.database import Database
from wecom.gateway import Gateway


class Finding(Value):
    """One thing that was looked at. `cure`: what to do and where to click. `errcode`: the platform's, if it gave one.

    `state`: ok; wrong; unsure (nobody can tell yet, or only a person can); skipped (something before it is wrong).
    """

    check: str
    state: Literal["ok", "wrong", "unsure", "skipped"]
    text: str
    cure: str = ""
    errcode: int | None = None


def ok(check: str, text: str) -> Finding:
    return Finding(check=check, state="ok", text=text)


def wrong(check: str, text: str, cure: str, errcode: int | None = None) -> Finding:
    return Finding(check=check, state="wrong", text=text, cure=cure, errcode=errcode)


def unsure(check: str, text: str, cure: str) -> Finding:
    return Finding(check=check, state="unsure", text=text, cure=cure)


def skipped(check: str, text: str) -> Finding:
    return Finding(check=check, state="skipped", text=text)


@dataclass
class Overheard:
    """What the platform's answers say besides. `listen` is a response hook of the client.

    `skew`: how far our clock is ahead of the platform's. `our_ip`: from which address it saw us, where it says so (that
    is in errmsg: shown to people, never decided upon).
    """

    api_host: str
    clock: Clock
    skew: timedelta | None = None
    our_ip: str = ""

    async def listen(self, response: httpx2.Response) -> None:
        if response.url.host != self.api_host or not response.url.path.startswith("/cgi-bin/"):
            return
        if date := response.headers.get("date"):
            self.skew = self.clock.now() - parsedate_to_datetime(date).astimezone(UTC)
        await response.aread()
        try:
            answer = json.loads(response.content)
        except ValueError:
            return
        if isinstance(answer, dict) and answer.get("errcode") == 60020:
            found = re.search(r"from ip: ?([0-9a-fA-F.:]+)", str(answer.get("errmsg")))
            self.our_ip = found[1] if found else ""


@dataclass(frozen=True)
class Patient:
    """`public`: where the outside reaches the bot. `local`: the running process, without a proxy in between.

    `store` is None where there is no database yet, or it cannot be used: `store_trouble` says why. `random(n)` gives n
    random bytes.
    """

    settings: Settings
    store: Database | None
    wecom: Gateway
    client: httpx2.AsyncClient
    overheard: Overheard
    clock: Clock
    random: Callable[[int], bytes]
    public: str
    local: str
    store_trouble: str = ""
