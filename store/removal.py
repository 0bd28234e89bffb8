"""Cases: one person in one group, with every rule's reasons, open until the roster or somebody's word closes it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from rules.removal import Outcome, Reason, sum_up
from store.built import once
from store.columns import Json
from store.database import Tx, UtcTime, keep_in_step, one, table_of
from store.rows import row_of


class CaseRow(SQLModel, table=True):
    """`open_key` is "chat_id external_userid" while open, then empty: nobody has two open cases in one group.

    `listed`: nobody gets a card about it; it stands in the daily list of those who can remove. `step`: what is due at
    `step_due_at` (ask, check, remind, escalate). `pressed_by`: who said 已移出 and is waited for. `demand`: remove or
    warn. `held`: a manager has to look at it first. `reasons`: what each rule has to say; `rule`, `evidence`, `because`
    and `doubt` sum them up. `grace_until`: until then the person may put it right, and nobody is reminded.
    """

    __tablename__ = "cases"

    id: int | None = Field(default=None, primary_key=True)
    chat_id: str = Field(foreign_key="groups.chat_id", index=True)
    external_userid: str = Field(index=True)
    rule: str
    evidence: str
    because: str
    doubt: str = ""
    demand: str = "remove"
    held: bool = False
    reasons: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    grace_until: datetime | None = Field(default=None, sa_type=UtcTime)
    open_key: str | None = Field(default=None, unique=True)
    listed: bool = False
    opened_at: datetime = Field(sa_type=UtcTime)
    step: str | None = None
    step_due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    pressed_by: str | None = None
    assigned_to: str | None = None
    reminded_at: datetime | None = Field(default=None, sa_type=UtcTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcTime)
    outcome: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)

    @property
    def number(self) -> int:
        """The number that people see."""
        if self.id is None:
            raise ValueError("a case has no number before it is written")
        return self.id

    def why(self) -> tuple[Reason, ...]:
        """The reasons, in the order of the config."""
        return reasons_in(self.reasons)

    def give(self, reasons: Sequence[Reason], *, now: datetime) -> None:
        """Set the reasons, at least one, and what follows from them."""
        summary = sum_up(reasons)
        self.reasons = [each.model_dump(mode="json") for each in reasons]
        self.rule, self.evidence, self.because, self.doubt = (
            summary.rule,
            summary.evidence,
            summary.because,
            summary.doubt,
        )
        self.demand, self.held = summary.demand, summary.held
        if self.grace_until is None and summary.grace is not None:
            self.grace_until = now + summary.grace
        elif summary.grace is None:
            self.grace_until = None


def reasons_in(column: Sequence[dict[str, Any]]) -> tuple[Reason, ...]:
    """The reasons that a column holds, in the order of the config."""
    return tuple(Reason.model_validate(each) for each in column)


def _open_key(chat_id: str, external_userid: str) -> str:
    return f"{chat_id} {external_userid}"


async def case(tx: Tx, case_id: int) -> CaseRow | None:
    return await tx.get(CaseRow, case_id, with_for_update=True)


async def cases(tx: Tx, case_ids: list[int]) -> list[CaseRow]:
    """These cases, open or closed, oldest first."""
    query = select(CaseRow).where(col(CaseRow.id).in_(case_ids)).order_by(col(CaseRow.id)).with_for_update()
    return list((await tx.exec(query)).all())


async def open_case_of(tx: Tx, chat_id: str, external_userid: str) -> CaseRow | None:
    number = await one(tx, _OPEN_CASE_OF, open_key=_open_key(chat_id, external_userid))
    return None if number is None else await tx.get(CaseRow, number)


_CASES = table_of(CaseRow)
_OPEN_CASE_OF = once(columns(_CASES.c.id).where(_CASES.c.open_key == bindparam("open_key")))


async def asked_about(tx: Tx, chat_id: str) -> set[str]:
    """Who in this group has an open case."""
    return set((await (await tx.connection()).execute(_ASKED_ABOUT, {"chat_id": chat_id})).scalars())


_ASKED_ABOUT = once(
    columns(_CASES.c.external_userid).where(_CASES.c.chat_id == bindparam("chat_id"), _CASES.c.open_key.is_not(None))
)


async def was_asked(tx: Tx, chat_id: str, external_userid: str, rule: str, *, since: datetime) -> bool:
    """Whether there is, or was since then, a case about somebody in this group for this very reason."""
    query = columns(_CASES.c.id).where(
        _CASES.c.chat_id == chat_id, _CASES.c.external_userid == external_userid, _CASES.c.opened_at >= since
    )
    found = await (await tx.connection()).execute(query.where(_CASES.c.rule == rule).limit(1))
    return found.first() is not None


async def open_cases(tx: Tx) -> list[CaseRow]:
    """All open cases, oldest first."""
    query = select(CaseRow).where(col(CaseRow.open_key).is_not(None)).order_by(col(CaseRow.id))
    return list((await tx.exec(query)).all())


async def open_cases_in(tx: Tx, chat_ids: list[str]) -> list[CaseRow]:
    """The open cases in these groups, by group, oldest first."""
    query = (
        select(CaseRow)
        .where(col(CaseRow.chat_id).in_(chat_ids), col(CaseRow.open_key).is_not(None))
        .order_by(CaseRow.chat_id, col(CaseRow.id))
    )
    return list((await tx.exec(query)).all())


async def closed_since(tx: Tx, moment: datetime) -> list[CaseRow]:
    """Cases that were closed after this moment, in that order."""
    query = select(CaseRow).where(col(CaseRow.closed_at) > moment).order_by(col(CaseRow.closed_at), col(CaseRow.id))
    return list((await tx.exec(query)).all())


async def open_cases_about(tx: Tx, external_userid: str) -> list[CaseRow]:
    """The open cases about one person, in any group."""
    query = (
        select(CaseRow)
        .where(CaseRow.external_userid == external_userid, col(CaseRow.open_key).is_not(None))
        .order_by(col(CaseRow.id))
    )
    return list((await tx.exec(query)).all())


async def have_open_cases(tx: Tx, people: Sequence[str]) -> list[str]:
    """Who of these people has an open case in any group."""
    query = select(CaseRow.external_userid).where(
        col(CaseRow.external_userid).in_(people), col(CaseRow.open_key).is_not(None)
    )
    return sorted((await tx.exec(query.distinct())).all())


async def held_cases(tx: Tx, rule: str) -> list[CaseRow]:
    """The open cases of one rule that wait for a manager, oldest first."""
    query = select(CaseRow).where(CaseRow.rule == rule, col(CaseRow.held).is_(True), col(CaseRow.open_key).is_not(None))
    return list((await tx.exec(query.order_by(col(CaseRow.id)).with_for_update())).all())


async def open_case(
    tx: Tx, *, chat_id: str, external_userid: str, reasons: Sequence[Reason], listed: bool, now: datetime
) -> CaseRow:
    """Write a new case. Look for an open one first: there can be one per group and person."""
    row = row_of(
        CaseRow,
        _NEW_CASE
        | {
            "chat_id": chat_id,
            "external_userid": external_userid,
            "listed": listed,
            "open_key": _open_key(chat_id, external_userid),
            "opened_at": now,
        },
    )
    row.give(reasons, now=now)
    new = {name: getattr(row, name) for name in _NEW_CASE}
    row.id = (await (await tx.connection()).execute(_OPEN_CASE, new)).scalar_one()
    keep_in_step(tx, row)
    return row


_NEW_CASE: dict[str, Any] = CaseRow(
    chat_id="", external_userid="", rule="", evidence="", because="", opened_at=datetime.min.replace(tzinfo=UTC)
).model_dump(exclude={"id"})
_OPEN_CASE = once(insert(_CASES).returning(_CASES.c.id))


async def told_since(tx: Tx, chat_id: str, external_userid: str, moment: datetime) -> set[str]:
    """The rules that have had somebody in a group told something since then, or tried in vain to."""
    query = select(CaseRow).where(
        CaseRow.chat_id == chat_id,
        CaseRow.external_userid == external_userid,
        col(CaseRow.outcome).in_(["warned", "lapsed"]),
        col(CaseRow.closed_at) >= moment,
    )
    return {reason.rule for row in (await tx.exec(query)).all() for reason in row.why()}


async def times_removed(tx: Tx, chat_id: str, external_userid: str) -> int:
    """How often this person was removed from this group before."""
    who = {"chat_id": chat_id, "who": external_userid}
    number: int = (await (await tx.connection()).execute(_TIMES_REMOVED, who)).scalar_one()
    return number


_TIMES_REMOVED = once(
    columns(func.count()).where(
        _CASES.c.chat_id == bindparam("chat_id"),
        _CASES.c.external_userid == bindparam("who"),
        _CASES.c.outcome == "removed",
    )
)


async def close(tx: Tx, case_id: int, *, outcome: Outcome, by: str | None, now: datetime) -> bool:
    """Close an open case; False where somebody else was first."""
    statement = (
        update(CaseRow)
        .where(col(CaseRow.id) == case_id, col(CaseRow.open_key).is_not(None))
        .values(open_key=None, outcome=outcome, closed_by=by, closed_at=now, step=None, step_due_at=None)
    )
    return (await tx.exec(statement)).rowcount == 1


async def steps_due(tx: Tx, *, now: datetime, limit: int = 200) -> list[CaseRow]:
    """Open cases whose next step has come; those that another process is raising are left to it."""
    query = select(CaseRow).where(col(CaseRow.step_due_at) <= now).order_by(col(CaseRow.step_due_at), col(CaseRow.id))
    return list((await tx.exec(query.limit(limit).with_for_update(skip_locked=True))).all())


async def next_step(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_STEP)
    return found


_NEXT_STEP = once(columns(func.min(_CASES.c.step_due_at)))
