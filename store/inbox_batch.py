"""Many events of our own at once into the inbox: one statement, for sources that deliver them by the thousand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.dialects import postgresql, sqlite

from rules.events import AnyEvent, any_event
from store.columns import canonical_json, table_of
from store.database import Tx
from store.inbox import Inbox, Source, digest


class ToPut(NamedTuple):
    """An event that is due at once. `key` says what makes it this one, as for `store.inbox.put`."""

    key: str
    event: AnyEvent
    ordering_key: str | None


async def put_many(tx: Tx, items: Sequence[ToPut], *, source: Source, lane: int, now: datetime) -> int:
    """Raises each event once, in the order given. Answers how many had not been raised before."""
    if not items:
        return 0
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    core = table_of(Inbox)
    # With RETURNING, SQLAlchemy makes one INSERT of many rows out of the list; without it, one INSERT for each.
    statement = insert(core).on_conflict_do_nothing(index_elements=["digest"]).returning(core.c.id)
    same: dict[str, Any] = {"source": source, "lane": lane, "state": "open", "attempts": 0}
    same |= {"due_at": now, "created_at": now, "received_at": now}
    return len((await connection.execute(statement, [same | _own(item) for item in items])).all())


def _own(item: ToPut) -> dict[str, Any]:
    return {
        "digest": digest(item.key.encode()),
        "payload": canonical_json(any_event.dump_python(item.event, mode="json")),
        "ordering_key": item.ordering_key,
    }
