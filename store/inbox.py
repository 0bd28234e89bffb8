"""What happened and is to be worked on: callbacks as they came, and events of our own. One row each, once each."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlmodel import Field

from rules.events import AnyEvent, any_event
from store.columns import UtcTime, canonical_json, table_of
from store.database import Tx
from store.forgetting import forget
from store.queue import QueueRow, queue_indexes
from store.queue import put as put_row

Source = Literal["callback", "timer", "page", "ingest", "reconcile"]

DIGESTS_KEPT = timedelta(days=7)
"""How long a finished row is remembered at least: what is delivered again within it has no second effect."""


class Inbox(QueueRow, table=True):
    """`digest`: hex SHA-256 of the decrypted XML, or of the key of an event of our own.

    `payload`: the XML as it came, or the event as canonical JSON; "" once pruned.
    """

    __tablename__ = "inbox"
    __table_args__ = (*queue_indexes("inbox"), {"sqlite_autoincrement": True})

    source: str
    digest: str = Field(unique=True)
    payload: str
    received_at: datetime = Field(sa_type=UtcTime)


async def put(  # the columns of a row, by name
    tx: Tx,
    *,
    source: Source,
    key: str,
    event: AnyEvent,
    lane: int,
    ordering_key: str | None,
    due_at: datetime,
    now: datetime,
) -> bool:
    """Raises an event of our own once: `key` says what makes it this one. False: it was raised before."""
    values = {
        "source": source,
        "digest": digest(key.encode()),
        "payload": canonical_json(any_event.dump_python(event, mode="json")),
        "lane": lane,
        "ordering_key": ordering_key,
        "due_at": due_at,
        "created_at": now,
        "received_at": now,
    }
    return await put_row(tx, Inbox, unique="digest", values=values)


def digest(content: bytes) -> str:
    """What makes an inbox row unique."""
    return hashlib.sha256(content).hexdigest()


def event_of(row: Inbox) -> AnyEvent:
    """The event in a row that is not a callback (a callback's payload is XML, which `wecom.callbacks` reads)."""
    return event_from(row.payload)


def event_from(payload: str) -> AnyEvent:
    """Likewise, of a payload alone."""
    return any_event.validate_json(payload)


async def finished_callbacks(tx: Tx) -> int:
    """How many callbacks have been worked on to the end."""
    core = table_of(Inbox)
    done = select(func.count()).where(core.c.source == "callback", core.c.finished_at.is_not(None))
    return (await (await tx.connection()).execute(done)).scalar_one()


async def last_callback(tx: Tx) -> datetime | None:
    """When the newest callback came that is still on record."""
    core = table_of(Inbox)
    newest = select(core.c.received_at).where(core.c.source == "callback").order_by(core.c.id.desc()).limit(1)
    return (await (await tx.connection()).execute(newest)).scalar_one_or_none()


async def prune(tx: Tx, *, now: datetime, keep_days: int, at_most: int = 1000) -> int:
    """Empties rows finished `keep_days` ago, and forgets empty ones after 7 days. Dead rows stay for people to see.

    Answers how many rows it touched, `at_most` of each sort: call it again, in a new transaction, until that is 0.
    """
    keep = timedelta(days=keep_days)
    return await forget(
        tx,
        Inbox,
        emptied={"payload": ""},
        keep_until=now - keep,
        remember_until=now - max(keep, DIGESTS_KEPT),
        at_most=at_most,
    )
