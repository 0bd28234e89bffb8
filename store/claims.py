"""A room is somebody's: the one statement that gives a prepared group, or a place in a shared one, to one of many who
ask at once (promise 6), and what takes it back within the same transaction.
"""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Update, bindparam, select, update

from rules.entrances import Target
from store.built import once
from store.columns import UtcTime, table_of
from store.database import Tx
from store.rooms import RoomRow, literal

_ROOMS = table_of(RoomRow)


class Claimed(NamedTuple):
    """A room that somebody has just been given."""

    id: int
    chat_id: str
    kind: str
    shop: str
    bare: bool
    way_id: int | None


async def claim_free(tx: Tx, target: Target, *, now: datetime) -> Claimed | None:
    """Takes a prepared room that nobody has; those whose code is ready first. None: there is none."""
    which = {"of_kind": target.kind, "of_shop": target.shop, "at": now}
    if not target.shop:
        del which["of_shop"]
    found = (await (await tx.connection()).execute(_claim_free(bool(target.shop)), which)).first()
    return Claimed._make(found) if found else None


async def give_back(tx: Tx, room_id: int) -> None:
    """A claim of this very transaction was for nothing."""
    await (await tx.connection()).execute(_GIVE_BACK, {"room": room_id})


async def claim_shared(tx: Tx, target: Target, *, room_for: int, evenly: bool, rather: str | None) -> Claimed | None:
    """Promises a place in a shared room that has one: in order, or where the fewest are. `rather`: this chat_id, where
    there is any room in it at all.
    """
    which = {"of_kind": target.kind, "of_shop": target.shop, "room_for": room_for, "rather": rather or ""}
    if not target.shop:
        del which["of_shop"]
    statement = _claim_shared(bool(target.shop), evenly=evenly)
    found = (await (await tx.connection()).execute(statement, which)).first()
    return Claimed._make(found) if found else None


async def take_promise_back(tx: Tx, chat_id: str) -> None:
    """Somebody who was promised a place in a shared room has come, or does not come any more."""
    await (await tx.connection()).execute(_UNPROMISE, {"chat": chat_id})


@cache
def _claim_free(of_shop: bool) -> Update:  # noqa: FBT001 - one of two statements
    row = _ROOMS.alias("row_")
    chosen = select(row.c.id).where(row.c.state == literal("free"), row.c.kind == bindparam("of_kind"))
    if of_shop:
        chosen = chosen.where(row.c.shop == bindparam("of_shop"))
    # A CTE: see store/queue.py.
    ids = chosen.order_by(row.c.bare, row.c.id).limit(1).with_for_update(of=row, skip_locked=True).cte("chosen")
    return once(
        update(_ROOMS)
        .where(_ROOMS.c.id.in_(select(ids.c.id)))
        .values(state="used", since=bindparam("at", type_=UtcTime()))
        .returning(*(_ROOMS.c[name] for name in Claimed._fields))
    )


@cache
def _claim_shared(of_shop: bool, *, evenly: bool) -> Update:  # noqa: FBT001 - likewise
    row = _ROOMS.alias("row_")
    taken = row.c.size + row.c.promised
    chosen = select(row.c.id).where(
        row.c.state == literal("open"), row.c.kind == bindparam("of_kind"), taken < bindparam("room_for")
    )
    if of_shop:
        chosen = chosen.where(row.c.shop == bindparam("of_shop"))
    order = (taken, row.c.id) if evenly else (row.c.id,)
    chosen = chosen.order_by((row.c.chat_id == bindparam("rather")).desc(), *order)
    ids = chosen.limit(1).with_for_update(of=row).cte("chosen")
    return once(
        update(_ROOMS)
        .where(_ROOMS.c.id.in_(select(ids.c.id)), _ROOMS.c.size + _ROOMS.c.promised < bindparam("room_for"))
        .values(promised=_ROOMS.c.promised + 1)
        .returning(*(_ROOMS.c[name] for name in Claimed._fields))
    )


_GIVE_BACK = update(_ROOMS).where(_ROOMS.c.id == bindparam("room")).values(state="free")
_UNPROMISE = (
    update(_ROOMS)
    .where(_ROOMS.c.chat_id == bindparam("chat"), _ROOMS.c.promised > 0)
    .values(promised=_ROOMS.c.promised - 1)
)
