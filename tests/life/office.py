"""An office for whole-life tests of posts: a manager, owners with groups of theirs, and what is looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.book import Book
from simulator.group_messages import Task
from simulator.groups import Group
from store import posts, sends
from store.posts import PostGroupRow, PostRow
from store.sends import SendRow
from tests.life.conftest import Life
from tests.life.shop import HOURS

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Beijing
DAYS = timedelta(days=1)
TEN = {"name": "ten", "to": "all", "when": "每天 10:00", "ask_before": "10分钟", "text": "早上好"}


def calendar(*entries: dict[str, Any], **more: Any) -> Book:
    """A manager and some posts."""
    return Book.model_validate({"managers": ["李华"], "posts": list(entries), **more})


def at(hour: int, minute: int = 0, day: int = 23, second: int = 0) -> datetime:
    """A time of day in Beijing, in November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC) - 8 * HOURS


def open_office_of(life: Life, owners: int, groups: int) -> "Office":
    """Each owner has so many groups; the manager has none."""
    life.world.add_staff("lihua", "李华")
    made = []
    for number in range(1, owners + 1):
        life.world.add_staff(f"owner{number}", f"群主{number}")
        made += [life.world.create_group(f"会员{number}-{each}群", f"owner{number}") for each in range(groups)]
    return Office(life, made)


@dataclass
class Office:
    """A manager (lihua), owners with groups of theirs, and a bot that knows them."""

    life: Life
    groups: list[Group]

    async def until(self, moment: datetime) -> None:
        """Let time pass, moment by moment."""
        await self.life.run(moment - self.life.clock.now())

    async def hop(self, moment: datetime) -> None:
        """A long time in which nothing is looked at closely: what was due meanwhile is done at the end."""
        self.life.clock.set(moment)
        await self.life.settle()

    async def down(self, moment: datetime) -> None:
        """Until then the bot is not there; the world goes on."""
        with self.life.unheard():
            while (due := self.life.world.next_due()) is not None and due <= moment:
                self.life.clock.set(max(due, self.life.clock.now()))
                await self.life.world.run_due()
        self.life.clock.set(moment)

    def all_confirm(self, after: timedelta = timedelta(minutes=3)) -> None:
        """Every owner does at once what 群发助手 asks of them."""
        for userid, staff in self.life.world.staff.items():
            if userid.startswith("owner"):
                staff.confirms(after=after)

    @property
    def tasks(self) -> list[Task]:
        return list(self.life.world.group_messages.tasks.values())

    def texts(self, userid: str) -> list[str]:
        return [each.text for each in self.life.world.inbox(userid)]

    def got(self, group: Group) -> list[str]:
        """What reached a group, in order."""
        return [task.text for task in self.tasks if group.chat_id in task.arrived]

    async def posts(self) -> list[PostRow]:
        async with self.life.bot.store.read() as tx:
            return await posts.between(tx, MONDAY - 400 * DAYS, MONDAY + 400 * DAYS)

    async def all_posts(self) -> list[PostRow]:
        """Whatever their year."""
        async with self.life.bot.store.read() as tx:
            return await posts.between(tx, MONDAY - 4000 * DAYS, MONDAY + 4000 * DAYS)

    async def states(self) -> list[str]:
        return [each.state for each in await self.posts()]

    async def sends(self) -> list[SendRow]:
        async with self.life.bot.store.read() as tx:
            return [
                send
                for post in await posts.between(tx, MONDAY - 400 * DAYS, MONDAY + 400 * DAYS)
                for send in await sends.about(tx, post.about)
            ]

    async def left_out(self) -> list[PostGroupRow]:
        async with self.life.bot.store.read() as tx:
            return await posts.left_out(tx, [each.key for each in await self.posts()])

    async def results(self) -> dict[str, str]:
        """chat_id → what it got of the last post that went to it."""
        async with self.life.bot.store.read() as tx:
            rows = await sends.results_of(tx, [each.id for each in await self.sends()])
        return {row.target: row.got for row in rows}
