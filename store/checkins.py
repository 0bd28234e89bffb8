"""Check-ins: each person's run through one (a journey), and the days of it, one row each.

Nothing here counts: what the days come to is rules/streak.py's business, from the rows alone. What may exist once is
said by unique indexes: one journey per person and check-in that is going or was finished, one live row per journey and
day. Days are dates of Beijing. How two people's journeys become one is in store/checkin_merge.py.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Index, Select, delete, func, text, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select

from rules.checkins import KEPT
from rules.clock import BEIJING
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, one
from store.roster import GroupRow

JourneyState = Literal["going", "graduated", "dropped", "opted_out", "merged"]
"""merged: its person turned out to be somebody else too, and this one's days are with `merged_into` now."""

DayKind = Literal["tap", "make_up", "leave"]

_ONE_LIVE = text("state IN ('going', 'graduated')")
_LIVE_DAY = text("undone_at IS NULL")


class JourneyRow(SQLModel, table=True):
    """One person's run through one check-in. `started_on`: day 1; `began_on`: what it was before any merge.

    `chat_id`: the group they came by, "" for the page. `ended_at`, `because`: when and why it is not going any more.
    `rules`: as they were when it began (rules/checkin_promise.py). `next_at`: when somebody has to look at it next.
    `state_before`: what it was when it was merged.
    """

    __tablename__ = "journeys"
    __table_args__ = (
        Index(
            "uq_journeys_one_live",
            "visitor_id",
            "checkin",
            unique=True,
            sqlite_where=_ONE_LIVE,
            postgresql_where=_ONE_LIVE,
        ),
        Index(
            "ix_journeys_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index("ix_journeys_of_checkin", "checkin", "started_on"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    visitor_id: int = Field(index=True, sa_type=BigId)
    checkin: str
    began_on: date
    started_on: date
    chat_id: str = Field(default="", index=True)
    state: str = "going"
    because: str = ""
    no_reminders: bool = False
    began_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcTime)
    rules: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    merged_into: int | None = Field(default=None, index=True, sa_type=BigId)
    state_before: str = ""

    def number_of(self, on: date) -> int:
        """Which day of the journey a date is; 1 is its first, 0 and below are before it."""
        return (on - self.started_on).days + 1


class DayRow(SQLModel, table=True):
    """What somebody did about one day (`on`): checked in, made up for it later, or took leave.

    `home`: the journey it was written under, whichever it is with now. `evidence`: what they wrote; `answer`: the
    option they chose. `by`: "" for themselves, else the member of staff. `undone_at`: it does not count any more.
    """

    __tablename__ = "checkin_days"
    __table_args__ = (
        Index(
            "uq_checkin_days_one_live",
            "journey_id",
            "on",
            unique=True,
            sqlite_where=_LIVE_DAY,
            postgresql_where=_LIVE_DAY,
        ),
        Index("ix_checkin_days_on", "on"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    journey_id: int = Field(index=True, sa_type=BigId)
    home: int = Field(index=True, sa_type=BigId)
    on: date
    kind: str
    evidence: str = ""
    answer: str = ""
    by: str = ""
    chat_id: str = ""
    at: datetime = Field(sa_type=UtcTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcTime)


_JOURNEYS, _DAYS, _GROUPS = table_of(JourneyRow), table_of(DayRow), table_of(GroupRow)


# --- journeys ---------------------------------------------------------------------------------------------------------


async def journey(tx: Tx, journey_id: int, *, lock: bool = False) -> JourneyRow | None:
    return await tx.get(JourneyRow, journey_id, with_for_update=lock, populate_existing=lock)


async def of_visitor(tx: Tx, checkin: str, visitor_id: int) -> JourneyRow | None:
    """Somebody's journey: the one that is going or was finished, else the newest."""
    mine = select(JourneyRow).where(
        JourneyRow.visitor_id == visitor_id, JourneyRow.checkin == checkin, JourneyRow.state != "merged"
    )
    is_live = col(JourneyRow.state).in_(["going", "graduated"])
    query = mine.order_by(is_live.desc(), col(JourneyRow.id).desc()).limit(1)
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def all_of_visitor(tx: Tx, visitor_id: int) -> list[JourneyRow]:
    """All of somebody's journeys, the oldest first; merged ones too."""
    query = select(JourneyRow).where(JourneyRow.visitor_id == visitor_id).order_by(col(JourneyRow.id))
    return list((await tx.exec(query)).all())


async def add(tx: Tx, row: JourneyRow) -> JourneyRow:
    """A new one. Clash where another transaction has begun one for the same person a moment ago."""
    tx.add(row)
    await tx.flush()
    return row


async def look_at(tx: Tx, journey_id: int, *, at: datetime) -> None:
    """The journey is gone over at this moment, or earlier where that was planned. Not for a row that this transaction
    has changed.
    """
    later = _JOURNEYS.c.next_at.is_(None) | (_JOURNEYS.c.next_at > at)
    this = update(_JOURNEYS).where(_JOURNEYS.c.id == journey_id, later)
    await (await tx.connection()).execute(this.values(next_at=at))


async def family_of(tx: Tx, journey_id: int) -> list[int]:
    """This journey and those that were merged into it: what hangs on any of them hangs on this person."""
    merged = columns(_JOURNEYS.c.id).where(_JOURNEYS.c.merged_into == journey_id).order_by(_JOURNEYS.c.id)
    return [journey_id, *(await (await tx.connection()).execute(merged)).scalars()]


async def going_in(tx: Tx, checkin: str, chat_ids: Collection[str]) -> list[JourneyRow]:
    """The journeys of these groups that are going, the newest first."""
    query = select(JourneyRow).where(
        JourneyRow.checkin == checkin, JourneyRow.state == "going", col(JourneyRow.chat_id).in_(list(chat_ids))
    )
    return list((await tx.exec(query.order_by(col(JourneyRow.id).desc()))).all())


async def groups_with(tx: Tx, userid: str) -> list[str]:
    """The groups that a member of staff owns or is in."""
    query = columns(_GROUPS.c.chat_id, _GROUPS.c.owner, _GROUPS.c.staff).where(_GROUPS.c.dismissed_at.is_(None))
    rows = (await (await tx.connection()).execute(query)).all()
    return [chat_id for chat_id, owner, staff in rows if userid == owner or userid in (staff or ())]


# --- days -------------------------------------------------------------------------------------------------------------


async def days_of(tx: Tx, journey_id: int) -> list[DayRow]:
    """What counts of a journey's days, in order."""
    query = select(DayRow).where(DayRow.journey_id == journey_id, col(DayRow.undone_at).is_(None))
    return list((await tx.exec(query.order_by(col(DayRow.on)))).all())


async def days_of_all(tx: Tx, journey_ids: Sequence[int]) -> dict[int, list[DayRow]]:
    """Likewise of many journeys."""
    found: dict[int, list[DayRow]] = {each: [] for each in journey_ids}
    for first in range(0, len(journey_ids), 500):
        some = col(DayRow.journey_id).in_(journey_ids[first : first + 500])
        query = select(DayRow).where(some, col(DayRow.undone_at).is_(None)).order_by(col(DayRow.on))
        for row in (await tx.exec(query)).all():
            found[row.journey_id].append(row)
    return found


async def put_day(  # the columns of a row, by name
    tx: Tx,
    journey_id: int,
    on: date,
    kind: DayKind,
    *,
    evidence: str = "",
    answer: str = "",
    by: str = "",
    chat_id: str = "",
    at: datetime,
) -> bool:
    """Write a day down; False where it is there already, whoever wrote it."""
    row = {"journey_id": journey_id, "home": journey_id, "on": on, "kind": kind, "evidence": evidence}
    row |= {"answer": answer, "by": by, "chat_id": chat_id, "at": at}
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    once = insert(_DAYS).values(row).on_conflict_do_nothing(index_elements=["journey_id", "on"], index_where=_LIVE_DAY)
    return (await connection.execute(once)).rowcount == 1


async def undo_day(tx: Tx, journey_id: int, on: date, *, now: datetime) -> bool:
    """What was written of this day does not count any more; False where nothing does."""
    live = (_DAYS.c.journey_id == journey_id) & (_DAYS.c.on == on) & _DAYS.c.undone_at.is_(None)
    undone = update(_DAYS).where(live).values(undone_at=now)
    return (await (await tx.connection()).execute(undone)).rowcount == 1


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget days that are older than the page promises. The journeys stay, as numbers: nobody begins a second one.
    Answers how many, `at_most`: call it again, in a new transaction, until that is 0.
    """
    chosen = columns(_DAYS.c.id).where(_DAYS.c.on < (now - KEPT).date()).limit(at_most)
    return (await (await tx.connection()).execute(delete(_DAYS).where(_DAYS.c.id.in_(chosen)))).rowcount


# --- what others ask --------------------------------------------------------------------------------------------------


async def checked_in_today(tx: Tx, checkin: str, visitor_id: int, now: datetime) -> bool:
    """Whether somebody has checked in for today (Beijing's). What was made up for, or leave, is no check-in."""
    today = now.astimezone(BEIJING).date()
    mine = _checked_in(checkin, today).where(_JOURNEYS.c.visitor_id == visitor_id).limit(1)
    return (await (await tx.connection()).execute(mine)).first() is not None


async def checked_in_on(tx: Tx, checkin: str, day: date) -> set[int]:
    """Who (visitors) has checked in for this day."""
    return set((await (await tx.connection()).execute(_checked_in(checkin, day))).scalars())


def _checked_in(checkin: str, day: date) -> Select[Any]:
    return (
        columns(_JOURNEYS.c.visitor_id)
        .join_from(_JOURNEYS, _DAYS, _DAYS.c.journey_id == _JOURNEYS.c.id)
        .where(_JOURNEYS.c.checkin == checkin, _JOURNEYS.c.state != "merged")
        .where(_DAYS.c.on == day, _DAYS.c.kind == "tap", _DAYS.c.undone_at.is_(None))
    )


async def place_of(tx: Tx, row: JourneyRow, on: date) -> int:
    """As which of their group somebody has checked in on this day, 1 for the first; 0: they have not."""
    of_group = (_JOURNEYS.c.checkin == row.checkin) & (_JOURNEYS.c.chat_id == row.chat_id)
    that_day = (_DAYS.c.on == on) & (_DAYS.c.kind == "tap") & _DAYS.c.undone_at.is_(None)
    mine = columns(_DAYS.c.id).where(_DAYS.c.journey_id == row.id, that_day)
    number: int | None = await one(tx, mine)
    if number is None:
        return 0
    before = (
        columns(func.count())
        .select_from(_DAYS.join(_JOURNEYS, _DAYS.c.journey_id == _JOURNEYS.c.id))
        .where(of_group, _JOURNEYS.c.state != "merged", that_day, _DAYS.c.id <= number)
    )
    found: int = await one(tx, before)
    return found
