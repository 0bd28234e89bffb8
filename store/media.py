"""Files at the platform: which media id stands for which file, and since when; good for three days (page 90253)."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from store.database import Tx, UtcTime

FRESH = timedelta(minutes=30)
"""Older than this it is uploaded anew before it is used: somebody may have put another picture in its place."""


class MediaRow(SQLModel, table=True):
    """`digest`: hex SHA-256 of the file. `number`: how often it was ordered. `why`: in Chinese, why it was refused."""

    __tablename__ = "media"

    type: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    media_id: str = ""
    digest: str = ""
    uploaded_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ordered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    number: int = 0
    why: str = ""

    def is_fresh(self, now: datetime) -> bool:
        """Whether it can be used without a thought."""
        return bool(self.media_id) and self.uploaded_at is not None and now - self.uploaded_at < FRESH


async def media(tx: Tx, kind: str, path: str) -> MediaRow | None:
    return await tx.get(MediaRow, (kind, path))


async def known_or_new(tx: Tx, kind: str, path: str) -> MediaRow:
    """The file's row, locked."""
    row = await tx.get(MediaRow, (kind, path), with_for_update=True)
    if row is None:
        row = MediaRow(type=kind, path=path)
        tx.add(row)
        await tx.flush()
    return row
