"""Customers with browsers of their own: they open a page of the bot, look at it, and send its form."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import httpx2

from rules.actions import Link
from rules.book import Book
from simulator import Customer as Person
from simulator import VirtualClock, World
from simulator.groups import Group
from store import removal
from store.removal import CaseRow
from tests.life.conftest import Life, living
from tests.life.shop import SECONDS

RULES = Book.model_validate(
    {
        "managers": ["李华"],
        "rules": [{"rule": "friend_adding"}, {"rule": "other_company"}],
    }
)


@dataclass
class Browser:
    """One browser at one address. `url`: the page it is on."""

    client: httpx2.AsyncClient
    url: str

    async def look(self, sought: str = "") -> httpx2.Response:
        return await self.client.get(self.url, params={"q": sought} if sought else None)

    async def send(self, headers: dict[str, str] | None = None, /, **fields: str) -> httpx2.Response:
        """Send the page's form as it stands there, and see what the page says then."""
        page = await self.look(fields.get("q", ""))
        key = re.search(r'name="key" value="([^"]*)"', page.text)
        form = {"key": key[1] if key else "", **fields}
        answer = await self.client.post(self.url, data=form, headers=headers or {})
        if answer.status_code != 303:
            return answer
        return await self.client.get(httpx2.URL(self.url).join(answer.headers["location"]))

    async def report(self, name: str, reason: str = "adding", words: str = "", line: int = 0) -> httpx2.Response:
        """Look for a nickname and report whoever stands in this line."""
        who = lines(await self.look(name))[line][0]
        return await self.send(q=name, who=who, reason=reason, words=words)


def lines(page: httpx2.Response) -> list[tuple[str, str]]:
    """What may be chosen: value and words."""
    found = re.findall(r'name="who" value="([^"]*)" required><span>(.*?)</span></label>', page.text, re.DOTALL)
    return [(value, unescape(re.sub(r"<[^>]*>", "", words))) for value, words in found]


class Town:
    """A manager (lihua), an owner (wangwu), one group with three people, a bot that has read it."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.world.add_staff("lihua", "李华")
        self.world.add_staff("wangwu", "王五")
        self.people = {name: self.world.add_customer(name) for name in ("小美", "阿强", "老周")}
        self.group: Group = self.world.create_group("静安1群", owner="wangwu", members=list(self.people.values()))

    def report_url(self) -> str:
        group = self.group
        return self.url(Link(page="report", userid="", issued_at=self.life.clock.now(), chat_id=group.chat_id))

    def appeal_url(self, person: Person, case_id: int = 1) -> str:
        return self.url(Link(page="appeal", userid=person.id, issued_at=self.life.clock.now(), case_id=case_id))

    def todo_url(self, userid: str) -> str:
        return self.url(Link(page="todo", userid=userid, issued_at=self.life.clock.now()))

    def url(self, link: Link) -> str:
        return self.life.bot.worker.hands.links.url(link)

    def browser(self, url: str, address: str = "203.0.113.7", **headers: str) -> Browser:
        """A new browser at this address, with nothing in it."""
        transport = httpx2.ASGITransport(app=self.life.bot.app, client=(address, 5000))
        return Browser(httpx2.AsyncClient(transport=transport, headers=headers), url)

    def reporter(self, number: int, **headers: str) -> Browser:
        """Somebody at an address of their own, with the link of the group."""
        return self.browser(self.report_url(), f"203.0.113.{number}", **headers)

    async def press(self, userid: str, value: str) -> httpx2.Response:
        """Press a button of somebody's 今日待办."""
        return await self.browser(self.todo_url(userid)).send(press=value)

    async def cases(self) -> list[CaseRow]:
        async with self.life.bot.store.read() as tx:
            closed = await removal.closed_since(tx, self.group.created_at - timedelta(days=1))
            return sorted([*closed, *await removal.open_cases(tx)], key=lambda case: case.number)

    def cards(self, userid: str = "wangwu") -> list[Any]:
        return [each for each in self.world.inbox(userid) if each.task_id]


@asynccontextmanager
async def open_town(database_url: str, book: Book = RULES) -> AsyncIterator[Town]:
    clock = VirtualClock()
    async with living(World(clock=clock, seed=1), clock, book, database_url) as life:
        town = Town(life)
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        yield town
