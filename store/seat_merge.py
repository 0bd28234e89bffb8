"""Two visitors are one, or were taken for one: what becomes of their seats (handlers/identity.py)."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col
from sqlmodel import select as select_rows

from store.database import Tx
from store.seats import SeatRow, visitor_key


class Merged:
    """What a merge does to seats, and how a split undoes it."""

    name = "seats"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[int]:
        """All seats are `kept`'s. Of two of one kind one stays live: who is inside goes before who is not."""
        mine = {row.kind: row for row in await _live(tx, kept)}
        rows = list((await tx.exec(select_rows(SeatRow).where(SeatRow.visitor_id == gone).with_for_update())).all())
        for row in rows:
            row.visitor_id = kept
            other = mine.get(row.kind) if row.visitor_key is not None else None
            if other is None:
                row.visitor_key = visitor_key(kept, row.kind) if row.visitor_key is not None else None
                continue
            loses = row if other.state == "taken" or row.state != "taken" else other
            wins = other if loses is row else row
            loses.visitor_key = None
            if loses.state != "taken":  # both in: they are in two groups, and nobody else gets either
                loses.state, loses.outcome, loses.due_at = "ending", "merged", now
            await tx.flush()
            wins.visitor_key = visitor_key(kept, row.kind)
        await tx.flush()
        return [row.id for row in rows]

    async def part(self, tx: Tx, keys: Sequence[int], *, kept: int, gone: int, now: datetime) -> None:
        """Those seats are `gone`'s again, as far as `kept` still has them. Who are in two groups of one kind have a
        live seat each again.
        """
        del now
        query = select_rows(SeatRow).where(col(SeatRow.id).in_(list(keys)), SeatRow.visitor_id == kept)
        for row in (await tx.exec(query.with_for_update())).all():
            row.visitor_id = gone
            if row.visitor_key is not None:
                row.visitor_key = visitor_key(gone, row.kind)
        await tx.flush()
        for visitor_id in (kept, gone):
            has = {row.kind for row in await _live(tx, visitor_id)}
            lost = select_rows(SeatRow).where(
                SeatRow.visitor_id == visitor_id, SeatRow.state == "taken", col(SeatRow.visitor_key).is_(None)
            )
            for row in (await tx.exec(lost.order_by(col(SeatRow.id)).with_for_update())).all():
                if row.kind not in has:
                    row.visitor_key = visitor_key(visitor_id, row.kind)
                    has.add(row.kind)
        await tx.flush()


async def _live(tx: Tx, visitor_id: int) -> list[SeatRow]:
    query = select_rows(SeatRow).where(SeatRow.visitor_id == visitor_id, col(SeatRow.visitor_key).is_not(None))
    return list((await tx.exec(query.with_for_update())).all())
