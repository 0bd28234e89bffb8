"""What is to be done in the world: one row per deed, written with the change that caused it, carried out afterwards."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Field, col, select

from rules.actions import AnyDeed, any_deed
from store.columns import canonical_json
from store.database import Tx, UtcTime
from store.forgetting import forget
from store.queue import QueueRow, queue_indexes
from store.queue import put as put_row

A_LEASE = timedelta(minutes=5)
"""Longer than any lease: one that ends later was given while the clock was wrong."""

KEYS_KEPT = timedelta(days=730)
"""How long a finished deed is remembered at least, without what it said: it is not ordered again within it, and
`explain` tells that there was something.
"""


class Outbox(QueueRow, table=True):
    """`key`: what makes the deed this one. `about`: such as "case:12". `payload`: the deed as canonical JSON; `result`:
    what came of it. Once pruned they are "" and None. `called_at`: the last call whose outcome nobody knows.
    """

    __tablename__ = "outbox"
    __table_args__ = (*queue_indexes("outbox"), {"sqlite_autoincrement": True})

    key: str = Field(unique=True)
    kind: str
    payload: str
    result: str | None = None
    called_at: datetime | None = Field(default=None, sa_type=UtcTime)
    about: str | None = Field(default=None, index=True)


async def put(  # the columns of a row, by name
    tx: Tx,
    deed: AnyDeed,
    *,
    key: str,
    lane: int,
    ordering_key: str | None,
    due_at: datetime,
    now: datetime,
    about: str | None = None,
) -> bool:
    """Orders a deed once. False: a deed with this key was ordered before."""
    values = {
        "key": key,
        "kind": deed.kind,
        "payload": canonical_json(any_deed.dump_python(deed, mode="json")),
        "about": about,
        "lane": lane,
        "ordering_key": ordering_key,
        "due_at": due_at,
        "created_at": now,
    }
    return await put_row(tx, Outbox, unique="key", values=values)


async def was_called(tx: Tx, key: str) -> bool:
    """Whether a call was made for this deed of which nobody knows what came."""
    query = select(Outbox.called_at).where(col(Outbox.key) == key)
    return (await tx.exec(query)).first() is not None


async def in_flight(tx: Tx, ordering_key: str, *, now: datetime) -> bool:
    """Whether somebody holds a deed of this key at this moment: it may be being done."""
    held = select(Outbox.id).where(Outbox.ordering_key == ordering_key, Outbox.state == "open")
    until = col(Outbox.leased_until)
    return (await tx.exec(held.where(until > now, until < now + A_LEASE).limit(1))).first() is not None


async def not_later_than(tx: Tx, prefix: str, latest: datetime, *, now: datetime) -> None:
    """What has a key that begins so and is due later than anything can be is due now: the clock was wrong."""
    late = col(Outbox.ordering_key).startswith(prefix, autoescape=True) & (col(Outbox.due_at) > latest)
    await tx.exec(update(Outbox).where(late, col(Outbox.state) == "open").values(due_at=now))


def deed_of(row: Outbox) -> AnyDeed:
    """The deed in a row."""
    return any_deed.validate_json(row.payload)


async def prune(tx: Tx, *, now: datetime, keep_days: int, at_most: int = 1000) -> int:
    """Empties deeds finished `keep_days` ago, and forgets empty ones after two years. Dead rows stay for people to see.

    Answers how many rows it touched, `at_most` of each sort: call it again, in a new transaction, until that is 0.
    """
    keep = timedelta(days=keep_days)
    return await forget(
        tx,
        Outbox,
        emptied={"payload": "", "result": None},
        keep_until=now - keep,
        remember_until=now - max(keep, KEYS_KEPT),
        at_most=at_most,
    )
