"""All groups at once: how they stand, which were read too long ago, and when we look again.

Set-based: no rows are made of groups, and one statement speaks of many (design §11).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel

from rules.events import GroupsReadDue
from rules.lanes import RECONCILE
from store import inbox
from store.built import once
from store.columns import UtcTime, table_of
from store.database import Tx, one, rows_found
from store.inbox import Inbox
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow


class RoundRow(SQLModel, table=True):
    """Something that is done again and again, and when next."""

    __tablename__ = "rounds"

    name: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcTime)


NEVER = datetime.min.replace(year=1970, tzinfo=UTC)


async def rounds(tx: Tx) -> dict[str, RoundRow]:
    """When each of them is due next, by name."""
    return {row.name: row for row in await rows_found(tx, RoundRow, _ALL_ROUNDS)}


async def plan_round(tx: Tx, name: str, *, due_at: datetime) -> None:
    """Write down a round that was never planned, unless another process has just done so."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(insert(table_of(RoundRow)).on_conflict_do_nothing(), {"name": name, "due_at": due_at})


async def drop_rounds(tx: Tx, beginning: str) -> None:
    """Forget the rounds whose names begin so."""
    await tx.exec(delete(RoundRow).where(_ROUNDS.c.name.startswith(beginning, autoescape=True)))


async def next_round(tx: Tx) -> datetime:
    """When the first of them is due; long ago, where none was ever planned."""
    found: datetime | None = await one(tx, _NEXT_ROUND)
    return found or NEVER


async def round_due(tx: Tx, name: str) -> datetime:
    """When this one is due next; long ago, where it was never planned."""
    found: datetime | None = await one(tx, _ROUND_DUE, name=name)
    return found or NEVER


_ROUNDS = table_of(RoundRow)
_ALL_ROUNDS = once(select(_ROUNDS))
_NEXT_ROUND = once(select(func.min(_ROUNDS.c.due_at)))
_ROUND_DUE = once(select(_ROUNDS.c.due_at).where(_ROUNDS.c.name == bindparam("name")))


# --- groups -----------------------------------------------------------------------------------------------------------

_GROUPS = table_of(GroupRow)
_CASES = table_of(CaseRow)
_MEMBERS = table_of(MemberRow)


class Standing(NamedTuple):
    """What has to be known of a group to say whether an answer of the platform is news."""

    chat_id: str
    name: str
    owner: str
    admins: list[str]
    version: str | None
    in_doubt: bool
    awaited_version: str | None
    read_at: datetime | None
    dismissed_at: datetime | None
    out_of_sight_at: datetime | None


async def standings(tx: Tx, chat_ids: Collection[str] | None = None) -> dict[str, Standing]:
    """How these groups stand (None: all, dismissed ones too), in the order of their ids."""
    chosen = select(*(_GROUPS.c[name] for name in Standing._fields)).order_by(_GROUPS.c.chat_id)
    if chat_ids is not None:
        chosen = chosen.where(_GROUPS.c.chat_id.in_(chat_ids))
    return {row.chat_id: row for row in map(Standing._make, await (await tx.connection()).execute(chosen))}


async def names(tx: Tx, chat_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """What the people in these groups are called, by group and external_userid."""
    member = _MEMBERS.c
    chosen = select(member.chat_id, member.external_userid, member.name).where(
        member.chat_id.in_(chat_ids), member.left_at.is_(None)
    )
    found: dict[str, dict[str, str]] = {}
    for chat_id, external_userid, name in await (await tx.connection()).execute(chosen):
        found.setdefault(chat_id, {})[external_userid] = name
    return found


async def add_groups(tx: Tx, chat_ids: Iterable[str], *, now: datetime) -> None:
    """Write down groups that were not known, watched from now on."""
    tx.add_all([GroupRow(chat_id=chat_id, watched_since=now) for chat_id in chat_ids])
    await tx.flush()


async def read_one_by_one(tx: Tx, chat_ids: Sequence[str], *, gap: timedelta, now: datetime) -> None:
    """Have these groups read, one every `gap`, beginning now."""
    statement = (
        update(_GROUPS).where(_GROUPS.c.chat_id == bindparam("of")).values(read_due_at=bindparam("at", type_=UtcTime()))
    )
    if chat_ids:
        when = [{"of": chat_id, "at": now + number * gap} for number, chat_id in enumerate(chat_ids)]
        await (await tx.connection()).execute(statement, when)


async def read_soon(tx: Tx, chat_ids: Collection[str], *, at: datetime) -> None:
    """Have each of these groups read by itself at `at`, unless it is to be read earlier anyhow."""
    later = or_(_GROUPS.c.read_due_at.is_(None), _GROUPS.c.read_due_at > at)
    statement = update(_GROUPS).where(_GROUPS.c.chat_id.in_(chat_ids), later).values(read_due_at=at)
    await (await tx.connection()).execute(statement)


async def confirm(tx: Tx, chat_ids: Collection[str], *, read_at: datetime) -> None:
    """What was read of these groups, beginning at `read_at`, is what we have."""
    older = or_(_GROUPS.c.read_at.is_(None), _GROUPS.c.read_at < read_at)
    statement = update(_GROUPS).where(_GROUPS.c.chat_id.in_(chat_ids), older).values(read_at=read_at)
    await (await tx.connection()).execute(statement)


async def stale(
    tx: Tx, *, now: datetime, unsettled: datetime, asked_about: datetime, rest: datetime, at_most: int
) -> list[str]:
    """Groups in sight that were read too long ago and are not about to be read, the oldest first.

    Too long: before `unsettled` for one in doubt, before `asked_about` for one with an open case, before `rest` for
    all; and before what was told of it had settled.
    """
    limits = {"now": now, "unsettled": unsettled, "asked_about": asked_about, "rest": rest, "at_most": at_most}
    return list((await (await tx.connection()).execute(_STALE, limits)).scalars())


def _stale() -> Select[str]:
    group = _GROUPS.c
    asked = select(_CASES.c.chat_id).where(_CASES.c.open_key.is_not(None))
    return (
        select(group.chat_id)
        .where(group.dismissed_at.is_(None), group.out_of_sight_at.is_(None), group.read_due_at.is_(None))
        .where(
            or_(
                group.read_at < bindparam("rest"),
                group.read_at.is_(None),
                (group.read_at < group.settles_at) & (group.settles_at <= bindparam("now")),
                (group.read_at < bindparam("unsettled")) & group.in_doubt,
                (group.read_at < bindparam("asked_about")) & group.chat_id.in_(asked),
            )
        )
        .order_by(group.read_at, group.chat_id)
        .limit(bindparam("at_most"))
    )


_STALE = once(_stale())


KEY = "reconcile"
"""The ordering key: one thing at a time, whatever is to be looked over, so that callbacks have the other hands."""

A_BATCH = 50
EVERY_BATCH = timedelta(seconds=5)
"""So 600 groups a minute: far below 10,000 calls (page 90454), the rest is for what callbacks need."""


async def look_over(tx: Tx, chat_ids: Sequence[str], *, key: str, now: datetime) -> int:
    """Have these groups looked over, some at a time. `key`: which occasion this is. Says how many events that makes."""
    batches = [chat_ids[first : first + A_BATCH] for first in range(0, len(chat_ids), A_BATCH)]
    for number, few in enumerate(batches):
        await inbox.put(
            tx,
            source="reconcile",
            key=f"reconcile:{key}:{number}",
            event=GroupsReadDue(at=now, chat_ids=tuple(few)),
            lane=RECONCILE,
            ordering_key=KEY,
            due_at=now + number * EVERY_BATCH,
            now=now,
        )
    return len(batches)


async def is_under_way(tx: Tx) -> bool:
    """Whether some of this has still to be done."""
    open_one = select(_INBOX.c.id).where(_INBOX.c.state == literal_column("'open'"), _INBOX.c.ordering_key == KEY)
    return (await (await tx.connection()).execute(open_one.limit(1))).first() is not None


_INBOX = table_of(Inbox)


class Census(NamedTuple):
    """Groups in sight (some of them in doubt), out of sight, dismissed. `oldest_read`: of those in sight."""

    in_sight: int
    in_doubt: int
    out_of_sight: int
    dismissed: int
    oldest_read: datetime | None


async def census(tx: Tx) -> Census:
    """All groups, counted."""
    group = _GROUPS.c
    there = group.dismissed_at.is_(None)
    seen = there & group.out_of_sight_at.is_(None)
    counted = select(
        func.count().filter(seen),
        func.count().filter(seen & group.in_doubt),
        func.count().filter(there & group.out_of_sight_at.is_not(None)),
        func.count().filter(group.dismissed_at.is_not(None)),
        func.min(group.read_at, type_=UtcTime()).filter(seen),
    )
    return Census(*(await (await tx.connection()).execute(counted)).one())
