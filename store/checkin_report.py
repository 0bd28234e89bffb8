"""Every journey of a check-in with its days, for the overview: two queries, however many there are. Locks nothing."""

from datetime import date

from sqlalchemy import select as columns

from rules.checkin_report import Given, Run
from rules.clock import BEIJING
from rules.streak import Kind
from store import checkin_rewards
from store.checkins import DayRow, JourneyRow
from store.columns import table_of
from store.database import Tx
from store.identities import ProofRow
from store.people import PersonRow

_JOURNEYS, _DAYS, _PROOFS, _PEOPLE = (table_of(each) for each in (JourneyRow, DayRow, ProofRow, PersonRow))


async def runs(tx: Tx, checkin: str) -> list[Run]:
    """All journeys but those that were merged into others, in the order in which they began."""
    connection = await tx.connection()
    mine = (_JOURNEYS.c.checkin == checkin) & (_JOURNEYS.c.state != "merged")
    kinds: dict[int, dict[date, Kind]] = {}
    answers: dict[int, dict[date, str]] = {}
    of_days = (
        columns(_DAYS.c.journey_id, _DAYS.c.on, _DAYS.c.kind, _DAYS.c.answer)
        .join_from(_DAYS, _JOURNEYS, _JOURNEYS.c.id == _DAYS.c.journey_id)
        .where(mine, _DAYS.c.undone_at.is_(None))
    )
    for journey_id, on, kind, answer in await connection.execute(of_days):
        kinds.setdefault(journey_id, {})[on] = kind
        if answer:
            answers.setdefault(journey_id, {})[on] = answer
    reachable = await _reachable(tx, checkin)
    rows = await connection.execute(columns(_JOURNEYS).where(mine).order_by(_JOURNEYS.c.id))
    return [
        Run(
            started_on=row.started_on,
            state=row.state,
            because=row.because,
            days=kinds.get(row.id, {}),
            answers=answers.get(row.id, {}),
            ended_on=row.ended_at.astimezone(BEIJING).date() if row.ended_at else None,
            reachable=row.visitor_id in reachable,
        )
        for row in rows
    ]


async def _reachable(tx: Tx, checkin: str) -> set[int]:
    """Who of them has been added by staff: whom somebody can write to 1:1, and who can have tags."""
    query = (
        columns(_JOURNEYS.c.visitor_id)
        .join_from(_JOURNEYS, _PROOFS, _PROOFS.c.visitor_id == _JOURNEYS.c.visitor_id)
        .join(_PEOPLE, _PEOPLE.c.external_userid == _PROOFS.c.value)
        .where(_JOURNEYS.c.checkin == checkin, _PROOFS.c.kind == "external_userid", _PEOPLE.c.followers != [])
    )
    return set((await (await tx.connection()).execute(query)).scalars())


async def given(tx: Tx, checkin: str) -> list[Given]:
    """What was given, by milestone and state."""
    return [Given(**each._asdict()) for each in await checkin_rewards.counted(tx, checkin)]
