"""Pictures that people showed for a day of a check-in: small, without what the phone wrote into them, for a year."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, UniqueConstraint

from rules.checkins import KEPT
from store.columns import BigId, UtcTime, table_of
from store.database import Tx, one


class PictureRow(SQLModel, table=True):
    """One picture of one visitor, a JPEG. `digest`: hex; a day's evidence is PICTURE and this."""

    __tablename__ = "checkin_pictures"
    __table_args__ = (UniqueConstraint("visitor_id", "digest"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    visitor_id: int = Field(index=True, sa_type=BigId)
    digest: str
    jpeg: bytes
    at: datetime = Field(sa_type=UtcTime, index=True)


_PICTURES = table_of(PictureRow)


async def keep(tx: Tx, visitor_id: int, digest: str, jpeg: bytes, *, now: datetime) -> None:
    """The same again is the same."""
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"visitor_id": visitor_id, "digest": digest, "jpeg": jpeg, "at": now}
    once = insert(_PICTURES).values(row).on_conflict_do_nothing(index_elements=["visitor_id", "digest"])
    await connection.execute(once)


async def picture(tx: Tx, visitor_id: int, digest: str) -> bytes | None:
    """Somebody's picture; None where it is not theirs, or gone."""
    this = (_PICTURES.c.visitor_id == visitor_id) & (_PICTURES.c.digest == digest)
    found: bytes | None = await one(tx, select(_PICTURES.c.jpeg).where(this))
    return found


async def prune(tx: Tx, *, now: datetime, at_most: int = 100) -> int:
    """Forget those that are older than the page promises; `at_most`: call it again until that is 0."""
    chosen = select(_PICTURES.c.id).where(_PICTURES.c.at < now - KEPT).limit(at_most)
    return (await (await tx.connection()).execute(delete(_PICTURES).where(_PICTURES.c.id.in_(chosen)))).rowcount


class MergedPictures:
    """What a merge of two visitors does to their pictures (handlers/identity.ROWS): of two that are the same one stays
    where it is.
    """

    name = "checkin_pictures"

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> list[int]:
        del now
        theirs = select(_PICTURES.c.digest).where(_PICTURES.c.visitor_id == kept)
        moved = (
            _PICTURES.update()
            .where(_PICTURES.c.visitor_id == gone, _PICTURES.c.digest.not_in(theirs))
            .values(visitor_id=kept)
            .returning(_PICTURES.c.id)
        )
        return sorted((await (await tx.connection()).execute(moved)).scalars())

    async def part(self, tx: Tx, keys: Sequence[int], *, kept: int, gone: int, now: datetime) -> None:
        del now
        for first in range(0, len(keys), 500):
            back = _PICTURES.c.id.in_(keys[first : first + 500]) & (_PICTURES.c.visitor_id == kept)
            await (await tx.connection()).execute(_PICTURES.update().where(back).values(visitor_id=gone))
