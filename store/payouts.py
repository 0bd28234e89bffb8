"""Payouts: one row for each attempt to give one winner one prize, or one owner's order to send one in a group.

What is to be said to the provider stands in `packet` before it is first said, and never changes. `number` is the
provider's key: made from draw, winner and attempt, so it is the same whoever makes it. Money is fen. A pause holds up
everybody's sendings; one row is open at most.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Index, bindparam, func, literal_column, or_, text, update
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select

from rules.payouts import BETWEEN_CALLS, FINAL, LONGEST_WAIT, PAID, PAUSING_CODES, Pause
from store import outbox
from store.built import once
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, by_key, one, row_found
from store.draws import WinnerRow

Step = Literal["send", "query", "alternate", "ask", "remind", "lapse", ""]


class PayoutRow(SQLModel, table=True):
    """`way`: wechat, owner or coupon; `state` as in rules/payouts.py. `purse`: the ledger's. `step`, `due_at`: what
    comes next: send or query (wechat), alternate (somebody else's turn), ask, remind and lapse (owner, coupon).

    `amount`: what is paid out and booked; gross = tax + net as declared (`born_by`: who bears the tax). `person`: who
    gets it, as the winner has it. `calls`: how many calls were ordered, at `call_at` last; `day`: whose limits the last
    sending counted for. `tries`, `doubt`, `barred`, `since` (the first call, or when it was sent): see
    rules/payouts.py, Standing. `settled`: the ledger has
    booked it as paid. `shown`: managers are to see it. `why`: the last code.

    `draw`, `winner`: what the number is made of. An owner's: `userid` and `chat_id`, `card_id` the last card; a
    coupon's: `code` and `what`, `userid` who ticked it off.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("draw_id", "winner", "attempt"),
        Index(
            "ix_payouts_due",
            "due_at",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_payouts_limits", "day", "openid"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    draw_id: int = Field(index=True, sa_type=BigId)
    winner_id: int | None = Field(default=None, index=True, sa_type=BigId)
    winner: str
    attempt: int = 1
    way: str
    state: str = Field(default="planned", index=True)
    number: str = Field(unique=True)
    draw: str = ""
    purse: str = Field(index=True)
    amount: int = Field(sa_type=BigId)
    gross: int = Field(sa_type=BigId)
    tax: int = Field(default=0, sa_type=BigId)
    born_by: str = "organiser"
    person: str = Field(default="", index=True)
    openid: str = ""
    words: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    packet: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    step: str = "send"
    due_at: datetime | None = Field(default=None, sa_type=UtcTime)
    until: datetime | None = Field(default=None, sa_type=UtcTime)
    calls: int = 0
    call_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    day: str = ""
    tries: int = 0
    doubt: bool = False
    barred: bool = False
    since: datetime = Field(sa_type=UtcTime)
    settled: bool = False
    shown: bool = False
    why: str = ""
    userid: str = Field(default="", index=True)
    chat_id: str = ""
    card_id: int | None = None
    what: str = ""
    code: str | None = Field(default=None, unique=True)
    planned_at: datetime = Field(sa_type=UtcTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)

    @property
    def is_final(self) -> bool:
        """Nothing changes its state any more."""
        return self.state in FINAL

    @property
    def is_over(self) -> bool:
        """Nor does anything follow from it."""
        return self.is_final and self.step != "alternate"


class PauseRow(SQLModel, table=True):
    """Nothing is sent: since when, why (`reason`, and the provider's `code`), and when one payout tries again.

    `open_key` is "open" until it is over, so that there is one at most. `told_at`, `end_told_at`: managers know;
    `due_at`: when they are to be told.
    """

    __tablename__ = "payout_pauses"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    open_key: str | None = Field(default="open", unique=True)
    reason: str
    code: str
    since: datetime = Field(sa_type=UtcTime)
    probe_at: datetime | None = Field(default=None, sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    end_told_at: datetime | None = Field(default=None, sa_type=UtcTime)


_PAYOUTS, _PAUSES = table_of(PayoutRow), table_of(PauseRow)


# --- rows -------------------------------------------------------------------------------------------------------------


async def add(tx: Tx, row: PayoutRow) -> PayoutRow | None:
    """A new payout; None where this draw, winner and attempt has one already."""
    same = select(PayoutRow.id).where(
        PayoutRow.draw_id == row.draw_id, PayoutRow.winner == row.winner, PayoutRow.attempt == row.attempt
    )
    if (await tx.exec(same)).first() is not None:
        return None
    tx.add(row)
    await tx.flush()
    return row


async def has_one(tx: Tx, draw_id: int, winner: str) -> bool:
    """Whether this winner's prize is on its way, or was."""
    query = select(PayoutRow.id).where(PayoutRow.draw_id == draw_id, PayoutRow.winner == winner)
    return (await tx.exec(query.limit(1))).first() is not None


async def last_attempt(tx: Tx, draw_id: int, winner: str) -> PayoutRow | None:
    """The latest attempt to give this winner their prize."""
    query = select(PayoutRow).where(PayoutRow.draw_id == draw_id, PayoutRow.winner == winner)
    return (await tx.exec(query.order_by(col(PayoutRow.attempt).desc()).limit(1))).first()


async def payout(tx: Tx, payout_id: int, *, lock: bool = False) -> PayoutRow | None:
    if lock:
        return await row_found(tx, PayoutRow, _LOCKED, id=payout_id)
    return await by_key(tx, PayoutRow, payout_id)


_LOCKED = once(columns(_PAYOUTS).where(_PAYOUTS.c.id == bindparam("id")).with_for_update())


async def some(tx: Tx, ids: Sequence[int]) -> list[PayoutRow]:
    """These payouts, locked, oldest first."""
    query = select(PayoutRow).where(col(PayoutRow.id).in_(ids)).order_by(col(PayoutRow.id)).with_for_update()
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


async def numbered(tx: Tx, number: str, *, lock: bool = False) -> PayoutRow | None:
    """By the provider's number."""
    query = select(PayoutRow).where(PayoutRow.number == number)
    return (await tx.exec(query.with_for_update() if lock else query)).first()


async def with_code(tx: Tx, code: str, *, lock: bool = False) -> PayoutRow | None:
    """By the code of a coupon."""
    query = select(PayoutRow).where(PayoutRow.code == code)
    return (await tx.exec(query.with_for_update() if lock else query)).first()


async def of_draw(tx: Tx, draw_id: int) -> list[PayoutRow]:
    """All payouts of a draw, oldest first."""
    query = select(PayoutRow).where(PayoutRow.draw_id == draw_id)
    return list((await tx.exec(query.order_by(col(PayoutRow.id)))).all())


async def of_winner(tx: Tx, winner_id: int) -> PayoutRow | None:
    """The last attempt to pay this winner."""
    query = select(PayoutRow).where(PayoutRow.winner_id == winner_id)
    return (await tx.exec(query.order_by(col(PayoutRow.id).desc()).limit(1))).first()


async def attempts(tx: Tx, row: PayoutRow) -> list[PayoutRow]:
    """All attempts to pay the prize that this one is of, locked, the first one first."""
    query = select(PayoutRow).where(PayoutRow.draw_id == row.draw_id, PayoutRow.winner == row.winner)
    return list((await tx.exec(query.order_by(col(PayoutRow.attempt)).with_for_update())).all())


async def asked_in(tx: Tx, chat_id: str) -> PayoutRow | None:
    """What this group's owner is being asked to send; None where it is nothing, or several."""
    mine = (col(PayoutRow.chat_id) == chat_id) & (PayoutRow.way == "owner") & col(PayoutRow.state).not_in(FINAL)
    found = (await tx.exec(select(PayoutRow).where(mine).with_for_update())).all()
    return found[0] if len(found) == 1 else None


async def on_card(tx: Tx, card_id: int) -> PayoutRow | None:
    """What an owner's card asks for."""
    return (await tx.exec(select(PayoutRow).where(PayoutRow.card_id == card_id).with_for_update())).first()


async def claimed(tx: Tx, purse: str) -> int:
    """Fen that open payouts will still take of this purse."""
    open_ones = (_PAYOUTS.c.purse == purse) & _PAYOUTS.c.settled.is_(False) & _PAYOUTS.c.state.not_in(FINAL)
    found: int = await one(tx, columns(func.coalesce(func.sum(_PAYOUTS.c.amount), 0)).where(open_ones))
    return int(found)


async def winner_is_paid(tx: Tx, winner_id: int, *, now: datetime) -> None:
    """The winner whose prize this is has got it."""
    winners = table_of(WinnerRow)
    of_them = (winners.c.id == winner_id) & (winners.c.state == "claimed")
    await (await tx.connection()).execute(update(winners).where(of_them).values(state="paid", paid_at=now))


async def winner_is_not_paid(tx: Tx, winner_id: int) -> None:
    """What was paid to this winner came back, or never arrived: they wait for it as before."""
    winners = table_of(WinnerRow)
    of_them = (winners.c.id == winner_id) & (winners.c.state == "paid")
    await (await tx.connection()).execute(update(winners).where(of_them).values(state="claimed", paid_at=None))


async def waits_for_money(tx: Tx, winner_id: int) -> bool:
    """Whether this winner has claimed, and is neither paid nor passed over."""
    winners = table_of(WinnerRow)
    state: str | None = await one(tx, columns(winners.c.state).where(winners.c.id == winner_id))
    return state == "claimed"


# --- what is due ------------------------------------------------------------------------------------------------------

AHEAD = timedelta(hours=1)
"""How far ahead calls may stand in line: 72,000 of them."""

_SENDS: ColumnElement[bool] = _PAYOUTS.c.step == "send"


async def due(tx: Tx, *, now: datetime, limit: int) -> list[PayoutRow]:
    """Payouts whose step has come, oldest first; none to be sent while there is a pause, but for the one that tries."""
    pause = await paused(tx)
    query = select(PayoutRow).where(col(PayoutRow.due_at) <= now)
    ordered = query.order_by(col(PayoutRow.due_at), col(PayoutRow.id)).with_for_update(skip_locked=True)
    if pause is None:
        return list((await tx.exec(ordered.limit(limit))).all())
    found = list((await tx.exec(ordered.where(~_SENDS).limit(limit))).all())
    if pause.probe_at is not None and pause.probe_at <= now:
        found += (await tx.exec(ordered.where(_SENDS).limit(1))).all()
    return found


async def next_due(tx: Tx) -> datetime | None:
    """When something is due next; likewise. Or when managers are to be told of a pause."""
    moments: list[datetime | None] = [await one(tx, _NEXT_TELLING)]
    if await one(tx, _IS_PAUSED) is None:
        moments.append(await one(tx, _NEXT_STEP))
    else:
        pause, sending = await paused(tx), await one(tx, _NEXT_SEND)
        if pause is not None and pause.probe_at is not None and sending is not None:
            moments.append(max(sending, pause.probe_at))
        moments.append(await one(tx, _NEXT_BUT_SENDS))
    return min((at for at in moments if at is not None), default=None)


_IS_PAUSED = once(columns(_PAUSES.c.id).where(_PAUSES.c.open_key == literal_column("'open'")))
_NEXT_TELLING = once(columns(func.min(_PAUSES.c.due_at, type_=UtcTime())))
_FIRST = columns(func.min(_PAYOUTS.c.due_at, type_=UtcTime()))
_NEXT_STEP = once(_FIRST.where(_PAYOUTS.c.due_at.is_not(None)))
_NEXT_SEND, _NEXT_BUT_SENDS = once(_FIRST.where(_SENDS)), once(_FIRST.where(~_SENDS))


async def room_at(tx: Tx, now: datetime) -> datetime:
    """When the next call may be made, so that there are never too many within a second. A call that is to be made much
    later was ordered while the clock was wrong.
    """
    soon = _PAYOUTS.c.call_at < now + AHEAD
    last: datetime | None = await one(tx, columns(func.max(_PAYOUTS.c.call_at, type_=UtcTime())).where(soon))
    return now if last is None else max(now, last + BETWEEN_CALLS)


class Day(NamedTuple):
    """What was sent, or is about to be, on one day."""

    packets: int
    fen: int


async def sent_on(tx: Tx, day: str, openids: Collection[str], *, without: Iterable[int] = ()) -> dict[str, Day]:
    """What each of these people, and "" everybody, has been sent on a day. Rows `without` are not counted."""
    counted = (_PAYOUTS.c.day == day) & _PAYOUTS.c.id.not_in(list(without))
    sums = columns(func.count(), func.coalesce(func.sum(_PAYOUTS.c.amount), 0))
    connection = await tx.connection()
    packets, fen = (await connection.execute(sums.where(counted))).one()
    found = {"": Day(packets, int(fen))}
    theirs = columns(_PAYOUTS.c.openid, func.count(), func.sum(_PAYOUTS.c.amount)).group_by(_PAYOUTS.c.openid)
    rows = await connection.execute(theirs.where(counted, _PAYOUTS.c.openid.in_(list(openids))))
    return found | {openid: Day(packets, int(fen)) for openid, packets, fen in rows}


# --- the pause --------------------------------------------------------------------------------------------------------


async def paused(tx: Tx) -> PauseRow | None:
    """The pause that there is now."""
    if await one(tx, _IS_PAUSED) is None:
        return None
    return (await tx.exec(select(PauseRow).where(PauseRow.open_key == "open"))).first()


async def pause(tx: Tx, reason: Pause, code: str, *, probe_at: datetime | None, now: datetime) -> bool:
    """Nothing is sent any more. A worse reason replaces a lighter one. Whether that is news."""
    row = await paused(tx)
    if row is None:
        tx.add(PauseRow(reason=reason, code=code, since=now, probe_at=probe_at, due_at=now))
        await tx.flush()
        return True
    if row.reason in ("conflict", reason):
        return False
    row.reason, row.code, row.probe_at, row.told_at, row.due_at = reason, code, probe_at, None, now
    return True


async def resume(tx: Tx, *, now: datetime) -> bool:
    """Sending goes on; False where nothing was paused."""
    row = await paused(tx)
    if row is None:
        return False
    row.open_key, row.ended_at, row.due_at = None, now, now
    return True


async def hurry(tx: Tx, *, now: datetime) -> None:
    """Sendings that wait for a pause to end wait no longer."""
    waiting = _SENDS & (_PAYOUTS.c.due_at > now) & _PAYOUTS.c.why.in_(PAUSING_CODES)
    await (await tx.connection()).execute(update(_PAYOUTS).where(waiting).values(due_at=now))


async def look_again(tx: Tx, *, now: datetime) -> None:
    """The clock may have been wrong: what is due later than anything can be is due now."""
    too_late = now + LONGEST_WAIT
    connection = await tx.connection()
    theirs = (_PAYOUTS.c.way == "wechat") & (_PAYOUTS.c.due_at > too_late)
    await connection.execute(update(_PAYOUTS).where(theirs).values(due_at=now))
    await outbox.not_later_than(tx, "pay:", too_late, now=now)
    for column in (_PAUSES.c.probe_at, _PAUSES.c.due_at):
        await connection.execute(update(_PAUSES).where(column > too_late).values({column: now}))


async def untold(tx: Tx, *, now: datetime | None = None) -> list[PauseRow]:
    """Pauses that began, or ended, without the managers knowing; by `now`: of whom it is time to tell. Locked."""
    query = select(PauseRow).where(col(PauseRow.due_at).is_not(None)).order_by(col(PauseRow.id)).with_for_update()
    return list((await tx.exec(query if now is None else query.where(col(PauseRow.due_at) <= now))).all())


# --- looking ----------------------------------------------------------------------------------------------------------


async def unresolved(tx: Tx) -> list[PayoutRow]:
    """Payouts of which nobody knows whether the money went, those that managers have to see, and what was paid and is
    not in the ledger; oldest first.
    """
    open_ones = col(PayoutRow.state).not_in(FINAL)
    query = select(PayoutRow).where(
        or_((col(PayoutRow.state) == "unknown") | col(PayoutRow.shown) & open_ones, _UNBOOKED)
    )
    return list((await tx.exec(query.order_by(col(PayoutRow.id)))).all())


_UNBOOKED: ColumnElement[bool] = _PAYOUTS.c.state.in_(PAID) & _PAYOUTS.c.settled.is_(False) & (_PAYOUTS.c.amount > 0)


async def unbooked(tx: Tx) -> list[PayoutRow]:
    """What was paid and is not in the ledger: the purse did not hold it. Locked."""
    return list((await tx.exec(select(PayoutRow).where(_UNBOOKED).with_for_update())).all())


async def between(tx: Tx, start: datetime, end: datetime) -> list[PayoutRow]:
    """Payouts sent in this time, or planned in it and not sent; oldest first."""
    at = func.coalesce(_PAYOUTS.c.sent_at, _PAYOUTS.c.planned_at, type_=UtcTime())
    query = select(PayoutRow).where(at >= start, at < end)
    return list((await tx.exec(query.order_by(col(PayoutRow.id)))).all())


def wait(row: PayoutRow, step: Step, at: datetime | None) -> None:
    """What comes next for a payout, and when."""
    row.step, row.due_at = step, at
