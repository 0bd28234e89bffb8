"""The worker: claims a row, has it worked on, and writes down what came of it. It alone opens and commits transactions.

An event: look up (no transaction) → one transaction: "done", if the lease is still mine → handle → trace. A deed: still
wanted, still mine? → the call (no transaction) → one transaction: record → "done". What fails is a row with a later
`due_at`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from loguru import logger
from pydantic import BaseModel

from bot import log_ids, retries
from bot.actions import ACTIONS, LOOK_UPS
from bot.actions.action import Action, Hands, LooksUp
from bot.metrics import Metrics
from bot.registry import HANDLERS, SWEEPS
from handlers import anew
from handlers.handler import Handler
from rules.book import Book
from rules.clock import Clock
from rules.events import AnyEvent, UnknownEvent
from rules.lanes import WELCOME
from store import inbox, outbox, payouts, posts, queue, sends, trace
from store.database import Clash, Database, StoreUnavailable, Tx
from store.inbox import Inbox
from store.outbox import Outbox
from store.queue import LeaseLost
from wecom.callbacks import read_event
from wecom.errors import NO_ANSWER, OUTCOME_UNKNOWN, PlatformError
from wecom.gateway import Gateway
from wecom.xml import BadXml

LEASE = timedelta(seconds=30)
CLOCK_WAS_WRONG = timedelta(minutes=1)
LOOK_UP_WITHIN = 20.0  # seconds; below the lease, so that nobody else starts meanwhile
LOOKED_FOR = timedelta(days=3)
"""How long at least it is asked what a call came to, where asking itself fails."""


@dataclass
class Rules:
    """The configuration in force and its hash. The one thing of the worker that changes while it runs.

    `refused`: in English, why a newer one was not taken up; "" where none was refused.
    """

    book: Book
    config: str = ""
    refused: str = ""


@dataclass
class Swept:
    """When this process looked last for what is due."""

    at: datetime | None = None


Row = TypeVar("Row", Inbox, Outbox)


@dataclass(frozen=True)
class Claimed(Generic[Row]):
    """A row and the token of the lease it is held under."""

    row: Row
    token: str


@dataclass(frozen=True)
class Worker:
    """Works one row at a time; several tasks and several processes may call it at once."""

    store: Database
    wecom: Gateway
    rules: Rules
    clock: Clock
    metrics: Metrics
    new_token: Callable[[], str]
    hands: Hands
    actions: Mapping[str, Action]
    swept: Swept = field(default_factory=Swept)

    async def sweep(self) -> int:
        """Raise what the clock has made due."""
        now = self.clock.now()
        if self.swept.at is not None and now < self.swept.at - CLOCK_WAS_WRONG:
            logger.warning("the clock went back from {} to {}", self.swept.at, now)
            async with self.store.write() as tx:
                await posts.look_again(tx, now=now)
                await sends.look_again(tx, now=now)
                await payouts.look_again(tx, now=now)
        self.swept.at = now
        async with self.store.read() as tx:
            due = [each for each in SWEEPS if (at := await each.next_due(tx)) is not None and at <= now]
        if not due:
            return 0
        try:
            async with self.store.write() as tx:
                return sum([await each.sweep(tx, now) for each in due])
        except Clash:
            return 0  # another process is raising the same; what it leaves is raised by the next sweep

    async def next_due(self) -> datetime | None:
        """When there is something to do next; None where nothing waits."""
        async with self.store.read() as tx:
            moments = [await sweep.next_due(tx) for sweep in SWEEPS]
            moments += [await queue.next_due(tx, Inbox), await queue.next_due(tx, Outbox)]
        return min((at for at in moments if at is not None), default=None)

    async def _write(self, keep: Callable[[Tx], Awaitable[None]]) -> None:
        """One transaction; done again where it clashed with another. What was looked up or sent is not done again."""
        for tries_left in (2, 1, 0):
            try:
                async with self.store.write() as tx:
                    await keep(tx)
                return
            except Clash:
                if not tries_left:
                    raise

    async def claim(self) -> tuple[Claimed[Outbox] | None, Claimed[Inbox] | None]:
        """Take the next row that is due, under a lease: a deed, or where none is due an event."""
        token, now = self.new_token(), self.clock.now()
        async with self.store.write() as tx:
            deed = await queue.claim(tx, Outbox, now=now, lease=LEASE, token=token)
            if deed is not None:
                return Claimed(deed, token), None
            event = await queue.claim(tx, Inbox, now=now, lease=LEASE, token=token)
        return None, None if event is None else Claimed(event, token)

    # --- events -------------------------------------------------------------------------------------------------------

    async def claim_event(self) -> Claimed[Inbox] | None:
        """Take the next event that is due, under a lease."""
        return next(iter(await self.claim_events(1)), None)

    async def claim_events(self, at_most: int) -> list[Claimed[Inbox]]:
        """Take the next events that are due, under one lease."""
        return await self._claim(Inbox, at_most)

    async def claim_welcome_events(self, at_most: int) -> list[Claimed[Inbox]]:
        """Likewise only those that bring a welcome code: whatever else is being worked on, they do not wait."""
        return await self._claim(Inbox, at_most, lanes=(WELCOME,))

    async def handle(self, claimed: Claimed[Inbox]) -> None:
        """Work on an event that was claimed. Raises nothing: what goes wrong is written on the row."""
        with logger.contextualize(event=claimed.row.id):
            await self._hold_on_to(claimed.row, claimed.token)

    async def _claim(self, table: type[Row], at_most: int, lanes: tuple[int, ...] | None = None) -> list[Claimed[Row]]:
        token, now = self.new_token(), self.clock.now()
        async with self.store.write() as tx:
            rows = await queue.claim_some(tx, table, now=now, lease=LEASE, token=token, at_most=at_most, lanes=lanes)
        return [Claimed(row, token) for row in rows]

    async def _hold_on_to(self, row: Inbox, token: str) -> None:
        try:
            await self._work(row, token)
        except LeaseLost:
            logger.warning("event {} was taken over by another worker; nothing of ours was kept", row.id)
        except StoreUnavailable as error:
            logger.error("the database is not available; event {} waits for its lease to end: {}", row.id, error)

    async def _work(self, row: Inbox, token: str) -> None:
        try:
            event = read_event(row.payload.encode()) if row.source == "callback" else inbox.event_of(row)
        except (BadXml, ValueError) as error:
            await self._end_event(row, token, "dead", kind="unreadable", error=repr(error))
            return
        with logger.contextualize(**log_ids.of_event(event)):
            await self._work_on(row, token, event)

    async def _work_on(self, row: Inbox, token: str, event: AnyEvent) -> None:
        handler = HANDLERS.get(type(event))
        if handler is None:
            if isinstance(event, UnknownEvent):
                _log_unknown(row, event)
            await self._end_event(row, token, "ignored", kind=event.kind)
            return
        try:
            await self._handle(row, token, event, handler)
        except (LeaseLost, StoreUnavailable):
            raise
        except PlatformError as error:
            logger.log("ERROR" if error.treatment == "alert" else "WARNING", "event {}: {}", row.id, error)
            await self._event_failed(row, token, event, str(error), error.retry_after)
        except Exception as error:  # noqa: BLE001 - one bad event must not stop the others; it is retried, then shown
            logger.exception("event {} ({}) failed", row.id, event.kind)
            await self._event_failed(row, token, event, repr(error), None)

    async def _handle(self, row: Inbox, token: str, event: AnyEvent, handler: Handler) -> None:
        book, config = self.rules.book, self.rules.config
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN):
                seen = await handler.look_up(event, self.wecom, self.store, self.clock.now())
        except TimeoutError:
            raise PlatformError(NO_ANSWER, "look_up") from None
        now = self.clock.now()

        async def keep(tx: Tx) -> None:
            await queue.finish(tx, Inbox, row.id, token, "done", now=now)  # first: whoever lost the lease stops here
            decisions = await handler.handle(event, seen, tx, book, now)
            if decisions:
                chat_id = getattr(event, "chat_id", None)
                await trace.write(
                    tx, decisions, inbox_id=row.id, event=event.kind, chat_id=chat_id, config=config, now=now
                )

        await self._write(keep)
        self.metrics.event(row.source, event.kind, "done")
        self.metrics.event_lag(row.source, (now - row.received_at).total_seconds())

    async def _end_event(
        self, row: Inbox, token: str, state: queue.Settled, *, kind: str, error: str | None = None
    ) -> None:
        async with self.store.write() as tx:
            await queue.finish(tx, Inbox, row.id, token, state, now=self.clock.now(), last_error=error)
        self.metrics.event(row.source, kind, state)

    async def _event_failed(
        self, row: Inbox, token: str, event: AnyEvent, error: str, retry_after: timedelta | None
    ) -> None:
        """Try again a little later; after the last try, give the row up and have the truth read anew."""
        now = self.clock.now()
        again = retries.wait(retries.EVENTS, row, retry_after)
        async with self.store.write() as tx:
            if again is not None:
                await queue.retry_later(tx, Inbox, row.id, token, due_at=now + again, error=error)
            elif await anew.look_anew(tx, row, event, now=now) and row.source in ("timer", "reconcile"):
                await queue.finish(tx, Inbox, row.id, token, "ignored", now=now, last_error=error)
            else:
                await queue.bury(tx, Inbox, row.id, token, now=now, error=error)
        self.metrics.event(row.source, event.kind, "dead" if again is None else "retried")

    # --- deeds --------------------------------------------------------------------------------------------------------

    async def claim_deed(self) -> Claimed[Outbox] | None:
        """Take the next deed that is due, under a lease."""
        return next(iter(await self.claim_deeds(1)), None)

    async def claim_deeds(self, at_most: int) -> list[Claimed[Outbox]]:
        """Take the next deeds that are due, under one lease."""
        return await self._claim(Outbox, at_most)

    async def claim_welcome_deeds(self, at_most: int) -> list[Claimed[Outbox]]:
        """Likewise only greetings."""
        return await self._claim(Outbox, at_most, lanes=(WELCOME,))

    async def act(self, claimed: Claimed[Outbox]) -> None:
        """Carry out a deed that was claimed. Raises nothing: what goes wrong is written on the row."""
        row = claimed.row
        with logger.contextualize(deed=row.id, kind=row.kind):
            try:
                deed, action = outbox.deed_of(row), self.actions[row.kind]
                async with self.store.read() as tx:
                    ids = await log_ids.of_deed(row, tx)
                    wanted = await action.is_wanted(deed, tx)
                    mine = await queue.still_mine(tx, Outbox, row.id, claimed.token, now=self.clock.now())
                with logger.contextualize(**ids):
                    if not mine:
                        raise LeaseLost(f"outbox {row.id}")
                    if not wanted and row.called_at is None:
                        await self._end_deed(row, claimed.token, "ignored", "not wanted any more")
                        return
                    looks_up = LOOK_UPS.get(row.kind)
                    # Where another action stands in its place, nothing is called.
                    if looks_up is not None and action is looks_up:
                        await self._carry_out_once(row, claimed.token, deed, looks_up, wanted=wanted)
                    else:
                        await self._carry_out(row, claimed.token, deed, action)
            except LeaseLost:
                logger.warning("deed {} was taken over by another worker", row.id)
            except StoreUnavailable as error:
                logger.error("the database is not available; deed {} waits for its lease to end: {}", row.id, error)
            except Exception:  # noqa: BLE001 - one bad deed must not stop the others; its lease ends and it is retried
                logger.exception("deed {} ({}) failed", row.id, row.kind)

    async def _carry_out(self, row: Outbox, token: str, deed: Any, action: Action) -> None:
        try:
            result = await action.carry_out(deed, self.hands)
        except PlatformError as error:
            await self._deed_failed(row, token, deed, action, error)
            return
        await self._deed_done(row, token, deed, action, result)

    async def _carry_out_once(self, row: Outbox, token: str, deed: Any, action: LooksUp, *, wanted: bool) -> None:
        """A call that the platform does not know again is made only where no earlier one was carried out."""
        if row.called_at is not None:
            shown_at = row.called_at + action.SHOWN_WITHIN
            try:
                result = await action.resolve(deed, row.called_at, self.hands, self.store)
            except PlatformError as error:
                await self._look_again(row, token, deed, action, error, called_at=row.called_at, at=None)
                return
            if result is not None:
                await self._deed_done(row, token, deed, action, result)
                return
            if self.clock.now() < shown_at:
                unknown = PlatformError(OUTCOME_UNKNOWN, row.kind)
                await self._look_again(row, token, deed, action, unknown, called_at=row.called_at, at=shown_at)
                return
            if not wanted:
                await self._end_deed(row, token, "ignored", "not wanted any more")
                return
        called_at = self.clock.now()
        async with self.store.write() as tx:  # whoever lost the lease stops here
            await queue.note(tx, Outbox, row.id, token, called_at=called_at)
        try:
            result = await action.carry_out(deed, self.hands)
        except PlatformError as error:
            if error.treatment == "unknown_outcome":
                shown_at = called_at + action.SHOWN_WITHIN
                await self._look_again(row, token, deed, action, error, called_at=called_at, at=shown_at)
            else:
                await self._deed_failed(row, token, deed, action, error, called_at=None)
            return
        await self._deed_done(row, token, deed, action, result)

    async def _look_again(
        self,
        row: Outbox,
        token: str,
        deed: Any,
        action: Action,
        error: PlatformError,
        *,
        called_at: datetime,
        at: datetime | None,
    ) -> None:
        """Nobody knows yet what a call came to. After the last look that, too, is given up and shown."""
        now = self.clock.now()
        wait = retries.wait(retries.DEEDS, row, error.retry_after)
        if wait is None and error.treatment in ("retry", "unknown_outcome") and now < called_at + LOOKED_FOR:
            wait = retries.DEEDS[-1]
        async with self.store.write() as tx:
            if wait is not None:
                await queue.retry_later(tx, Outbox, row.id, token, due_at=at or now + wait, error=str(error))
            else:
                await queue.bury(tx, Outbox, row.id, token, now=now, error=str(error))
                await action.give_up(deed, error, tx, now)
        logger.warning("{} {}: what came of the call is not known yet: {}", row.kind, row.id, error)
        self.metrics.action(row.kind, "retried" if wait is not None else "failed")

    async def _deed_done(self, row: Outbox, token: str, deed: Any, action: Action, result: Any) -> None:
        now = self.clock.now()

        async def keep(tx: Tx) -> None:
            await action.record(deed, result, tx, now)
            await queue.finish(tx, Outbox, row.id, token, "done", now=now, result=_stored(result))

        await self._write(keep)
        self.metrics.action(row.kind, "done")

    async def _end_deed(self, row: Outbox, token: str, state: queue.Settled, result: str) -> None:
        async with self.store.write() as tx:
            await queue.finish(tx, Outbox, row.id, token, state, now=self.clock.now(), result=result)
        self.metrics.action(row.kind, state)

    async def _deed_failed(
        self, row: Outbox, token: str, deed: Any, action: Action, error: PlatformError, **values: Any
    ) -> None:
        """As promised for each kind (docs/architecture.md, promise 4): again, accepted, or given up and shown."""
        logger.log("ERROR" if error.treatment == "alert" else "WARNING", "{} {}: {}", row.kind, row.id, error)
        if error.treatment == "unknown_outcome" and not action.REPEATABLE:
            await self._end_deed(row, token, "done", "outcome unknown, taken for done")
            return
        now = self.clock.now()
        waits = retries.GREETINGS if row.lane == WELCOME else retries.DEEDS
        again = None if error.treatment == "refused" else retries.wait(waits, row, error.retry_after)
        async with self.store.write() as tx:
            if again is not None:
                await queue.retry_later(tx, Outbox, row.id, token, due_at=now + again, error=str(error), **values)
            else:
                await queue.bury(tx, Outbox, row.id, token, now=now, error=str(error))
                await action.give_up(deed, error, tx, now)
        self.metrics.action(row.kind, "retried" if again is not None else "failed")


def _stored(result: object) -> str | None:
    """What an action answered, for `explain`."""
    return result.model_dump_json() if isinstance(result, BaseModel) else str(result) if result else None


def _log_unknown(row: Inbox, event: UnknownEvent) -> None:
    logger.warning(
        "callback {}/{} is not known and was kept as inbox row {}. To support it: a class in rules/events/ and in "
        "wecom/callbacks.py the line  ({!r}, {!r}): _read_…,",
        event.event,
        event.change,
        row.id,
        event.event,
        event.change,
    )


def make_worker(
    *,
    store: Database,
    wecom: Gateway,
    rules: Rules,
    clock: Clock,
    metrics: Metrics,
    new_token: Callable[[], str],
    hands: Hands,
) -> Worker:
    """A worker with the actions that really act."""
    return Worker(
        store=store,
        wecom=wecom,
        rules=rules,
        clock=clock,
        metrics=metrics,
        new_token=new_token,
        hands=hands,
        actions=ACTIONS,
    )
