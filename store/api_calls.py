"""How often the platform was called, by hour: what every process together has used of the platform's limits."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select

from store.database import Tx, UtcTime, table_of

KEPT = timedelta(days=30)


class ApiCallsRow(SQLModel, table=True):
    """So many calls of one endpoint got one errcode (0 = fine) within the hour that begins at `hour`."""

    __tablename__ = "api_calls"

    hour: datetime = Field(primary_key=True, sa_type=UtcTime)
    endpoint: str = Field(primary_key=True)
    errcode: int = Field(primary_key=True)
    calls: int


async def add(tx: Tx, calls: Mapping[tuple[str, int], int], *, now: datetime) -> None:
    """Count these on top: (endpoint, errcode) → how many more. Several processes may do so at once."""
    if not calls:
        return
    connection = await tx.connection()
    core = table_of(ApiCallsRow)
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(core)
    hour = now.replace(minute=0, second=0, microsecond=0)
    # Sorted, so that two processes that count the same ones cannot wait for each other.
    rows = [
        {"hour": hour, "endpoint": endpoint, "errcode": errcode, "calls": more}
        for (endpoint, errcode), more in sorted(calls.items())
    ]
    more = core.c.calls + statement.excluded.calls
    await connection.execute(
        statement.on_conflict_do_update(index_elements=core.primary_key, set_={"calls": more}), rows
    )


async def since(tx: Tx, moment: datetime) -> list[ApiCallsRow]:
    """What was counted in the hours that began at `moment` or later."""
    query = select(ApiCallsRow).where(ApiCallsRow.hour >= moment)
    return list(
        (await tx.exec(query.order_by(col(ApiCallsRow.hour), ApiCallsRow.endpoint, col(ApiCallsRow.errcode)))).all()
    )


async def prune(tx: Tx, *, now: datetime) -> None:
    """Forget what is older than `KEPT`."""
    await tx.exec(delete(ApiCallsRow).where(col(ApiCallsRow.hour) < now - KEPT))
