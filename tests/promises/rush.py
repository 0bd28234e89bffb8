"""A rush on an entrance: people who scan, many at once, each in a transaction of their own, as the page does it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from handlers import entrance
from rules.book import Book
from rules.entrances import Door
from rules.events import EntranceScanned
from store.database import Clash, Database
from store.rooms import RoomRow
from store.roster import GroupRow
from store.seats import SeatRow
from store.waiting import WaitingRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "managers": ["李华"],
    "shops": {"静安店": {"groups": "*", "staff": ["赵六"]}},
    "groups": {"vip": "VIP*", "spare": "备用*", "members": "会员*"},
    "entrances": [
        {
            "name": "vip-tea",
            "one_customer_per_group": True,
            "groups": "vip",
            "spare": "spare",
            "if_full": "members-door",
            "warn_below": "20个群",
        },
        {"name": "members-door", "groups": "members", "limit": 110, "headroom": 10, "wait_in_line": False},
    ],
}
BOOK = Book.model_validate(SETTINGS)


async def pool(store: Database, *, vip: int, spare: int, members: int, now: datetime = NOON) -> None:
    """Prepared groups, and shared ones of 100 places each, as they are once enrolled."""
    names = [*(("vip", n) for n in range(vip)), *(("spare", n) for n in range(spare))]
    names += [("members", n) for n in range(members)]
    async with store.write() as tx:
        for kind, number in names:
            chat_id, name = f"wr-{kind}-{number:05d}", f"{kind}·{number}"
            tx.add(GroupRow(chat_id=chat_id, name=name, kind=kind, owner="wangwu", watched_since=now, read_at=now))
        await tx.flush()
        for kind, number in names:
            alone = kind != "members"
            chat_id, name = f"wr-{kind}-{number:05d}", f"{kind}·{number}"
            state = "free" if alone else "open"
            tx.add(RoomRow(chat_id=chat_id, name=name, kind=kind, alone=alone, state=state, since=now))


async def scan(store: Database, visitor: int, *, now: datetime = NOON) -> Door:
    """One person scans, and sees something."""
    event = EntranceScanned(at=now, entrance="vip-tea", visitor_id=visitor, channel="shop-12")
    for _ in range(20):
        try:
            async with store.write() as tx:
                await entrance.handle(event, entrance.Seen(), tx, BOOK, now)
                return await entrance.door_for(tx, BOOK, "vip-tea", visitor, now)
        except Clash:
            continue
    raise RuntimeError("twenty clashes in a row")


async def rush(
    stores: Sequence[Database], visitors: Sequence[int], *, at_once: int, now: datetime = NOON
) -> list[tuple[int, Door]]:
    """All of them scan, so many at once, each at one of the databases' users. The answers, as they came."""
    left, seen = iter(enumerate(visitors)), list[tuple[int, Door]]()

    async def one_after_the_other() -> None:
        for number, visitor in left:
            seen.append((visitor, await scan(stores[number % len(stores)], visitor, now=now)))

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return seen


async def wrong(store: Database, people: Sequence[int]) -> list[str]:
    """What promise 6 does not allow: read off the rows themselves."""
    async with store.read() as tx:
        seats = (await tx.exec(select(SeatRow).where(SeatRow.state != "over"))).all()
        waiting = (await tx.exec(select(WaitingRow).where(col(WaitingRow.place_key).is_not(None)))).all()
        rooms = {row.chat_id: row for row in (await tx.exec(select(RoomRow))).all()}
    own = [seat for seat in seats if not seat.shared]
    found = [f"{chat_id} is {n} people's" for chat_id, n in Counter(s.chat_id for s in own).items() if n > 1]
    theirs = Counter((seat.visitor_id, seat.kind) for seat in seats)
    found += [f"{who} has {n} groups" for who, n in theirs.items() if n > 1]
    held = {seat.chat_id for seat in own}
    found += [
        f"{row.chat_id} is used by nobody" for row in rooms.values() if row.state == "used" and row.chat_id not in held
    ]
    found += [
        f"{chat_id} is {rooms[chat_id].state}, though it is somebody's"
        for chat_id in held
        if rooms[chat_id].state != "used"
    ]
    promised = Counter(seat.chat_id for seat in seats if seat.shared)
    found += [
        f"{row.chat_id} promises {row.promised}" for row in rooms.values() if row.promised != promised[row.chat_id]
    ]
    found += [f"{row.chat_id} is over" for row in rooms.values() if row.promised > 100]
    served = {seat.visitor_id for seat in seats} | {row.visitor_id for row in waiting}
    found += [f"{who} got nothing" for who in people if who not in served]
    found += [
        f"{row.visitor_id} waits and has a seat" for row in waiting if row.visitor_id in {s.visitor_id for s in seats}
    ]
    free = Counter(row.kind for row in rooms.values() if row.state == "free")
    spares = sum(seat.spare for seat in own)
    if spares and free["vip"]:
        found.append("spare groups were given while there were others")
    if (any(seat.shared for seat in seats) and (free["vip"] or free["spare"])) or (waiting and sum(free.values())):
        found.append("somebody was sent on while there were prepared groups")
    return found
