"""The shop hears of a shortage before customers do: one card a crossing, closed by itself, escalated in the end."""

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.messages import Received
from store import matters
from tests.life.conftest import StartLife
from tests.life.gate import HOURS, OWN, Gate, shop_with
from tests.life.shop import MINUTES

WATCHED: dict[str, Any] = {**OWN, "warn_below": "3个群", "escalate_after": "2小时", "shop": "静安店"}


def cards(gate: Gate, userid: str = "zhaoliu") -> list[Received]:
    return [each for each in gate.world.inbox(userid) if (each.task_id or "").startswith("stock-")]


async def staffed(gate: Gate, *names: str) -> None:
    """The names of staff are known, and these groups are prepared."""
    await gate.life.bot.read_roster("start")
    await gate.prepare(*names)


async def for_managers(gate: Gate) -> list[str]:
    async with gate.life.bot.store.read() as tx:
        return [row.title for row in await matters.open_for(tx, owned=[], is_manager=True, userid="")]


async def test_low_then_empty_then_refilled(start_life: StartLife) -> None:
    """One card when fewer than three are left, one at none; both are over by themselves when groups appear."""
    async with start_life(shop_with(WATCHED)) as life:
        gate = Gate(life)
        await staffed(gate, "VIP静安1", "VIP静安2", "VIP静安3", "VIP静安4")
        assert cards(gate) == []
        for name in ("甲", "乙"):
            await gate.scan(name)
            await life.run(2 * MINUTES)
        [low] = cards(gate)
        assert "快用完了" in low.text
        assert "创建一个客户群，名称 VIP…" in low.text
        for name in ("丙", "丁", "戊"):
            await gate.scan(name)
        await life.run(2 * MINUTES)
        assert [("快用完" in each.text) for each in cards(gate)] == [True, False]
        assert cards(gate)[0].replaced == "名额又少了"
        assert "1 位客户在等" in cards(gate)[1].text
        await gate.prepare(*(f"VIP静安{n}" for n in range(5, 12)))
        await life.run(2 * MINUTES)
        assert len(cards(gate)) == 2
        assert (cards(gate)[1].replaced or "").startswith("已有")
        assert await for_managers(gate) == []


async def test_nothing_changes_and_the_managers_hear_of_it_once(start_life: StartLife) -> None:
    """After two hours, once; it stands in their list until there are groups."""
    async with start_life(shop_with(WATCHED)) as life:
        gate = Gate(life)
        await staffed(gate, "VIP静安1", "VIP静安2")
        await life.run(6 * HOURS)
        assert len(cards(gate)) == 1
        told = [each for each in gate.world.inbox("lihua") if "快用完了，还没补上" in each.text]
        assert len([each for each in told if each.kind == "text"]) == 1
        assert [title for title in await for_managers(gate) if "还没补上" in title]
        await gate.prepare(*(f"VIP静安{n}" for n in range(5, 12)))
        await life.run(2 * MINUTES)
        assert await for_managers(gate) == []


async def test_nobody_is_woken_for_a_pool_that_is_low(start_life: StartLife) -> None:
    """Off duty, a low pool waits until the morning; an empty one goes to the managers at once."""
    night = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00 in Beijing
    shops = {"静安店": {"groups": "*静安*", "staff": ["赵六"], "off_duty": "22:00-09:00"}}
    async with start_life(shop_with(WATCHED, shops=shops), at=night) as life:
        gate = Gate(life)
        await staffed(gate, "VIP静安1", "VIP静安2")
        await life.run(timedelta(hours=9))
        assert cards(gate) == []
        await life.run(timedelta(hours=2))
        assert len(cards(gate)) == 1


async def test_a_shop_is_not_told_of_another_shops_groups(start_life: StartLife) -> None:
    """Each shop hears of its own."""
    other = {**WATCHED, "name": "vip-xuhui", "shop": "徐汇店"}
    async with start_life(shop_with(WATCHED, other)) as life:
        gate = Gate(life)
        await staffed(gate, *(f"VIP静安{n}" for n in range(6)), "VIP徐汇1")
        await life.run(2 * MINUTES)
        assert cards(gate, "zhaoliu") == []
        assert len(cards(gate, "sunqi")) == 1


async def test_groups_that_were_there_before_the_entrance(start_life: StartLife) -> None:
    """Enrolled by themselves: groups of the kind that hold only staff, read before or after the config had it."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        with life.unheard():
            life.world.create_group("VIP·旧1", owner="wangwu")
            used = life.world.create_group("VIP·老客户", owner="wangwu")
            life.world.join(used, gate.customer("老客"), 1)
            life.world.create_group("闲聊", owner="wangwu")
        await life.bot.read_roster("start")
        await life.run(2 * MINUTES)
        assert await gate.rooms() == {"VIP·旧1": "free"}
