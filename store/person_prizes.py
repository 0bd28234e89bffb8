"""What one person has to do with draws: entries, prizes, payouts; for `explain`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_
from sqlmodel import col, select

from store.database import Tx
from store.draws import DrawRow, EntrantRow, WinnerRow
from store.payouts import PayoutRow


class Entry(NamedTuple):
    """They took part in a draw. `out`: why not after all. `state`: the draw's."""

    draw: DrawRow
    at: datetime
    out: str


class Win(NamedTuple):
    """A prize that they have or had."""

    draw: DrawRow
    winner: WinnerRow


async def entries(tx: Tx, people: Collection[str], visitors: Collection[int], *, newest: int) -> list[Entry]:
    """The draws that they took part in, the newest first. `people`: what draws call them (ids, `v12`)."""
    theirs = or_(
        col(EntrantRow.person).in_(people),
        col(EntrantRow.visitor_id).in_(visitors),
        col(EntrantRow.external_userid).in_(people),
    )
    query = select(DrawRow, EntrantRow).join(EntrantRow, col(EntrantRow.draw_id) == col(DrawRow.id)).where(theirs)
    found = (await tx.exec(query.order_by(col(EntrantRow.id).desc()).limit(newest))).all()
    return [Entry(draw, entrant.entered_at, entrant.out) for draw, entrant in found]


async def wins(tx: Tx, people: Collection[str], visitors: Collection[int], *, newest: int) -> list[Win]:
    """Their prizes, the newest first."""
    theirs = or_(
        col(WinnerRow.person).in_(people),
        col(WinnerRow.visitor_id).in_(visitors),
        col(WinnerRow.external_userid).in_(people),
    )
    query = select(DrawRow, WinnerRow).join(WinnerRow, col(WinnerRow.draw_id) == col(DrawRow.id)).where(theirs)
    found = (await tx.exec(query.order_by(col(WinnerRow.id).desc()).limit(newest))).all()
    return [Win(draw, winner) for draw, winner in found]


async def payouts(tx: Tx, people: Collection[str], *, newest: int) -> Sequence[PayoutRow]:
    """What was, or is to be, paid to them, each attempt, the newest first."""
    query = select(PayoutRow).where(col(PayoutRow.person).in_(people))
    return (await tx.exec(query.order_by(col(PayoutRow.id).desc()).limit(newest))).all()
