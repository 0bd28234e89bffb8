"""Posts: each fire of the calendar is a row, once, whatever clocks and processes do; and what became of every group.

What went out is in store/sends.py (`about` "post:{id}"); here are the posts, the groups that got none of their own
and why, who paused what, and how far the calendar is written out.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, func
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.columns import table_of
from store.database import BigId, Tx, UtcTime, one

State = Literal["planned", "out", "done", "skipped", "cancelled", "failed", "withdrawn"]
FINAL = ("done", "skipped", "cancelled", "failed", "withdrawn")
Left = Literal["merged", "dropped", "unreachable", "paused", "failed"]


class PostRow(SQLModel, table=True):
    """One fire of one post. `key`: rules/post_plan.py makes it. `fire_at`: as the calendar has it; `say_at`: when it is
    to stand there, another time where somebody moved it.

    `state`: planned, out (sends exist), or one of FINAL. `approval`: "" (none wanted, or not asked yet), asked, passed.
    `raised`: how often a step of it was raised. `why`: in Chinese, why it was skipped, or failed.
    """

    __tablename__ = "posts"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    key: str = Field(unique=True)
    name: str = Field(index=True)
    day: date
    number: int = 0
    step: int = 0
    fire_at: datetime = Field(sa_type=UtcTime, index=True)
    say_at: datetime = Field(sa_type=UtcTime)
    state: str = Field(default="planned", index=True)
    approval: str = ""
    decided_by: str = ""
    due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    out_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reached: int = 0
    raised: int = 0
    why: str = ""

    @property
    def about(self) -> str:
        """What its sends are about."""
        return f"post:{self.id}"


class PostGroupRow(SQLModel, table=True):
    """A group that a post went to in no send of its own. `way`: merged (into the post `into_key`), dropped, unreachable
    (nobody can be asked to send it), paused, failed. `why`: in Chinese.
    """

    __tablename__ = "post_groups"

    post_key: str = Field(primary_key=True)
    chat_id: str = Field(primary_key=True)
    way: str
    into_key: str = Field(default="", index=True)
    why: str = ""
    at: datetime = Field(sa_type=UtcTime)


class PostPauseRow(SQLModel, table=True):
    """Nothing goes out to the group `chat_id` ("": to none at all) until somebody resumes it."""

    __tablename__ = "post_pauses"

    chat_id: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcTime)


class CalendarRow(SQLModel, table=True):
    """Until when the calendar is written out, when that was done, and when it is gone over again (one row)."""

    __tablename__ = "post_calendar"

    id: int = Field(primary_key=True)
    until: datetime | None = Field(default=None, sa_type=UtcTime)
    looked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    due_at: datetime = Field(sa_type=UtcTime)
    config_id: int


# --- the calendar -----------------------------------------------------------------------------------------------------


async def calendar(tx: Tx) -> CalendarRow | None:
    """None before it was ever written out."""
    return await tx.get(CalendarRow, 1, with_for_update=True)


async def next_calendar(tx: Tx, config_id: int) -> datetime | None:
    """When it is gone over next; None where it never was under this config."""
    found: datetime | None = await one(tx, _NEXT_CALENDAR, config_id=config_id)
    return found


_CALENDAR = table_of(CalendarRow)
_NEXT_CALENDAR = once(columns(_CALENDAR.c.due_at).where(_CALENDAR.c.config_id == bindparam("config_id")))
_UNTIL = once(columns(_CALENDAR.c.until))


async def look_again(tx: Tx, *, now: datetime) -> None:
    """The clock went back: what was planned to be looked at later is looked at now."""
    row = await calendar(tx)
    if row is not None:
        row.due_at, row.looked_at = now, min(row.looked_at or now, now)


async def written_until(tx: Tx) -> datetime | None:
    """Until when the calendar is written out; None where there has never been anything in it."""
    found: datetime | None = await one(tx, _UNTIL)
    return found


async def of_keys(tx: Tx, keys: Collection[str]) -> dict[str, PostRow]:
    """By key."""
    query = select(PostRow).where(col(PostRow.key).in_(keys))
    return {row.key: row for row in (await tx.exec(query)).all()}


async def planned_after(tx: Tx, moment: datetime) -> list[PostRow]:
    """Those still to come, the earliest first."""
    query = select(PostRow).where(PostRow.state == "planned", col(PostRow.fire_at) > moment)
    return list((await tx.exec(query.order_by(col(PostRow.fire_at), col(PostRow.id)))).all())


async def post(tx: Tx, post_id: int, *, lock: bool = False) -> PostRow | None:
    return await tx.get(PostRow, post_id, with_for_update=lock)


async def between(tx: Tx, since: datetime, until: datetime) -> list[PostRow]:
    """All with a fire in [since, until), in order."""
    query = select(PostRow).where(col(PostRow.fire_at) >= since, col(PostRow.fire_at) < until)
    return list((await tx.exec(query.order_by(col(PostRow.fire_at), col(PostRow.id)))).all())


async def due(tx: Tx, *, now: datetime, limit: int = 100) -> list[PostRow]:
    """Posts whose next step has come; those that another process is raising are left to it."""
    query = select(PostRow).where(col(PostRow.due_at) <= now).order_by(col(PostRow.due_at), col(PostRow.id))
    return list((await tx.exec(query.limit(limit).with_for_update(skip_locked=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(columns(func.min(table_of(PostRow).c.due_at)))


def end(row: PostRow, state: State, why: str = "", *, now: datetime) -> None:
    """Nothing more will come of it."""
    row.state, row.why, row.due_at, row.ended_at = state, why or row.why, None, now


# --- groups without a send of their own -------------------------------------------------------------------------------


async def leave_out(  # the columns of a row, by name
    tx: Tx, post_key: str, chat_id: str, way: Left, why: str, *, into_key: str = "", now: datetime
) -> None:
    """Write down why a group gets nothing of its own of this post; what was written first stands."""
    if await tx.get(PostGroupRow, (post_key, chat_id)) is None:
        tx.add(PostGroupRow(post_key=post_key, chat_id=chat_id, way=way, into_key=into_key, why=why, at=now))
        await tx.flush()


async def left_out(tx: Tx, post_keys: Sequence[str]) -> list[PostGroupRow]:
    query = select(PostGroupRow).where(col(PostGroupRow.post_key).in_(post_keys))
    return list((await tx.exec(query.order_by(PostGroupRow.post_key, PostGroupRow.chat_id))).all())


async def merged_into(tx: Tx, key: str) -> list[PostGroupRow]:
    """What is said together with this post, and where."""
    query = select(PostGroupRow).where(PostGroupRow.into_key == key)
    return list((await tx.exec(query.order_by(PostGroupRow.post_key, PostGroupRow.chat_id))).all())


# --- pauses -----------------------------------------------------------------------------------------------------------


async def paused(tx: Tx) -> set[str]:
    """The groups that are paused; "" where all is."""
    return set((await tx.exec(select(PostPauseRow.chat_id))).all())


async def pause(tx: Tx, chat_ids: Collection[str], *, now: datetime) -> int:
    """Let nothing go out to these groups ("": to none) from now on; says how many are newly so."""
    new = set(chat_ids) - await paused(tx)
    tx.add_all([PostPauseRow(chat_id=each, since=now) for each in sorted(new)])
    await tx.flush()
    return len(new)


async def resume(tx: Tx, chat_ids: Collection[str]) -> int:
    """Let posts go out again; says how many were paused."""
    rows = (await tx.exec(select(PostPauseRow).where(col(PostPauseRow.chat_id).in_(chat_ids)))).all()
    for row in rows:
        await tx.delete(row)
    await tx.flush()
    return len(rows)


# --- forgetting -------------------------------------------------------------------------------------------------------

KEPT = timedelta(days=730)
"""How long it is remembered what the calendar had, and what became of it."""


async def prune(tx: Tx, *, now: datetime, at_most: int = 1000) -> int:
    """Forget what ended longer ago than KEPT. Answers how many: call it again until that is 0."""
    core, groups = table_of(PostRow), table_of(PostGroupRow)
    connection = await tx.connection()
    old = columns(core.c.key).where(core.c.ended_at < now - KEPT).order_by(core.c.id).limit(at_most)
    keys = (await connection.execute(old)).scalars().all()
    await connection.execute(delete(groups).where(groups.c.post_key.in_(keys)))
    return (await connection.execute(delete(core).where(core.c.key.in_(keys)))).rowcount
