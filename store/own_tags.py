"""Tags that we keep of visitors ourselves, whether or not anybody has added them; and how far each is on the contact.

`corp_tags` remembers which id the corp's tags have at the platform: what is not there is asked for.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select

from rules.own_tags import TagName, read_tag
from store.built import once
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one

State = Literal["own", "ordered", "marked"]


class OwnTagRow(SQLModel, table=True):
    """One tag of one visitor. `tag` as the config writes it (rules/own_tags.py); `why`: whence we know it (Chinese).

    `state`: own (kept by us), ordered (a deed is on its way), marked (by `userid`, at `marked_at`).
    `due_at`: when to try to put it on the contact, None = when somebody adds them. `number`: how often it was tried.
    """

    __tablename__ = "own_tags"
    __table_args__ = (UniqueConstraint("visitor_id", "tag"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    visitor_id: int = Field(sa_type=BigId)
    tag: str = Field(index=True)
    why: str = ""
    at: datetime = Field(sa_type=UtcTime)
    state: str = "own"
    userid: str = ""
    number: int = 0
    marked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    why_not: str = ""


class CorpTagRow(SQLModel, table=True):
    """A tag that the corp has, as last seen."""

    __tablename__ = "corp_tags"

    group_name: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    tag_id: str = Field(index=True)


_OWN = table_of(OwnTagRow)
_CORP = table_of(CorpTagRow)


async def give(tx: Tx, visitor_id: int, tag: str, *, why: str, now: datetime) -> bool:
    """This visitor has this tag from now on; False where they had it. It is put on the contact soon."""
    connection = await tx.connection()
    row = {
        "visitor_id": visitor_id,
        "tag": tag,
        "why": why,
        "at": now,
        "state": "own",
        "userid": "",
        "number": 0,
        "due_at": now,
        "why_not": "",
    }
    once = _insert(connection.dialect.name, _OWN).values(row).on_conflict_do_nothing()
    return (await connection.execute(once)).rowcount == 1


async def of_visitor(tx: Tx, visitor_id: int) -> list[OwnTagRow]:
    """All tags of a visitor, the oldest first."""
    query = select(OwnTagRow).where(OwnTagRow.visitor_id == visitor_id).order_by(col(OwnTagRow.id))
    return list((await tx.exec(query)).all())


async def of_visitors(tx: Tx, visitor_ids: Collection[int]) -> dict[int, list[str]]:
    """The tags of some visitors, as the config writes them; without those who have none."""
    found: dict[int, list[str]] = {}
    wanted = list(visitor_ids)
    for first in range(0, len(wanted), 500):
        query = columns(_OWN.c.visitor_id, _OWN.c.tag).where(_OWN.c.visitor_id.in_(wanted[first : first + 500]))
        for visitor_id, tag in await (await tx.connection()).execute(query.order_by(_OWN.c.id)):
            found.setdefault(visitor_id, []).append(tag)
    return found


async def some(tx: Tx, ids: Sequence[int], *, lock: bool = False) -> list[OwnTagRow]:
    """These rows, as far as they are there."""
    query = select(OwnTagRow).where(col(OwnTagRow.id).in_(ids)).order_by(col(OwnTagRow.id))
    return list((await tx.exec(query.with_for_update() if lock else query)).all())


async def wake(tx: Tx, visitor_id: int, *, now: datetime) -> None:
    """Somebody has added this visitor: what is not on the contact yet is put there."""
    theirs = (_OWN.c.visitor_id == visitor_id) & (_OWN.c.state == "own")
    await (await tx.connection()).execute(update(_OWN).where(theirs).values(due_at=now, number=0))


async def due(tx: Tx, *, now: datetime, limit: int = 200) -> list[OwnTagRow]:
    """Rows that are to be put on contacts; those that another process is raising are left to it."""
    query = select(OwnTagRow).where(col(OwnTagRow.due_at) <= now).order_by(col(OwnTagRow.due_at), col(OwnTagRow.id))
    return list((await tx.exec(query.limit(limit).with_for_update(skip_locked=True))).all())


async def next_due(tx: Tx) -> datetime | None:
    found: datetime | None = await one(tx, _NEXT_DUE)
    return found


_NEXT_DUE = once(columns(func.min(_OWN.c.due_at)))


# --- the corp's tags --------------------------------------------------------------------------------------------------


async def ids_of(tx: Tx, tags: Iterable[str]) -> dict[str, str]:
    """tag (as the config writes it) → its id at the platform; without those that are not known."""
    wanted = {tag: read_tag(tag) for tag in tags}
    names = {each.name for each in wanted.values()}
    rows = (await tx.exec(select(CorpTagRow).where(col(CorpTagRow.name).in_(names)))).all()
    known = {TagName(row.group_name, row.name): row.tag_id for row in rows}
    anywhere = {row.name: row.tag_id for row in reversed(rows)}
    found = {}
    for tag, meant in wanted.items():
        tag_id = known.get(meant) or (anywhere.get(meant.name) if not meant.group else None)
        if tag_id:
            found[tag] = tag_id
    return found


async def note_corp_tags(tx: Tx, group_name: str, tags: dict[str, str]) -> None:
    """What the platform says that a group has now: name → id."""
    connection = await tx.connection()
    new = _insert(connection.dialect.name, _CORP)
    written = new.on_conflict_do_update(index_elements=["group_name", "name"], set_={"tag_id": new.excluded.tag_id})
    for name, tag_id in tags.items():
        await connection.execute(written, {"group_name": group_name, "name": name, "tag_id": tag_id})


async def forget_corp_tags(tx: Tx, tag_ids: Collection[str]) -> None:
    """The platform says that there are no such tags (any more)."""
    await (await tx.connection()).execute(delete(_CORP).where(_CORP.c.tag_id.in_(list(tag_ids))))


async def waiting_for(tx: Tx, tags: Collection[str], *, now: datetime) -> None:
    """These tags are there now: whoever waits for them is looked at."""
    theirs = _OWN.c.tag.in_(list(tags)) & (_OWN.c.state == "own") & _OWN.c.due_at.is_not(None)
    await (await tx.connection()).execute(update(_OWN).where(theirs).values(due_at=now))


async def put_off(tx: Tx, tags: Collection[str], *, why: str, until: datetime) -> None:
    """These tags cannot be made now: whoever waits for them is looked at later."""
    theirs = _OWN.c.tag.in_(list(tags)) & (_OWN.c.state == "own") & _OWN.c.due_at.is_not(None)
    await (await tx.connection()).execute(update(_OWN).where(theirs).values(due_at=until, why_not=why))


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


# --- merges -----------------------------------------------------------------------------------------------------------


class Merged:
    """What a merge of two visitors does: one person has each tag once, the one that is further on the way."""

    name = "own_tags"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> list[int]:
        del now
        mine = {row.tag: row for row in await of_visitor(tx, kept)}
        came = []
        for row in await of_visitor(tx, gone):
            other = mine.get(row.tag)
            if other is not None and other.state == "own":
                other.due_at = row.due_at or other.due_at
                if row.state == "marked":
                    other.state, other.userid, other.marked_at, other.due_at = "marked", row.userid, row.marked_at, None
            if other is not None:
                await tx.delete(row)
            else:
                row.visitor_id = kept
                came.append(row.id)
        await tx.flush()
        return came

    async def part(self, tx: Tx, keys: Sequence[Any], *, kept: int, gone: int, now: datetime) -> None:
        del now
        for row in await some(tx, [int(each) for each in keys], lock=True):
            if row.visitor_id == kept:
                row.visitor_id = gone
        await tx.flush()
