"""Promise 8: while leases hold, no action runs twice; and whoever has lost a lease leaves nothing behind.

On virtual time: a worker that freezes is one whose call to the platform is held while the clock goes on.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from bot.registry import SWEEPS
from bot.step import settle
from bot.worker import LEASE, Claimed, Worker
from rules.actions import SendText
from rules.removal import Reason
from simulator import Limits, VirtualClock, World
from store import cards, outbox, queue, removal, roster
from store.database import Database, Tx
from store.outbox import Outbox
from store.queue import LeaseLost
from store.removal import CaseRow
from tests.promises.conftest import AES_KEY, Moment, Street, cards_about, everything, street, truth

TOO_LONG = LEASE + timedelta(seconds=1)


def a_world() -> World:
    world = World(clock=VirtualClock(), aes_key=AES_KEY, limits=Limits.none())
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    return world


def clock_of(world: World) -> VirtualClock:
    assert isinstance(world.clock, VirtualClock)
    return world.clock


@pytest.mark.parametrize("many", [8, pytest.param(60, marks=pytest.mark.soak)])
async def test_two_workers_share_the_work(postgres_url: str, many: int) -> None:
    """Two workers, three tasks each, on one PostgreSQL: over many events every deed is carried out once, as the
    platform counts it, and every group comes right."""
    world = a_world()
    owners = [world.add_staff(f"owner{n}", f"店员{n}") for n in range(many // 4)]  # who get few cards a minute each
    for owner in owners:
        owner.does("removes_and_presses", after=timedelta(seconds=20))
    async with street(world, clock_of(world), postgres_url, bots=2) as life:
        groups = [world.create_group(f"静安{n}群", owner=owners[n // 4].userid).chat_id for n in range(many)]
        await life.run(timedelta(seconds=30))
        life.bots *= 3
        names = []
        for turn in range(2):
            for n, chat_id in enumerate(groups):
                names.append(f"对{turn}{n:02}")
                world.join(chat_id, world.add_customer(f"顾客{turn}{n:02}"))
                world.join(chat_id, world.add_rival(names[-1], "对手公司"))
            await life.run(timedelta(minutes=5))
        assert cards_about(world, names) == dict.fromkeys(names, 1)
        assert world.calls["message/send", 0] == len(names)
        assert world.mail.duplicates == 0
        assert world.calls["message/update_template_card", 0] == len(names)
        assert await life.believed() == truth(world)
        assert not await life.cases()


async def a_rival_has_entered(life: Street) -> None:
    """Everything is done but the callback about a rival, which waits in the inbox."""
    chat_id = life.world.create_group("静安群", owner="wangwu").chat_id
    await life.run(timedelta(minutes=4, seconds=30))
    life.world.join(chat_id, life.world.add_rival("张三", "对手公司"))
    await life.world.run_due()


async def a_card_is_claimed(life: Street, worker: Worker) -> Claimed[Outbox]:
    """This worker alone does all that comes before the card about the rival, and claims that."""
    while (claimed := await worker.claim_deed()) is None:
        event = await worker.claim_event()
        if event is not None:
            await worker.handle(event)
        elif not await worker.sweep() and (at := await worker.next_due()):
            life.clock.set(at)
    return claimed


async def test_an_event_taken_over_before_it_is_looked_up(db_url: str) -> None:
    """A worker that wakes up with an event that another has finished meanwhile changes nothing at all."""
    world = a_world()
    async with street(world, clock_of(world), db_url, bots=2) as life:
        await a_rival_has_entered(life)
        frozen, other = (bot.worker for bot in life.bots)
        claimed = await frozen.claim_event()
        assert claimed is not None
        life.clock.advance(LEASE - timedelta(seconds=1))
        assert await other.claim_event() is None  # while the lease holds, it is nobody else's
        life.clock.advance(timedelta(seconds=2))
        await settle(other)
        assert len(await life.cases()) == 1
        before = await everything(life.bots[0].store)
        await frozen.handle(claimed)
        assert await everything(life.bots[0].store) == before


async def test_an_event_taken_over_while_it_is_looked_up(db_url: str) -> None:
    """A worker frozen while it waits for the platform finds its lease gone, and nothing that it read is kept."""
    world = a_world()
    async with street(world, clock_of(world), db_url, bots=2) as life:
        await a_rival_has_entered(life)
        frozen, other = (bot.worker for bot in life.bots)
        claimed = await frozen.claim_event()
        assert claimed is not None
        life.held.hold("groupchat/get", "after its effect")
        handling = asyncio.create_task(frozen.handle(claimed))
        await life.held.is_reached()
        life.clock.advance(TOO_LONG)
        [rival] = world.customers.values()
        world.leave(next(iter(world.groups)), rival)  # what the frozen one has read is not even true any more
        await life.world.run_due()
        await settle(other)
        before = await everything(life.bots[0].store)
        life.held.let_go.set()
        await handling
        assert await everything(life.bots[0].store) == before
        assert await life.believed() == truth(world)


@pytest.mark.parametrize("moment", ["before its effect", "after its effect"])
async def test_a_deed_taken_over_during_the_call(db_url: str, moment: Moment) -> None:
    """A worker frozen in the very call that sends a card: another one sends it again after the lease, the platform
    knows the second for the first, one card is there, and what the frozen one learnt is not written over the rest."""
    world = a_world()
    async with street(world, clock_of(world), db_url, bots=2) as life:
        await a_rival_has_entered(life)
        frozen, other = (bot.worker for bot in life.bots)
        claimed = await a_card_is_claimed(life, frozen)
        life.held.hold("message/send", moment)
        acting = asyncio.create_task(frozen.act(claimed))
        await life.held.is_reached()
        life.clock.advance(TOO_LONG)
        await settle(other)
        before = await everything(life.bots[0].store)
        life.held.let_go.set()
        await acting
        assert cards_about(world, ["张三"]) == {"张三": 1}
        assert world.mail.duplicates == 1
        assert await everything(life.bots[0].store) == before


async def test_a_deed_taken_over_before_the_call(db_url: str) -> None:
    """The lease is looked at again right before the call: a worker that wakes up too late does not call."""
    world = a_world()
    async with street(world, clock_of(world), db_url, bots=2) as life:
        await a_rival_has_entered(life)
        frozen, other = (bot.worker for bot in life.bots)
        claimed = await a_card_is_claimed(life, frozen)
        life.clock.advance(TOO_LONG)
        calls = world.calls["message/send", 0]
        await frozen.act(claimed)
        assert world.calls["message/send", 0] == calls == 0
        await settle(other)
        assert cards_about(world, ["张三"]) == {"张三": 1}


async def test_a_sweep_that_comes_second_undoes_nothing(postgres_url: str) -> None:
    """Two processes look at once for what the clock has made due: the second, however late it ends, takes nothing back
    of what came of it since. The card is sent and, in the end, closed."""
    world = a_world()
    async with street(world, clock_of(world), postgres_url, bots=2) as life:
        await a_rival_has_entered(life)
        first, second = life.bots
        event = await first.worker.claim_event()
        assert event is not None
        await first.worker.handle(event)
        life.clock.advance(timedelta(minutes=1))
        now, looked, go_on = life.clock.now(), asyncio.Event(), asyncio.Event()

        async def sweep_slowly() -> int:
            async with second.store.write() as tx:
                raised = sum([await each.sweep(tx, now) for each in SWEEPS])
                looked.set()
                await go_on.wait()
                return raised

        async def meanwhile() -> dict[str, list[tuple[Any, ...]]]:
            """The first one ends, and what it raised is worked on; all that is there then."""
            async with first.store.write() as tx:
                assert sum([await each.sweep(tx, now) for each in SWEEPS])
                slow.append(asyncio.create_task(sweep_slowly()))
                with contextlib.suppress(TimeoutError):  # waits for the first one's rows, or leaves them alone
                    await asyncio.wait_for(looked.wait(), 2)
            await asyncio.wait_for(looked.wait(), 10)
            await asyncio.wait_for(life.settle(), 10)  # which the second, still at it, does not hold up
            assert cards_about(world, ["张三"]) == {"张三": 1}
            return await everything(first.store)

        slow: list[asyncio.Task[int]] = []
        try:
            before = await meanwhile()
        finally:
            go_on.set()
        assert await slow[0] == 0
        assert await everything(first.store) == before


async def waits(database: Database, work: Callable[[Tx], Awaitable[object]]) -> bool:
    """Whether this has to wait for another transaction."""
    try:
        async with database.write() as tx:
            await (await tx.connection()).exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
            await work(tx)
    except DBAPIError as error:
        return getattr(error.orig, "sqlstate", None) == "55P03"  # lock_not_available
    return False


async def test_nobody_leaves_while_they_are_judged(postgres_url: str) -> None:
    """More became known of somebody, and the rules are asked again: until that is written down their leave waits, so
    no case is opened about somebody who is gone."""
    world = a_world()
    async with street(world, clock_of(world), postgres_url) as life:
        await a_rival_has_entered(life)
        await life.run(timedelta(seconds=30))
        [rival], [chat_id] = world.customers, world.groups
        store, now = life.bots[0].store, life.clock.now()
        async with store.write() as tx:
            assert len(await roster.groups_of(tx, rival)) == 1
            assert await waits(store, lambda other: roster.mark_left(other, chat_id, [rival], quit_scene=1, at=now))


async def test_a_card_is_not_sent_while_somebody_is_put_on_it(postgres_url: str) -> None:
    """Somebody is put on a card that is about to be written: it waits for them, so nobody is on a card that does not
    name them."""
    world = a_world()
    async with street(world, clock_of(world), postgres_url) as life:
        await a_rival_has_entered(life)
        event = await life.bots[0].worker.claim_event()
        assert event is not None
        await life.bots[0].worker.handle(event)
        [case] = await life.cases()
        store, now = life.bots[0].store, life.clock.now()
        async with store.write() as tx:
            card = await cards.plan(tx, await another_like(tx, case), "ask", first_at=now, gap=timedelta(0))
            assert card.state == "planned"
            assert await waits(store, lambda other: cards.card(other, card.number))


async def another_like(tx: Tx, case: CaseRow) -> CaseRow:
    return await removal.open_case(
        tx,
        chat_id=case.chat_id,
        external_userid="wo-another",
        reasons=[Reason(rule=case.rule, step="remove", evidence=case.evidence, because=case.because)],
        listed=False,
        now=case.opened_at,
    )


async def test_a_lease_lost_in_the_middle_undoes_all(postgres_db: Database) -> None:
    """On PostgreSQL a row can be taken over between the look at the lease and the end of the transaction: then the
    whole transaction is undone."""
    now = VirtualClock().now()
    deed = SendText(to=("wangwu",), text="…")

    async def put(key: str, database: Database = postgres_db) -> None:
        async with database.write() as tx:
            await outbox.put(tx, deed, key=key, lane=1, ordering_key=None, due_at=now, now=now)

    await put("first")
    async with postgres_db.write() as tx:
        row = await queue.claim(tx, Outbox, now=now, lease=LEASE, token="frozen")
    assert row is not None

    async def finish_late() -> None:
        async with postgres_db.write() as tx:
            assert await queue.still_mine(tx, Outbox, row.id, "frozen", now=now)
            await outbox.put(tx, deed, key="caused by it", lane=1, ordering_key=None, due_at=now, now=now)
            async with postgres_db.write() as another:
                assert await queue.claim(another, Outbox, now=now + TOO_LONG, lease=LEASE, token="other")
            await queue.finish(tx, Outbox, row.id, "frozen", "done", now=now)

    with pytest.raises(LeaseLost):
        await finish_late()
    async with postgres_db.read() as tx:
        assert [depth.rows for depth in await queue.counts(tx, Outbox)] == [1]
        assert await queue.still_mine(tx, Outbox, row.id, "other", now=now)
