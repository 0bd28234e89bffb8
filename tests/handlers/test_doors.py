"""Who gets which door where things change meanwhile: the line, entrances that lead on, groups that are renamed."""

from datetime import timedelta
from typing import Any

import pytest

from handlers import entrance, giving, identity, rooms, seats_due, stock
from rules.book import Book
from rules.decision import Decision
from rules.entrances import Door
from rules.events import EntranceScanned, SeatDue, StockDue
from rules.facts import Member
from rules.identity import Proof
from scheduler import stock as stock_sweep
from store import entrances, join_ways, roster, seat_merge, seats, trace, waiting
from store import rooms as room_rows
from store.database import Database
from store.rooms import RoomRow
from store.roster import GroupRow
from store.seats import SeatRow
from store.waiting import WaitingRow
from tests.handlers.town import NOON

DAYS, HOURS, MINUTES = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
VIP: dict[str, Any] = {"name": "vip-tea", "one_customer_per_group": True, "groups": "vip", "if_full": "members-door"}
TEA: dict[str, Any] = {"name": "tea-door", "one_customer_per_group": True, "groups": "tea"}
MEMBERS: dict[str, Any] = {"name": "members-door", "groups": "members", "limit": 3, "headroom": 1}


def book_with(*entrances: dict[str, Any]) -> Book:
    groups = {"vip": "VIP*", "tea": "绿茶*", "members": "会员*"}
    return Book.model_validate({"groups": groups, "entrances": [*(entrances or (VIP, TEA, MEMBERS))]})


class Porch:
    """Groups that appear, and visitors who scan; nothing of the platform is here."""

    def __init__(self, store: Database) -> None:
        self.store, self.book, self.now = store, book_with(), NOON

    async def appears(self, name: str, *members: str) -> str:
        """A group is read, with these customers in it, and enrolled where an entrance leads to such groups."""
        chat_id = f"wr-{name}"
        async with self.store.write() as tx:
            group = await roster.group(tx, chat_id)
            if group is None:
                kind = self.book.kind_of(name)
                group = GroupRow(chat_id=chat_id, name=name, kind=kind, watched_since=self.now, owner="wangwu")
                tx.add(group)
            group.name, group.read_at, group.staff = name, self.now, ["wangwu"]
            await tx.flush()
            here = [Member(external_userid=each, name=each, joined_at=self.now) for each in members]
            await roster.write_members(tx, chat_id, here, announced=(), now=self.now)
            await rooms.enrol(tx, self.book, group, now=self.now)
        return chat_id

    async def is_called(self, chat_id: str, name: str) -> None:
        """Staff rename it, and it is read."""
        async with self.store.write() as tx:
            group = await roster.group(tx, chat_id)
            assert group is not None
            group.name, group.read_at = name, self.now
            await rooms.enrol(tx, self.book, group, now=self.now)

    async def scan(self, visitor_id: int, at: str = "vip-tea", channel: str = "") -> Door:
        return (await self.scanned(visitor_id, at, channel))[1]

    async def scanned(self, visitor_id: int, at: str = "vip-tea", channel: str = "") -> tuple[list[Decision], Door]:
        event = EntranceScanned(at=self.now, entrance=at, visitor_id=visitor_id, channel=channel)
        async with self.store.write() as tx:
            said = await entrance.handle(event, entrance.Seen(), tx, self.book, self.now)
            return said, await entrance.door_for(tx, self.book, at, visitor_id, self.now)

    async def line_is_served(self) -> int:
        async with self.store.write() as tx:
            return await giving.serve_line(tx, self.book, now=self.now)

    async def customer(self, external_userid: str, visitor_of: str) -> int:
        """The visitor with this openid, of whom the platform says that they are this customer."""
        proofs = [Proof(kind="openid", value=visitor_of, appid="ww1", evidence="oauth")]
        proofs.append(Proof(kind="external_userid", value=external_userid, evidence="oauth"))
        async with self.store.write() as tx:
            return (await identity.visitor_of(tx, proofs, now=self.now)).visitor_id

    async def seats_of(self, visitor_id: int) -> list[str]:
        """The groups that somebody has now."""
        async with self.store.read() as tx:
            rows = [row for row in await everything(tx, SeatRow) if row.visitor_id == visitor_id]
            return sorted(row.chat_id for row in rows if row.visitor_key)

    async def in_line(self) -> list[tuple[int, str]]:
        """Who waits, and for what."""
        async with self.store.read() as tx:
            return [(row.visitor_id, row.kind) for row in await everything(tx, WaitingRow) if row.place_key]

    async def state(self, chat_id: str) -> str | None:
        async with self.store.read() as tx:
            room = await room_rows.look_at(tx, chat_id)
            return room.state if room else None


async def everything(tx: Any, model: Any) -> list[Any]:
    from sqlmodel import select

    return list((await tx.exec(select(model).order_by(model.id))).all())


@pytest.fixture
def porch(sqlite_db: Database) -> Porch:
    return Porch(sqlite_db)


# --- one code, one group ----------------------------------------------------------------------------------------------


async def test_the_same_code_leads_to_the_same_group_when_there_is_room_again(porch: Porch) -> None:
    """Who was led on because everything was full keeps that group: a prepared one that appears later is no second."""
    members = await porch.appears("会员1群")
    await porch.scan(1)
    await porch.appears("VIP·1")
    again = await porch.scan(1)
    assert (await porch.seats_of(1), again.group_name) == ([members], "会员1群")


async def test_another_code_may_lead_to_another_group(porch: Porch) -> None:
    """Who is in the members' group, and scans the poster of the VIP groups, gets one of those: they asked for it."""
    members, vip = await porch.appears("会员1群"), await porch.appears("VIP·1")
    await porch.scan(1, "members-door")
    await porch.scan(1, "vip-tea")
    assert await porch.seats_of(1) == [vip, members]


async def test_who_waited_and_was_led_on_does_not_wait_any_more(porch: Porch) -> None:
    """Let in by the next entrance, they do not get a second group when the first has room."""
    await porch.scan(1)
    assert await porch.in_line() == [(1, "vip")]
    porch.book = book_with({**VIP, "if_full": ""}, TEA, MEMBERS)
    members = await porch.appears("会员1群")
    porch.book = book_with()
    await porch.scan(1)
    await porch.appears("VIP·1")
    assert await porch.in_line() == []
    assert await porch.seats_of(1) == [members]


async def test_the_line_is_led_on_too(porch: Porch) -> None:
    """A group appears at the entrance that theirs leads on to: who waits gets it before anybody who comes later."""
    await porch.scan(1)
    members = await porch.appears("会员1群")
    assert (await porch.in_line(), await porch.seats_of(1)) == ([], [members])
    async with porch.store.read() as tx:
        [row] = await trace.about(tx, "visitor:1", newest=1)
        [said] = trace.decisions(row)
    assert (said.because, said.chat_id) == ("排队排到了，从入口 members-door 给了TA一个群", members)


async def test_many_who_wait_for_one_kind_keep_nobody_from_another(porch: Porch) -> None:
    """A hundred and more wait for VIP groups; whoever waits for tea gets the tea group that appears."""
    for visitor in range(1, 122):
        await porch.scan(visitor)
    await porch.scan(500, "tea-door")
    tea = await porch.appears("绿茶·1")
    assert await porch.seats_of(500) == [tea]
    assert len(await porch.in_line()) == 121


async def test_a_line_of_an_entrance_that_is_gone_blocks_nobody(porch: Porch) -> None:
    """The config has no such entrance any more: who stood there stands nowhere, and newcomers get what there is."""
    await porch.scan(1)
    porch.book = book_with({**VIP, "name": "vip-new"}, TEA, MEMBERS)
    vip = await porch.appears("VIP·1")
    await porch.scan(2, "vip-new")
    assert (await porch.in_line(), await porch.seats_of(2)) == ([], [vip])


async def test_an_entrance_that_leads_elsewhere_takes_its_line_along(porch: Porch) -> None:
    """Who waited for what an entrance gave before waits, at the same place, for what it gives now."""
    await porch.scan(1)
    await porch.scan(2)
    porch.book = book_with({**VIP, "groups": "tea"}, MEMBERS)
    tea = await porch.appears("绿茶·1")
    assert (await porch.seats_of(1), await porch.in_line()) == ([tea], [(2, "tea")])
    assert (await porch.scan(2)).place == 1


async def test_who_was_invited_meanwhile_gets_no_second_group(porch: Porch) -> None:
    """Staff have invited somebody out of the line into a group of the kind: the next group is the next person's."""
    porch.book = book_with(MEMBERS)
    who = await porch.customer("wmA", "oA")
    await porch.scan(who, "members-door")
    await porch.scan(99, "members-door")
    first = await porch.appears("会员1群", "wmA", "wmB", "wmC")
    assert await porch.seats_of(who) == []
    second = await porch.appears("会员2群")
    assert (await porch.seats_of(who), await porch.seats_of(99)) == ([], [second])
    assert (await porch.scan(who, "members-door")).group_name == "会员1群", first


async def test_one_place_in_line_by_whichever_code(porch: Porch) -> None:
    """Two posters lead to the same groups: who waits by one sees their place by the other as well."""
    porch.book = book_with(TEA, {**TEA, "name": "tea-too"})
    await porch.scan(1, "tea-door")
    door = await porch.scan(1, "tea-too")
    assert (door.show, door.place) == ("waiting", 1)


async def test_who_is_served_from_the_line_has_not_seen_the_code(porch: Porch) -> None:
    """A code counts as shown when somebody looks: else two who never came back would make it a dead one."""
    porch.book = book_with(TEA)
    await porch.scan(1, "tea-door")
    chat_id = await porch.appears("绿茶·1")
    async with porch.store.read() as tx:
        [seat] = await everything(tx, SeatRow)
    assert (seat.chat_id, seat.shown_at) == (chat_id, None)


# --- what is said of it -----------------------------------------------------------------------------------------------


async def test_a_scan_is_told_when_something_came_of_it(porch: Porch) -> None:
    """The first scan says what somebody got and why; the same once more says nothing."""
    vip = await porch.appears("VIP·1")
    [said], _ = await porch.scanned(1, channel="shop-12")
    assert (said.rule, said.verdict, said.chat_id) == ("entrance:vip-tea", "hit", vip)
    assert (said.because, said.evidence) == ("从入口 vip-tea 给了TA一个群", "shop-12")
    assert (await porch.scanned(1))[0] == []
    [waits], _ = await porch.scanned(2)
    assert (waits.verdict, waits.because, waits.chat_id) == ("miss", "都满了，请TA排队", "")
    assert (await porch.scanned(2))[0] == []


async def test_a_seat_that_is_written_late_is_counted_soon(porch: Porch) -> None:
    """Scans at several processes at once: one that was begun before the stock was looked at, and ends after it, brings
    another look within seconds. It is not left to the next round, when the pool may long be empty."""
    await porch.appears("VIP·1")
    await porch.appears("VIP·2")
    await porch.scan(1)
    looked = porch.now + timedelta(seconds=2)
    async with porch.store.write() as tx:
        await stock.handle(StockDue(at=looked), None, tx, porch.book, looked)
    porch.now -= timedelta(seconds=1)  # when they scanned; the database had it a moment later
    await porch.scan(2)
    async with porch.store.write() as tx:
        await stock_sweep.sweep(tx, looked)
        due = await stock_sweep.next_due(tx)
    assert due is not None
    assert due < looked + MINUTES


# --- groups -----------------------------------------------------------------------------------------------------------


async def test_a_group_that_is_named_after_it_was_created(porch: Porch) -> None:
    """Staff create a group and name it then: it is enrolled as soon as its name fits and only staff are in it."""
    chat_id, busy = await porch.appears("新建群"), await porch.appears("另一个", "wmA")
    await porch.is_called(chat_id, "VIP·1")
    await porch.is_called(busy, "VIP·2")
    assert (await porch.state(chat_id), await porch.state(busy)) == ("free", None)


async def test_a_prepared_group_that_is_wanted_for_something_else(porch: Porch) -> None:
    """Renamed so that no entrance gives it away, it is given to nobody; named back, it is."""
    chat_id = await porch.appears("VIP·1")
    await porch.is_called(chat_id, "内部试用")
    assert ((await porch.scan(1)).show, await porch.state(chat_id)) == ("waiting", "gone")
    await porch.is_called(chat_id, "VIP·1")
    assert await porch.seats_of(1) == [chat_id]


async def test_a_group_into_which_an_old_code_may_lead_is_nobodys_yet(porch: Porch) -> None:
    """Named back, it is given away only when a read shows who is inside since the last code was gone."""
    chat_id = await porch.appears("VIP·1")
    async with porch.store.write() as tx:
        code = join_ways.JoinWayRow(
            state="s1", purpose="seat", chat_id=chat_id, chat_ids=[chat_id], status="deleting", ordered_at=porch.now
        )
        tx.add(code)
    await porch.is_called(chat_id, "内部试用")
    await porch.is_called(chat_id, "VIP·1")
    assert await porch.state(chat_id) == "gone"
    async with porch.store.write() as tx:
        [code] = await everything(tx, join_ways.JoinWayRow)
        code.status, code.gone_at = "gone", porch.now
    await porch.is_called(chat_id, "VIP·1")
    assert await porch.state(chat_id) == "gone"
    porch.now += 3 * MINUTES
    await porch.is_called(chat_id, "VIP·1")
    assert await porch.state(chat_id) == "free"


async def test_a_prepared_group_of_another_kind(porch: Porch) -> None:
    """Renamed into another kind of prepared groups, it is one of those."""
    chat_id = await porch.appears("VIP·1")
    await porch.is_called(chat_id, "绿茶·1")
    assert (await porch.scan(1)).show == "waiting"
    await porch.scan(2, "tea-door")
    assert await porch.seats_of(2) == [chat_id]


async def test_a_customers_group_may_be_called_anything(porch: Porch) -> None:
    """What is somebody's stays theirs, whatever staff call it."""
    chat_id = await porch.appears("VIP·1")
    await porch.scan(1)
    await porch.is_called(chat_id, "安娜专属")
    assert (await porch.seats_of(1), await porch.state(chat_id)) == ([chat_id], "used")


# --- merges -----------------------------------------------------------------------------------------------------------


async def test_two_in_two_groups_who_were_taken_for_one(porch: Porch) -> None:
    """Parted again, each has their own group, and neither is given another."""
    first, second = await porch.appears("VIP·1"), await porch.appears("VIP·2")
    await porch.scan(1)
    await porch.scan(2)
    async with porch.store.write() as tx:
        for row in await everything(tx, SeatRow):
            row.state = "taken"
    async with porch.store.write() as tx:
        moved = await seat_merge.Merged().join(tx, kept=1, gone=2, now=porch.now)
    async with porch.store.write() as tx:
        await seat_merge.Merged().part(tx, moved, kept=1, gone=2, now=porch.now)
    assert (await porch.seats_of(1), await porch.seats_of(2)) == ([first], [second])
    await porch.appears("VIP·3")
    assert [(await porch.scan(who)).group_name for who in (1, 2)] == ["VIP·1", "VIP·2"]


# --- forgetting -------------------------------------------------------------------------------------------------------


async def test_what_is_over_is_forgotten_and_what_lives_is_not(porch: Porch) -> None:
    """Seats, places in line and codes that are over go after half a year, visits after two; none that lives does."""
    await porch.appears("VIP·1")
    await porch.appears("VIP·2")
    for visitor in (1, 2, 3):
        await porch.scan(visitor)
    async with porch.store.write() as tx:
        one, _ = await everything(tx, SeatRow)
        seats.end(one, "expired", now=porch.now)
        for code in await everything(tx, join_ways.JoinWayRow):
            code.status, code.gone_at = "gone", porch.now
        [place] = await everything(tx, WaitingRow)
        await waiting.stand(tx, entrance="x", target=place.target, visitor_id=9, channel="", now=porch.now)
        waiting.close((await everything(tx, WaitingRow))[1], "gone", now=porch.now)

    async def forgotten(after: timedelta) -> list[int]:
        some = (seats.prune, waiting.prune, join_ways.prune, entrances.prune_visits)
        async with porch.store.write() as tx:
            return [await each(tx, now=porch.now + after) for each in some]

    assert await forgotten(180 * DAYS) == [0, 0, 0, 0]
    assert await forgotten(181 * DAYS) == [1, 1, 1, 0]
    assert await forgotten(730 * DAYS) == [0, 0, 0, 0]
    assert await forgotten(731 * DAYS) == [0, 0, 0, 3]
    assert await forgotten(3650 * DAYS) == [0, 0, 0, 0]
    assert (await porch.seats_of(2), await porch.in_line()) == (["wr-VIP·2"], [(3, "vip")])


async def test_a_place_in_a_shared_group_ends_once(porch: Porch) -> None:
    """Somebody has come by the group's code, nobody knows who: the place that ends later is not taken off again."""
    chat_id = await porch.appears("会员1群")
    await porch.scan(1, "members-door")
    async with porch.store.write() as tx:
        [seat] = await everything(tx, SeatRow)
        seat.settled, seat.due_at = True, porch.now + seats_due.AGAIN
        room = await tx.get_one(RoomRow, 1)
        room.promised = 1  # another's
        event = SeatDue(at=porch.now, seat_id=seat.id, chat_id=chat_id)
        await seats_due.handle(event, None, tx, porch.book, porch.now)
        assert (seat.state, room.promised) == ("over", 1)
