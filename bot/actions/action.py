"""The shape of every action: a file with three functions. The worker alone calls them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx2

from bot.links import Links
from bot.wxpay import WxPay
from rules.clock import Clock
from store.database import Database, Tx
from wecom.errors import PlatformError
from wecom.gateway import Gateway


@dataclass(frozen=True)
class Hands:
    """What an action may use to act.

    `client` is for other addresses than WeCom's; `loopback_only`: those have to be on this machine. `content`: the
    folder of the config, below which its pictures lie. `wxpay`: the merchant account, where there is one.
    """

    wecom: Gateway
    links: Links
    client: httpx2.AsyncClient
    clock: Clock
    webhook_secret: str | None = None
    loopback_only: bool = False
    content: Path = Path()
    wxpay: WxPay | None = None


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


class LooksUp(Action, Protocol):
    """An action whose call the platform does not know again, but can be asked about: before it is called another time,
    what became of the earlier call is looked up.
    """

    SHOWN_WITHIN: timedelta
    """How soon after a call a look shows what it did. What is not shown by then was not done."""

    async def resolve(self, deed: Any, since: datetime, hands: Hands, store: Database) -> Any | None:
        """What an earlier call (at `since`) came to, as `carry_out` would have answered; None: nothing is there.

        Raises PlatformError.
        """
