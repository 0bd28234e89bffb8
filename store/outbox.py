"""What is to be done in the world: one row per deed, written with the change that caused it, carried out afterwards."""

from datetime import datetime

from sqlmodel import Field

from rules.actions import AnyDeed, any_deed
from store.columns import canonical_json
from store.database import Tx
from store.queue import QueueRow, queue_indexes
from store.queue import put as put_row


class Outbox(QueueRow, table=True):
    """`key`: what makes the deed this one. `payload`: the deed as canonical JSON. `about`: such as "case:12"."""

    __tablename__ = "outbox"
    __table_args__ = (*queue_indexes("outbox"), {"sqlite_autoincrement": True})

    key: str = Field(unique=True)
    kind: str
    payload: str
    result: str | None = None
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


def deed_of(row: Outbox) -> AnyDeed:
    """The deed in a row."""
    return any_deed.validate_json(row.payload)
