"""SQLite has one writer: here writers queue for their turn, and those that come together share one commit.

A commit waits for the disk, which takes longer than most transactions do. So a writer that ends while another one is
waiting hands the open transaction on, as a savepoint that was kept; the last of them commits for all. Nobody is told
"written" before that commit, and a writer that fails undoes its own savepoint only.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

SHARED_BY = 8
"""So many writers share a commit at most: the first one waits for the last."""

Commit = Callable[[], Awaitable[Exception | None]]
"""Commits what is open, if anything is. Returns what went wrong, raises nothing."""


class Turns:
    """First come, first served."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._taken = False
        self._waiting: deque[tuple[asyncio.Future[None], bool]] = deque()
        self._holder: asyncio.Task[object] | None = None
        self._sharers = 0
        self._written: asyncio.Future[Exception | None] | None = None
        self._committing: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """A turn for somebody with a connection of their own: no transaction is open meanwhile."""
        await self._take(shares=False)
        try:
            yield
        finally:
            self._leave()

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator["asyncio.Future[Exception | None]"]:
        """A turn on the shared connection. What it gives comes with the commit: None, or what went wrong."""
        await self._take(shares=True)
        self._sharers += 1
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        try:
            yield asyncio.shield(self._written)  # one who is cancelled must not take it from the others
        finally:
            self._leave()

    async def quiet(self) -> None:
        """Returns when no commit is on its way."""
        if self._committing is not None:
            await self._committing

    async def _take(self, *, shares: bool) -> None:
        task = asyncio.current_task()
        if self._holder is not None and self._holder is task:
            raise RuntimeError("this task is writing already: hand its transaction on")
        if self._taken:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((turn, shares))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # the turn came, and so did the cancellation
                    self._leave()
                raise
        self._taken, self._holder = True, task

    def _leave(self) -> None:
        self._holder = None
        while self._waiting and self._waiting[0][0].done():  # whoever waited was cancelled
            self._waiting.popleft()
        next_shares = bool(self._waiting) and self._waiting[0][1]
        if self._written is None or (next_shares and self._sharers < SHARED_BY):
            self._pass_on()
        else:
            self._committing = asyncio.create_task(self._commit_for_all())

    async def _commit_for_all(self) -> None:
        error = await self._commit()
        if self._written is not None:
            self._written.set_result(error)
        self._written, self._sharers, self._committing = None, 0, None
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
