"""The shape of every action: a file with three functions. The worker alone calls them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx2

from bot.links import Links
from rules.clock import Clock
from store.database import Tx
from wecom.errors import PlatformError
from wecom.gateway import Gateway


@dataclass(frozen=True)
class Hands:
    """What an action may use to act.

    `client` is for other addresses than WeCom's; `loopback_only`: those have to be on this machine.
    """

    wecom: Gateway
    links: Links
    client: httpx2.AsyncClient
    clock: Clock
    webhook_secret: str | None = None
    loopback_only: bool = False


class Action(Protocol):
    """How one kind of deed is carried out.

    `is_wanted` is asked right before the call. An unknown outcome is sent again where `REPEATABLE` (the platform knows
    the second for the first), else it is taken for done.
    """

    REPEATABLE: bool

    async def is_wanted(self, deed: Any, tx: Tx) -> bool: ...

    async def carry_out(self, deed: Any, hands: Hands) -> Any:
        """The one call. Raises PlatformError."""

    async def record(self, deed: Any, result: Any, tx: Tx, now: datetime) -> None:
        """What follows from success, in the transaction that ends the row."""

    async def give_up(self, deed: Any, error: PlatformError, tx: Tx, now: datetime) -> None:
        """What follows when it will not be tried again, in the transaction that ends the row."""
