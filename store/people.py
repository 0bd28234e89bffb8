"""External people: what the platform says of them, when to ask again, and who was released by whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import Insert, bindparam, delete, func
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select

from rules.facts import Account
from store.built import once
from store.columns import Json
from store.database import Tx, UtcTime, one, table_of

ASK_AGAIN = tuple(timedelta(seconds=s) for s in (10, 60, 600, 3600, 86_400))
"""How long to wait before asking again about somebody who is no contact (84061): a race first, then patience."""


class PersonRow(SQLModel, table=True):
    """One external person. `account`: wechat, wecom, unknown. `followers`: userids of our staff who have added them.

    `checks`: how many answers in a row told nothing.
    """

    __tablename__ = "people"

    external_userid: str = Field(primary_key=True)
    name: str = ""
    account: str = "unknown"
    company: str = ""
    company_full_name: str = ""
    followers: list[str] = Field(default_factory=list, sa_type=Json)
    checks: int = 0
    checked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    check_due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)


class ReleaseRow(SQLModel, table=True):
    """Somebody was released: no rule of this name asks about them again. Written once, with who and when.

    `subject`: an external_userid, or a company and with it everybody in it (`company`).
    """

    __tablename__ = "releases"

    subject: str = Field(primary_key=True)
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


async def note_contact(  # the columns of a row, by name
    tx: Tx,
    external_userid: str,
    *,
    account: str,
    name: str,
    company: str,
    company_full_name: str,
    followers: Sequence[str],
    now: datetime,
) -> None:
    """What the platform answered about somebody. Not for a row that this transaction has loaded."""
    row = {
        "external_userid": external_userid,
        "account": account,
        "name": name,
        "company": company,
        "company_full_name": company_full_name,
        "followers": list(followers),
        "checks": 0,
        "checked_at": now,
        "check_due_at": None,
    }
    connection = await tx.connection()
    await connection.execute(_note_contact(connection.dialect.name), row)


async def note_no_contact(tx: Tx, external_userid: str, *, now: datetime) -> None:
    """The platform answered that it may not say who somebody is. Likewise."""
    connection = await tx.connection()
    row = {"external_userid": external_userid, "checked_at": now, **_NOTHING_KNOWN}
    await connection.execute(_note_no_contact(connection.dialect.name), row)


_PEOPLE = table_of(PersonRow)
_NOTHING_KNOWN = {
    **dict.fromkeys(("name", "company", "company_full_name"), ""),
    "account": "unknown",
    "followers": [],
    "checks": 1,
}


@cache
def _note_contact(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = insert(_PEOPLE)
    told = {column.name: column for column in new.excluded if column.name != "external_userid"}
    return once(new.on_conflict_do_update(index_elements=["external_userid"], set_=told))


@cache
def _note_no_contact(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = insert(_PEOPLE)
    told = {"checks": _PEOPLE.c.checks + 1, "checked_at": new.excluded.checked_at, "check_due_at": None}
    return once(new.on_conflict_do_update(index_elements=["external_userid"], set_=told))


class Known(NamedTuple):
    """What is known of a person."""

    external_userid: str
    name: str
    account: str
    company: str
    company_full_name: str
    checks: int
    followers: list[str]


async def known(tx: Tx, ids: Sequence[str]) -> dict[str, Known]:
    """What is known of these people, by external_userid."""
    if not ids:
        return {}
    rows = await (await tx.connection()).execute(_THESE_PEOPLE, {"ids": list(ids)})
    return {row.external_userid: row for row in map(Known._make, rows)}


_THESE_PEOPLE = once(
    columns(*(_PEOPLE.c[name] for name in Known._fields)).where(
        _PEOPLE.c.external_userid.in_(bindparam("ids", expanding=True))
    )
)


def company(name: str) -> str:
    """The subject of a release that is about everybody of a company."""
    return f"company:{name}"


@dataclass(frozen=True)
class Released:
    """Who released whom from which rule: (subject, rule) → name or userid."""

    by: Mapping[tuple[str, str], str]

    def of(self, external_userid: str, their_company: str) -> dict[str, str]:
        """The rules from which this person is released, by themselves or with their company, and by whom."""
        subjects = {external_userid, company(their_company)} if their_company else {external_userid}
        return {rule: by for (subject, rule), by in self.by.items() if subject in subjects}


async def released(tx: Tx, ids: Sequence[str], companies: Sequence[str]) -> Released:
    """Who released these people, or everybody of these companies."""
    subjects = [*ids, *map(company, companies)]
    rows = await (await tx.connection()).execute(_THESE_RELEASES, {"subjects": subjects})
    return Released({(row.subject, row.rule): row.released_by for row in rows})


_RELEASES = table_of(ReleaseRow)
_THESE_RELEASES = once(
    columns(_RELEASES.c.subject, _RELEASES.c.rule, _RELEASES.c.released_by).where(
        _RELEASES.c.subject.in_(bindparam("subjects", expanding=True))
    )
)


async def of_company(tx: Tx, name: str) -> list[str]:
    """Who is known to be of this company."""
    return list((await tx.exec(select(PersonRow.external_userid).where(PersonRow.company == name))).all())


def account(value: str) -> Account:
    """The column as the type that rules know."""
    return "wechat" if value == "wechat" else "wecom" if value == "wecom" else "unknown"


async def ask_again(tx: Tx, external_userid: str, checks: int, *, now: datetime) -> None:
    """Set when to ask about somebody again, unless that is set already: soon at first, then once a day.

    `checks`: how many answers have told nothing so far.
    """
    due_at = now + ASK_AGAIN[min(checks, len(ASK_AGAIN) - 1)]
    row = {"external_userid": external_userid, "check_due_at": due_at, **_NOTHING_KNOWN, "checks": 0}
    connection = await tx.connection()
    await connection.execute(_ask_again(connection.dialect.name), row)


@cache
def _ask_again(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = insert(_PEOPLE)
    written = new.on_conflict_do_update(
        index_elements=["external_userid"],
        set_={"check_due_at": new.excluded.check_due_at},
        where=_PEOPLE.c.check_due_at.is_(None),
    )
    return once(written)


async def release(tx: Tx, subject: str, rule: str, *, released_by: str, case_id: int | None, now: datetime) -> None:
    """Put a person, or a company, on the allow-list of one rule; the first to do so stays on record."""
    if await tx.get(ReleaseRow, (subject, rule)) is None:
        tx.add(ReleaseRow(subject=subject, rule=rule, released_by=released_by, released_at=now, case_id=case_id))
        await tx.flush()


async def withdraw_release(tx: Tx, subject: str, rules: Iterable[str]) -> None:
    """These rules ask about this person again."""
    theirs = (col(ReleaseRow.subject) == subject) & col(ReleaseRow.rule).in_(list(rules))
    await tx.exec(delete(ReleaseRow).where(theirs))


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
    found: datetime | None = await one(tx, _NEXT_CHECK)
    return found


_NEXT_CHECK = once(columns(func.min(_PEOPLE.c.check_due_at)))
