"""Forgetting a person: whatever table speaks of them, afterwards none does."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, Integer, LargeBinary, Table, Text, cast, insert, select
from sqlmodel import select as select_rows

from handlers import forgetting, identity
from handlers.forgetting import Person
from rules.events import CheckedIn, MembersJoined
from rules.facts import Member
from rules.forgetting import Traces, decisions_without
from rules.identity import Proof
from store import checkin_rewards, checkins, erasing, identities, inbox, own_tags, points, roster
from store.checkin_rewards import CheckinRewardRow, CheckinStockRow
from store.checkins import JourneyRow
from store.columns import BigId, Json, UtcTime
from store.database import Database, Tx
from store.inbox import Inbox
from store.payouts import PayoutRow
from store.removal import CaseRow
from store.roster import GroupRow
from store.tables import metadata
from tests.handlers.town import READ, Town, chat

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
WHO, OPENID, UNIONID, NAME = "wmForgetMe", "oForgetMe", "uForgetMe", "欧阳小满"
OTHER = "wmForgetMeNot"
PERSONAL = (WHO, OPENID, UNIONID, NAME)


def said_in(table: Table, visitor: int) -> dict[str, Any]:
    """A row of this table that speaks of them in every column that can."""
    row: dict[str, Any] = {}
    for column in table.columns:
        kind = column.type
        if column.foreign_keys:
            continue
        if isinstance(kind, UtcTime):
            row[column.name] = NOW
        elif isinstance(kind, JSON | Json):
            row[column.name] = [{"who": WHO, "openid": OPENID, "says": f"我是{NAME}"}]
        elif isinstance(kind, BigId | Integer | BigInteger | Float):
            row[column.name] = visitor if column.name == "visitor_id" else 1
        elif isinstance(kind, LargeBinary):
            row[column.name] = b"a picture"
        elif isinstance(kind, Boolean):
            row[column.name] = False
        elif isinstance(kind, Date):
            row[column.name] = date(2026, 11, 23)
        else:
            row[column.name] = f"{WHO} {OPENID} {UNIONID} {NAME}"
    return row | AS_IT_IS.get(table.name, {})


AS_IT_IS: dict[str, dict[str, Any]] = {
    "groups": {"chat_id": "wr1", "name": "静安1群", "kind": "members", "owner": "wangwu", "admins": [], "staff": []}
    | {"version": WHO, "old_versions": [WHO], "awaited_version": None},
    "members": {"external_userid": WHO, "name": NAME, "unionid": UNIONID},
    "people": {"external_userid": WHO, "name": NAME},
    "openids": {"external_userid": WHO, "openid": OPENID},
    "inbox": {"state": "open", "ordering_key": "group:wr1", "finished_at": None},
    "outbox": {"state": "done", "kind": "send_card", "about": None},
    "cases": {"external_userid": WHO, "open_key": None, "demand": "remove"},
    "sends": {"chat_type": "single", "targets": [WHO], "state": "made"},
    "trace": {"decisions": f'[{{"subject": "{WHO}", "because": "{NAME}发广告", "evidence": "加我"}}]'},
    "payouts": {"state": "received", "person": WHO},
    "journeys": {"state": "going"},
}
NOBODY_IS_IN = {"configs", "staff", "media", "draws", "posts", "draw_house"}
"""Texts of the shop's own: a word in them that is also somebody's name stays."""
QUIET = {"groups", "visitor_ties"}
"""What is written here differently: a group's name is the owner's, and what ties ids was made by telling them."""


def has_any(value: Any, words: tuple[str, ...]) -> bool:
    return any(word in str(value) or word.encode("unicode_escape").decode() in str(value) for word in words)


async def everything(tx: Tx) -> list[tuple[str, str, str]]:
    """(table, column, value) of the whole database."""
    return [
        (table.name, name, str(value))
        for table in metadata.sorted_tables
        for row in (
            await (await tx.connection()).execute(
                select(*(cast(each, Text).label(each.name) for each in table.columns))
            )
        ).mappings()
        for name, value in row.items()
        if value is not None
    ]


async def the_one(db: Database, typed: str) -> Person:
    async with db.read() as tx:
        [person] = await forgetting.find(tx, typed)
        return person


@pytest.fixture
async def known(db: Database) -> tuple[Database, int]:
    """A database in which every table speaks of one person; and their visitor's number."""
    async with db.write() as tx:
        proofs = [
            Proof(kind="openid", value=OPENID, appid="corp", evidence="oauth"),
            Proof(kind="external_userid", value=WHO, evidence="oauth"),
            Proof(kind="unionid", value=UNIONID, evidence="mp_oauth"),
        ]
        visitor = (await identity.visitor_of(tx, proofs, now=NOW)).visitor_id
        connection = await tx.connection()
        for table in metadata.sorted_tables:
            if table.name in {"visitors", "visitor_proofs", "visitor_ties", *NOBODY_IS_IN}:
                continue
            row = said_in(table, visitor)
            for column in table.columns:
                for key in column.foreign_keys:
                    row[column.name] = "wr1" if key.column.table.name == "groups" else 1
            await connection.execute(insert(table).values(row))
    return db, visitor


async def test_no_table_knows_who_they_were(known: tuple[Database, int]) -> None:
    """After forgetting, no column of any table has any of their ids or their name."""
    db, visitor = known
    async with db.read() as tx:
        before = {table for table, _, value in await everything(tx) if has_any(value, PERSONAL)}
    assert before >= {table.name for table in metadata.sorted_tables if erasing._texts(table)} - NOBODY_IS_IN - QUIET
    person = await the_one(db, NAME)
    assert (person.visitor, set(person.traces.ids)) == (visitor, {WHO, OPENID, UNIONID})
    traces, left = await forgetting.forget(db, person, now=NOW)
    assert (traces.number, left) == (visitor, 0)
    async with db.read() as tx:
        assert [each for each in await everything(tx) if has_any(each[2], PERSONAL)] == []
        assert await forgetting.find(tx, WHO) == []
        assert await forgetting.find(tx, NAME) == []


async def test_only_they_are_forgotten(db: Database) -> None:
    """Somebody with the same name and nearly the same id keeps everything, and their name stands where it stood."""
    async with db.write() as tx:
        await a_group_with(tx, WHO, OTHER)
        for who in (WHO, OTHER):
            await points.give(tx, who, 5, why=f"{NAME}签到", key=f"p:{who}", now=NOW)
    async with db.read() as tx:
        both = await forgetting.find(tx, NAME)
    assert [each.external_userids for each in both] == [(WHO,), (OTHER,)]
    await forgetting.forget(db, both[0], now=NOW)
    async with db.read() as tx:
        assert set(await roster.present(tx, "wr1")) == {OTHER}
        assert (await points.balance(tx, WHO), await points.balance(tx, OTHER)) == (0, 5)
        assert [row.why for row in await points.entries(tx, OTHER, newest=5)] == [f"{NAME}签到"]
        assert (await identities.visitor_with(tx, "external_userid", WHO)) is None


async def test_somebody_elses_case_stands_and_names_nobody(db: Database) -> None:
    """A case about another person that mentions them goes on as it is, without their name and id."""
    async with db.write() as tx:
        await a_group_with(tx, WHO)
        case = CaseRow(
            chat_id="wr1",
            external_userid=OTHER,
            rule="r",
            evidence=f"invited_by={WHO}",
            because=f"「{NAME}」邀请进来的人在发广告",
            opened_at=NOW,
        )
        tx.add(case)
    await forgetting.forget(db, await the_one(db, WHO), now=NOW)
    async with db.read() as tx:
        [kept] = (await tx.exec(select_rows(CaseRow))).all()
        assert (kept.external_userid, kept.because) == (OTHER, "「已删除的顾客」邀请进来的人在发广告")
        assert kept.evidence.startswith("invited_by=forgotten-")


async def test_what_has_to_end_first_is_said(db: Database) -> None:
    """A payment whose outcome nobody knows stands in the way; an open case, and being in a group, are only said."""
    async with db.write() as tx:
        await a_group_with(tx, WHO)
        tx.add(
            CaseRow(chat_id="wr1", external_userid=WHO, rule="r", evidence="", because="", open_key="k", opened_at=NOW)
        )
        tx.add(
            PayoutRow(
                draw_id=1,
                winner="t1",
                way="wechat",
                state="sending",
                number="N1",
                purse="p",
                amount=1,
                gross=1,
                person=WHO,
                since=NOW,
                planned_at=NOW,
            )
        )
    person = await the_one(db, WHO)
    assert ["N1" in each for each in person.obstacles] == [True]
    assert [any(word in each for each in person.warnings) for word in ("静安1群", "#1")] == [True, True]


async def test_an_event_on_its_way_is_replaced_by_a_look_at_the_group(db: Database) -> None:
    """A callback that names them and was not worked on yet is dropped, and its group is read: nobody else is lost."""
    async with db.write() as tx:
        await a_group_with(tx, WHO, OTHER)
        event = MembersJoined(
            at=NOW, chat_id="wr1", members=(WHO, OTHER), count=2, last_version="1", version="2", join_scene=3
        )
        await inbox.put(tx, source="timer", key="k", event=event, lane=2, ordering_key="group:wr1", due_at=NOW, now=NOW)
    await forgetting.forget(db, await the_one(db, WHO), now=NOW)
    async with db.read() as tx:
        [row] = (await tx.exec(select_rows(Inbox))).all()
        assert (row.state, row.payload) == ("pruned", "")
        group = await roster.group(tx, "wr1")
        assert group is not None
        assert group.read_due_at == NOW


async def test_who_comes_back_is_somebody_new(town: Town) -> None:
    """A member who is forgotten and seen again has no name, no points, no visitor of before: a new person."""
    async with town.db.write() as tx:
        before = (await identity.visitor_of(tx, [on_roster("wmA")], now=NOW)).visitor_id
        await points.give(tx, "wmA", 9, why="签到", key="k", now=NOW)
    person = await the_one(town.db, "名wmA")
    await forgetting.forget(town.db, person, now=NOW)
    assert await town.people() == {"wmB"}
    await town.hear(READ, chat("v2", "wmA", "wmB"))
    assert await town.people() == {"wmA", "wmB"}
    async with town.db.write() as tx:
        again = await identity.visitor_of(tx, [on_roster("wmA")], now=NOW)
        assert (again.came_to, again.visitor_id > before) == ("new", True)
        assert await points.balance(tx, "wmA") == 0


async def test_a_short_name_is_taken_out_only_where_they_are_meant(db: Database) -> None:
    """Whose name is one letter is found by id: texts of others that have the letter stay as they are."""
    async with db.write() as tx:
        await a_group_with(tx, WHO, name="茶")
        await points.give(tx, OTHER, 5, why="茶会签到", key="k", now=NOW)
    await forgetting.forget(db, await the_one(db, WHO), now=NOW)
    async with db.read() as tx:
        assert [row.why for row in await points.entries(tx, OTHER, newest=5)] == ["茶会签到"]


async def test_their_check_ins_still_add_up(db: Database) -> None:
    """Days stay as days, without what was said in them; who was on the way has gone; what was owed goes back."""
    async with db.write() as tx:
        visitor = (await identity.visitor_of(tx, [on_roster(WHO)], now=NOW)).visitor_id
        today = NOW.date()
        row = JourneyRow(visitor_id=visitor, checkin="n-7", began_on=today, started_on=today, began_at=NOW)
        await checkins.add(tx, row)
        await checkins.put_day(tx, row.id, today, "tap", evidence="我住静安寺", answer="绿茶", at=NOW)
        await own_tags.give(tx, visitor, "喜欢绿茶", why="第 2 天", now=NOW)
        await checkin_rewards.take(tx, "n-7", 1, 5)
        owed = CheckinRewardRow(
            journey_id=row.id, visitor_id=visitor, checkin="n-7", milestone=1, reward="coupon", granted_at=NOW
        )
        await checkin_rewards.grant(tx, owed)
        said = CheckedIn(at=NOW, checkin="n-7", visitor_id=visitor, evidence="我住静安寺")
        await inbox.put(tx, source="page", key="k", event=said, lane=2, ordering_key=None, due_at=NOW, now=NOW)
    await forgetting.forget(db, await the_one(db, str(visitor)), now=NOW)
    async with db.read() as tx:
        [journey] = await checkins.all_of_visitor(tx, visitor)
        [day] = await checkins.days_of(tx, journey.id)
        assert (journey.state, journey.next_at, day.kind, day.evidence, day.answer) == (
            "opted_out",
            None,
            "tap",
            "",
            "",
        )
        assert await own_tags.of_visitor(tx, visitor) == []
        assert not any("静安寺" in value for _, _, value in await everything(tx))
        [reward] = await checkin_rewards.of_visitor(tx, visitor)
        assert (reward.state, (await stock_left(tx))) == ("void", 0)


async def stock_left(tx: Tx) -> int:
    return int((await tx.exec(select_rows(CheckinStockRow.given))).one())


def test_a_trace_that_cannot_be_read_says_nothing() -> None:
    """Whatever stands in a row of the trace, nothing of it is left that might name them."""
    traces = Traces(number=7, numbers=(7,), ids=(WHO,), names=(NAME,), only_theirs=(NAME,))
    assert decisions_without(f"{{{NAME}", traces) == "[]"
    assert traces.without(f"{WHO} {OTHER} x{WHO}") == f"forgotten-7 {OTHER} x{WHO}"


def on_roster(who: str) -> Proof:
    return Proof(kind="external_userid", value=who, evidence="roster")


async def a_group_with(tx: Tx, *who: str, name: str = NAME) -> None:
    tx.add(GroupRow(chat_id="wr1", name="静安1群", watched_since=NOW))
    await tx.flush()
    members = [Member(external_userid=each, name=name, joined_at=NOW) for each in who]
    await roster.write_members(tx, "wr1", members, announced=(), now=NOW)
