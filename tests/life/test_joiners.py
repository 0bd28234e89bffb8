"""Who came by a customer's code: asked once, told apart where the platform can, and left in peace where it cannot."""

from store import identities, join_ways, rooms
from store import seats as seat_rows
from tests.life.conftest import StartLife
from tests.life.gate import HOURS, OWN, Gate, shop_with
from tests.life.shop import MINUTES


def asked(gate: Gate) -> int:
    """How often the platform was asked for somebody's openid."""
    return sum(n for (endpoint, _), n in gate.world.calls.items() if endpoint.endswith("convert_to_openid"))


def asked_to_remove(gate: Gate, name: str) -> bool:
    return any(name in each.text and "移出" in each.text for each in gate.world.inbox("wangwu") if each.kind == "card")


async def external_of(gate: Gate, name: str) -> str | None:
    async with gate.life.bot.store.read() as tx:
        return await identities.external_of(tx, gate.visitors[name])


async def test_each_joiner_is_asked_about_once(start_life: StartLife) -> None:
    """What the platform says of a joiner, or that it says nothing, is kept: neither the rounds nor another seat ask
    again."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "VIP·2")
        await gate.enter("张三")
        await life.run(2 * HOURS)
        assert (asked(gate), await external_of(gate, "张三")) == (1, gate.customer("张三").external_userid)
        life.world.logins.converts = "nobody"
        await gate.enter("李四")
        await life.run(2 * HOURS)
        assert asked(gate) == 2


async def test_what_is_inferred_makes_nobody_a_stranger(start_life: StartLife) -> None:
    """Who is taken for a customer because they came by a code once may be wrong: where somebody else comes by that
    customer's next code and no openid is told, the owner is asked to look, and nobody is asked to be removed."""
    tea = {**OWN, "name": "tea-door", "groups": "green"}
    async with start_life(shop_with(OWN, tea)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        await gate.prepare("VIP·1", "绿茶·1")
        door = await gate.scan("张三")
        await gate.join("李四", door)  # with a code that was passed on; nobody can know
        await life.run(10 * MINUTES)
        assert await external_of(gate, "张三") == gate.customer("李四").external_userid
        await gate.enter("张三", "tea-door")
        await life.run(10 * MINUTES)
        assert not asked_to_remove(gate, "张三")
        [_, seat] = await gate.seats()
        assert (seat.state, seat.bound) == ("taken", "twice")


async def test_a_second_one_long_after_makes_the_first_doubtful(start_life: StartLife) -> None:
    """Somebody else by the same code is let in by the owner hours later: nobody can tell which is the customer, nobody
    is asked to be removed, and what was inferred of the first is taken back."""
    async with start_life(shop_with(OWN)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        [group] = await gate.prepare("VIP·1")
        await gate.enter("李四")
        await life.run(3 * HOURS)
        assert await external_of(gate, "李四") is not None
        async with life.bot.store.read() as tx:
            [seat] = await seat_rows.live_on(tx, group.chat_id)
            way = await join_ways.look_at(tx, seat.way_id or 0)
        assert way is not None
        life.world.join(group.chat_id, gate.customer("张三"), state=way.state)
        await life.run(10 * MINUTES)
        [seat] = await gate.seats()
        assert (seat.bound, await external_of(gate, "李四")) == ("twice", None)
        assert not asked_to_remove(gate, "张三")
        assert not asked_to_remove(gate, "李四")


async def test_out_of_sight_and_back_it_is_still_theirs(start_life: StartLife) -> None:
    """A customer's group that could not be seen for a while, and is there again with the customer in it, is theirs:
    they are given no second one."""
    async with start_life(shop_with(OWN)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        [group] = await gate.prepare("VIP·1")
        await gate.prepare("VIP·2")
        await gate.enter("张三")
        await life.run(10 * MINUTES)
        life.world.staff["wangwu"].visible = False
        await life.run(3 * HOURS)
        assert await gate.seats() == []
        life.world.staff["wangwu"].visible = True
        await life.run(3 * HOURS)
        async with life.bot.store.read() as tx:
            room = await rooms.look_at(tx, group.chat_id)
        assert room is not None
        assert room.state == "used"
        door = await gate.scan("张三")
        assert (door.show, door.group_name) == ("inside", "VIP·1")


async def test_all_who_came_by_one_code_have_left(start_life: StartLife) -> None:
    """Two came by one code, nobody knows which is the customer, and both have left: the customer who scans again is not
    told that they are inside, but gets their group, with a new code."""
    async with start_life(shop_with(OWN)) as life:
        life.world.logins.converts = "nobody"
        gate = Gate(life)
        [group] = await gate.prepare("VIP·1")
        door = await gate.scan("张三")
        life.world.scan(gate.customer("李四"), door.qr_code)
        await gate.join("张三", door)
        await life.run(10 * MINUTES)
        for name in ("张三", "李四"):
            life.world.leave(group.chat_id, gate.customer(name))
        await life.run(10 * MINUTES)
        assert (await gate.scan("张三")).show == "preparing"
        await life.run(MINUTES)
        again = await gate.refresh("张三")
        assert (again.show, again.group_name) == ("code", "VIP·1")
        assert again.qr_code != door.qr_code
