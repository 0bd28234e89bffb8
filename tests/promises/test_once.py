"""Promise 2: a callback has its effect once, however often and to how many machines it is delivered, and two things
that happened in one second are two things. On virtual time, with one or two whole bots on one database.
"""

from collections import Counter
from datetime import timedelta
from typing import Literal

import httpx2
import pytest
from sqlmodel import select

from simulator import CallbackSettings, Faults, VirtualClock, World
from store import roster
from store.inbox import Inbox
from tests.promises.conftest import AES_KEY, Street, cards_about, deliveries_per_card, street, truth

SHORTLY = timedelta(seconds=30)
A_WHILE = timedelta(minutes=5)


def a_world(seed: int = 1, faults: Faults | None = None, callbacks: CallbackSettings | None = None) -> World:
    """A corp with an owner and a manager."""
    world = World(clock=VirtualClock(), seed=seed, faults=faults, callbacks=callbacks, aes_key=AES_KEY)
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    return world


def clock_of(world: World) -> VirtualClock:
    assert isinstance(world.clock, VirtualClock)
    return world.clock


async def rows_of_callbacks(life: Street) -> Counter[str]:
    """How many inbox rows there are for each callback."""
    async with life.bots[0].store.read() as tx:
        rows = (await tx.exec(select(Inbox.payload).where(Inbox.source == "callback"))).all()
    return Counter(rows)


async def assert_each_had_its_effect_once(life: Street, rivals: list[str]) -> None:
    assert await life.believed() == truth(life.world)
    assert cards_about(life.world, rivals) == dict.fromkeys(rivals, 1)
    assert set(deliveries_per_card(life.world).values()) == {1}
    assert set((await rows_of_callbacks(life)).values()) == {1}


async def test_ten_deliveries_to_two_machines_have_one_effect(db_url: str) -> None:
    """Every callback delivered ten times at the same moment, to two bots on one database that both work: one row, one
    member, one case, one card, one answer to a press; and all ten deliveries are acknowledged."""
    world = a_world()
    async with street(world, clock_of(world), db_url, bots=2, times=5) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        await life.run(SHORTLY)
        world.staff["wangwu"].does("removes_and_presses", after=timedelta(seconds=20))
        for name in ("张三", "李四"):
            world.join(chat_id, world.add_rival(name, "对手公司"))
            await life.run(A_WHILE)
        await assert_each_had_its_effect_once(life, ["张三", "李四"])
        assert [card.replaced for card in world.inbox("wangwu")] == ["已移出", "已移出"]
        assert set(life.callbacks.answers) == {200}
        assert sum(life.callbacks.answers.values()) == 10 * len(world.acknowledged)


async def test_a_retry_after_the_effect_changes_nothing(db_url: str) -> None:
    """The platform did not hear the answer and delivers again, sealed anew, when all is done: nothing happens again."""
    world = a_world(callbacks=CallbackSettings(retry_after=timedelta(minutes=2)), faults=Faults(answer_lost=1.0))
    async with street(world, clock_of(world), db_url) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        rival, customer = world.add_rival("张三", "对手公司"), world.add_customer("顾客")
        for person in (rival, customer):
            world.join(chat_id, person)
        await life.run(SHORTLY)
        world.remove(chat_id, rival, by="wangwu")
        await life.run(timedelta(minutes=10))
        await assert_each_had_its_effect_once(life, ["张三"])
        assert {each.n for each in world.courier.outcomes} == {1, 2, 3}
        assert not await life.cases()


async def test_two_joins_in_one_second_are_two_people_on_one_card(db_url: str) -> None:
    """Two people who enter in the same second are two members, two cases, and two people on the group's card."""
    world = a_world()
    async with street(world, clock_of(world), db_url) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        await life.run(SHORTLY)
        for name in ("张三", "李四"):
            world.join(chat_id, world.add_rival(name, "对手公司"))
        await life.run(SHORTLY)
        assert len(await life.cases()) == 2
        [card] = world.inbox("wangwu")
        assert "张三" in card.text
        assert "李四" in card.text
        await assert_each_had_its_effect_once(life, ["张三", "李四"])


@pytest.mark.parametrize("member_list", ["items", "string", "absent"])
async def test_however_the_members_are_listed(db_url: str, member_list: Literal["items", "string", "absent"]) -> None:
    """MemChangeList as items, as one text with commas, or not at all: joins and leaves have the same effect."""
    world = a_world(callbacks=CallbackSettings(member_list=member_list))
    async with street(world, clock_of(world), db_url) as life:
        regulars = [world.add_customer(f"老顾客{n}") for n in range(3)]
        chat_id = world.create_group("静安群", owner="wangwu", members=regulars).chat_id
        await life.run(A_WHILE)
        people = [world.add_rival("张三", "对手公司"), world.add_rival("李四", "对手公司"), world.add_customer("新人")]
        world.join_together(chat_id, people)
        world.join(chat_id, world.add_staff("wolf", "沃尔夫"))  # our own, however much the userid looks like wo…
        world.leave(chat_id, regulars[0])
        await life.run(SHORTLY)
        assert cards_about(world, ["张三", "李四", "沃尔夫"]) == {"张三": 1, "李四": 1, "沃尔夫": 0}
        for person in (people[0], people[2], regulars[1]):
            world.leave(chat_id, person)
        await life.run(A_WHILE)
        await assert_each_had_its_effect_once(life, ["张三", "李四"])
        assert [case.external_userid for case in await life.cases()] == [people[1].id]


@pytest.mark.parametrize("run", range(2))
async def test_in_any_order_and_late(sqlite_url: str, seed: int, run: int) -> None:
    """Callbacks that come doubled, out of order and up to a minute late, with reads that lag behind: each person has
    one case and one card, and the roster comes right."""
    faults = Faults(
        doubled=0.4, reordered=0.4, late=0.4, answer_lost=0.4, lagging_reads=0.5, reorder_by=timedelta(seconds=3)
    )
    world = a_world(seed + run, faults)
    async with street(world, clock_of(world), sqlite_url) as life:
        groups = [world.create_group(f"静安{n}群", owner="wangwu").chat_id for n in range(2)]
        await life.run(SHORTLY)
        rivals = [world.add_rival(f"对手{n:03}", "对手公司") for n in range(5)]
        customers = [world.add_customer(f"顾客{n:03}") for n in range(5)]
        people = [each for pair in zip(rivals, customers, strict=True) for each in pair]
        for n, person in enumerate(people):
            world.join(groups[n % 3 % 2], person)
            await life.run(timedelta(seconds=2))
            if n % 4 == 3:
                world.leave(next(g for g in groups if person.id in world.groups[g].members), person)
        await life.run(timedelta(minutes=15))
        assert world.faults.injected["doubled"]
        assert world.faults.injected["late"]
        await assert_each_had_its_effect_once(life, [each.name for each in rivals])


async def test_a_leave_that_was_overtaken_still_counts(sqlite_url: str) -> None:
    """Told late that somebody left who came half a minute ago, when a read has already shown it: they are off the
    roster and their case is closed at once, not when the doubt about a single read is over."""
    world = a_world()
    async with street(world, clock_of(world), sqlite_url) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        await life.run(SHORTLY)
        rival = world.add_rival("张三", "对手公司")
        world.join(chat_id, rival)
        await life.run(SHORTLY)
        world.faults.reordered = 1.0
        world.remove(chat_id, rival, by="wangwu")
        world.faults.stop()
        for name in ("甲", "乙"):
            world.join(chat_id, world.add_customer(name))
        await life.run(timedelta(seconds=10))
        assert world.faults.injected["reordered"] == 1
        assert await life.believed() == truth(world)
        assert not await life.cases()
        assert [card.replaced for card in world.inbox("wangwu")] == ["已移出"]


@pytest.mark.parametrize("group", ["known", "new", "never heard of"])
async def test_worked_on_an_hour_late(sqlite_url: str, group: str) -> None:
    """What was acknowledged while no worker ran has its effect an hour later all the same: who entered then is asked
    about by a card, and is not taken for somebody who was inside before us."""
    world = a_world()
    async with street(world, clock_of(world), sqlite_url) as life:
        if group == "never heard of":
            world.callback_to(None, None)
        chat_id = world.create_group("静安群", owner="wangwu", members=[world.add_customer("老顾客")]).chat_id
        world.callback_to("http://bot/callback", life.to_bots)
        if group == "known":
            await life.bots[0].read_roster("start")
            await life.run(A_WHILE)
        life.clock.advance(timedelta(hours=1))
        for name in ("张三", "李四"):
            world.join(chat_id, world.add_rival(name, "对手公司"))
            life.clock.advance(timedelta(minutes=10))
        await world.run_due()
        assert {each.status for each in world.courier.outcomes} == {200}
        life.clock.advance(timedelta(hours=1))
        await life.bots[0].read_roster("the worker starts")
        await life.run(A_WHILE)
        assert cards_about(world, ["张三", "李四"]) == {"张三": 1, "李四": 1}


async def test_ten_answers_lost_are_ten_presses_of_one_button(db_url: str) -> None:
    """A press that is delivered again and again releases the person once and says so once."""
    world = a_world(faults=Faults(answer_lost=1.0))
    async with street(world, clock_of(world), db_url, times=3) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        world.join(chat_id, world.add_rival("张三", "对手公司"))
        await life.run(SHORTLY)
        [card] = world.inbox("wangwu")
        release = next(each.key for each in card.buttons if "放行" in each.text)
        world.press("wangwu", card.task_id or "", release)
        await life.run(A_WHILE)
        assert not await life.cases()
        assert card.replaced == "已放行"
        assert world.calls["message/update_template_card", 0] == 1
        assert [message.kind for message in world.inbox("wangwu")] == ["card"]


async def test_reads_that_others_cause_do_not_use_up_the_patience(sqlite_url: str) -> None:
    """A leave that no callback told is believed two minutes after the person came: as long as it is not, another read
    is planned, however often the group is read meanwhile because somebody keeps pressing a button."""
    world = a_world()
    async with street(world, clock_of(world), sqlite_url) as life:
        chat_id = world.create_group("静安群", owner="wangwu").chat_id
        await life.run(SHORTLY)
        rivals = [world.add_rival(name, "对手公司") for name in ("张三", "李四")]
        world.join_together(chat_id, rivals)
        await life.run(SHORTLY)
        world.faults.lost = 1.0
        world.remove(chat_id, rivals[0], by="wangwu")
        world.faults.stop()
        [card] = world.inbox("wangwu")
        for _ in range(20):
            world.press("wangwu", card.task_id or "", card.buttons[0].key, {card.question or "": ["all"]})
            await life.run(timedelta(seconds=1))
            async with life.bots[0].store.read() as tx:
                assert await roster.next_read(tx) is not None
        await life.run(A_WHILE)
        assert await life.believed() == truth(world)


async def test_a_callback_is_one_row_though_it_is_sealed_anew(db_url: str) -> None:
    """The row is known by what was said, not by how it was sealed; and another second is another event."""
    world = a_world()
    async with street(world, clock_of(world), db_url) as life:
        xml = (
            "<xml><ToUserName>x</ToUserName><CreateTime>{}</CreateTime><MsgType>event</MsgType><Event>new</Event></xml>"
        )
        answers: list[httpx2.Response] = [await life.post(xml.format(second)) for second in (1, 1, 2, 1)]
        assert [each.status_code for each in answers] == [200] * 4
        assert await rows_of_callbacks(life) == {xml.format(1): 1, xml.format(2): 1}
