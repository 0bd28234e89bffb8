"""What the platform said of each owner's groups in a week: asked once, with the managers' weekly report."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Field, SQLModel, col, delete, select

from rules.post_report import OwnerWeek
from store.database import Tx


class OwnerWeekRow(SQLModel, table=True):
    """One owner and the days that `first` begins (page 92133)."""

    __tablename__ = "owner_weeks"

    first: date = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    groups: int = 0
    new_members: int = 0
    members: int = 0
    active: int = 0
    messages: int = 0


async def keep(tx: Tx, first: date, weeks: Iterable[OwnerWeek]) -> None:
    """Whatever was known of that week before is forgotten."""
    await tx.exec(delete(OwnerWeekRow).where(col(OwnerWeekRow.first) == first))
    tx.add_all([OwnerWeekRow(first=first, **each.model_dump(exclude={"name"})) for each in weeks])
    await tx.flush()


async def of_week(tx: Tx, first: date) -> list[OwnerWeek]:
    """By owner; none where the platform was not asked, or did not answer."""
    query = select(OwnerWeekRow).where(OwnerWeekRow.first == first).order_by(OwnerWeekRow.owner)
    return [OwnerWeek.model_validate(row.model_dump(exclude={"first"})) for row in (await tx.exec(query)).all()]
