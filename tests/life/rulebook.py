"""What stories about rules have in common: a config of several rules, what came of them, and people who talk."""

from datetime import timedelta
from typing import Any

from rules.book import Book
from simulator import Archive, Customer
from simulator.groups import Group
from simulator.messages import Received
from store import blocks, matters, removal, strikes
from store.matters import MatterRow
from store.removal import CaseRow
from tests.life.conftest import INGEST_SECRET
from tests.life.shop import MINUTES, SECONDS, Shop

DAYS = timedelta(days=1)
A_WHILE = 20 * SECONDS
"""After this a message has come through the archive (15 s behind), and the first card about it has been sent."""


def rulebook(*rules: dict[str, Any], **more: Any) -> Book:
    """Several rules, a manager, and where wanted other parts of the config."""
    return Book.model_validate({"managers": ["李华"], "rules": [*rules], **more})


def warnings(shop: Shop, userid: str = "wangwu") -> list[Received]:
    """The cards that ask somebody to tell a person something."""
    return [each for each in shop.cards(userid) if each.text.startswith("请提醒")]


def removals(shop: Shop, userid: str = "wangwu") -> list[Received]:
    """The cards that ask somebody to take a person out."""
    return [each for each in shop.cards(userid) if each.text.startswith("请移出")]


def listen(shop: Shop) -> None:
    """From now on what is said in the groups reaches the bot, by way of the archive."""
    Archive(shop.world, INGEST_SECRET).deliver_to("http://bot/ingest/messages", shop.life.browser)


async def say(
    shop: Shop, who: Customer, *texts: str, group: Group | None = None, kind: str = "text", wait: timedelta = A_WHILE
) -> None:
    """Somebody writes in a group, one message after the other."""
    for text in texts:
        shop.world.says(who, group or shop.group, text, kind)
    await shop.life.run(wait)


async def later(shop: Shop, span: timedelta) -> None:
    """A long time in which nothing is looked at closely: what was due meanwhile is done at the end."""
    shop.life.clock.advance(span)
    await shop.life.run(2 * MINUTES)


async def read_again(shop: Shop) -> None:
    """All groups are looked over, as every night."""
    await shop.life.bot.read_roster(f"again {shop.life.clock.now()}")
    await shop.life.run(2 * MINUTES)


async def all_cases(shop: Shop) -> list[CaseRow]:
    """Every case, the oldest first."""
    async with shop.life.bot.store.read() as tx:
        rows = [*await removal.closed_since(tx, shop.group.created_at), *await removal.open_cases(tx)]
    return sorted(rows, key=lambda case: case.number)


async def came_to(shop: Shop, subject: str) -> list[str]:
    """What each offence of somebody led to, the oldest first; what was forgiven does not count."""
    async with shop.life.bot.store.read() as tx:
        return [row.came_to for row in reversed(await strikes.of(tx, subject)) if row.forgiven_at is None]


async def blocklist(shop: Shop) -> list[str | None]:
    """Who is on it."""
    async with shop.life.bot.store.read() as tx:
        return [row.external_userid for row in await blocks.everybody(tx)]


async def open_matters(shop: Shop, chat_id: str = "") -> list[MatterRow]:
    """What is open for the managers and for those who own this group."""
    async with shop.life.bot.store.read() as tx:
        return await matters.open_for(tx, owned=[chat_id or shop.group.chat_id], is_manager=True, userid="")
