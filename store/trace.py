"""The trace: one row per event with every rule's answer to it, hit or miss. What `explain` reads."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field, SQLModel, col, select

from rules.decision import Decision
from store.database import Tx, UtcTime


class TraceRow(SQLModel, table=True):
    """`decisions`: JSON list of Decision values. `inbox_id`: the row of the event, which leaves one trace."""

    __tablename__ = "trace"

    id: int | None = Field(default=None, primary_key=True)
    inbox_id: int = Field(unique=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    event: str
    chat_id: str | None = Field(default=None, index=True)
    hits: int = 0
    config: str = ""
    decisions: str


async def write(
    tx: Tx,
    decisions: Sequence[Decision],
    *,
    inbox_id: int,
    event: str,
    chat_id: str | None,
    config: str,
    now: datetime,
) -> None:
    """Keep what the rules answered to one event, and under which config (its hash)."""
    tx.add(
        TraceRow(
            inbox_id=inbox_id,
            at=now,
            event=event,
            chat_id=chat_id,
            hits=sum(decision.verdict == "hit" for decision in decisions),
            config=config,
            decisions=json.dumps([d.model_dump(mode="json") for d in decisions], ensure_ascii=False),
        )
    )


async def since(tx: Tx, trace_id: int) -> list[TraceRow]:
    """What was traced after this row, in order."""
    query = select(TraceRow).where(col(TraceRow.id) > trace_id).order_by(col(TraceRow.id))
    return list((await tx.exec(query)).all())


def decisions(row: TraceRow) -> list[Decision]:
    """The answers in a row."""
    return [Decision.model_validate(each) for each in json.loads(row.decisions)]
