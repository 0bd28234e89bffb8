"""What we have noticed about this corp that no API tells, by name, with the moment it was last seen."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Field, SQLModel

from store.built import once
from store.database import Tx, UtcTime, table_of

NATIVE_GUARD = "native_guard"
"""WeCom's own 防骚扰 took somebody out before anybody was asked (no API reads that switch)."""

MONTHLY = "native-controls:"
"""What the matters begin with that ask the managers once a month to look at the native switches (store/matters.py)."""


class ObservationRow(SQLModel, table=True):
    """`by`: who confirmed it, where a person did."""

    __tablename__ = "observations"

    name: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    by: str | None = None


async def note(tx: Tx, name: str, *, now: datetime, by: str | None = None) -> None:
    row = await tx.get(ObservationRow, name)
    if row is None:
        tx.add(ObservationRow(name=name, at=now, by=by))
    else:
        row.at, row.by = now, by or row.by
    await tx.flush()


async def seen(tx: Tx, name: str) -> ObservationRow | None:
    return await tx.get(ObservationRow, name)


async def is_seen(tx: Tx, name: str) -> bool:
    """Whether this was ever seen."""
    return (await (await tx.connection()).execute(_IS_SEEN, {"name": name})).first() is not None


_SEEN = table_of(ObservationRow).c
_IS_SEEN = once(select(_SEEN.name).where(_SEEN.name == bindparam("name")))
