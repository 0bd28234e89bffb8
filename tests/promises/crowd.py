"""People who scan over real HTTP: browsers with cookies of ours, at any of several web processes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sqlalchemy import insert

from bot.links import Links
from rules.clock import Clock
from simulator.webview import AGENTS
from store.columns import table_of
from store.database import Database
from store.identities import ProofRow, VisitorRow

SAYS = {"长按上面的二维码": "code", "正在准备": "preparing", "正在为您排队": "waiting", "暂时都满了": "full"}
"""What a page shows, by words on it."""


async def newcomers(store: Database, corp_id: str, people: int, *, now: datetime) -> list[int]:
    """So many visitors who have been through WeChat's login: their numbers."""
    async with store.write() as tx:
        connection = await tx.connection()
        made = insert(table_of(VisitorRow)).returning(table_of(VisitorRow).c.id)
        numbers = sorted((await connection.execute(made, [{"made_at": now}] * people)).scalars())
        proofs = [
            {
                "visitor_id": number,
                "home": number,
                "kind": "openid",
                "appid": corp_id,
                "value": f"o{number:027}",
                "evidence": "oauth",
                "source": "",
                "at": now,
            }
            for number in numbers
        ]
        await connection.execute(insert(table_of(ProofRow)), proofs)
    return numbers


@dataclass
class Crowd:
    """`urls`: the web processes, as far as they answer. `seen`: what each saw last; `answers`: by status and door.

    `refused`: how often a process did not answer, and another was asked.
    """

    clock: Clock
    urls: list[str]
    secret_key: str
    seen: dict[int, str] = field(default_factory=dict)
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    refused: int = 0
    done: int = 0

    async def rush(
        self, visitors: Sequence[int], *, at_once: int, meanwhile: Callable[[int], None] | None = None
    ) -> None:
        """All of them scan, so many at once. `meanwhile` is told after each scan how many there have been."""
        left = iter(visitors)

        async def one_after_the_other() -> None:
            for visitor in left:
                await self.scan(visitor)
                self.done += 1
                if meanwhile is not None:
                    meanwhile(self.done)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))

    async def scan(self, visitor: int) -> str:
        """One person opens the page of the poster; where nobody answers they try again, at whichever process is up."""
        now = int(self.clock.now().timestamp())
        cookie = Links("", self.secret_key, self.clock).seal("visitor", ["customer", visitor, "", now, "wechat"])
        headers = {
            "host": "127.0.0.1",
            "user-agent": AGENTS["wechat"],
            "cookie": f"steward_visitor={cookie}",
            "x-forwarded-for": f"11.{visitor // 65536}.{visitor // 256 % 256}.{visitor % 256}",
            "connection": "close",
        }
        for url in self._each_url(visitor):
            try:
                status, page = await get(url, "/e/vip-tea", headers)
            except (OSError, EOFError, IndexError):  # nobody listens there, or whoever did was killed meanwhile
                self.refused += 1
                if url in self.urls and len(self.urls) > 1:
                    self.urls.remove(url)
                await asyncio.sleep(0.05)  # of somebody's patience
                continue
            shown = next((door for words, door in SAYS.items() if words in page), "?")
            self.answers[status, shown] += 1
            if status == 503:  # 「请过一会儿再试」: they do
                continue
            self.seen[visitor] = shown
            return shown
        raise AssertionError("nobody answers")

    def _each_url(self, visitor: int) -> Iterator[str]:
        random = Random(visitor + self.done)
        for _ in range(200):
            yield random.choice(self.urls)


async def get(url: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and text. As little as it takes: ten thousand browsers and the simulator share one process. Raises OSError
    or EOFError where nothing is answered, IndexError where half of it is.
    """
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write("\r\n".join([f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split()[1]), (await reader.readexactly(length)).decode()
    finally:
        writer.close()
