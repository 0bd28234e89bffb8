"""A shop for whole-life tests: who is in it, and what is looked at."""

from datetime import timedelta
from typing import Any

from rules.book import Book
from simulator import Customer
from simulator.groups import Group
from simulator.messages import Received
from store import removal
from tests.life.conftest import Life

SECONDS, MINUTES, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def book(*, removal: dict[str, Any] | None = None, shop: dict[str, Any] | None = None, **rule: Any) -> Book:
    """One rule, a manager, and where wanted settings of removal and of the shop that all groups belong to."""
    return Book.model_validate(
        {
            "managers": ["李华"],
            "rules": [{"rule": "other_company", **rule}],
            "removal": removal or {},
            "shops": {"静安店": {"groups": "*", **shop}} if shop else {},
        }
    )


class Shop:
    """A manager (lihua), two people who can remove (wangwu owns, zhaoliu is admin), one group, a bot that knows it."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.world.add_staff("lihua", "李华")
        self.owner = self.world.add_staff("wangwu", "王五")
        self.admin = self.world.add_staff("zhaoliu", "赵六")
        self.group = self.world.create_group("静安1群", owner="wangwu", admins=["zhaoliu"])

    def rival(self, name: str = "张三", company: str = "对手公司") -> Customer:
        return self.world.add_rival(name, company)

    async def enters(self, *who: Customer, wait: timedelta = 5 * SECONDS, group: Group | None = None) -> None:
        for each in who:
            self.world.join(group or self.group, each)
        await self.life.run(wait)

    def cards(self, userid: str = "wangwu", kind: str = "removal") -> list[Received]:
        """The cards that ask for removal, or the managers' ("escalation")."""
        return [each for each in self.world.inbox(userid) if (each.task_id or "").startswith(kind)]

    def lists(self, userid: str = "wangwu") -> list[str]:
        """今日待办: cards without a task, which open a page."""
        return [each.text for each in self.world.inbox(userid) if each.kind == "card" and each.task_id is None]

    def texts(self, userid: str) -> list[str]:
        return [each.text for each in self.world.inbox(userid) if each.kind == "text"]

    def press(self, button: str, *choice: str, by: str = "wangwu", kind: str = "removal") -> None:
        """Press a button of their newest card."""
        card = self.cards(by, kind)[-1]
        assert card.task_id
        self.world.press(by, card.task_id, button, {"choice": list(choice)} if choice else None)

    def link(self, userid: str = "wangwu") -> str:
        """The page that their newest message with a link opens."""
        return next(url for each in reversed(self.world.inbox(userid)) for _, url in each.links)

    def busiest_minute(self, userid: str) -> int:
        """The most messages that they got within any 60 seconds."""
        moments = [each.at for each in self.world.sent if each.userid == userid]
        return max((sum(at <= each < at + MINUTES for each in moments) for at in moments), default=0)

    async def outcomes(self) -> list[str | None]:
        async with self.life.bot.store.read() as tx:
            closed = await removal.closed_since(tx, self.group.created_at)
            return [case.outcome for case in [*closed, *await removal.open_cases(tx)]]
