"""Codes that the platform made for us: join ways (加入群聊, pages 92229, 99547) and contact ways (联系我, page 92228).

Join ways cannot be listed: what is not written down here with its config_id is never found again. One whose making was
not answered is *orphaned*: another is made under another `state`, and who comes through the lost one is recognised by
the `state`. All of them count against the corp's 500,000.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, select
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows

from store.built import once
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, one
from store.seats import SeatRow

Purpose = Literal["seat", "shared", "native", "contact"]
Status = Literal["adding", "unread", "ready", "updating", "deleting", "gone", "orphaned", "failed"]

COUNTED = ("adding", "unread", "ready", "updating", "deleting", "orphaned")
"""Those that exist at the platform, or may."""

LIVE = ("unread", "ready", "updating")


class JoinWayRow(SQLModel, table=True):
    """One code. `purpose`: seat (into one prepared group), shared (into one shared group), native (an entrance's own
    code, into up to five groups), contact (adds a member of staff; `chat_ids` holds userids then).

    `state`: what the platform tells of who came through it, at most 30 characters. `status`: adding, unread (made, its
    picture not read yet), ready, updating, deleting, gone, orphaned (perhaps made, and lost), failed (refused).
    `chat_ids`, `auto_create_room` and the rest: what it is to be (the whole of it: an update overwrites).
    `number`: of the last deed that was ordered about it. `drift`: what a reading showed to be otherwise, in Chinese.
    """

    __tablename__ = "join_ways"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    state: str = Field(unique=True)
    purpose: str
    entrance: str = Field(default="", index=True)
    chat_id: str = Field(default="", index=True)
    chat_ids: list[str] = Field(default_factory=list, sa_type=Json)
    auto_create_room: bool = False
    room_base_name: str = ""
    room_base_id: int = 1
    status: str = Field(default="adding", index=True)
    number: int = 1
    config_id: str | None = None
    qr_code: str = ""
    ordered_at: datetime = Field(sa_type=UtcTime)
    made_at: datetime | None = Field(default=None, sa_type=UtcTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcTime)
    check_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    checked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    drift: str = ""
    why: str = ""


_WAYS, _SEATS = table_of(JoinWayRow), table_of(SeatRow)


async def way(tx: Tx, way_id: int) -> JoinWayRow | None:
    """The way, locked."""
    return await tx.get(JoinWayRow, way_id, with_for_update=True, populate_existing=True)


async def look_at(tx: Tx, way_id: int) -> JoinWayRow | None:
    """The way, for reading."""
    return await tx.get(JoinWayRow, way_id)


async def of_state(tx: Tx, state: str) -> JoinWayRow | None:
    """What somebody came through."""
    return (await tx.exec(select_rows(JoinWayRow).where(JoinWayRow.state == state))).first()


async def of_entrance(tx: Tx, entrance: str, purpose: Purpose) -> JoinWayRow | None:
    """The entrance's own code: the newest that is or will be there."""
    query = (
        select_rows(JoinWayRow)
        .where(
            JoinWayRow.entrance == entrance,
            JoinWayRow.purpose == purpose,
            col(JoinWayRow.status).not_in(["gone", "orphaned", "deleting"]),
        )
        .order_by(col(JoinWayRow.id).desc())
        .limit(1)
    )
    return (await tx.exec(query)).first()


async def are_shut(tx: Tx, chat_id: str, *, before: datetime) -> bool:
    """Whether every code that led into a group of one's own was gone before this moment: nobody comes by one later."""
    still = _WAYS.c.gone_at.is_(None) & _WAYS.c.status.not_in(["orphaned", "failed"])
    here = (_WAYS.c.chat_id == chat_id) & (_WAYS.c.purpose == "seat")
    return await one(tx, select(_WAYS.c.id).where(here, still | (_WAYS.c.gone_at >= before)).limit(1)) is None


async def next_number(tx: Tx, purpose: Purpose) -> int:
    """How many codes of this sort there have been, and one more."""
    found: int = await one(tx, select(func.count()).where(_WAYS.c.purpose == purpose))
    return found + 1


async def counted(tx: Tx) -> int:
    """How many there are at the platform, or may be."""
    found: int = await one(tx, select(func.count()).where(_WAYS.c.status.in_(COUNTED)))
    return found


async def by_status(tx: Tx) -> dict[str, int]:
    rows = await (await tx.connection()).execute(select(_WAYS.c.status, func.count()).group_by(_WAYS.c.status))
    return {status: number for status, number in rows}  # noqa: C416 - rows are no pairs to mypy


async def with_drift(tx: Tx) -> list[JoinWayRow]:
    """Those of which something is wrong, for people to see."""
    query = select_rows(JoinWayRow).where(
        ((col(JoinWayRow.drift) != "") & col(JoinWayRow.status).in_(LIVE))
        | ((col(JoinWayRow.why) != "") & col(JoinWayRow.status).in_(["failed", "adding"]))
    )
    return list((await tx.exec(query.order_by(col(JoinWayRow.id)))).all())


KEPT = timedelta(days=180)
"""How long a code that is gone is remembered: who comes late by it, let in by an owner, is known by its `state`."""


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget codes into one group that the platform has not had that long. Not those of whoever has a seat, nor those
    that were lost: they count, and may let somebody in for ever. Answers how many: call it again until that is 0.
    """
    in_use = select(_SEATS.c.id).where(_SEATS.c.way_id == _WAYS.c.id, _SEATS.c.state != "over").exists()
    gone = (_WAYS.c.status == "gone", _WAYS.c.purpose.in_(["seat", "shared"]), _WAYS.c.gone_at < now - KEPT)
    old = select(_WAYS.c.id).where(*gone, ~in_use)
    ids = list((await (await tx.connection()).execute(old.limit(at_most))).scalars())
    return (await (await tx.connection()).execute(delete(_WAYS).where(_WAYS.c.id.in_(ids)))).rowcount


# --- deeds ------------------------------------------------------------------------------------------------------------


def deed_key(way_id: int, number: int) -> str:
    """The key of the deed that was ordered about this way with this number."""
    return f"join-way:{way_id}:{number}"


async def failed_before(tx: Tx, moment: datetime) -> list[JoinWayRow]:
    """Ways that the platform refused before then."""
    query = select_rows(JoinWayRow).where(JoinWayRow.status == "failed", col(JoinWayRow.gone_at) <= moment)
    return list((await tx.exec(query.with_for_update(skip_locked=True))).all())


# --- reading back -----------------------------------------------------------------------------------------------------


async def raise_checks(tx: Tx, *, now: datetime, again: timedelta, at_most: int = 200) -> list[int]:
    """The live ways whose time to be read back has come; they will be again after `again`."""
    query = (
        select_rows(JoinWayRow)
        .where(col(JoinWayRow.check_at) <= now)
        .order_by(col(JoinWayRow.check_at), col(JoinWayRow.id))
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.exec(query.execution_options(populate_existing=True))).all()
    for row in rows:
        row.check_at = now + again if row.status in LIVE else None
    await tx.flush()
    return [row.id for row in rows if row.status in LIVE]


async def next_check(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_CHECK)
    return found


_NEXT_CHECK = once(select(func.min(_WAYS.c.check_at)))


async def some(tx: Tx, ids: Sequence[int]) -> list[JoinWayRow]:
    """These ways, in order."""
    query = select_rows(JoinWayRow).where(col(JoinWayRow.id).in_(ids)).order_by(col(JoinWayRow.id))
    return list((await tx.exec(query)).all())
