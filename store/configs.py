"""The configurations that were put in force, a row for each time. The newest is the one that all processes follow."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.columns import Json, table_of
from store.database import BigId, Tx, UtcTime, one


class ConfigRow(SQLModel, table=True):
    """A config that was found good, with the word files it names: name → text.

    `hash`: hex SHA-256 of both; it comes again where somebody goes back to it.
    """

    __tablename__ = "configs"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    hash: str = Field(index=True)
    text: str
    files: dict[str, str] = Field(default={}, sa_type=Json)
    activated_at: datetime = Field(sa_type=UtcTime)


async def newest(tx: Tx) -> ConfigRow | None:
    """The config in force; None where there has never been one."""
    return (await tx.exec(select(ConfigRow).order_by(col(ConfigRow.id).desc()).limit(1))).first()


async def newest_id(tx: Tx) -> int | None:
    """Which row that is, without its text."""
    found: int | None = await one(tx, _NEWEST_ID)
    return found


_NEWEST_ID = once(columns(func.max(table_of(ConfigRow).c.id)))


async def activate(tx: Tx, text: str, *, files: Mapping[str, str] = {}, config_hash: str, now: datetime) -> ConfigRow:
    """Put this config in force. Where it is so already, nothing is written."""
    row = await newest(tx)
    if row is None or row.hash != config_hash:
        row = ConfigRow(hash=config_hash, text=text, files=dict(files), activated_at=now)
        tx.add(row)
        await tx.flush()
    return row
