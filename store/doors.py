"""What a page has to know of somebody at a door: the seats they have, how one gets in, and where they are inside."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from store.built import once
from store.columns import table_of
from store.database import Tx
from store.join_ways import JoinWayRow
from store.rooms import RoomRow
from store.roster import GroupRow, MemberRow
from store.seats import SeatRow

_SEATS, _ROOMS, _WAYS = table_of(SeatRow), table_of(RoomRow), table_of(JoinWayRow)
_GROUPS, _MEMBERS = table_of(GroupRow), table_of(MemberRow)


class Theirs(NamedTuple):
    """A seat that somebody has, its room, and how one gets into it. `status` None: no join way was ordered."""

    id: int
    chat_id: str
    kind: str
    scanned: str
    shared: bool
    state: str
    due_at: datetime | None
    shown_at: datetime | None
    name: str
    status: str | None
    qr_code: str | None


async def of_visitor(tx: Tx, visitor_id: int) -> dict[str, Theirs]:
    """Every seat that this visitor has, by the kind that they came for."""
    rows = await (await tx.connection()).execute(_OF_VISITOR, {"visitor": visitor_id})
    return {row.kind: row for row in map(Theirs._make, rows)}


_OF_VISITOR = once(
    select(
        _SEATS.c.id,
        _SEATS.c.chat_id,
        _SEATS.c.kind,
        _SEATS.c.scanned,
        _SEATS.c.shared,
        _SEATS.c.state,
        _SEATS.c.due_at,
        _SEATS.c.shown_at,
        _ROOMS.c.name,
        _WAYS.c.status,
        _WAYS.c.qr_code,
    )
    .select_from(
        _SEATS.join(_ROOMS, _ROOMS.c.chat_id == _SEATS.c.chat_id).outerjoin(_WAYS, _WAYS.c.id == _ROOMS.c.way_id)
    )
    .where(_SEATS.c.visitor_id == bindparam("visitor"), _SEATS.c.visitor_key.is_not(None))
)


class Inside(NamedTuple):
    """A customer group that somebody is in."""

    chat_id: str
    name: str
    kind: str


async def inside(tx: Tx, external_userid: str) -> list[Inside]:
    """The groups that somebody is in now, the oldest stay first."""
    rows = await (await tx.connection()).execute(_INSIDE, {"who": external_userid})
    return [Inside._make(row) for row in rows]


_INSIDE = once(
    select(_GROUPS.c.chat_id, _GROUPS.c.name, _GROUPS.c.kind)
    .join_from(_MEMBERS, _GROUPS, _GROUPS.c.chat_id == _MEMBERS.c.chat_id)
    .where(_MEMBERS.c.external_userid == bindparam("who"), _MEMBERS.c.left_at.is_(None))
    .where(_GROUPS.c.dismissed_at.is_(None))
    .order_by(_MEMBERS.c.seen_at, _GROUPS.c.chat_id)
)
