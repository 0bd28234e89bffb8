"""The roster: which customer groups there are and who is in them, as far as the platform has told us.

A group's `version` is the platform's opaque member_version of what we have applied; `old_versions` are the ones it has
left behind, so that a read which answers an older state is recognised and never taken for news.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, Insert, Select, bindparam, case, func, literal_column, text, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Field, SQLModel, col, select

from rules.facts import Group as GroupFacts
from rules.facts import Member as MemberFacts
from store.built import once
from store.database import Tx, UtcTime, by_key, one, table_of
from store.rows import row_of

OLD_VERSIONS_KEPT = 50


class GroupRow(SQLModel, table=True):
    """One customer group. `read_at`: when the last read that was applied began; `read_due_at`: when to read again.

    `in_doubt`: the roster is not exactly that of `version`. `settles_at`: a read that begins later shows all that
    callbacks have told so far. `awaited_came_before`: whoever joined earlier and is not in `awaited_version` has
    left; None where callbacks say who. `out_of_sight_at`: since when the owner is outside the app's visible range.
    """

    __tablename__ = "groups"

    chat_id: str = Field(primary_key=True)
    name: str = ""
    kind: str = "other"
    owner: str = ""
    admins: list[str] = Field(default_factory=list, sa_type=JSON)
    staff: list[str] = Field(default_factory=list, sa_type=JSON)
    version: str | None = None
    old_versions: list[str] = Field(default_factory=list, sa_type=JSON)
    in_doubt: bool = False
    created_at: datetime | None = Field(default=None, sa_type=UtcTime)
    watched_since: datetime = Field(sa_type=UtcTime)
    settles_at: datetime | None = Field(default=None, sa_type=UtcTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcTime)
    read_due_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    read_tries: int = 0
    awaited_version: str | None = None
    awaited_came_before: datetime | None = Field(default=None, sa_type=UtcTime)
    dismissed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    out_of_sight_at: datetime | None = Field(default=None, sa_type=UtcTime)

    def facts(self) -> GroupFacts:
        """What rules may see of the group."""
        return GroupFacts(
            chat_id=self.chat_id, name=self.name, kind=self.kind, owner=self.owner, admins=tuple(self.admins)
        )

    def can_remove(self) -> tuple[str, ...]:
        """Who the platform lets remove people: the owner and the admins, each once."""
        return tuple(dict.fromkeys(userid for userid in (self.owner, *self.admins) if userid))

    def is_old(self, version: str | None) -> bool:
        """Whether the group has left this version behind."""
        return version is not None and version != self.version and version in self.old_versions

    def move_to(self, version: str | None) -> None:
        """Take `version` as the one applied, exactly; the one before becomes old."""
        self.in_doubt = False
        if version == self.version:
            return
        self.leave_behind(self.version)
        self.version = version
        self.old_versions = [v for v in self.old_versions if v != version]

    def leave_behind(self, version: str | None) -> None:
        """Remember a version that is known to be past."""
        if version and version not in self.old_versions:
            self.old_versions = [*self.old_versions, version][-OLD_VERSIONS_KEPT:]


class MemberRow(SQLModel, table=True):
    """One external member of one group, also after leaving. `detailed` is False while only a callback named them.

    `announced`: a callback said that they joined, so they were not there before us, whatever their `joined_at`.
    """

    __tablename__ = "members"
    __table_args__ = (
        # Whether anybody has one is asked with every event: see `unionid_seen`.
        Index(
            "ix_members_with_unionid",
            "chat_id",
            sqlite_where=text("unionid IS NOT NULL"),
            postgresql_where=text("unionid IS NOT NULL"),
        ),
    )

    chat_id: str = Field(primary_key=True, foreign_key="groups.chat_id")
    external_userid: str = Field(primary_key=True, index=True)
    name: str = ""
    unionid: str | None = None
    joined_at: datetime | None = Field(default=None, sa_type=UtcTime)
    join_scene: int | None = None
    invited_by: str | None = None
    state: str | None = None
    detailed: bool = False
    announced: bool = False
    seen_at: datetime = Field(sa_type=UtcTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcTime)
    quit_scene: int | None = None

    def facts(self) -> MemberFacts:
        """What rules may see of the member."""
        return MemberFacts(
            external_userid=self.external_userid,
            name=self.name,
            joined_at=self.joined_at,
            join_scene=self.join_scene,
            invited_by=self.invited_by,
            state=self.state,
            unionid=self.unionid,
        )


_MEMBERS = table_of(MemberRow)


async def group(tx: Tx, chat_id: str) -> GroupRow | None:
    return await by_key(tx, GroupRow, chat_id)


class Stand(NamedTuple):
    """What has to be known of a group to say whether an event is news."""

    version: str | None
    old_versions: list[str]
    in_doubt: bool
    read_at: datetime | None

    def is_old(self, version: str | None) -> bool:
        """As of a row."""
        return version is not None and version != self.version and version in self.old_versions


async def stand(tx: Tx, chat_id: str) -> Stand | None:
    """How the group stands, without the weight of a whole row."""
    found = (await (await tx.connection()).execute(_STAND, {"chat_id": chat_id})).first()
    return Stand._make(found) if found else None


_GROUPS = table_of(GroupRow)
_STAND = once(columns(*(_GROUPS.c[name] for name in Stand._fields)).where(_GROUPS.c.chat_id == bindparam("chat_id")))


async def groups(tx: Tx) -> list[GroupRow]:
    """All groups that are not dismissed, in the order of their ids."""
    query = select(GroupRow).where(col(GroupRow.dismissed_at).is_(None)).order_by(GroupRow.chat_id)
    return list((await tx.exec(query)).all())


async def known_or_new(tx: Tx, chat_id: str, *, now: datetime) -> GroupRow:
    """The group; a new row, watched from now on, where it was not known."""
    found = await group(tx, chat_id)
    if found is None:
        found = GroupRow(chat_id=chat_id, watched_since=now)
        tx.add(found)
        await tx.flush()
    return found


async def present(tx: Tx, chat_id: str) -> dict[str, MemberRow]:
    """Who is in the group now, by external_userid."""
    query = select(MemberRow).where(MemberRow.chat_id == chat_id, col(MemberRow.left_at).is_(None))
    return {row.external_userid: row for row in (await tx.exec(query)).all()}


class Inside(NamedTuple):
    """What has to be known of a member to say whether a read tells news of them."""

    external_userid: str
    joined_at: datetime | None
    seen_at: datetime
    left_at: datetime | None
    detailed: bool
    name: str
    unionid: str | None


async def inside(tx: Tx, chat_id: str) -> dict[str, Inside]:
    """Who is in the group now, without the weight of whole rows."""
    return await _some(tx, _INSIDE, {"chat_id": chat_id})


async def inside_before(tx: Tx, chat_id: str, ids: Sequence[str]) -> dict[str, Inside]:
    """Which of these people were ever in the group."""
    return await _some(tx, _INSIDE_BEFORE, {"chat_id": chat_id, "ids": list(ids)}) if ids else {}


async def _some(tx: Tx, chosen: Select[Any], which: dict[str, Any]) -> dict[str, Inside]:
    rows = await (await tx.connection()).execute(chosen, which)
    return {row.external_userid: row for row in map(Inside._make, rows)}


_OF_GROUP = columns(*(_MEMBERS.c[name] for name in Inside._fields)).where(_MEMBERS.c.chat_id == bindparam("chat_id"))
_INSIDE = once(_OF_GROUP.where(_MEMBERS.c.left_at.is_(None)))
_INSIDE_BEFORE = once(_OF_GROUP.where(_MEMBERS.c.external_userid.in_(bindparam("ids", expanding=True))))


async def member(tx: Tx, chat_id: str, external_userid: str) -> MemberRow | None:
    """The member, whether still there or not."""
    return await tx.get(MemberRow, (chat_id, external_userid))


async def members(tx: Tx, chat_id: str, ids: Sequence[str]) -> list[MemberRow]:
    """The rows of these people, whether still there or not, in the order of their ids."""
    query = select(MemberRow).where(MemberRow.chat_id == chat_id, col(MemberRow.external_userid).in_(ids))
    return list((await tx.exec(query.order_by(MemberRow.external_userid))).all())


async def groups_of(tx: Tx, external_userid: str) -> list[tuple[GroupRow, MemberRow]]:
    """The groups that somebody is in now, with their row in each; they cannot leave before the transaction ends."""
    query = (
        select(GroupRow, MemberRow)
        .join(MemberRow, col(MemberRow.chat_id) == GroupRow.chat_id)
        .where(MemberRow.external_userid == external_userid, col(MemberRow.left_at).is_(None))
        .where(col(GroupRow.dismissed_at).is_(None))
        .order_by(GroupRow.chat_id)
        .with_for_update(of=MemberRow)
    )
    return [(group, member) for group, member in (await tx.exec(query)).all()]


async def who_are(tx: Tx, ids: Sequence[str]) -> list[str]:
    """The external_userids of the people in any group who have one of these ids or unionids."""
    named = col(MemberRow.external_userid).in_(ids) | col(MemberRow.unionid).in_(ids)
    query = select(MemberRow.external_userid).where(named, col(MemberRow.left_at).is_(None)).distinct()
    return sorted((await tx.exec(query)).all())


async def mark_left(tx: Tx, chat_id: str, people: Iterable[str], *, quit_scene: int | None, at: datetime) -> list[str]:
    """Take people off the roster; says which of them were on it. `at`: when they left, or were seen to be gone."""
    statement = (
        update(MemberRow)
        .where(
            col(MemberRow.chat_id) == chat_id,
            col(MemberRow.external_userid).in_(list(people)),
            col(MemberRow.left_at).is_(None),
        )
        .values(left_at=at, quit_scene=quit_scene)
        .returning(col(MemberRow.external_userid))
    )
    return sorted((await tx.exec(statement)).scalars().all())


async def note_presence(tx: Tx, chat_id: str, ids: Sequence[str], *, now: datetime) -> None:
    """These people came (back), as a callback tells; who is known to be inside stays as they are. Not for rows that
    this transaction has loaded.
    """
    connection = await tx.connection()
    for external_userid in ids:
        row = {"chat_id": chat_id, "external_userid": external_userid, "name": "", "seen_at": now}
        await connection.execute(_note_presence(connection.dialect.name), row)


@cache
def _note_presence(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = insert(_MEMBERS).values(detailed=False, announced=True)
    back = {"left_at": None, "quit_scene": None, "joined_at": None, "detailed": False, "announced": True}
    written = new.on_conflict_do_update(
        index_elements=["chat_id", "external_userid"],
        set_={**back, "seen_at": new.excluded.seen_at},
        where=_MEMBERS.c.left_at.is_not(None),
    )
    return once(written)


async def seen_as(tx: Tx, chat_id: str, external_userid: str) -> MemberFacts | None:
    """What was last seen of somebody in this group."""
    which = {"chat_id": chat_id, "who": external_userid}
    found = (await (await tx.connection()).execute(_SEEN_AS, which)).first()
    return MemberFacts(**found._mapping) if found else None


_SEEN_AS = once(
    columns(*(_MEMBERS.c[name] for name in MemberFacts.model_fields)).where(
        _MEMBERS.c.chat_id == bindparam("chat_id"), _MEMBERS.c.external_userid == bindparam("who")
    )
)


async def write_members(
    tx: Tx, chat_id: str, shown: Iterable[MemberFacts], *, announced: Collection[str], now: datetime
) -> dict[str, MemberRow]:
    """A read shows these members; a callback has `announced` some of them.

    Not for rows that this transaction has loaded. The answer: copies of the rows as they are now, by external_userid.
    """
    rows = [
        {
            "chat_id": chat_id,
            "announced": each.external_userid in announced,
            "detailed": True,
            "seen_at": now,
            **dict(each),
        }
        for each in shown
    ]
    if not rows:
        return {}
    connection = await tx.connection()
    written = await connection.execute(_write_members(connection.dialect.name), rows)
    return {row.external_userid: row_of(MemberRow, row._mapping) for row in written}


@cache
def _write_members(dialect: str) -> ReturningInsert[Any]:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new, old = insert(_MEMBERS), _MEMBERS.c
    came_again = old.left_at.is_not(None) | old.joined_at.is_distinct_from(new.excluded.joined_at)
    shown = {name: new.excluded[name] for name in MemberFacts.model_fields if name != "external_userid"}
    written = new.on_conflict_do_update(
        index_elements=["chat_id", "external_userid"],
        set_={
            **shown,
            "seen_at": case((came_again, new.excluded.seen_at), else_=old.seen_at),
            "announced": old.announced | new.excluded.announced,
            "detailed": True,
            "left_at": None,
            "quit_scene": None,
        },
    )
    return once(written.returning(*_MEMBERS.c))


def read_soon(group: GroupRow, *, at: datetime) -> None:
    """Have the group read at `at`, unless it is to be read earlier anyhow."""
    if group.read_due_at is None or at < group.read_due_at:
        group.read_due_at = at


async def reads_due(tx: Tx, *, now: datetime, limit: int = 200) -> list[GroupRow]:
    """Groups whose time to be read again has come; those that another process is raising are left to it."""
    query = (
        select(GroupRow)
        .where(col(GroupRow.read_due_at) <= now)
        .order_by(col(GroupRow.read_due_at), GroupRow.chat_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.exec(query)).all())


async def next_read(tx: Tx) -> datetime | None:
    """When the next group is to be read again."""
    found: datetime | None = await one(tx, _NEXT_READ)
    return found


_NEXT_READ = once(columns(func.min(_GROUPS.c.read_due_at)))


async def watching_since(tx: Tx) -> datetime | None:
    """Since when this bot has watched any group at all."""
    return (await tx.exec(select(func.min(GroupRow.watched_since)))).one()


async def unionid_seen(tx: Tx) -> bool:
    """Whether this corp has ever been given a unionid: then WeChat people always come with one (page 96338)."""
    return (await (await tx.connection()).execute(_ANY_WITH_UNIONID)).first() is not None


_ANY_WITH_UNIONID: Select[Any] = once(
    columns(literal_column("1")).where(_MEMBERS.c.unionid.is_not(None)).limit(literal_column("1"))
)


RETRY_READS = tuple(timedelta(seconds=s) for s in (1, 2, 4, 8, 15, 30, 60, 120))
"""How long to wait before reading a group again whose read does not yet show what a callback told (page 96338)."""
