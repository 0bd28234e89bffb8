"""The stock of entrances is looked at soon after a seat was given, every quarter of an hour, and at once under a new
config.

Groups that come or go ask for a look by themselves (handlers/giving.py). Late or missed: the next look does all of it.
"""

from datetime import datetime, timedelta

from rules.events import StockDue
from rules.lanes import NORMAL
from scheduler.reconcile import Round
from store import configs, entrances, inbox, reconcile, seats
from store.database import Tx

EVERY = Round(every=timedelta(minutes=15), at=timedelta(minutes=4))
SOON = timedelta(seconds=20)
"""How long after a seat was given: with whatever else was given meanwhile."""
IDLE = Round(every=timedelta(hours=24), at=timedelta(hours=4))
"""Where no config has ever had an entrance."""


async def sweep(tx: Tx, now: datetime) -> int:
    raised = 0
    name, seen = await _name(tx), await entrances.seen_until(tx)
    if (given := await seats.first_since(tx, seen)) is not None and given + SOON <= now:
        raised += await _raise(tx, f"stock:since:{seen.isoformat()}", now)
    row = (await reconcile.rounds(tx)).get(name)
    plan = EVERY if await entrances.are_any(tx) else IDLE
    if row is None:
        await reconcile.drop_rounds(tx, "stock:")  # of configs that are not in force any more: nobody would clear them
        first = EVERY.after(now)  # by then the first look has said whether there are entrances
        await reconcile.plan_round(tx, name, due_at=first)
        raised += await _raise(tx, f"{name}:first", now)
    elif row.due_at <= now:
        when, row.due_at = row.due_at, plan.after(now)
        raised += await _raise(tx, f"{name}:{when.isoformat()}", now)
    await tx.flush()
    return raised


async def _raise(tx: Tx, key: str, now: datetime) -> int:
    return await inbox.put(
        tx,
        source="timer",
        key=key,
        event=StockDue(at=now),
        lane=NORMAL,
        ordering_key="stock",
        due_at=now,
        now=now,
    )


async def next_due(tx: Tx) -> datetime | None:
    by_clock = await reconcile.round_due(tx, await _name(tx))
    first = await seats.first_since(tx, await entrances.seen_until(tx))
    return by_clock if first is None else min(by_clock, first + SOON)


async def _name(tx: Tx) -> str:
    return f"stock:{await configs.newest_id(tx) or 0}"
