"""The shape of every action: a file with three functions. The worker alone calls them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.links import Links
from store.database import Tx
from wecom.errors import PlatformError
from wecom.gateway import Gateway


@dataclass(frozen=True)
class Hands:
    """What an action may use to act."""

    wecom: Gateway
    links: Links


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
