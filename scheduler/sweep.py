"""The shape of every file here: `sweep` raises what is due as inbox rows, `next_due` says when there is more.

A sweep clears what it raises in the same transaction, and its keys are deterministic: two processes that sweep at
once raise each event once. It locks what it clears and skips what is locked: one that comes second must not clear
again what a handler has set meanwhile.
"""

from datetime import datetime
from typing import Protocol

from store.database import Tx


class Sweep(Protocol):
    """One feature that has a clock."""

    async def sweep(self, tx: Tx, now: datetime) -> int:
        """Raises what is due; says how much that was."""

    async def next_due(self, tx: Tx) -> datetime | None:
        """The earliest moment at which there is something to raise; None where nothing waits."""
