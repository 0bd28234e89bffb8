"""What was done to lead people through a check-in: whom staff were asked to remind or look after, who was invited on.

Nothing is counted here but rows. They hang on journeys: where two journeys turn out to be one person's, what was done
for either was done for them (`family_of`).
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from sqlalchemy import Index, func, text
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select

from store.checkins import JourneyRow
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one

Nudge = Literal["remind", "hand_over"]
Way = Literal["send", "page", "inside", "nowhere"]


class NudgeRow(SQLModel, table=True):
    """Somebody was to be reminded, or looked after, on this day (`on`), `day` of theirs, by `userid`. `send_key`: which
    send (store/sends.py) says it; "" where it stands in the 今日待办 of `userid`.
    """

    __tablename__ = "checkin_nudges"
    __table_args__ = (UniqueConstraint("journey_id", "on", "nudge"), Index("ix_checkin_nudges_list", "on", "userid"))

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    journey_id: int = Field(sa_type=BigId)
    on: date
    nudge: str
    day: int
    userid: str
    name: str = ""
    send_key: str = ""
    at: datetime = Field(sa_type=UtcTime)


class GraduationRow(SQLModel, table=True):
    """Somebody has graduated, and is invited on, once. `way`: send (a colleague says it 1:1, `send_key`), page (their
    page says it: nobody has added them), inside (they are in such a group already), nowhere (no entrance fits).
    """

    __tablename__ = "checkin_graduations"

    journey_id: int = Field(primary_key=True, sa_type=BigId)
    checkin: str = Field(index=True)
    entrance: str = ""
    way: str
    send_key: str = ""
    at: datetime = Field(sa_type=UtcTime)


_NUDGES, _GRADUATIONS, _JOURNEYS = (table_of(each) for each in (NudgeRow, GraduationRow, JourneyRow))


# --- the clock of journeys --------------------------------------------------------------------------------------------


async def due(tx: Tx, *, now: datetime, limit: int) -> list[JourneyRow]:
    """Journeys whose next step has come; those that another process is raising are left to it."""
    query = select(JourneyRow).where(col(JourneyRow.next_at) <= now, col(JourneyRow.next_at).is_not(None))
    query = query.order_by(col(JourneyRow.next_at), col(JourneyRow.id)).limit(limit)
    return list((await tx.exec(query.with_for_update(skip_locked=True))).all())


async def journeys(tx: Tx, ids: Sequence[int], *, lock: bool = False) -> list[JourneyRow]:
    """These journeys as they are now, in the order of their numbers."""
    query = select(JourneyRow).where(col(JourneyRow.id).in_(ids)).order_by(col(JourneyRow.id))
    query = query.with_for_update() if lock else query
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = columns(func.min(_JOURNEYS.c.next_at)).where(text("next_at IS NOT NULL"))


# --- nudges -----------------------------------------------------------------------------------------------------------


async def nudges_of_all(tx: Tx, journey_ids: Collection[int]) -> dict[int, list[NudgeRow]]:
    """What was done for these journeys and for those that were merged into them, the oldest first."""
    found: dict[int, list[NudgeRow]] = {}
    ids = list(journey_ids)
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        query = select(NudgeRow, JourneyRow.merged_into).join(
            JourneyRow, col(JourneyRow.id) == col(NudgeRow.journey_id)
        )
        theirs = col(JourneyRow.id).in_(some) | col(JourneyRow.merged_into).in_(some)
        for nudge, root in (await tx.exec(query.where(theirs).order_by(col(NudgeRow.id)))).all():
            found.setdefault(root or nudge.journey_id, []).append(nudge)
    return found


async def note_nudge(tx: Tx, row: NudgeRow) -> bool:
    """False where it was done on that day before."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = row.model_dump(exclude={"id"})
    return (await connection.execute(insert(_NUDGES).values(values).on_conflict_do_nothing())).rowcount == 1


async def handed_to(tx: Tx, checkin: str, on: date, userid: str) -> list[NudgeRow]:
    """Whom this member of staff was to look after on this day, as long as they are under way, in order."""
    query = (
        select(NudgeRow)
        .join(JourneyRow, col(JourneyRow.id) == col(NudgeRow.journey_id))
        .where(NudgeRow.on == on, NudgeRow.userid == userid, NudgeRow.nudge == "hand_over")
        .where(JourneyRow.checkin == checkin, JourneyRow.state == "going")
    )
    return list((await tx.exec(query.order_by(col(NudgeRow.day), col(NudgeRow.id)))).all())


# --- graduations ------------------------------------------------------------------------------------------------------


async def graduation(tx: Tx, journey_id: int) -> GraduationRow | None:
    """How somebody was invited on; None: they were not (yet)."""
    return await tx.get(GraduationRow, journey_id)


async def graduations_of(tx: Tx, journey_ids: Sequence[int]) -> list[GraduationRow]:
    query = select(GraduationRow).where(col(GraduationRow.journey_id).in_(journey_ids))
    return list((await tx.exec(query.order_by(col(GraduationRow.journey_id)))).all())


class Ended(NamedTuple):
    """A journey that is over."""

    journey_id: int
    visitor_id: int
    state: str
    because: str
    ended_at: datetime


async def ended_in(tx: Tx, checkin: str, chat_id: str) -> list[Ended]:
    """The journeys of this group that are over, the oldest first."""
    query = columns(
        _JOURNEYS.c.id, _JOURNEYS.c.visitor_id, _JOURNEYS.c.state, _JOURNEYS.c.because, _JOURNEYS.c.ended_at
    ).where(
        _JOURNEYS.c.checkin == checkin,
        _JOURNEYS.c.chat_id == chat_id,
        _JOURNEYS.c.state.in_(["graduated", "dropped"]),
        _JOURNEYS.c.ended_at.is_not(None),
    )
    rows = await (await tx.connection()).execute(query.order_by(_JOURNEYS.c.ended_at, _JOURNEYS.c.id))
    return [Ended(*row) for row in rows]
