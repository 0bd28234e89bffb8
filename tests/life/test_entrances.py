"""One customer, one group: from the scan to the closed door, and all that goes wrong in between."""

from datetime import timedelta

from simulator import Faults
from store import matters
from tests.life.conftest import StartLife
from tests.life.gate import HOURS, OWN, Gate, shop_with
from tests.life.shop import MINUTES, SECONDS


async def titles(gate: Gate) -> list[str]:
    """What is open for the owner of the groups, or for the managers."""
    async with gate.life.bot.store.read() as tx:
        owned = [each.chat_id for each in gate.world.groups.values()]
        return [row.title for row in await matters.open_for(tx, owned=owned, is_manager=True, userid="")]


async def test_a_customer_gets_a_group_of_their_own_and_the_door_closes(start_life: StartLife) -> None:
    """Who scans gets a prepared group whose code was made before; once in, the code is gone and the owner is asked to
    switch 群聊邀请确认 on."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        groups = await gate.prepare("VIP·1", "VIP·2")
        assert await gate.rooms() == {"VIP·1": "free", "VIP·2": "free"}
        door = await gate.scan("张三")
        assert (door.show, door.group_name) == ("code", "VIP·1")
        group = await gate.join("张三", door)
        assert group.chat_id == groups[0].chat_id
        assert (await gate.refresh("张三")).show == "inside"
        [seat] = await gate.seats()
        assert (seat.state, seat.external_userid) == ("taken", gate.customer("张三").external_userid)
        await life.run(5 * MINUTES)
        assert not [way for way in life.world.codes.join_ways.values() if group.chat_id in way.chat_ids]
        assert "「VIP·1」请关门" in await titles(gate)


async def test_the_same_person_has_the_same_seat_however_often_they_scan(start_life: StartLife) -> None:
    """Scanning again, or looking again, gives nobody a second group."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "VIP·2")
        doors = [await gate.scan("张三"), await gate.scan("张三"), await gate.refresh("张三")]
        assert {door.group_name for door in doors} == {"VIP·1"}
        assert await gate.rooms() == {"VIP·1": "used", "VIP·2": "free"}
        await gate.join("张三", doors[0])
        assert (await gate.scan("张三")).show == "inside"
        assert len(await gate.seats()) == 1


async def test_two_customers_never_share(start_life: StartLife) -> None:
    """Each gets a group of their own; who comes when none is left waits in line, and is served first when one comes."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "VIP·2")
        first, second = await gate.enter("张三"), await gate.enter("李四")
        assert first.chat_id != second.chat_id
        assert [(await gate.scan(name)).place for name in ("王五客", "赵六客")] == [1, 2]
        assert [(await gate.scan(name)).place for name in ("赵六客", "王五客")] == [2, 1]
        await gate.prepare("VIP·3")
        assert (await gate.refresh("王五客")).group_name == "VIP·3"
        assert (await gate.refresh("赵六客")).place == 1
        assert (await gate.scan("新来的")).place == 2


async def test_spare_groups_then_the_next_entrance_then_the_line(start_life: StartLife) -> None:
    """What is full leads on: own groups, spare ones, the entrance that the config names, and at last the line."""
    door = {**OWN, "spare": "spare", "if_full": "members-door"}
    members = {"name": "members-door", "groups": "members", "limit": 4, "headroom": 1, "wait_in_line": False}
    async with start_life(shop_with(door, members)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "备用·1", "会员1群")
        seen = [await gate.scan(name) for name in ("甲", "乙", "丙", "丁", "戊")]
        assert [each.group_name for each in seen] == ["VIP·1", "备用·1", "会员1群", "会员1群", ""]
        assert [each.entrance for each in seen] == ["vip-tea", "vip-tea", "members-door", "members-door", "vip-tea"]
        assert (seen[-1].show, seen[-1].place) == ("waiting", 1)


async def test_a_seat_that_nobody_takes_goes_to_somebody_else(start_life: StartLife) -> None:
    """After `keep_seat` the code is deleted, the group is read again, and only then it is free, with a new code."""
    async with start_life(shop_with({**OWN, "keep_seat": "3小时"})) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        old = await gate.scan("张三")
        await life.run(3 * HOURS + 15 * MINUTES)
        assert await gate.rooms() == {"VIP·1": "free"}
        new = await gate.scan("李四")
        if new.show == "preparing":
            await life.run(MINUTES)
            new = await gate.refresh("李四")
        assert (new.show, new.group_name) == ("code", "VIP·1")
        assert new.qr_code != old.qr_code


async def test_looking_at_the_page_keeps_the_seat(start_life: StartLife) -> None:
    """Whoever keeps the page open keeps the seat."""
    async with start_life(shop_with({**OWN, "keep_seat": "3小时"})) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        await gate.scan("张三")
        for _ in range(5):
            await life.run(HOURS)
            assert (await gate.refresh("张三")).show == "code"
        await life.run(4 * HOURS)
        assert (await gate.rooms())["VIP·1"] == "free"


async def test_late_by_the_old_code_while_the_group_is_free(start_life: StartLife) -> None:
    """Somebody comes at the last moment, after their seat ended but before the code was gone: the group is theirs."""
    async with start_life(shop_with({**OWN, "keep_seat": "3小时"})) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        door = await gate.scan("张三")
        life.clock.advance(3 * HOURS + SECONDS)
        await gate.join("张三", door, wait=10 * MINUTES)
        [seat] = await gate.seats()
        assert (seat.state, seat.external_userid) == ("taken", gate.customer("张三").external_userid)


async def test_a_stranger_with_a_copied_code_is_a_case(start_life: StartLife) -> None:
    """Who comes by another's code, and is certainly not them, is asked to be removed; the seat stays the customer's."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        door = await gate.scan("张三")
        await gate.join("李四", door)
        assert any("李四" in each.text for each in life.world.inbox("wangwu") if each.kind == "card")
        [seat] = await gate.seats()
        assert (seat.state, seat.external_userid) == ("held", None)
        await gate.join("张三", await gate.refresh("张三"))
        [seat] = await gate.seats()
        assert (seat.state, seat.external_userid) == ("taken", gate.customer("张三").external_userid)


async def test_two_by_one_code_where_openids_are_not_told(start_life: StartLife) -> None:
    """Where the platform tells no openids and two come by one code, nobody is bound and nobody is removed: the owner
    is told."""
    async with start_life(shop_with(OWN)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        await gate.prepare("VIP·1")
        door = await gate.scan("张三")
        life.world.scan(gate.customer("李四"), door.qr_code)
        await gate.join("张三", door)
        await life.run(10 * MINUTES)
        [seat] = await gate.seats()
        assert (seat.state, seat.external_userid, seat.bound) == ("taken", None, "twice")
        assert "「VIP·1」进来了 2 个人" in await titles(gate)
        assert not [each for each in life.world.inbox("wangwu") if (each.task_id or "").startswith("removal")]


async def test_where_openids_are_not_told_one_by_the_code_is_the_customer(start_life: StartLife) -> None:
    """One person, and only one, came by the code that was made for one visitor: that is who they are from then on."""
    async with start_life(shop_with(OWN)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        await gate.prepare("VIP·1")
        await gate.enter("张三")
        await life.run(10 * MINUTES)
        async with life.bot.store.read() as tx:
            from store import identities

            known = await identities.external_of(tx, gate.visitors["张三"])
        assert known == gate.customer("张三").external_userid


async def test_an_invited_guest_is_told_of_and_not_removed(start_life: StartLife) -> None:
    """Deleting our code does not stop members inviting: the owner is told, once, and nobody is asked to be removed."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        group = await gate.enter("张三")
        life.world.join(group, gate.customer("朋友"), 1)
        await life.run(MINUTES)
        assert (await titles(gate)).count("「VIP·1」里多了一个人") == 1
        assert not [each for each in life.world.inbox("wangwu") if (each.task_id or "").startswith("removal")]


async def test_a_lost_answer_to_add_join_way(start_life: StartLife) -> None:
    """A join way that was made though nobody heard of it is given up as orphaned, and another is made under another
    state; what is shown works."""
    async with start_life(shop_with({**OWN, "ready": 0}), faults=Faults(code_answer_lost=0.3)) as life:
        gate = Gate(life)
        await gate.prepare(*(f"VIP·{n}" for n in range(6)))
        for n in range(6):
            await gate.scan(f"客{n}")
        await life.run(5 * MINUTES)
        for n in range(6):
            door = await gate.refresh(f"客{n}")
            assert door.show == "code"
            await gate.join(f"客{n}", door, wait=MINUTES)
        ways = await gate.ways()
        assert ways.get("orphaned", 0) > 0
        states = [way.state for way in life.world.codes.join_ways.values()]
        assert len(states) == len(set(states))
        assert {seat.state for seat in await gate.seats()} == {"taken"}


async def test_a_customer_who_left_and_comes_back_within_days(start_life: StartLife) -> None:
    """The group is kept for who left, and they get it again; after `keep_left` staff confirm that it is clean before
    somebody else gets it."""
    async with start_life(shop_with({**OWN, "keep_left": "3天"})) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        group = await gate.enter("张三")
        life.world.leave(group, gate.customer("张三"))
        await life.run(HOURS)
        again = await gate.enter("张三")
        assert again.chat_id == group.chat_id
        life.world.leave(group, gate.customer("张三"))
        await life.run(MINUTES)
        await life.stride(timedelta(days=3, hours=1), 10)
        assert await gate.rooms() == {"VIP·1": "checking"}
        assert (await gate.scan("李四")).show == "waiting"


async def test_a_dismissed_group_is_replaced(start_life: StartLife) -> None:
    """Whose group was dismissed gets another with the next scan."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        groups = await gate.prepare("VIP·1", "VIP·2")
        await gate.scan("张三")
        life.world.dismiss(groups[0])
        await life.run(MINUTES)
        assert (await gate.rooms())["VIP·1"] == "gone"
        assert (await gate.scan("张三")).group_name == "VIP·2"


async def test_a_dead_code_is_found(start_life: StartLife) -> None:
    """A code shown to two people that lets nobody in within the hour is set aside, and the owner is asked to look; when
    they have, the group is used again."""
    async with start_life(shop_with({**OWN, "keep_seat": "1小时"})) as life:
        gate = Gate(life)
        [group, _] = await gate.prepare("VIP·1", "VIP·2")
        group.confirms = True
        await gate.scan("甲")
        await life.run(2 * HOURS)
        assert (await gate.scan("乙")).group_name == "VIP·1"
        await life.run(HOURS + 30 * MINUTES)
        assert (await gate.rooms())["VIP·1"] == "aside"
        assert "「VIP·1」扫码进不来" in await titles(gate)
        assert (await gate.scan("乙")).group_name == "VIP·2"


async def test_staff_confirm_that_a_group_is_clean(start_life: StartLife) -> None:
    """With `recycle`, who leaves is gone for good: staff look first, and after their 已办 the next customer gets it."""
    async with start_life(shop_with({**OWN, "when_left": "回收"})) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        group = await gate.enter("张三")
        life.world.leave(group, gate.customer("张三"))
        await life.run(MINUTES)
        assert (await gate.rooms(), await titles(gate)) == (
            {"VIP·1": "checking"},
            ["「VIP·1」请关门", "「VIP·1」的客户走了"],
        )
        assert (await gate.scan("李四")).place == 1
        async with life.bot.store.write() as tx:
            [row] = [
                each
                for each in await matters.open_for(tx, owned=[group.chat_id], is_manager=False, userid="")
                if "走了" in each.title
            ]
            await matters.settle(tx, row.about, outcome="done", by="wangwu", now=life.clock.now())
        await life.run(20 * MINUTES)
        assert (await gate.refresh("李四")).group_name == "VIP·1"


async def test_somebody_in_a_prepared_group_makes_it_nobodys(start_life: StartLife) -> None:
    """Who is invited into a prepared group keeps it from being given away; when they are gone it is used again."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        [group] = await gate.prepare("VIP·1")
        life.world.join(group, gate.customer("路人"), 1)
        await life.run(MINUTES)
        assert await gate.rooms() == {"VIP·1": "occupied"}
        assert "「VIP·1」里进了别人" in await titles(gate)
        assert (await gate.scan("张三")).show == "waiting"
        life.world.leave(group, gate.customer("路人"))
        await life.run(5 * MINUTES)
        assert (await gate.refresh("张三")).group_name == "VIP·1"
        assert "「VIP·1」里进了别人" not in await titles(gate)


async def test_one_person_by_two_ways_has_one_seat(start_life: StartLife) -> None:
    """Somebody who was two visitors, with a seat each, turns out to be one: one seat is theirs, and the other group
    goes to somebody else."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "VIP·2")
        first = await gate.visitor("张三", openid="o-one")
        await gate.scan_as(first)
        second = await gate.visitor("张三", openid="o-two")
        await gate.scan_as(second)
        assert [seat.chat_id for seat in await gate.seats()] != []
        await gate.are_one(first, second)
        assert [(seat.visitor_id, seat.state) for seat in await gate.seats()] == [(first, "held")]
        await life.run(30 * MINUTES)
        assert sorted((await gate.rooms()).values()) == ["free", "used"]
