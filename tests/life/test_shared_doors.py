"""Shared entrances: filled in order or evenly, swapped before they are full, and never two of a kind for one person."""

from store import join_ways, matters, rooms
from store.join_ways import JoinWayRow
from tests.life.conftest import StartLife
from tests.life.gate import HOURS, OWN, SHARED, Gate, shop_with
from tests.life.shop import MINUTES


async def own_code(gate: Gate, entrance: str, purpose: join_ways.Purpose) -> JoinWayRow:
    async with gate.life.bot.store.read() as tx:
        found = await join_ways.of_entrance(tx, entrance, purpose)
    assert found is not None
    return found


async def sizes(gate: Gate) -> dict[str, int]:
    return {each.name: len(each.members) for each in gate.world.groups.values()}


async def test_groups_are_filled_in_order(start_life: StartLife) -> None:
    """One after the other, each to its limit less the headroom; people on their way are counted."""
    async with start_life(shop_with(SHARED)) as life:
        gate = Gate(life)
        await gate.prepare("会员1群", "会员2群")
        for n in range(7):
            await gate.enter(f"客{n}", "members-door", known=True)
        assert await sizes(gate) == {"会员1群": 8, "会员2群": 1}
        doors = [await gate.scan(f"客{n}", "members-door", known=True) for n in range(7, 14)]
        assert {door.group_name for door in doors} == {"会员2群"}
        assert (await gate.scan("晚到", "members-door", known=True)).show == "waiting"
        assert (await gate.scan("客0", "members-door", known=True)).show == "inside"


async def test_groups_are_filled_evenly(start_life: StartLife) -> None:
    """Or wherever the fewest are."""
    async with start_life(shop_with({**SHARED, "fill": "evenly"})) as life:
        gate = Gate(life)
        await gate.prepare("会员1群", "会员2群")
        for n in range(6):
            await gate.enter(f"客{n}", "members-door", known=True)
        assert await sizes(gate) == {"会员1群": 4, "会员2群": 4}


async def test_a_place_that_nobody_takes_is_given_again(start_life: StartLife) -> None:
    """Half an hour after the page was last looked at, the place is somebody else's; who comes back gets the same group
    as long as there is room in it."""
    async with start_life(shop_with({**SHARED, "limit": 5})) as life:
        gate = Gate(life)
        await gate.prepare("会员1群")
        assert [(await gate.scan(name, "members-door")).show for name in ("甲", "乙", "丙")] == [
            "code",
            "code",
            "waiting",
        ]
        await life.run(HOURS)
        assert (await gate.refresh("丙", "members-door")).show == "code"
        assert (await gate.scan("甲", "members-door")).group_name == "会员1群"
        assert (await gate.scan("乙", "members-door")).show == "waiting"


async def test_who_is_in_a_group_of_the_kind_is_shown_that_one(start_life: StartLife) -> None:
    """However they came there: nobody is routed into two groups of one kind."""
    async with start_life(shop_with(SHARED, OWN)) as life:
        gate = Gate(life)
        first, _ = await gate.prepare("会员1群", "会员2群")
        [vip] = await gate.prepare("VIP·老客户")
        life.world.join(first, gate.customer("老客"), 1)
        life.world.join(vip, gate.customer("老客"), 1)
        await life.run(MINUTES)
        door = await gate.scan("老客", "members-door", known=True)
        assert (door.show, door.group_name) == ("inside", "会员1群")
        assert (await gate.scan("老客", "vip-tea", known=True)).group_name == "VIP·老客户"


async def test_a_native_code_has_its_groups_swapped_behind_it(start_life: StartLife) -> None:
    """More than five groups stand behind one printed code: five at a time, swapped before one is full; the picture
    never changes."""
    native = {**SHARED, "via": "native", "limit": 4, "headroom": 1}
    async with start_life(shop_with(native)) as life:
        gate = Gate(life)
        groups = await gate.prepare(*(f"会员{n}群" for n in range(1, 8)))
        await life.run(MINUTES)
        way = await own_code(gate, "members-door", "native")
        [real] = life.world.codes.join_ways.values()
        assert real.chat_ids == [each.chat_id for each in groups[:5]]
        assert (await gate.scan("甲", "members-door")).qr_code == way.qr_code
        for n in range(5):
            life.world.scan(gate.customer(f"客{n}"), way.qr_code)
            await life.run(MINUTES)
        assert way.qr_code == (await own_code(gate, "members-door", "native")).qr_code
        full = [each.chat_id for each in groups if len(each.members) >= 3]
        assert full
        assert not set(real.chat_ids) & set(full)
        assert len(real.chat_ids) == 5


async def test_new_groups_make_themselves(start_life: StartLife) -> None:
    """With auto_create_room the code of the last group leads on; the new group is known by its name, and used."""
    growing = {**SHARED, "limit": 200, "headroom": 0, "auto_create_room": True, "room_base_name": "会员·自动"}
    async with start_life(shop_with(growing)) as life:
        gate = Gate(life)
        [first] = await gate.prepare("会员1群")
        await life.run(MINUTES)
        for n in range(199):
            life.world.join(first, life.world.add_customer(f"旧{n}"), 1)
        await life.run(10 * MINUTES)
        for name in ("甲", "乙"):
            door = await gate.scan(name, "members-door")
            if door.show == "preparing":
                await life.run(MINUTES)
                door = await gate.refresh(name, "members-door")
            await gate.join(name, door)
        rooms = await gate.rooms()
        assert rooms.get("会员·自动1") == "open", rooms
        assert (await gate.scan("丙", "members-door")).group_name == "会员·自动1"


async def test_routes_by_channel_shop_and_tag(start_life: StartLife) -> None:
    """Where the code hung, and what tags somebody has, decide which groups they get."""
    routed = {
        **SHARED,
        "routes": [
            {"channels": "xuhui-*", "shop": "徐汇店"},
            {"tags": ["绿茶"], "groups": "green"},
        ],
    }
    async with start_life(shop_with(routed)) as life:
        gate = Gate(life)
        await gate.prepare("会员静安群", "会员徐汇群", "绿茶1群")
        assert (await gate.scan("甲", "members-door", "xuhui-12")).group_name == "会员徐汇群"
        assert (await gate.scan("乙", "members-door", "elsewhere")).group_name == "会员静安群"
        life.world.make_contact("wangwu", gate.customer("丙"))
        _, [tea] = life.world.tags.add(None, "口味", ["绿茶"])
        life.world.tags.mark("wangwu", gate.customer("丙").external_userid, [tea.id], [])
        assert (await gate.scan("丙", "members-door", "elsewhere", known=True)).group_name == "绿茶1群"
        life.world.make_contact("wangwu", gate.customer("丁"))  # without the tag
        assert (await gate.scan("丁", "members-door", "elsewhere", known=True)).group_name == "会员静安群"
        life.world.faults.platform_busy = 1.0  # nobody is kept waiting for want of their tags
        assert (await gate.scan("戊", "members-door", "elsewhere", known=True)).group_name == "会员静安群"


async def test_who_comes_by_the_code_is_counted_once(start_life: StartLife) -> None:
    """Somebody known by their openid alone is in: the place that was promised is theirs, the next one is another's."""
    async with start_life(shop_with({**SHARED, "limit": 4, "headroom": 1})) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        await gate.prepare("会员1群")  # its owner, and two customers
        await gate.enter("甲", "members-door")
        assert await promises(gate) == [0]
        door = await gate.scan("乙", "members-door")
        assert (door.show, await promises(gate)) == ("code", [1])
        assert (await gate.scan("丙", "members-door")).show == "waiting"
        await life.run(HOURS)  # both places end; one of them has been taken
        assert (await promises(gate), (await gate.refresh("丙", "members-door")).show) == ([1], "code")


async def promises(gate: Gate) -> list[int]:
    """How many places of each shared group are promised to somebody who has not come yet."""
    async with gate.life.bot.store.read() as tx:
        return [room.promised for room in await rooms.everything(tx, ["open"])]


async def test_a_contact_code_is_made_for_the_staff_of_the_shop(start_life: StartLife) -> None:
    """Who is not known yet adds a member of staff first; a change of staff keeps the printed picture."""
    contact = {**SHARED, "via": "contact", "staff": "静安店"}
    async with start_life(shop_with(contact)) as life:
        gate = Gate(life)
        await life.bot.read_roster("start")  # it learns the names of staff
        await gate.prepare("会员1群")
        await life.run(20 * MINUTES)
        [way] = life.world.codes.contact_ways.values()
        assert way.users == ["zhaoliu"]
        door = await gate.scan("甲", "members-door")
        assert door.show == "add_staff"
        assert door.add_staff == (await own_code(gate, "members-door", "contact")).qr_code
        assert (await gate.scan("甲", "members-door", known=True)).show == "code"


async def test_somebody_else_changed_or_deleted_a_code(start_life: StartLife) -> None:
    """Reading back finds it: what was changed is written again, what was deleted is made anew, and both are seen."""
    async with start_life(shop_with(SHARED)) as life:
        gate = Gate(life)
        first, second = await gate.prepare("会员1群", "会员2群")
        codes = life.world.codes
        by_group = {each.chat_ids[0]: each for each in codes.join_ways.values()}
        by_group[first.chat_id].chat_ids = [second.chat_id]
        codes.delete(by_group[second.chat_id])
        await life.run(2 * HOURS)
        assert by_group[first.chat_id].chat_ids == [first.chat_id]
        again = [each for each in codes.join_ways.values() if each.chat_ids == [second.chat_id]]
        assert len(again) == 1


async def test_codes_that_are_refused_are_told_to_the_managers(start_life: StartLife) -> None:
    """Where the platform makes no code, pages say 正在准备, and the managers hear why."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        life.world.limits = life.world.limits.__class__(**{**vars(life.world.limits), "codes": 0})
        await gate.prepare("VIP·1")
        assert (await gate.scan("甲")).show == "preparing"
        await life.run(HOURS)
        async with life.bot.store.read() as tx:
            open_now = await matters.open_for(tx, owned=[], is_manager=True, userid="")
        assert "入群码有问题" in [row.title for row in open_now]
