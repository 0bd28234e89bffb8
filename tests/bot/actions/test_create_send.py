"""A 企业群发 is made once: what the look finds, what it must not take for ours, and what its failures mean."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2
import pytest

from bot.actions import create_send
from bot.actions.action import Hands
from bot.links import Links
from rules.actions import CreateSend
from simulator import VirtualClock, World, create_app
from store import sends
from store.database import Database
from store.sends import SendRow
from wecom.commands import Made
from wecom.errors import PlatformError
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

HOUR = timedelta(hours=1)


@dataclass
class Bench:
    """Hands that reach a world with two owners, and a send that is ordered."""

    world: World
    clock: VirtualClock
    hands: Hands
    store: Database
    deed: CreateSend

    async def found(self, since: datetime | None = None) -> Made | None:
        return await create_send.resolve(self.deed, since or self.clock.now(), self.hands, self.store)

    async def row(self) -> SendRow:
        async with self.store.read() as tx:
            row = await sends.send(tx, self.deed.send_id)
        assert row is not None
        return row

    def made(self) -> list[str]:
        return list(self.world.group_messages.tasks)


@pytest.fixture
async def bench(sqlite_db: Database) -> AsyncIterator[Bench]:
    clock = VirtualClock()
    world = World(clock=clock)
    chat_ids = []
    for userid in ("wangwu", "zhaoliu"):
        world.add_staff(userid, userid)
        chat_ids.append(world.create_group(f"{userid}的群", userid).chat_id)
    now = clock.now()
    row = SendRow(
        key="a", about="post:1", sender="wangwu", targets=chat_ids[:1], text="早上好", say_at=now, until=now + HOUR
    )
    async with sqlite_db.write() as tx:
        await sends.add(tx, row)
        row.state, row.number = "ordered", 1
    deed = CreateSend(
        send_id=row.id, number=1, chat_type="group", sender="wangwu", targets=(chat_ids[0],), text="早上好"
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as client:
        wecom = Gateway(
            client,
            base="http://127.0.0.1",
            corp_id=world.corp_id,
            secret=world.secret,
            agent_id=world.agent_id,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        )
        links = Links("http://127.0.0.1", "a key of sixteen characters", clock)
        yield Bench(world, clock, Hands(wecom, links, client, clock), sqlite_db, deed)


async def test_what_was_made_is_found_by_text_time_and_sender(bench: Bench) -> None:
    """The very task, once the list shows it."""
    assert await bench.found() is None
    made = await create_send.carry_out(bench.deed, bench.hands)
    assert await bench.found() == Made(msgid=made.msgid)


@pytest.mark.parametrize(
    "other", [{"sender": "zhaoliu"}, {"text": "早上好呀"}, {"text": ""}], ids=["sender", "text", "none"]
)
async def test_what_is_anothers_is_not_taken_for_ours(bench: Bench, other: dict[str, str]) -> None:
    """Another sender's, or other words; and what staff made themselves."""
    group = next(each for each in bench.world.groups.values() if each.owner == other.get("sender", "wangwu"))
    if other.get("text") == "":
        bench.world.group_messages.staff_sends("wangwu", [group.chat_id], "早上好")
    else:
        deed = bench.deed.model_copy(update={**other, "targets": (group.chat_id,)})
        await create_send.carry_out(deed, bench.hands)
    assert await bench.found() is None


async def test_what_belongs_to_another_send_of_ours_is_not_taken(bench: Bench) -> None:
    """The same words an hour ago: that task is known, and this one is not there."""
    before = await create_send.carry_out(bench.deed, bench.hands)
    async with bench.store.write() as tx:
        row = SendRow(
            key="b", about="post:0", sender="wangwu", text="早上好", say_at=bench.clock.now(), until=bench.clock.now()
        )
        await sends.add(tx, row)
        row.msgid = before.msgid
    assert await bench.found() is None


async def test_yesterdays_is_not_taken(bench: Bench) -> None:
    """Only what was made around the call is looked at."""
    await create_send.carry_out(bench.deed, bench.hands)
    bench.clock.advance(timedelta(days=1))
    assert await bench.found() is None


async def test_a_double_is_stopped(bench: Bench) -> None:
    """Of two the first is ours; the other is cancelled, so that nobody sends it."""
    first, second = [await create_send.carry_out(bench.deed, bench.hands) for _ in range(2)]
    assert await bench.found() == Made(msgid=first.msgid)
    tasks = bench.world.group_messages.tasks
    assert [tasks[each.msgid].cancelled_at is not None for each in (first, second)] == [False, True]


async def test_a_lost_answer_is_unknown_and_a_refusal_is_not(bench: Bench) -> None:
    """After the effect nobody knows; where the platform says no, nothing was made."""
    await create_send.carry_out(bench.deed, bench.hands)
    bench.world.faults.cut_after_effect = 1.0
    with pytest.raises(PlatformError) as failed:
        await create_send.carry_out(bench.deed, bench.hands)
    assert failed.value.treatment == "unknown_outcome"
    bench.world.faults.stop()
    with pytest.raises(PlatformError) as failed:
        await create_send.carry_out(bench.deed.model_copy(update={"targets": ("wrNobody",)}), bench.hands)
    assert (failed.value.errcode, failed.value.treatment) == (41048, "refused")


async def test_what_is_made_when_it_is_not_wanted_any_more_is_stopped(bench: Bench) -> None:
    """Its answer came after its end: the task is cancelled, and looked at once more."""
    made = await create_send.carry_out(bench.deed, bench.hands)
    async with bench.store.write() as tx:
        row = await sends.send(tx, bench.deed.send_id)
        assert row is not None
        sends.end(row, "expired", now=bench.clock.now())
    async with bench.store.write() as tx:
        assert not await create_send.is_wanted(bench.deed, tx)
        await create_send.record(bench.deed, made, tx, bench.clock.now())
    row = await bench.row()
    assert (row.state, row.msgid, row.due_at) == ("expired", made.msgid, bench.clock.now())


async def test_a_picture_that_has_gone_bad_is_uploaded_anew_and_anything_else_is_told(bench: Bench) -> None:
    """40007: it is ordered once more; other refusals end the send with the reason for people."""
    async with bench.store.write() as tx:
        await create_send.give_up(bench.deed, PlatformError(40007, "x"), tx, bench.clock.now())
    assert (await bench.row()).state == "new"
    async with bench.store.write() as tx:
        row = await sends.send(tx, bench.deed.send_id)
        assert row is not None
        row.state = "ordered"
        await create_send.give_up(bench.deed, PlatformError(41048, "x"), tx, bench.clock.now())
    row = await bench.row()
    assert (row.state, row.why) == ("failed", "没有可以发送的客户或客户群。")
