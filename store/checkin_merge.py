"""What a merge of two visitors does to their journeys, and how a split undoes it (handlers/identity.ROWS).

Of two journeys of one person through one check-in one stays (the root) and has the days of both; the other is `merged`
into it and keeps only those days that the root has too. Every day remembers the journey it was written under (`home`),
so a split sends all of them home and joins anew what still belongs together.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select

from store.checkins import DayRow, JourneyRow
from store.database import Tx

LIVE = ("going", "graduated")
STANDS = ("graduated", "opted_out", "going", "dropped")
"""Of two journeys that are one the root is whichever stands further to the left: what was finished, or what somebody
wished, holds for all of it.
"""


class MergedJourneys:
    """`name`: of the table whose rows change hands."""

    name = "journeys"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[int]:
        """`gone`'s journeys are `kept`'s; those through one check-in become one where they overlap."""
        del now
        mine, theirs = await _journeys(tx, kept), await _journeys(tx, gone)
        if theirs:
            states = {row.id: row.state for row in (*mine, *theirs) if row.state != "merged"}
            await _unite(tx, [*mine, *theirs], states, visitor_id=kept, first={row.id for row in mine})
        return [row.id for row in theirs]

    async def part(self, tx: Tx, keys: Sequence[int], *, kept: int, gone: int, now: datetime) -> None:
        """These journeys are `gone`'s again, and everybody has the days that were theirs."""
        del now
        rows = await _journeys(tx, kept)
        states = {row.id: row.state_before or row.state for row in rows}
        for row in rows:
            row.state, row.state_before, row.merged_into, row.started_on = "merged", "", None, row.began_on
        await _send_home(tx, rows)
        back = set(keys)
        for visitor_id, some in (
            (gone, [row for row in rows if row.id in back]),
            (kept, [row for row in rows if row.id not in back]),
        ):
            await _unite(tx, some, {row.id: states[row.id] for row in some}, visitor_id=visitor_id)


async def _journeys(tx: Tx, visitor_id: int) -> list[JourneyRow]:
    """All that are somebody's, merged ones too, the oldest first."""
    query = select(JourneyRow).where(JourneyRow.visitor_id == visitor_id).order_by(col(JourneyRow.id))
    return list((await tx.exec(query.with_for_update().execution_options(populate_existing=True))).all())


async def _send_home(tx: Tx, rows: Sequence[JourneyRow]) -> None:
    """Every day is with the journey under which it was written."""
    numbers = [row.id for row in rows]
    query = select(DayRow).where(col(DayRow.journey_id).in_(numbers), col(DayRow.journey_id) != col(DayRow.home))
    for day in (await tx.exec(query)).all():
        day.journey_id = day.home
    await tx.flush()


async def _unite(
    tx: Tx, rows: Sequence[JourneyRow], states: Mapping[int, str], *, visitor_id: int, first: Collection[int] = ()
) -> None:
    """All of these are this visitor's. `states`: of those that stand by themselves now, the others are merged already.
    `first`: whose journey is the root where both stand alike.
    """
    families = _families([row for row in rows if row.id in states], states, first)
    for root, others in families:
        for row in others:
            row.state_before, row.state, row.merged_into, row.next_at = states[row.id], "merged", root.id, None
            for each in rows:
                if each.merged_into == row.id:
                    each.merged_into = root.id
    await tx.flush()  # whoever is merged is in nobody's way when the others change hands
    for row in rows:
        row.visitor_id = visitor_id
    await tx.flush()
    for root, others in families:
        root.state = states[root.id]
        for row in others:
            root.started_on = min(root.started_on, row.started_on)
            root.chat_id = root.chat_id or row.chat_id
            root.no_reminders = root.no_reminders or row.no_reminders
        await _take_days(tx, root, others)
    await tx.flush()


def _families(
    rows: Sequence[JourneyRow], states: Mapping[int, str], first: Collection[int]
) -> list[tuple[JourneyRow, list[JourneyRow]]]:
    """Which journeys are one: each root with those that are part of it."""
    found: list[tuple[JourneyRow, list[JourneyRow]]] = []
    for row in sorted(rows, key=lambda row: (STANDS.index(states[row.id]), row.id not in first, row.id)):
        root = next((each for each in found if each[0].checkin == row.checkin and _overlap(each[0], row, states)), None)
        if root is None:
            found.append((row, []))
        else:
            root[1].append(row)
    return found


def _overlap(one: JourneyRow, other: JourneyRow, states: Mapping[int, str]) -> bool:
    """Whether two journeys were on at once, or neither is over: one person has only one such."""
    if states[one.id] in LIVE and states[other.id] in LIVE:
        return True
    earlier, later = sorted((one, other), key=lambda row: (row.started_on, row.id))
    return earlier.ended_at is None or earlier.ended_at.date() >= later.started_on


async def _take_days(tx: Tx, root: JourneyRow, others: Sequence[JourneyRow]) -> None:
    """The days of all of them are the root's; of two of one date the other stays where it is, and counts nowhere."""
    taken = {day.on for day in await _live(tx, root.id)} if others else set()
    for row in others:
        for day in await _live(tx, row.id):
            if day.on not in taken:
                day.journey_id = root.id
                taken.add(day.on)


async def _live(tx: Tx, journey_id: int) -> list[DayRow]:
    query = select(DayRow).where(DayRow.journey_id == journey_id, col(DayRow.undone_at).is_(None))
    return list((await tx.exec(query.order_by(col(DayRow.id)))).all())
