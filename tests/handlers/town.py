"""One group in a database, and what is heard and read of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from handlers import roster as handler
from handlers.roster import Seen
from rules.book import Book
from rules.decision import Decision
from rules.events import GroupEvent, GroupReadDue, MembersJoined, MembersLeft
from rules.facts import Member
from store import removal, roster
from store.database import Database
from store.roster import GroupRow
from wecom.lookups import GroupChat

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=30)
BOOK = Book.model_validate({"groups": {"members": "会员*"}, "rules": [{"rule": "other_company"}]})
SOON = timedelta(seconds=5)


def chat(version: str, *who: str, joined_at: datetime = LONG_AGO, name: str = "会员一群") -> GroupChat:
    """The group as a read shows it: owner wangwu, and these people, all since `joined_at`."""
    return GroupChat(
        chat_id="wr1",
        name=name,
        owner="wangwu",
        created_at=LONG_AGO,
        notice="",
        admins=(),
        version=version,
        staff=("wangwu",),
        members=tuple(Member(external_userid=each, name=f"名{each}", joined_at=joined_at) for each in who),
    )


def joined(before: str, after: str, *who: str, at: datetime = NOON) -> MembersJoined:
    return MembersJoined(
        at=at, chat_id="wr1", members=who or None, count=len(who), last_version=before, version=after, join_scene=3
    )


def left(before: str, after: str, *who: str, scene: int = 1, at: datetime = NOON) -> MembersLeft:
    return MembersLeft(
        at=at,
        chat_id="wr1",
        members=who or None,
        count=len(who),
        last_version=before,
        version=after,
        quit_scene=scene,
    )


READ = GroupReadDue(at=NOON, chat_id="wr1")


class Town:
    """One database, one group; `hear` is an event with what its look-up saw."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOON

    async def hear(self, event: GroupEvent, read: GroupChat | None = None, **seen: Any) -> list[Decision]:
        async with self.db.write() as tx:
            return await handler.handle(event, Seen(began=self.now, chat=read, **seen), tx, BOOK, self.now)

    async def wait(self, span: timedelta) -> None:
        self.now += span

    async def people(self) -> set[str]:
        async with self.db.read() as tx:
            return set(await roster.present(tx, "wr1"))

    async def group(self) -> GroupRow:
        async with self.db.read() as tx:
            found = await roster.group(tx, "wr1")
            assert found is not None
            return found

    async def cases(self) -> list[tuple[str, str | None]]:
        async with self.db.read() as tx:
            closed = await removal.closed_since(tx, LONG_AGO)
            return [(case.external_userid, case.outcome) for case in [*closed, *await removal.open_cases(tx)]]
