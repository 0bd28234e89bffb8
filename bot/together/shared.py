"""What a process shares with the others of its installation, with Redis and without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.server import Check
from bot.settings import Settings
from bot.together.bells import Bells
from bot.together.limits import SharedLimits
from bot.together.link import Link, connect
from bot.together.tokens import SharedTokens
from rules.clock import Clock
from wecom.limits import ApiLimits, Limiter
from wecom.tokens import MemoryTokens, TokenCache


@dataclass(frozen=True)
class Shared:
    """`link` and `bells`: None without Redis. `checks`: for `/readyz`."""

    tokens: TokenCache
    limiter: Limiter
    link: Link | None = None
    bells: Bells | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)

    def ring(self, bell: str) -> None:
        """Let the other processes hear, where there are any."""
        if self.bells is not None:
            self.bells.ring(bell)


@asynccontextmanager
async def share(settings: Settings, clock: Clock, new_token: Callable[[], str]) -> AsyncIterator[Shared]:
    """In Redis where `REDIS_URL` names one, be it there or not; else in this process alone."""
    if settings.redis_url is None:
        yield Shared(MemoryTokens(), ApiLimits(clock))
        return
    client = connect(settings.redis_url.get_secret_value())
    link = Link(client)
    prefix = f"steward:{settings.wecom_corp_id}"
    try:
        yield Shared(
            SharedTokens(link, prefix, clock, new_token, asyncio.sleep),
            SharedLimits(link, prefix, clock),
            link,
            Bells(link, f"{prefix}:bells", new_token()),
            {"redis": lambda: _redis(link)},
        )
    finally:
        await client.aclose()


async def _redis(link: Link) -> tuple[bool, str]:
    """Never "not ready": without it the bot is slower, and loses nothing."""
    return True, "answers" if link.up else "away: slower, nothing is lost"
