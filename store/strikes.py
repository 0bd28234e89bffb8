"""Strikes: what rules hold against people, until it fades. Written once per offence."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from rules.answer import Record
from rules.clock import BEIJING
from rules.decision import Decision
from store.built import once
from store.columns import table_of
from store.database import BigId, Tx, UtcTime, one


class StrikeRow(SQLModel, table=True):
    """`subject`: external_userid; for `invite_guard` also the userid of our own staff. `offence` makes it this one.

    `came_to`: the step it led to. `forgiven_at`: a release took it back; it counts no more. `over_at`: what it led to
    is done, or was called off; found again, it leads to nothing more. `again_at`: found again after this, it is another
    offence.
    """

    __tablename__ = "strikes"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    subject: str = Field(index=True)
    rule: str
    key: str = Field(unique=True)
    chat_id: str
    because: str
    came_to: str
    at: datetime = Field(sa_type=UtcTime, index=True)
    forgiven_at: datetime | None = Field(default=None, sa_type=UtcTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcTime)
    again_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)


def _key(subject: str, rule: str, offence: str) -> str:
    return f"{subject} {rule} {offence}"


async def record(tx: Tx, subject: str, rule: str, offence: str, *, forget_after: timedelta, now: datetime) -> Record:
    """What is on record of somebody under one rule, for an offence that may be known already."""
    query = select(StrikeRow).where(StrikeRow.subject == subject, StrikeRow.rule == rule)
    mine = (await tx.exec(query.where(col(StrikeRow.forgiven_at).is_(None)).order_by(col(StrikeRow.at)))).all()
    key = _key(subject, rule, offence)
    same = next((row for row in mine if row.key == key), None)
    alive = [row for row in mine if row.key != key and row.at > now - forget_after]
    return Record.model_validate(
        {
            "strikes": len(alive),
            "last_at": alive[-1].at if alive else None,
            "same": "" if same is None else "repeat" if same.over_at else same.came_to,
            "asked_today": await _asked_on_day(tx, rule, now=now),
        }
    )


async def _asked_on_day(tx: Tx, rule: str, *, now: datetime) -> int:
    """How many people this rule has asked to have removed since midnight in Beijing."""
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(func.count(func.distinct(StrikeRow.subject))).where(
        StrikeRow.rule == rule, col(StrikeRow.at) >= midnight, col(StrikeRow.came_to).in_(["remove", "block"])
    )
    return (await tx.exec(query)).one()


async def note(tx: Tx, decision: Decision, offence: str, *, now: datetime) -> bool:
    """Write an offence down, once; False where it was known. One that was forgiven and is found again is new."""
    key = _key(decision.subject, decision.rule, offence)
    known = (await tx.exec(select(StrikeRow).where(StrikeRow.key == key))).first()
    if known is not None:
        forgiven = known.forgiven_at is not None
        if forgiven:
            known.forgiven_at, known.over_at, known.came_to, known.at = None, None, decision.came_to, now
        return forgiven
    tx.add(
        StrikeRow(
            subject=decision.subject,
            rule=decision.rule,
            key=key,
            chat_id=decision.chat_id,
            because=decision.because,
            came_to=decision.came_to,
            at=now,
        )
    )
    await tx.flush()
    return True


async def forgive(tx: Tx, subjects: Sequence[str], rules: Iterable[str], *, now: datetime) -> None:
    """A release: what these rules hold against these people counts no more."""
    mine = (col(StrikeRow.subject).in_(subjects), col(StrikeRow.rule).in_(list(rules)))
    open_ones = col(StrikeRow.forgiven_at).is_(None)
    await tx.exec(update(StrikeRow).where(*mine, open_ones).values(forgiven_at=now))


async def over(tx: Tx, subject: str, rules: Iterable[str], *, now: datetime) -> None:
    """A warning was given, or came to nothing; a removal was called off: these offences lead to nothing more."""
    waiting = col(StrikeRow.came_to).in_(["warn", "held"]) & col(StrikeRow.over_at).is_(None)
    mine = (col(StrikeRow.subject) == subject, col(StrikeRow.rule).in_(list(rules)))
    await tx.exec(update(StrikeRow).where(*mine, waiting).values(over_at=now))


async def look_again(tx: Tx, subject: str, rule: str, *, at: datetime) -> None:
    """A warning was given about what may still be so at `at`: it is another offence then."""
    mine = (col(StrikeRow.subject) == subject, col(StrikeRow.rule) == rule, col(StrikeRow.came_to) == "warn")
    given = col(StrikeRow.over_at).is_not(None) & col(StrikeRow.forgiven_at).is_(None)
    latest = select(func.max(col(StrikeRow.id))).where(*mine, given).scalar_subquery()
    await tx.exec(update(StrikeRow).where(col(StrikeRow.id) == latest).values(again_at=at))


async def renew(tx: Tx, *, now: datetime) -> list[StrikeRow]:
    """The strikes whose offence, found again from now on, is another. Those another process holds are left to it."""
    due = select(StrikeRow).where(col(StrikeRow.again_at) <= now).order_by(col(StrikeRow.id))
    rows = list((await tx.exec(due.with_for_update(skip_locked=True))).all())
    for row in rows:
        row.key, row.again_at = f"{row.key} #{row.id}", None
    return rows


async def next_renewal(tx: Tx) -> datetime | None:
    """When the next offence may be found again; None where none may."""
    found: datetime | None = await one(tx, _NEXT_RENEWAL)
    return found


_NEXT_RENEWAL = once(columns(func.min(table_of(StrikeRow).c.again_at)))


async def go_on(tx: Tx, subject: str, rules: Iterable[str]) -> None:
    """What was held back by the cap of the day is asked for now."""
    mine = (col(StrikeRow.subject) == subject, col(StrikeRow.rule).in_(list(rules)), col(StrikeRow.came_to) == "held")
    await tx.exec(update(StrikeRow).where(*mine).values(came_to="remove"))


async def of(tx: Tx, subject: str) -> list[StrikeRow]:
    """All strikes of somebody, the newest first."""
    query = select(StrikeRow).where(StrikeRow.subject == subject)
    return list((await tx.exec(query.order_by(col(StrikeRow.at).desc(), col(StrikeRow.id).desc()))).all())
