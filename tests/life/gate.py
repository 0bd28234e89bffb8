"""People at our doors, for whole-life tests: they scan an entrance, see what its page shows, and come in by its code.

The page itself is not here (tests/bot/pages): who they are is given as the proofs that it would have.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from handlers import entrance, identity
from rules.book import Book
from rules.entrances import Door
from rules.events import EntranceScanned
from rules.identity import Proof
from simulator import Customer
from simulator.groups import Group
from store import join_ways, rooms
from store.rooms import RoomRow
from store.seats import SeatRow
from tests.life.conftest import Life
from tests.life.shop import MINUTES, SECONDS

HOURS, DAYS = 60 * MINUTES, 24 * 60 * MINUTES


def shop_with(*entrances: dict[str, Any], **more: Any) -> Book:
    """A config with these entrances, one shop whose staff are 王五 and 赵六, and the kinds of groups of the example."""
    settings: dict[str, Any] = {
        "managers": ["李华"],
        "shops": {"静安店": {"groups": "*静安*", "staff": ["赵六"]}, "徐汇店": {"groups": "*徐汇*", "staff": ["孙七"]}},
        "groups": {"vip": "VIP*", "spare": "备用*", "members": "会员*", "green": "绿茶*"},
        "entrances": [*entrances],
    }
    return Book.model_validate(settings | more)


OWN: dict[str, Any] = {"name": "vip-tea", "one_customer_per_group": True, "groups": "vip", "ready": 3}
SHARED: dict[str, Any] = {"name": "members-door", "groups": "members", "limit": 10, "headroom": 2}


class Gate:
    """A bot, a world, and who owns its groups (wangwu). Groups are read as they are created."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.world.add_staff("lihua", "李华")
        for userid, name in (("wangwu", "王五"), ("zhaoliu", "赵六"), ("sunqi", "孙七")):
            self.world.add_staff(userid, name)
        self.visitors: dict[str, int] = {}
        self.customers: dict[str, Customer] = {}

    async def prepare(self, *names: str, owner: str = "wangwu") -> list[Group]:
        """Staff create customer groups, with nobody else in them; the bot hears of it, and codes are made."""
        groups = [self.world.create_group(name, owner=owner) for name in names]
        await self.life.run(MINUTES)
        return groups

    def customer(self, name: str) -> Customer:
        if name not in self.customers:
            self.customers[name] = self.world.add_customer(name)
        return self.customers[name]

    async def visitor(self, name: str, *, known: bool = False, openid: str = "") -> int:
        """The visitor that a page would find for this person. `known`: WeCom says who they are (staff added them)."""
        value = openid or self.world.logins.openid(self.customer(name))
        proofs = [Proof(kind="openid", value=value, appid=self.world.corp_id, evidence="oauth")]
        if known:
            who = self.customer(name).external_userid
            proofs.append(Proof(kind="external_userid", value=who, evidence="oauth"))
        async with self.life.bot.store.write() as tx:
            found = await identity.visitor_of(tx, proofs, now=self.life.clock.now())
        self.visitors[name] = found.visitor_id
        return found.visitor_id

    async def scan(self, name: str, at: str = "vip-tea", channel: str = "", *, known: bool = False) -> Door:
        """Somebody scans the printed code and sees the page."""
        return await self.scan_as(await self.visitor(name, known=known), at, channel)

    async def scan_as(self, visitor_id: int, at: str = "vip-tea", channel: str = "") -> Door:
        """Likewise, for a visitor who is there already."""
        worker, now = self.life.bot.worker, self.life.clock.now()
        event = EntranceScanned(at=now, entrance=at, visitor_id=visitor_id, channel=channel)
        found = worker.rules.book.entrance(at)
        seen = entrance.Seen()
        if found is not None and found.looks_at_tags:
            seen = await entrance.look_up(event, worker.wecom, self.life.bot.store, now)
        async with self.life.bot.store.write() as tx:
            await entrance.handle(event, seen, tx, worker.rules.book, now)
            return await entrance.door_for(tx, worker.rules.book, at, visitor_id, now)

    async def are_one(self, kept: int, gone: int) -> None:
        """What a merge does to everything that is keyed by visitors."""
        async with self.life.bot.store.write() as tx:
            for rows in identity.ROWS:
                await rows.join(tx, kept=kept, gone=gone, now=self.life.clock.now())

    async def refresh(self, name: str, at: str = "vip-tea") -> Door:
        """Their page looks again."""
        async with self.life.bot.store.write() as tx:
            book, now = self.life.bot.worker.rules.book, self.life.clock.now()
            return await entrance.door_for(tx, book, at, self.visitors[name], now)

    async def join(self, name: str, door: Door, *, wait: timedelta = 10 * SECONDS) -> Group:
        """They press and hold the code, and are in."""
        scanned = self.world.scan(self.customer(name), door.qr_code)
        assert scanned.group is not None
        await self.life.run(wait)
        return scanned.group

    async def enter(self, name: str, at: str = "vip-tea", *, known: bool = False) -> Group:
        """Scan, see, join: all of it."""
        door = await self.scan(name, at, known=known)
        if door.show == "preparing":
            await self.life.run(MINUTES)
            door = await self.refresh(name, at)
        assert door.show == "code", door
        return await self.join(name, door)

    # --- looking ----------------------------------------------------------------------------------------------------

    async def rooms(self) -> dict[str, str]:
        """Name of each room → its state."""
        async with self.life.bot.store.read() as tx:
            return {row.name: row.state for row in await self._rooms(tx)}

    async def _rooms(self, tx: Any) -> Sequence[RoomRow]:
        return await rooms.everything(tx, ["free", "used", "checking", "open", "aside", "occupied", "retired", "gone"])

    async def seats(self) -> list[SeatRow]:
        """Every live seat, the oldest first."""
        async with self.life.bot.store.read() as tx:
            found = [each for room in await self._rooms(tx) for each in await _live(tx, room.chat_id)]
        return sorted(found, key=lambda each: each.id)

    async def ways(self) -> dict[str, int]:
        async with self.life.bot.store.read() as tx:
            return await join_ways.by_status(tx)

    def cards(self, userid: str) -> list[str]:
        """The stock cards that they got, as they show now."""
        return [each.text for each in self.world.inbox(userid) if (each.task_id or "").startswith("stock-")]


async def _live(tx: Any, chat_id: str) -> Sequence[SeatRow]:
    from sqlmodel import col, select

    query = select(SeatRow).where(SeatRow.chat_id == chat_id, col(SeatRow.visitor_key).is_not(None))
    return list((await tx.exec(query)).all())
