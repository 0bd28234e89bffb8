"""The trace: one row per event with every rule's answer to it, hit or miss. What `explain` reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, or_
from sqlmodel import Field, SQLModel, col, select

from rules.decision import Decision
from store.built import once
from store.database import Tx, UtcTime, table_of

HITS_KEPT = timedelta(days=730)
MISSES_KEPT = timedelta(days=30)
"""How long what nobody acted on is kept: an event about which every rule said no, or "I do not know"."""
MESSAGES_KEPT = timedelta(hours=24)
"""How long that is for what people wrote: there is much of it, and it is nobody's business."""


class TraceRow(SQLModel, table=True):
    """`decisions`: JSON list of Decision values. `inbox_id`: the row of the event, which leaves one trace; None
    where a page decided, or somebody was served in passing.
    """

    __tablename__ = "trace"

    id: int | None = Field(default=None, primary_key=True)
    inbox_id: int | None = Field(default=None, unique=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    event: str
    chat_id: str | None = Field(default=None, index=True)
    hits: int = 0
    config: str = ""
    decisions: str


class TraceSubject(SQLModel, table=True):
    """Whom (external_userid) and which group (chat_id) a trace row speaks about: how it is found again."""

    __tablename__ = "trace_subjects"

    subject: str = Field(primary_key=True)
    trace_id: int = Field(primary_key=True, foreign_key="trace.id", ondelete="CASCADE", index=True)


async def write(
    tx: Tx,
    decisions: Sequence[Decision],
    *,
    inbox_id: int | None,
    event: str,
    chat_id: str | None,
    config: str,
    now: datetime,
) -> None:
    """Keep what the rules answered to one event, and under which config (its hash)."""
    row = {
        "inbox_id": inbox_id,
        "at": now,
        "event": event,
        "chat_id": chat_id,
        "hits": sum(decision.verdict == "hit" for decision in decisions),
        "config": config,
        "decisions": _DECISIONS.dump_json(list(decisions)).decode(),
    }
    connection = await tx.connection()
    trace_id = (await connection.execute(_WRITE, row)).scalar_one()
    subjects = {chat_id or ""}.union(*((each.subject, each.chat_id) for each in decisions)) - {""}
    if subjects:
        links = [{"subject": subject, "trace_id": trace_id} for subject in sorted(subjects)]
        await connection.execute(_WRITE_SUBJECTS, links)


_DECISIONS: TypeAdapter[list[Decision]] = TypeAdapter(list[Decision])
_WRITE = once(insert(table_of(TraceRow)).returning(table_of(TraceRow).c.id))
_WRITE_SUBJECTS = once(insert(table_of(TraceSubject)))


async def since(tx: Tx, trace_id: int) -> list[TraceRow]:
    """What was traced after this row, in order."""
    query = select(TraceRow).where(col(TraceRow.id) > trace_id).order_by(col(TraceRow.id))
    return list((await tx.exec(query)).all())


async def about(tx: Tx, subject: str, *, newest: int) -> list[TraceRow]:
    """The newest rows that speak about a person (external_userid) or a group (chat_id), newest first."""
    query = (
        select(TraceRow)
        .join(TraceSubject, col(TraceSubject.trace_id) == col(TraceRow.id))
        .where(TraceSubject.subject == subject)
        .order_by(col(TraceRow.id).desc())
        .limit(newest)
    )
    return list((await tx.exec(query)).all())


def decisions(row: TraceRow) -> list[Decision]:
    """The answers in a row."""
    return _DECISIONS.validate_json(row.decisions)


async def prune(
    tx: Tx,
    *,
    now: datetime,
    hits_kept: timedelta = HITS_KEPT,
    misses_kept: timedelta = MISSES_KEPT,
    at_most: int = 1000,
) -> int:
    """Forget what is older. Answers how many rows, `at_most`: call it again, in a new transaction, until that is 0."""
    core = table_of(TraceRow)
    harmless = (core.c.event == "message_posted") & (core.c.hits == 0)
    old = or_(core.c.at < now - hits_kept, (core.c.at < now - misses_kept) & (core.c.hits == 0), harmless)
    chosen = select(core.c.id).where(old, core.c.at < now - min(misses_kept, MESSAGES_KEPT)).limit(at_most)
    return (await (await tx.connection()).execute(delete(core).where(core.c.id.in_(chosen)))).rowcount
