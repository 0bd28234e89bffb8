"""Sends: one 企业群发 of one sender (page 92135), or the same said by hand, and what each group or customer got of it.

A send exists once by its `key`; at the platform because its making is looked up before it is tried again.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Index, delete, func, update
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.columns import Json, table_of
from store.database import BigId, Tx, UtcTime, one

State = Literal["new", "ordered", "made", "confirmed", "done", "expired", "cancelled", "failed"]
FINAL = ("done", "expired", "cancelled", "failed")
Got = Literal["waiting", "arrived", "no_friend", "capped", "unsent", "refused", "expired", "cancelled", "failed"]
MOST_TARGETS = 2000


class SendRow(SQLModel, table=True):
    """`about`: what it is for, "post:{id}" or its owner's own words. `via`: task (a 企业群发) or hand.

    `state`: new (not ordered yet), ordered, made (its sender has to confirm; by hand: to say it), confirmed (results
    are awaited), or one of FINAL. `number`: how often its making was ordered. `say_at`, `until`: when it should be out,
    and when it is too late. `steps`: how many steps of following lie behind; `looks`: how often it was looked at.
    `attachments`: as rules/content.py has them. `why`: in Chinese, why it failed. `rides_on`: key of a post that may
    say it along with its own; as long as it is new, and only by hand once `due_at` comes.
    """

    __tablename__ = "sends"
    __table_args__ = (Index("ix_sends_about", "about"), {"sqlite_autoincrement": True})

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    key: str = Field(unique=True)
    about: str
    via: str = "task"
    chat_type: str = "group"
    sender: str
    targets: list[str] = Field(default_factory=list, sa_type=Json)
    title: str = ""
    text: str
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    state: str = Field(default="new", index=True)
    number: int = 0
    msgid: str | None = Field(default=None, unique=True)
    say_at: datetime = Field(sa_type=UtcTime)
    until: datetime = Field(sa_type=UtcTime)
    ordered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    made_at: datetime | None = Field(default=None, sa_type=UtcTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    steps: int = 0
    looks: int = 0
    reminders: int = 0
    why: str = ""
    rides_on: str = Field(default="", index=True)

    @property
    def is_over(self) -> bool:
        return self.state in FINAL


class SendResultRow(SQLModel, table=True):
    """What one group or customer got. `got`: waiting, arrived, capped (it has had all it may get), no_friend, unsent
    (confirmed without it), refused (cannot be sent to), expired, cancelled, failed. `at`: since when.
    """

    __tablename__ = "send_results"

    send_id: int = Field(primary_key=True, foreign_key="sends.id")
    target: str = Field(primary_key=True, index=True)
    got: str = "waiting"
    at: datetime | None = Field(default=None, sa_type=UtcTime)


async def add(tx: Tx, row: SendRow) -> SendRow | None:
    """A new send with everybody in it waiting; None where this key is there already."""
    if (await tx.exec(select(SendRow.id).where(SendRow.key == row.key))).first() is not None:
        return None
    if len(row.targets) > MOST_TARGETS and row.chat_type == "group":
        raise ValueError(f"a send goes to {MOST_TARGETS} groups at most")
    tx.add(row)
    await tx.flush()
    tx.add_all([SendResultRow(send_id=row.id, target=target) for target in row.targets])
    await tx.flush()
    return row


async def add_target(tx: Tx, row: SendRow, target: str) -> None:
    """One more for a send that was not ordered yet."""
    row.targets = [*row.targets, target]
    tx.add(SendResultRow(send_id=row.id, target=target))
    await tx.flush()


async def send(tx: Tx, send_id: int, *, lock: bool = False) -> SendRow | None:
    return await tx.get(SendRow, send_id, with_for_update=lock)


async def by_key(tx: Tx, key: str) -> SendRow | None:
    return (await tx.exec(select(SendRow).where(SendRow.key == key))).first()


async def about(tx: Tx, about: str) -> list[SendRow]:
    """All sends for this, oldest first."""
    return list((await tx.exec(select(SendRow).where(SendRow.about == about).order_by(col(SendRow.id)))).all())


async def about_some(tx: Tx, abouts: Sequence[str]) -> list[SendRow]:
    """All sends for any of these, oldest first."""
    query = select(SendRow).where(col(SendRow.about).in_(abouts))
    return list((await tx.exec(query.order_by(col(SendRow.id)))).all())


async def results(tx: Tx, send_id: int) -> dict[str, SendResultRow]:
    """By target, in the order of the targets' ids."""
    query = select(SendResultRow).where(SendResultRow.send_id == send_id).order_by(SendResultRow.target)
    return {row.target: row for row in (await tx.exec(query)).all()}


async def results_of(tx: Tx, send_ids: Sequence[int]) -> list[SendResultRow]:
    """The results of several sends."""
    query = select(SendResultRow).where(col(SendResultRow.send_id).in_(send_ids))
    return list((await tx.exec(query.order_by(col(SendResultRow.send_id), SendResultRow.target))).all())


def settle(rows: Iterable[SendResultRow], got: Got, *, now: datetime) -> None:
    """Everybody who still waits got this."""
    for row in rows:
        if row.got == "waiting":
            row.got, row.at = got, now


def end(row: SendRow, state: State, *, why: str = "", now: datetime) -> None:
    """Nothing more will come of it."""
    row.state, row.ended_at, row.due_at, row.why = state, now, None, why or row.why


async def open_of(tx: Tx, sender: str, via: str = "hand") -> list[SendRow]:
    """What somebody has still to send, the oldest first."""
    query = select(SendRow).where(SendRow.sender == sender, SendRow.via == via, SendRow.state == "made")
    return list((await tx.exec(query.order_by(col(SendRow.id)))).all())


async def riding_on(tx: Tx, post_key: str) -> list[SendRow]:
    """What waits to be said along with this post."""
    query = select(SendRow).where(SendRow.rides_on == post_key, SendRow.state == "new").order_by(col(SendRow.id))
    return list((await tx.exec(query.with_for_update())).all())


async def taken(tx: Tx, msgids: Collection[str]) -> set[str]:
    """Which of these the platform made for a send that we know of."""
    query = select(SendRow.msgid).where(col(SendRow.msgid).in_(msgids))
    return {msgid for msgid in (await tx.exec(query)).all() if msgid}


async def due(tx: Tx, *, now: datetime, limit: int = 200) -> list[SendRow]:
    """Sends whose next look or step has come; those that another process is raising are left to it."""
    query = select(SendRow).where(col(SendRow.due_at) <= now).order_by(col(SendRow.due_at), col(SendRow.id))
    return list((await tx.exec(query.limit(limit).with_for_update(skip_locked=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_SENDS, _RESULTS = table_of(SendRow), table_of(SendResultRow)
_NEXT_DUE = once(columns(func.min(_SENDS.c.due_at)))


async def look_again(tx: Tx, *, now: datetime) -> None:
    """The clock went back: what was planned to be looked at later is looked at now."""
    await tx.exec(update(SendRow).where(col(SendRow.due_at) > now).values(due_at=now))


async def counted(tx: Tx, begin: datetime, end: datetime) -> dict[str, int]:
    """chat_id → how many 企业群发 of ours it got, or may still get, of those meant for [begin, end)."""
    query = (
        select(SendResultRow.target, func.count())
        .join(SendRow, col(SendRow.id) == col(SendResultRow.send_id))
        .where(SendRow.via == "task", SendRow.chat_type == "group")
        .where(col(SendRow.say_at) >= begin, col(SendRow.say_at) < end)
        .where(col(SendResultRow.got).in_(("waiting", "arrived")))
        .group_by(SendResultRow.target)
    )
    return dict((await tx.exec(query)).all())


KEPT = timedelta(days=730)
"""How long it is remembered what was sent to whom, and what became of it."""


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget what ended longer ago than KEPT. Answers how many: call it again until that is 0."""
    old = columns(_SENDS.c.id).where(_SENDS.c.ended_at < now - KEPT).order_by(_SENDS.c.id).limit(at_most)
    connection = await tx.connection()
    ids = (await connection.execute(old)).scalars().all()
    await connection.execute(delete(_RESULTS).where(_RESULTS.c.send_id.in_(ids)))
    return (await connection.execute(delete(_SENDS).where(_SENDS.c.id.in_(ids)))).rowcount
