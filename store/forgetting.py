"""Rows of a queue that are finished and old: emptied first, and after a while gone."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, literal_column, select, update

from store.columns import table_of
from store.database import Tx
from store.queue import QueueRow


async def forget(
    tx: Tx,
    table: type[QueueRow],
    *,
    emptied: dict[str, Any],
    keep_until: datetime,
    remember_until: datetime,
    at_most: int,
) -> int:
    """Puts `emptied` into rows finished before `keep_until`, and deletes empty ones finished before `remember_until`.

    Dead rows stay for people to see. Answers how many rows it touched, `at_most` of each sort: call it again, in a new
    transaction, until that is 0.
    """
    core = table_of(table)
    connection = await tx.connection()

    async def finished(state: str, before: datetime) -> list[int]:
        # The literals let both engines use the index over finished rows. The ids are fetched, not joined with: from a
        # sub-select with a limit PostgreSQL can make a plan that takes hours.
        old = core.c.finished_at.is_not(None) & (core.c.finished_at < before)
        question = select(core.c.id).where(core.c.state == literal_column(f"'{state}'"), old).limit(at_most)
        return list((await connection.execute(question)).scalars())

    old = [row_id for state in ("done", "ignored") for row_id in await finished(state, keep_until)]
    await connection.execute(update(core).where(core.c.id.in_(old)).values(state="pruned", **emptied))
    forgotten = await finished("pruned", remember_until)
    await connection.execute(delete(core).where(core.c.id.in_(forgotten)))
    return len(old) + len(forgotten)
