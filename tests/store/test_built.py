"""Statements that go straight to the driver, and rows that are written without the ORM's own flush."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import col, delete

from store.built import AS_MANY_AS, built, once
from store.cards import CardRow
from store.columns import table_of
from store.database import Clash, Database, Tx, by_key
from store.people import PersonRow
from store.roster import GroupRow
from store.staff import StaffRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PEOPLE, STAFF, GROUPS = table_of(PersonRow), table_of(StaffRow), table_of(GroupRow)
PERSON: dict[str, Any] = dict.fromkeys(PersonRow.model_fields) | {
    "name": "",
    "account": "wecom",
    "company": "",
    "company_full_name": "",
    "followers": ["李华", "owner"],
    "checks": 3,
    "checked_at": NOON,
}


def chosen() -> Select[Any]:
    """A statement with everything in it: a list given each time, one that never changes, a moment, JSON, a NULL."""
    return (
        select(PEOPLE, func.length(PEOPLE.c.external_userid).label("letters"))
        .where(PEOPLE.c.external_userid.in_(bindparam("ids", expanding=True)))
        .where(PEOPLE.c.account.in_(["wecom", "wechat"]), PEOPLE.c.checked_at <= bindparam("until"))
        .order_by(PEOPLE.c.external_userid)
    )


QUICK, USUAL = once(chosen()), chosen()
ADD = once(insert(PEOPLE))
ADD_STAFF = once(insert(STAFF).returning(STAFF.c.userid))
RENAME = once(update(STAFF).where(STAFF.c.name == bindparam("old")).values(name=bindparam("new")))


async def add_people(tx: Tx, count: int) -> list[str]:
    ids = [f"wo{n}" for n in range(count)]
    await (await tx.connection()).execute(ADD, [PERSON | {"external_userid": who} for who in ids])
    return ids


@pytest.mark.parametrize("asked", [0, 1, 3, AS_MANY_AS + 3])
async def test_a_built_statement_finds_what_it_finds_otherwise(db: Database, asked: int) -> None:
    """Whatever the length of a list in it, columns, types and order are those of SQLAlchemy's own way."""
    async with db.write() as tx:
        ids = await add_people(tx, AS_MANY_AS + 3)
    which = {"ids": ids[:asked], "until": NOON}
    async with db.read() as tx:
        connection = await tx.connection()
        quick, usual = (await connection.execute(QUICK, which)).all(), (await connection.execute(USUAL, which)).all()
        assert (built(QUICK, connection.dialect, which) is None) is (asked > AS_MANY_AS)
        assert built(USUAL, connection.dialect, which) is None
    assert quick == usual
    assert [dict(row._mapping) for row in quick] == [dict(row._mapping) for row in usual]
    assert len(quick) == asked
    assert all((row.followers, row.checked_at) == (["李华", "owner"], NOON) for row in quick)


async def test_a_built_statement_counts_the_rows_it_changed(db: Database) -> None:
    """`rowcount` is the number of rows, none among them."""
    async with db.write() as tx:
        connection = await tx.connection()
        for userid in ("a", "b"):
            added = await connection.execute(ADD_STAFF, {"userid": userid, "name": "李华", "seen_at": NOON})
            assert added.scalar_one() == userid
        assert (await connection.execute(RENAME, {"old": "李华", "new": "王芳"})).rowcount == 2
        assert (await connection.execute(RENAME, {"old": "李华", "new": "王芳"})).rowcount == 0


async def test_a_built_statement_that_fails_is_undone_with_all_the_rest(db: Database) -> None:
    """A row that is there already is the error that it is otherwise, and nothing of the transaction stays."""

    async def twice() -> None:
        async with db.write() as tx:
            await add_people(tx, 2)
            await (await tx.connection()).execute(ADD, PERSON | {"external_userid": "wo1"})

    with pytest.raises((IntegrityError, Clash)):
        await twice()
    async with db.read() as tx:
        assert (await (await tx.connection()).execute(select(func.count()).select_from(PEOPLE))).scalar_one() == 0


async def test_a_reading_transaction_writes_nothing_by_a_built_statement_either(db: Database) -> None:
    """A transaction that reads refuses to write."""
    with pytest.raises(Exception, match=r"(?i)read-?only"):
        async with db.read() as tx:
            await add_people(tx, 1)


async def a_group(db: Database) -> None:
    async with db.write() as tx:
        tx.add(GroupRow(chat_id="wr1", name="静安一群", watched_since=NOON, admins=["a"], old_versions=["v1"]))


async def test_changes_of_a_row_are_written_at_the_end(db: Database) -> None:
    """What was changed is in the database afterwards, in all types of columns; what was not changed is as it was."""
    await a_group(db)
    async with db.write() as tx:
        group = await by_key(tx, GroupRow, "wr1")
        assert group is not None
        assert group is await tx.get(GroupRow, "wr1")
        group.admins, group.read_at, group.in_doubt, group.old_versions = ["a", "b"], NOON, True, []
    async with db.read() as tx:
        again = await by_key(tx, GroupRow, "wr1")
    assert again is not None
    assert (again.name, again.admins, again.read_at, again.in_doubt) == ("静安一群", ["a", "b"], NOON, True)
    assert again.old_versions == []
    assert again.version is None


async def test_only_what_was_changed_is_written(db: Database) -> None:
    """Another's change of another column is not undone; a change that was taken back, or written before, is none."""
    await a_group(db)
    async with db.write() as tx:
        group = await by_key(tx, GroupRow, "wr1")
        assert group is not None
        group.owner, group.name = "owner", "静安一群"
        await tx.flush()
        await (await tx.connection()).execute(update(GROUPS).values(owner="another", name="二群", kind="vip"))
        group.version = "v2"
    async with db.read() as tx:
        again = await by_key(tx, GroupRow, "wr1")
    assert again is not None
    assert (again.owner, again.name, again.kind, again.version) == ("another", "二群", "vip", "v2")


async def test_new_and_changed_rows_together(db: Database) -> None:
    """A new row that refers to a changed one: both are written."""
    await a_group(db)
    async with db.write() as tx:
        group = await by_key(tx, GroupRow, "wr1")
        assert group is not None
        group.name = "三群"
        tx.add(CardRow(chat_id="wr1", send_at=NOON))
    async with db.read() as tx:
        group = await by_key(tx, GroupRow, "wr1")
        cards = (await (await tx.connection()).execute(select(table_of(CardRow).c.chat_id))).scalars().all()
    assert group is not None
    assert (group.name, cards) == ("三群", ["wr1"])


async def test_a_row_that_is_not_there_any_more_is_not_taken_for_written(db: Database) -> None:
    """Who changes a row that was deleted meanwhile hears of it."""
    await a_group(db)

    async def change_what_is_gone() -> None:
        async with db.write() as tx:
            group = await by_key(tx, GroupRow, "wr1")
            assert group is not None
            group.name = "三群"
            await (await tx.connection()).execute(delete(GroupRow).where(col(GroupRow.chat_id) == "wr1"))

    with pytest.raises(StaleDataError):
        await change_what_is_gone()


async def test_a_new_row_is_found_before_the_end(db: Database) -> None:
    """`by_key` finds what this very transaction has added."""
    async with db.write() as tx:
        tx.add(GroupRow(chat_id="wr9", watched_since=NOON))
        assert await by_key(tx, GroupRow, "wr9") is not None
