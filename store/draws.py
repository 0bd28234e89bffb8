"""Draws as they take place: each one's rules as published, who entered, who won, and how far it is.

What may exist once is said by unique columns: one draw per `key`, one entry per draw and person, one share per number,
one winner per draw and person, one prize per person and month where the rules say so. Money is fen. `seed` and `salt`
are secret until the draw is over. Entries are in store/draw_entrants.py, winners and shares in store/draw_winners.py.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Index, bindparam, func, text, update
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select

from store.built import once
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, one

DrawState = Literal["announced", "open", "frozen", "drawn", "closed", "cancelled"]
"""announced: the rules are published. open: people may enter. frozen: the list is hashed. drawn: there are winners,
who may claim. closed: every prize is paid or lapsed, what was left went back. cancelled: `because`.
"""

WinnerState = Literal["won", "claimed", "paid", "lapsed", "dropped"]
"""won: has to claim. claimed: the payout (store/payouts.py) is on its way. paid. lapsed: too late. dropped: `because`;
of the last two the prize has gone to the next alternate, or back.
"""


class DrawRow(SQLModel, table=True):
    """One draw. `draw`: its settings (rules/draws.py) as frozen when it was announced; `rules`: as published, `hash`es.

    `month`, `held`: what the ledger holds for it (purse `draw:{id}`), and of which month. `chat_ids`: its groups.
    `changes`: what changed in the customers' favour since, each {at, text}. `due_at`: when its next step is.
    `alternates`: {rank, ticket}, in order; `redraws`: {share, gone, to, because, at}, whose turn came, and why.
    """

    __tablename__ = "draws"
    __table_args__ = (
        Index(
            "ix_draws_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    name: str = Field(index=True)
    key: str = Field(unique=True)
    state: str = "announced"
    draw: dict[str, Any] = Field(sa_type=Json)
    rules: list[Any] = Field(sa_type=Json)
    rules_hash: str
    changes: list[Any] = Field(default_factory=list, sa_type=Json)
    chat_ids: list[str] = Field(sa_type=Json)
    month: str = ""
    held: int = Field(default=0, sa_type=BigId)
    seed: str
    salt: str
    commitment: str
    announced_at: datetime = Field(sa_type=UtcTime)
    open_at: datetime = Field(sa_type=UtcTime)
    close_at: datetime = Field(sa_type=UtcTime)
    draw_at: datetime = Field(sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime)
    entrants: int = 0
    entrants_hash: str = ""
    alternates: list[Any] = Field(default_factory=list, sa_type=Json)
    redraws: list[Any] = Field(default_factory=list, sa_type=Json)
    frozen_at: datetime | None = Field(default=None, sa_type=UtcTime)
    drawn_at: datetime | None = Field(default=None, sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    because: str = ""

    @property
    def purse(self) -> str:
        """What the ledger (store/ledger.py) calls this draw's money."""
        return f"draw:{self.id}"


class EntrantRow(SQLModel, table=True):
    """One person in one draw. `person`: who it is (`wm…`, or `v12` for a visitor nobody has tied to a roster yet).

    `ticket`: what the published list calls them. `out`: why they do not take part after all (Chinese), "" = they do.
    """

    __tablename__ = "draw_entrants"
    __table_args__ = (UniqueConstraint("draw_id", "person"), Index("ix_draw_entrants_ticket", "draw_id", "ticket"))

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    draw_id: int = Field(sa_type=BigId)
    person: str = Field(index=True)
    visitor_id: int | None = Field(default=None, index=True, sa_type=BigId)
    external_userid: str | None = Field(default=None, index=True)
    ticket: str
    weight: int = 1
    entered_at: datetime = Field(sa_type=UtcTime)
    out: str = ""


class ShareRow(SQLModel, table=True):
    """One share, split before the first entry. `number`: from 1; the winner with this rank, or who grabs it, gets it.

    `prize`: which of the draw's prizes, from 0. `amount`: fen; of a coupon 0.
    """

    __tablename__ = "draw_shares"
    __table_args__ = (UniqueConstraint("draw_id", "number"), UniqueConstraint("draw_id", "taken_by"))

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    draw_id: int = Field(sa_type=BigId)
    number: int
    prize: int
    amount: int = Field(sa_type=BigId)
    taken_by: str | None = None
    taken_at: datetime | None = Field(default=None, sa_type=UtcTime)


class WinnerRow(SQLModel, table=True):
    """One winner of one share. `rank`: their place in the pick, from 1 (alternates come after the shares); of a grab
    their turn. `person`, `visitor_id`, `external_userid`: as the entrant had them, and as learnt at the claim.

    `amount`: what was promised, fen. `month_key`: person and month, while it is their one prize of the month.
    `claim_until`: the last moment to claim. `because`: why lapsed or dropped.
    """

    __tablename__ = "draw_winners"
    __table_args__ = (
        UniqueConstraint("draw_id", "person"),
        Index(
            "ix_draw_winners_due",
            "claim_until",
            sqlite_where=text("state = 'won'"),
            postgresql_where=text("state = 'won'"),
        ),
    )

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    draw_id: int = Field(index=True, sa_type=BigId)
    rank: int
    share: int
    prize: int
    amount: int = Field(sa_type=BigId)
    person: str = Field(index=True)
    visitor_id: int | None = Field(default=None, index=True, sa_type=BigId)
    external_userid: str | None = Field(default=None, index=True)
    ticket: str
    state: str = "won"
    month: str
    month_key: str | None = Field(default=None, unique=True)
    won_at: datetime = Field(sa_type=UtcTime)
    claim_until: datetime | None = Field(default=None, sa_type=UtcTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    paid_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    because: str = ""


class DrawCalendarRow(SQLModel, table=True):
    """When the calendar of draws is gone over again, and under which config it was last (one row)."""

    __tablename__ = "draw_calendar"

    id: int = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcTime)
    config_id: int


class DrawHouseRow(SQLModel, table=True):
    """What this installation draws with, as its settings said last: `secret`, hex, from which every draw's seed is made
    (and from no seed can another be told); `address`: where its pages are; `public`: where entrances are.
    """

    __tablename__ = "draw_house"

    id: int = Field(default=1, primary_key=True)
    secret: str
    address: str
    public: str = ""
    at: datetime = Field(sa_type=UtcTime)


_DRAWS = table_of(DrawRow)
_CALENDAR = table_of(DrawCalendarRow)
ON = ("announced", "open", "frozen", "drawn")
"""The states in which something is still to come."""


async def house(tx: Tx) -> DrawHouseRow | None:
    return await tx.get(DrawHouseRow, 1)


async def note_house(tx: Tx, *, secret: str, address: str, public: str = "", now: datetime) -> None:
    """Said at every start."""
    row = await house(tx)
    if row is None:
        tx.add(DrawHouseRow(secret=secret, address=address, public=public, at=now))
    elif (row.secret, row.address, row.public) != (secret, address, public):
        row.secret, row.address, row.public, row.at = secret, address, public, now
    await tx.flush()


async def draw(tx: Tx, draw_id: int, *, lock: bool = False) -> DrawRow | None:
    return await tx.get(DrawRow, draw_id, with_for_update=lock, populate_existing=lock)


async def kept_open(tx: Tx, draw_id: int) -> DrawRow | None:
    """The draw as it is now, which cannot be closed until this transaction ends; others may go in beside it."""
    how = {"read": True, "key_share": True}
    return await tx.get(DrawRow, draw_id, with_for_update=how, populate_existing=True)


async def with_key(tx: Tx, key: str) -> DrawRow | None:
    return (await tx.exec(select(DrawRow).where(DrawRow.key == key))).first()


async def add(tx: Tx, row: DrawRow) -> DrawRow:
    """A new draw. Clash where another transaction has made it a moment ago."""
    tx.add(row)
    await tx.flush()
    return row


async def shown(tx: Tx, name: str, *, now: datetime) -> DrawRow | None:
    """The draw of this name that a page shows: one that people can enter or wait for, else the latest there was; one
    that was cancelled as long as nobody waits for anything else.
    """
    mine = select(DrawRow).where(DrawRow.name == name)
    coming = mine.where(col(DrawRow.state).in_(["announced", "open", "frozen"])).order_by(col(DrawRow.draw_at))
    past = mine.order_by(col(DrawRow.draw_at).desc(), col(DrawRow.id).desc())
    latest = (await tx.exec(past.where(DrawRow.state != "cancelled").limit(1))).first()
    next_one = (await tx.exec(coming.limit(1))).first()
    if next_one is None and (latest is None or latest.state == "closed"):
        return (await tx.exec(past.limit(1))).first()
    if next_one is None or latest is None or latest.state in ("announced", "open", "frozen"):
        return next_one or latest
    opens = next_one.state != "announced" or next_one.open_at <= now
    return next_one if opens or latest.state == "closed" else latest


async def last(tx: Tx, *, name: str = "", at_most: int = 20) -> list[DrawRow]:
    """The newest draws, the newest first."""
    query = select(DrawRow).order_by(col(DrawRow.draw_at).desc(), col(DrawRow.id).desc()).limit(at_most)
    return list((await tx.exec(query.where(DrawRow.name == name) if name else query)).all())


async def called(tx: Tx, name: str, *, drawn: bool = False) -> DrawRow | None:
    """The newest draw of this name, or the one with this number. `drawn`: of those that have a result, if any has."""
    if name.isascii() and name.isdigit():
        return await draw(tx, int(name))
    rows = await last(tx, name=name)
    with_result = [row for row in rows if row.drawn_at is not None] if drawn else []
    return next(iter(with_result or rows), None)


async def going_on(tx: Tx) -> list[DrawRow]:
    """All draws that are on."""
    return list((await tx.exec(select(DrawRow).where(col(DrawRow.state).in_(ON)).order_by(col(DrawRow.id)))).all())


def end(row: DrawRow, state: DrawState, because: str, *, now: datetime) -> None:
    """Nothing is to come any more."""
    row.state, row.because, row.closed_at, row.due_at = state, because, now, None


# --- the clock --------------------------------------------------------------------------------------------------------


class Due(NamedTuple):
    """A draw whose next step has come. `due_at` makes the step this one."""

    id: int
    state: str
    due_at: datetime


async def raise_due(tx: Tx, *, now: datetime, again_at: datetime, at_most: int = 100) -> list[Due]:
    """The draws whose step is due; they will be again at `again_at`, unless what follows says otherwise."""
    query = select(DrawRow).where(col(DrawRow.due_at) <= now).order_by(col(DrawRow.due_at), col(DrawRow.id))
    # Whoever enters at this moment (`kept_open`) does not stand in its way.
    rows = (await tx.exec(query.limit(at_most).with_for_update(skip_locked=True, key_share=True))).all()
    found = [Due(row.id, row.state, row.due_at) for row in rows if row.due_at is not None]
    for row in rows:
        row.due_at = again_at
    await tx.flush()
    return found


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(columns(func.min(_DRAWS.c.due_at)).where(_DRAWS.c.due_at.is_not(None)))


async def hurry(tx: Tx, draw_id: int, *, at: datetime) -> None:
    """Its next step is due at `at`, if it is not due earlier. Not for a row that this transaction has changed."""
    later = (_DRAWS.c.id == draw_id) & (_DRAWS.c.due_at > at)
    await (await tx.connection()).execute(update(_DRAWS).where(later).values(due_at=at))


async def calendar(tx: Tx) -> DrawCalendarRow | None:
    """None before it was ever gone over."""
    return await tx.get(DrawCalendarRow, 1, with_for_update=True)


async def next_calendar(tx: Tx, config_id: int) -> datetime | None:
    """When it is gone over next; None where it never was under this config."""
    found: datetime | None = await one(tx, _NEXT_CALENDAR, config_id=config_id)
    return found


_NEXT_CALENDAR = once(columns(_CALENDAR.c.due_at).where(_CALENDAR.c.config_id == bindparam("config_id")))
