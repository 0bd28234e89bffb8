"""Entrances for whole-life tests: a shop with prepared groups, and customers who scan what hangs on its wall."""

from datetime import timedelta
from typing import Any

from rules.book import Book
from simulator import Customer, Staff
from simulator.groups import Group
from simulator.webview import Seen
from tests.life.conftest import Life

SECONDS, MINUTES, HOURS, DAYS = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
WALL = "http://127.0.0.1"
"""Where the bot's pages are in whole-life tests."""


def door_book(**more: Any) -> Book:
    """One customer one group (vip-tea), spare groups, a shared entrance behind it, and one that has them add staff."""
    vip = {"name": "vip-tea", "title": "绿茶会员", "one_customer_per_group": True, "groups": "vip", "spare": "spare"}
    return Book.model_validate(
        {
            "managers": ["李华"],
            "shops": {"静安店": {"groups": "*", "staff": ["王五"]}},
            "groups": {"vip": "VIP·*", "spare": "备用·*", "members": "会员*"},
            "entrances": [
                {**vip, "if_full": "members-door", "warn_below": "2个群", **more},
                {"name": "members-door", "groups": "members", "wait_in_line": True},
                {"name": "contact-door", "via": "contact", "groups": "members", "staff": ["王五"]},
            ],
        }
    )


class Doors:
    """A manager (lihua), an owner (wangwu), and groups of each kind, all known to the bot."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.world.add_staff("lihua", "李华")
        self.world.add_staff("wangwu", "王五")

    async def opens(self, *, vip: int = 3, spare: int = 1, members: int = 1) -> "Doors":
        """So many groups of each kind are there, and their codes are made."""
        for name, number in (("VIP·{:03}", vip), ("备用·{}", spare), ("会员{}群", members)):
            for n in range(1, number + 1):
                self.world.create_group(name.format(n), "wangwu")
        await self.life.bot.read_roster("start")
        await self.life.run(2 * MINUTES)
        return self

    async def scans(self, person: Customer | Staff, path: str = "/e/vip-tea", agent: str = "") -> Seen:
        """Somebody scans the poster; where the page says 正在准备 they wait while it looks again."""
        view = self.world.web.of(person, agent)
        seen = await view.open(WALL + path)
        for _ in range(10):
            if "正在准备" not in seen.text:
                break
            await self.life.run(3 * SECONDS)
            seen = await view.again()
        return seen

    async def joins(self, person: Customer, path: str = "/e/vip-tea") -> Group:
        """They scan, press and hold the code, and are in."""
        [code] = (await self.scans(person, path)).codes
        group = self.world.scan(person, code).group
        assert group is not None
        await self.life.run(10 * SECONDS)
        return group

    def customer(self, name: str = "陈晨") -> Customer:
        return self.world.add_customer(name)
