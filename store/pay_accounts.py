"""The merchant account and 公众号 that this installation pays with, as its settings said last (no secrets)."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Field, SQLModel

from store.columns import UtcTime, table_of
from store.database import Tx
from store.payouts import PayoutRow


class AccountRow(SQLModel, table=True):
    """One row at most. `at`: since when."""

    __tablename__ = "pay_accounts"

    id: int = Field(default=1, primary_key=True)
    mch_id: str
    app_id: str
    at: datetime = Field(sa_type=UtcTime)


async def account(tx: Tx) -> AccountRow | None:
    """With which account is paid; None: there are no settings for it."""
    return await tx.get(AccountRow, 1)


async def note_account(tx: Tx, mch_id: str, app_id: str, *, now: datetime) -> None:
    """The settings say so. What was begun with this account, and waits because there was another, goes on."""
    row = await tx.get(AccountRow, 1)
    if row is None:
        tx.add(AccountRow(mch_id=mch_id, app_id=app_id, at=now))
    elif (row.mch_id, row.app_id) != (mch_id, app_id):
        row.mch_id, row.app_id, row.at = mch_id, app_id, now
        payouts = table_of(PayoutRow)
        waiting = (payouts.c.why == "OTHER_ACCOUNT") & (payouts.c.due_at > now)
        await (await tx.connection()).execute(update(payouts).where(waiting).values(due_at=now))
