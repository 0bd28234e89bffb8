"""Forgetting: once a day what nobody will ask about any more leaves the database, a little at a time."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from loguru import logger

from store import (
    api_calls,
    cards,
    checkin_pictures,
    checkins,
    entrances,
    inbox,
    join_ways,
    messages,
    outbox,
    posts,
    reports,
    seats,
    sends,
    trace,
    waiting,
)
from store.database import Database, Tx

PAYLOADS_KEPT = 7
"""Days after which a finished event's payload goes. What it came to is in the trace, the cases and the roster."""

DEEDS_KEPT = 90
"""Days after which what a finished message said goes. That there was one, about what and when, stays for two years."""


async def prune(store: Database, now: datetime) -> int:
    """Forget what is old enough; says how many rows that were. Each transaction is short: callbacks come between."""

    async def events(tx: Tx) -> int:
        return await inbox.prune(tx, now=now, keep_days=PAYLOADS_KEPT)

    async def deeds(tx: Tx) -> int:
        return await outbox.prune(tx, now=now, keep_days=DEEDS_KEPT)

    async def answers(tx: Tx) -> int:
        return await trace.prune(tx, now=now)

    async def said(tx: Tx) -> int:
        return await messages.prune(tx, now=now)

    async def sent(tx: Tx) -> int:
        return await sends.prune(tx, now=now)

    async def calendar(tx: Tx) -> int:
        return await posts.prune(tx, now=now)

    async def doors(tx: Tx) -> int:
        some = (seats.prune, waiting.prune, entrances.prune_visits, join_ways.prune)
        return sum([await each(tx, now=now) for each in some])

    async def days(tx: Tx) -> int:
        return await checkins.prune(tx, now=now) + await checkin_pictures.prune(tx, now=now)

    queues, features = (events, deeds, answers, said), (sent, calendar, doors, days)
    forgotten = sum([await _until_done(store, some) for some in (*queues, *features)])
    async with store.write() as tx:
        await api_calls.prune(tx, now=now)
        forgotten += await reports.prune(tx, now=now)
        await cards.prune_mailings(tx, now=now)
    logger.info("pruned {} old rows", forgotten)
    return forgotten


async def _until_done(store: Database, some: Callable[[Tx], Awaitable[int]]) -> int:
    forgotten = 0
    while True:
        async with store.write() as tx:
            now_forgotten = await some(tx)
        if not now_forgotten:
            return forgotten
        forgotten += now_forgotten
