"""External people: what the platform says of them, when to ask again, and who was released by whom."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Field, SQLModel, col, select

from rules.facts import Account, Person
from store.database import Tx, UtcTime

ASK_AGAIN = tuple(timedelta(seconds=s) for s in (10, 60, 600, 3600, 86_400))
"""How long to wait before asking again about somebody who is no contact (84061): a race first, then patience."""


class PersonRow(SQLModel, table=True):
    """One external person. `account`: wechat, wecom, unknown. `checks`: how many answers in a row told nothing."""

    __tablename__ = "people"

    external_userid: str = Field(primary_key=True)
    name: str = ""
    account: str = "unknown"
    company: str = ""
    company_full_name: str = ""
    checks: int = 0
    checked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    check_due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)


class ReleaseRow(SQLModel, table=True):
    """Somebody was released: no rule of this name asks about them again. Written once, with who and when."""

    __tablename__ = "releases"

    external_userid: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    released_by: str
    released_at: datetime = Field(sa_type=UtcTime)
    case_id: int | None = None


async def person(tx: Tx, external_userid: str) -> PersonRow | None:
    return await tx.get(PersonRow, external_userid)


async def known_or_new(tx: Tx, external_userid: str) -> PersonRow:
    found = await tx.get(PersonRow, external_userid)
    if found is None:
        found = PersonRow(external_userid=external_userid)
        tx.add(found)
    return found


async def known(tx: Tx, ids: list[str]) -> dict[str, PersonRow]:
    """What is known of these people, by external_userid."""
    rows = await tx.exec(select(PersonRow).where(col(PersonRow.external_userid).in_(ids)))
    return {row.external_userid: row for row in rows.all()}


async def released(tx: Tx, ids: list[str]) -> dict[tuple[str, str], str]:
    """Who released which of these people from which rule: (external_userid, rule) → name or userid."""
    rows = await tx.exec(select(ReleaseRow).where(col(ReleaseRow.external_userid).in_(ids)))
    return {(row.external_userid, row.rule): row.released_by for row in rows.all()}


def facts(row: PersonRow | None, external_userid: str, releases: dict[tuple[str, str], str], rule: str) -> Person:
    """What the rule of this name may see of the person."""
    return Person(
        external_userid=external_userid,
        account=_account(row.account) if row else "unknown",
        company=row.company if row else "",
        company_full_name=row.company_full_name if row else "",
        released_by=releases.get((external_userid, rule)),
    )


def _account(value: str) -> Account:
    return "wechat" if value == "wechat" else "wecom" if value == "wecom" else "unknown"


def ask_again(row: PersonRow, *, now: datetime) -> None:
    """Set when to ask about somebody again, unless that is set already: soon at first, then once a day."""
    if row.check_due_at is None:
        row.check_due_at = now + ASK_AGAIN[min(row.checks, len(ASK_AGAIN) - 1)]


async def release(
    tx: Tx, external_userid: str, rule: str, *, released_by: str, case_id: int | None, now: datetime
) -> None:
    """Put somebody on the allow-list of one rule; the first to do so stays on record."""
    if await tx.get(ReleaseRow, (external_userid, rule)) is None:
        tx.add(
            ReleaseRow(
                external_userid=external_userid, rule=rule, released_by=released_by, released_at=now, case_id=case_id
            )
        )
        await tx.flush()


async def checks_due(tx: Tx, *, now: datetime, limit: int = 200) -> list[PersonRow]:
    """People whose time to be asked about again has come; those that another process is raising are left to it."""
    query = (
        select(PersonRow)
        .where(col(PersonRow.check_due_at) <= now)
        .order_by(col(PersonRow.check_due_at), PersonRow.external_userid)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.exec(query)).all())


async def next_check(tx: Tx) -> datetime | None:
    return (await tx.exec(select(func.min(PersonRow.check_due_at)))).one()
