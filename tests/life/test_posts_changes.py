"""What changes between the plan and the moment: the config, groups and their owners, the number of bots."""

from itertools import count
from typing import Any

import httpx2
import pytest

from bot.step import settle
from bot.wiring import Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from simulator import VirtualClock, World, create_app
from store import configs, matters
from tests.life.conftest import living, settings_for
from tests.life.office import MONDAY, TEN, Office, at, calendar, open_office_of
from tests.life.shop import MINUTES, SECONDS
from tests.life.test_posts import first_post, press
from wecom.limits import Unlimited

ELEVEN = {**TEN, "when": "每天 11:00"}


async def change(office: Office, book: Book) -> None:
    """Another config comes into force."""
    office.life.bot.worker.rules.book = book
    async with office.life.bot.store.write() as tx:
        before = await configs.newest_id(tx) or 0
        await configs.activate(tx, "…", config_hash=f"config {before + 1}", now=office.life.clock.now())
    await office.life.settle()


async def planned(office: Office) -> list[str]:
    return [f"{each.fire_at:%d %H:%M} {each.state}" for each in await office.posts() if each.fire_at < at(12)]


async def test_a_post_that_was_moved_in_the_config_goes_out_at_the_new_time_only(open_office: Any) -> None:
    """What the calendar does not have any more is withdrawn; taken back, it is planned again, once."""
    async with open_office(calendar(TEN)) as office:
        assert await planned(office) == ["23 02:00 planned"]
        await change(office, calendar(ELEVEN))
        assert await planned(office) == ["23 02:00 withdrawn", "23 03:00 planned"]
        await change(office, calendar(TEN))
        assert await planned(office) == ["23 02:00 planned", "23 03:00 withdrawn"]
        await change(office, calendar(ELEVEN))
        office.all_confirm()
        await office.until(at(11, 10))
        assert await planned(office) == ["23 02:00 withdrawn", "23 03:00 done"]
        assert [task.at for task in office.tasks] == [at(10, 50)]


async def test_a_post_that_is_new_in_the_config_has_missed_nothing(open_office: Any) -> None:
    """At half past ten nobody wants the ten o'clock of a post that was written just now."""
    async with open_office(calendar()) as office:
        await office.until(at(10, 30))
        await change(office, calendar(TEN))
        assert await planned(office) == []


async def test_the_owner_of_today_is_asked(open_office: Any) -> None:
    """Whoever owns the group when the post goes out, not whoever did when it was planned."""
    async with open_office(calendar(TEN), owners=2, groups=1) as office:
        handed = office.groups[0]
        office.life.world.groups[handed.chat_id].members["owner2"] = next(
            each for each in office.groups[1].members.values() if each.id == "owner2"
        )
        office.life.world.change_owner(handed, "owner2")
        await office.until(at(9, 51))
        [task] = office.tasks
        assert {who: len(groups) for who, groups in task.targets.items()} == {"owner2": 2}


async def test_a_group_without_a_reachable_owner_is_listed(open_office: Any) -> None:
    """Its owner is outside the visible range: the others get theirs, it is left out with the reason."""
    async with open_office(calendar(TEN), owners=2, groups=1) as office:
        office.all_confirm()
        office.life.world.staff["owner1"].visible = False
        await office.life.bot.read_roster("again")
        await office.life.run(10 * SECONDS)
        await office.until(at(9, 55))
        assert [(each.chat_id, each.way) for each in await office.left_out()] == [
            (office.groups[0].chat_id, "unreachable")
        ]
        assert [len(office.got(each)) for each in office.groups] == [0, 1]


async def test_a_year_that_nobody_knows_is_told_and_not_guessed(open_office: Any) -> None:
    """Once, to the managers; what does not depend on holidays goes on."""
    workday = {**TEN, "name": "workday", "when": "每个工作日 10:00"}
    async with open_office(calendar(TEN, workday), at=MONDAY.replace(year=2031, day=24)) as office:
        for _ in range(2):
            await change(office, calendar(TEN, workday))
        async with office.life.bot.store.read() as tx:
            told = [each.text for each in await matters.open_for(tx, owned=[], is_manager=True, userid="")]
        assert [("「workday」" in each, "2031" in each) for each in told if "排不出来" in each or "2031" in each] == [
            (True, True)
        ]
        assert {each.name for each in await office.all_posts()} == {"ten"}


async def test_a_post_that_is_out_can_still_be_stopped(open_office: Any) -> None:
    """取消 on the page: whoever has not confirmed need not any more."""
    entry = {**TEN, "approval": {"ask": "1天"}}
    async with open_office(calendar(entry)) as office:
        await office.hop(at(10, 1))
        post = await first_post(office)
        await press(office, "pass", page="preview", by="lihua", post_id=post.id)
        await office.hop(at(9, 50, day=24))
        await office.life.run(5 * SECONDS)
        [task] = office.tasks
        assert "取消了" in await press(office, "cancel", page="preview", by="lihua", post_id=post.id)
        await office.life.run(MINUTES)
        assert task.cancelled_at is not None
        assert ((await first_post(office)).state, {*(await office.results()).values()}) == ("cancelled", {"cancelled"})


@pytest.mark.parametrize("engine", ["sqlite_url", "postgres_url"])
async def test_two_bots_make_each_post_once(request: Any, engine: str) -> None:
    """On one database, stepping by turns: one task per owner, one reminder each time, one message."""
    url = request.getfixturevalue(engine)
    tokens = (f"other-{number}" for number in count())
    clock = VirtualClock(MONDAY)
    async with living(World(clock=clock), clock, calendar(TEN), url) as life:
        outside = Outside(
            clock=life.clock,
            client=httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(life.world))),
            new_token=lambda: next(tokens),
            limiter=Unlimited(),
            loopback_only=True,
        )
        async with open_bot(settings_for(life.world, url), Rules(calendar(TEN)), outside) as other:
            office = open_office_of(life, owners=2, groups=2)
            await life.bot.read_roster("start")
            await other.read_roster("start")
            while life.clock.now() < at(12, 5):
                moments = [life.world.next_due(), await other.worker.next_due()]
                due = min(each for each in moments if each is not None)
                life.clock.set(max(due, life.clock.now()))
                await life.world.run_due()
                await other.worker.sweep()
                await life.bot.worker.sweep()
                await settle(life.bot.worker)
                await settle(other.worker)
        await outside.client.aclose()
        assert len(office.tasks) == 2
        assert [len(each.reminded) for each in office.tasks] == [3, 3]
        assert [len(office.texts(each)) for each in ("owner1", "owner2", "lihua")] == [1, 1, 1]
