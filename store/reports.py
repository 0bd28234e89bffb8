"""What customers reported about members of their groups. Who they are is not known, and not asked."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, UniqueConstraint, delete, func
from sqlmodel import Field, SQLModel, col, select

from rules.report import WAVE
from store.database import BigId, Tx, UtcTime

KEPT = timedelta(days=30)
A_DAY = timedelta(days=1)


class ReportRow(SQLModel, table=True):
    """One browser (`reporter`) about one person (`reported`) in one group; the latest wave's replaces an older one.

    `place`: the address it came from, as a pseudonym. `wave_at`: when the first report of its wave came.
    """

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("chat_id", "reporter", "reported"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    chat_id: str = Field(foreign_key="groups.chat_id")
    reporter: str = Field(index=True)
    reported: str = Field(index=True)
    place: str = Field(index=True)
    reason: str
    words: str = ""
    at: datetime = Field(sa_type=UtcTime, index=True)
    wave_at: datetime = Field(sa_type=UtcTime)


async def wave(tx: Tx, chat_id: str, reported: str, *, now: datetime) -> datetime | None:
    """When the wave began that is running about somebody in a group; None where none is."""
    query = select(func.max(ReportRow.wave_at)).where(ReportRow.chat_id == chat_id, ReportRow.reported == reported)
    began = (await tx.exec(query)).one()
    return began if began is not None and began > now - WAVE else None


async def put(
    tx: Tx, *, chat_id: str, reporter: str, reported: str, place: str, reason: str, words: str, now: datetime
) -> bool:
    """Keep a report; False where this browser has reported this person in the running wave."""
    running = await wave(tx, chat_id, reported, now=now)
    same = select(ReportRow).where(
        ReportRow.chat_id == chat_id, ReportRow.reporter == reporter, ReportRow.reported == reported
    )
    before = (await tx.exec(same.with_for_update())).first()
    if before is None:
        before = ReportRow(
            chat_id=chat_id, reporter=reporter, reported=reported, place="", reason="", at=now, wave_at=now
        )
    elif before.wave_at == running:
        return False
    before.place, before.reason, before.words = place, reason, words
    before.at, before.wave_at = now, running or now
    tx.add(before)
    await tx.flush()
    return True


async def in_wave(tx: Tx, chat_id: str, reported: str, wave_at: datetime) -> list[ReportRow]:
    """The reports of one wave, the oldest first."""
    query = select(ReportRow).where(
        ReportRow.chat_id == chat_id, ReportRow.reported == reported, ReportRow.wave_at == wave_at
    )
    return list((await tx.exec(query.order_by(col(ReportRow.at), col(ReportRow.id)))).all())


async def of_browser(tx: Tx, reporter: str, *, now: datetime) -> int:
    """How many people this browser has reported within 24 hours."""
    return await _count(tx, col(ReportRow.reporter) == reporter, now=now)


async def of_place(tx: Tx, place: str, *, now: datetime) -> int:
    """How many reports have come from this address within 24 hours."""
    return await _count(tx, col(ReportRow.place) == place, now=now)


async def _count(tx: Tx, whose: ColumnElement[bool], *, now: datetime) -> int:
    query = select(func.count()).select_from(ReportRow).where(whose, col(ReportRow.at) > now - A_DAY)
    return (await tx.exec(query)).one()


async def prune(tx: Tx, *, now: datetime) -> int:
    """Forget reports that are older than KEPT. Answers how many."""
    return (await tx.exec(delete(ReportRow).where(col(ReportRow.at) < now - KEPT))).rowcount
