"""The blocklist: people who are asked to be removed from every group, whenever they come."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from rules.facts import Block
from store.built import once
from store.database import BigId, Tx, UtcTime, table_of


class BlockRow(SQLModel, table=True):
    """Somebody by external_userid, by unionid, or by both. `lifted_at`: no longer on the list; the row stays."""

    __tablename__ = "blocks"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    external_userid: str | None = Field(default=None, index=True)
    unionid: str | None = Field(default=None, index=True)
    name: str = ""
    because: str = ""
    blocked_by: str
    blocked_at: datetime = Field(sa_type=UtcTime)
    lifted_by: str | None = None
    lifted_at: datetime | None = Field(default=None, sa_type=UtcTime)

    def facts(self) -> Block:
        return Block(by=self.blocked_by, at=self.blocked_at, because=self.because)


_OPEN = col(BlockRow.lifted_at).is_(None)


async def blocked(tx: Tx, ids: Sequence[str], unionids: Sequence[str] = ()) -> list[BlockRow]:
    """The entries about these people, the oldest first."""
    which = {"ids": list(ids), "unionids": list(unionids)}
    numbers = (await (await tx.connection()).execute(_BLOCKED, which)).scalars().all()
    if not numbers:  # nearly always: most people are not on it
        return []
    return list((await tx.exec(select(BlockRow).where(col(BlockRow.id).in_(numbers)).order_by(col(BlockRow.id)))).all())


_BLOCKS = table_of(BlockRow).c
_BLOCKED = once(
    columns(_BLOCKS.id).where(
        or_(
            _BLOCKS.external_userid.in_(bindparam("ids", expanding=True)),
            _BLOCKS.unionid.in_(bindparam("unionids", expanding=True)),
        ),
        _BLOCKS.lifted_at.is_(None),
    )
)


async def everybody(tx: Tx) -> list[BlockRow]:
    """The whole list, the newest first."""
    return list((await tx.exec(select(BlockRow).where(_OPEN).order_by(col(BlockRow.id).desc()))).all())


async def put(
    tx: Tx,
    *,
    external_userid: str | None,
    unionid: str | None = None,
    name: str = "",
    because: str,
    by: str,
    now: datetime,
) -> bool:
    """Put somebody on the list; False where they are on it already. ValueError where nobody is named."""
    if not external_userid and not unionid:
        raise ValueError("nobody is named: an external_userid or a unionid is needed")
    if await blocked(tx, [external_userid] if external_userid else [], [unionid] if unionid else []):
        return False
    row = BlockRow(
        external_userid=external_userid, unionid=unionid, name=name, because=because, blocked_by=by, blocked_at=now
    )
    tx.add(row)
    await tx.flush()
    return True


async def lift(tx: Tx, ids: Sequence[str], unionids: Sequence[str] = (), *, by: str, now: datetime) -> list[BlockRow]:
    """Take people off the list. Returns the entries that were lifted."""
    rows = await blocked(tx, ids, unionids)
    for row in rows:
        row.lifted_by, row.lifted_at = by, now
    await tx.flush()
    return rows
