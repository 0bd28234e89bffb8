"""`steward entrances`: what each entrance has left, how fast it goes, and what is wrong."""

from io import StringIO

from rich.console import Console

from bot.entrances.look import Now, look
from bot.entrances.words import show
from tests.life.conftest import StartLife
from tests.life.gate import OWN, SHARED, Gate, shop_with
from tests.life.shop import MINUTES


async def seen(gate: Gate) -> tuple[Now, str]:
    async with gate.life.bot.store.read() as tx:
        found = await look(tx, gate.life.bot.worker.rules.book, gate.life.clock.now())
    console = Console(file=StringIO(), width=80)
    show(found, console)
    assert isinstance(console.file, StringIO)
    return found, console.file.getvalue()


async def test_how_entrances_stand(start_life: StartLife) -> None:
    """Free, held, taken, how fast, how long it lasts, who waits, where people came from, and what is wrong."""
    own = {**OWN, "title": "绿茶会员", "warn_below": "3个群"}
    async with start_life(shop_with(own, SHARED)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1", "VIP·2", "VIP·3", "VIP·4", "会员1群")
        await gate.enter("甲")
        await gate.scan("乙", channel="shop-12")
        await life.run(20 * MINUTES)
        found, text = await seen(gate)
        [vip, members] = found.entrances
        assert (vip.people, vip.held, vip.taken, vip.channels) == (2, 1, 1, {"": 1, "shop-12": 1})
        assert (vip.lines[0].groups, vip.lines[0].a_day, vip.lines[0].days_left) == (2, 2, 1.0)
        assert members.lines[0].places == 7
        assert "群快用完了：还剩 2 个" in text
        assert "照这样还能用 1.0 天" in text
        assert members.problems == ()
        assert all(len(line) <= 80 for line in text.splitlines())


async def test_what_is_wrong_is_said(start_life: StartLife) -> None:
    """Nothing left and people in the line are problems."""
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        await gate.prepare("VIP·1")
        await gate.scan("甲")
        await gate.scan("乙")
        found, text = await seen(gate)
        assert found.entrances[0].problems == ("群用完了，1 位客户在排队",)
        assert "还能用" not in text
