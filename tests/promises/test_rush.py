"""Promise 6 with everything real: people's browsers over HTTP at three web processes, one PostgreSQL, and a worker that
makes the codes while its answers get lost; then some of them are killed -9.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from sqlmodel import select

from simulator import Faults
from store.join_ways import LIVE, JoinWayRow
from store.rooms import RoomRow
from store.roster import GroupRow
from store.seats import SeatRow
from store.waiting import WaitingRow
from tests.promises.conftest import Serving, eventually
from tests.promises.crowd import Crowd, newcomers
from tests.promises.rush import wrong
from tests.promises.shop import Shop, open_shop

LOST = 0.1
"""Of ten codes that the platform makes, the answer to one never arrives."""

NAMES = {"vip": "VIP*", "spare": "备用*", "members": "会员*"}
CONFIG = """
managers: [李华]
shops: {{静安店: {{groups: "*", staff: [赵六]}}}}
groups: {{vip: "VIP*", spare: "备用*", members: "会员*"}}
entrances:
  - {{name: vip-tea, title: 绿茶会员, one_customer_per_group: true, groups: vip, spare: spare, if_full: members-door,
      ready: {ready}, warn_below: {warn}个群}}
  - {{name: members-door, groups: members, limit: 12, headroom: 1, wait_in_line: false}}
"""

Size = Callable[[int, int], int]


async def test_a_rush_over_http_with_codes_lost_and_processes_killed(
    postgres_url: str, tmp_path: Path, seed: int, size: Size
) -> None:
    """However many scan at once, at whichever process, whatever is killed and whatever the platform's answers: nobody
    shares, nobody has two, everybody else got a spare group, the next entrance, or a place in line; one card for each
    threshold; and every group that was given has one code in the end, whose state is no other's."""
    groups, people, shared = size(20, 1000), size(60, 5000), size(2, 30)
    async with open_shop(postgres_url, tmp_path, seed, Faults(code_answer_lost=LOST)) as shop:
        warn, big = size(3, 20), bool(size(0, 1))
        shop.bot.config = CONFIG.format(ready=size(5, 20), warn=warn)
        if not big:  # a thousand pictures, drawn and read at three processes, would be most of the work
            shop.world.address = shop.bot.api_base
        shop.world.add_staff("zhaoliu", "赵六")
        await prepared(shop, {"vip": groups * 4 // 5, "spare": groups // 5, "members": shared})
        visitors = await newcomers(shop.database, shop.world.corp_id, people, now=shop.world.clock.now())
        roles = ("worker", "web", "web", "web") if big else ("all", "web")
        worker, *webs = [await shop.bot.start(role) for role in roles]
        crowd = Crowd(
            shop.world.clock,
            [each.url for each in (webs if big else [worker, *webs])],
            shop.bot.environment()["STEWARD_SECRET_KEY"],
        )
        if big:  # the cards take their time
            await crowd.rush(visitors[: groups * 4 // 5 - warn + 2], at_once=16)
            await eventually("the shop is told that few are left", lambda: are_told(shop, "快用完了"), 300)

        everybody = visitors * 2
        Random(seed).shuffle(everybody)
        begun, killing = crowd.done, list[asyncio.Task[Serving]]()

        def kill(done: int) -> None:
            if done == begun + people // 2:
                webs[0].kill()
                if big:
                    worker.kill()
                    killing.append(asyncio.create_task(back_again(shop)))

        await crowd.rush(everybody, at_once=size(8, 24), meanwhile=kill)
        await asyncio.gather(*killing)
        later = crowd.answers.pop((503, "?"), 0)
        assert set(crowd.answers) <= {(200, door) for door in ("code", "preparing", "waiting")}, crowd.answers
        assert later <= len(everybody) // 100, "too many were asked to try again"
        assert crowd.refused, "the killed process was asked"
        assert await wrong(shop.database, visitors) == []
        await everybody_is_shown_what_they_have(shop, crowd)

        await eventually("every group that is held has its code", lambda: all_ready(shop), 300)
        await no_code_is_another_one(shop, lost=big)
        if big:
            await eventually("the shop is told that none is left", lambda: are_told(shop, "用完了", but="快"), 300)
            assert titles(shop).keys() == {"「绿茶会员」群快用完了", "「绿茶会员」群用完了", "「members-door」群用完了"}
        assert set(titles(shop).values()) <= {1}
        assert await wrong(shop.database, visitors) == []
        scans, refused = sum(crowd.answers.values()), crowd.refused
        lost = shop.world.faults.injected["code_answer_lost"]
        print(f"\n{scans} scans, {refused} at a process that was gone: {dict(crowd.answers)}")  # noqa: T201 - the figures
        print(f"{later} were asked to try again; {lost} codes were made whose answer was lost")  # noqa: T201


async def back_again(shop: Shop) -> Serving:
    """Half a minute after the worker was killed, when its leases are over, another one works."""
    await shop.bot.forget_leases(shop.database)
    return await shop.bot.start("worker")


async def prepared(shop: Shop, kinds: dict[str, int]) -> None:
    """So many groups of each kind: at the platform, and known to the bot as after it has read them."""
    now = shop.world.clock.now()
    async with shop.database.write() as tx:
        for kind, number in kinds.items():
            for n in range(number):
                name = NAMES[kind].replace("*", f"·{n}")
                group = shop.world.create_group(name, owner="wangwu")
                chat_id, alone = group.chat_id, kind != "members"
                known = GroupRow(chat_id=chat_id, name=name, kind=kind, owner="wangwu", watched_since=now, read_at=now)
                known.staff = ["wangwu"]
                tx.add(known)
                await tx.flush()
                room = RoomRow(chat_id=chat_id, name=name, kind=kind, alone=alone, state="open", since=now, size=1)
                room.shop, room.state = "静安店", "free" if alone else "open"
                tx.add(room)


async def all_ready(shop: Shop) -> bool:
    async with shop.database.read() as tx:
        found = (await tx.exec(select(RoomRow.bare).where(RoomRow.state == "used"))).all()
        orders = (await tx.exec(select(JoinWayRow.id).where(JoinWayRow.status == "adding"))).all()
    return not any(found) and not orders


def cards(shop: Shop) -> list[str]:
    return [each.text for each in shop.world.inbox("zhaoliu") if (each.task_id or "").startswith("stock-")]


def titles(shop: Shop) -> Counter[str]:
    return Counter(text.splitlines()[0].strip() for text in cards(shop))


async def are_told(shop: Shop, words: str, but: str = " ") -> bool:
    return any(words in title and but not in title and "绿茶" in title for title in titles(shop))


async def everybody_is_shown_what_they_have(shop: Shop, crowd: Crowd) -> None:
    """Who waits was told so; nobody else was."""
    async with shop.database.read() as tx:
        seats = {row.visitor_id for row in (await tx.exec(select(SeatRow))).all() if row.visitor_key}
        waiting = {row.visitor_id for row in (await tx.exec(select(WaitingRow))).all() if row.place_key}
    assert {who for who, door in crowd.seen.items() if door == "waiting"} == waiting
    assert {who for who, door in crowd.seen.items() if door != "waiting"} == seats


async def no_code_is_another_one(shop: Shop, *, lost: bool) -> None:
    """Each group that somebody has is led into by the one code that we show, and it exists; what was made unheard is
    known as such. `lost`: there must have been such ones."""
    async with shop.database.read() as tx:
        ours = (await tx.exec(select(JoinWayRow))).all()
        used = [row for row in (await tx.exec(select(RoomRow))).all() if row.state == "used"]
    by_id = {row.id: row for row in ours}
    there = shop.world.codes.join_ways
    states = Counter(each.state for each in there.values())
    assert set(states.values()) <= {1}, "two codes share a state"
    assert states.keys() <= {row.state for row in ours}, "a code that nobody knows of"
    for room in used:
        way = by_id[room.way_id or 0]
        assert way.status in LIVE
        assert there[way.config_id or ""].chat_ids == [room.chat_id]
    shown = Counter(row.chat_id for row in ours if row.status in LIVE and row.purpose == "seat")
    assert set(shown.values()) <= {1}, "two codes lead into one group"
    orphans = {row.state for row in ours if row.status == "orphaned"}
    unheard = {state for state in states if by_state(ours, state).status not in LIVE}
    assert unheard <= orphans
    assert bool(unheard) or not lost
    assert shop.world.faults.injected["code_answer_lost"] > 0 or not lost


def by_state(ways: Sequence[JoinWayRow], state: str | None) -> JoinWayRow:
    return next(row for row in ways if row.state == state)
