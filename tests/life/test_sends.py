"""Sends by themselves: said once whatever is killed and when, and to single customers as well as to groups."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from handlers import sends as send_handler
from rules.events import SendDue
from rules.send_words import NOT_KNOWN
from store import matters, sends
from store.sends import SendRow
from tests.life.office import TEN, Office, at, calendar
from tests.life.shop import HOURS, MINUTES, SECONDS

ADD = "externalcontact/add_msg_template"


class KilledAfter(httpx2.AsyncBaseTransport):
    """The process is killed at the very moment at which the answer to this call comes."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, path: str) -> None:
        self._inner, self._path = inner, path

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        if request.url.path.endswith(self._path):
            raise asyncio.CancelledError
        return answer


async def test_a_process_that_dies_between_the_call_and_its_note_makes_nothing_twice(open_office: Any) -> None:
    """Whoever takes over when the lease has ended looks first, and finds the task that was made."""
    async with open_office(calendar(TEN)) as office:
        office.all_confirm()
        await office.until(at(9, 49, second=59))
        wecom = office.life.bot.worker.wecom
        alive = wecom._client
        async with httpx2.AsyncClient(transport=KilledAfter(alive._transport, ADD)) as doomed:
            wecom._client = doomed
            with pytest.raises(asyncio.CancelledError):
                await office.until(at(9, 50, second=1))
            wecom._client = alive
        assert len(office.tasks) == 1
        await office.until(at(10, 10))
        assert len(office.tasks) == 1
        assert {*(await office.results()).values()} == {"arrived"}


async def test_an_answer_that_stays_away_until_the_end_leaves_nothing_behind(open_office: Any) -> None:
    """The lists cannot be read either: when they can, the task is found and stopped, and nobody sends it."""
    async with open_office(calendar(TEN)) as office:
        await office.until(at(9, 49, second=59))
        office.life.world.faults.error_5xx_after_effect = 1.0
        await office.hop(at(9, 50))
        await office.hop(at(12, 1))
        office.life.world.faults.stop()
        await office.until(at(14))
        assert len(office.tasks) == 1
        assert office.tasks[0].cancelled_at is not None
        assert {*(await office.results()).values()} == {"failed"}
        async with office.life.bot.store.read() as tx:
            open_now = await matters.open_for(tx, owned=[], is_manager=True, userid="")
        assert "「ten」没发成" in [each.title for each in open_now]


async def test_what_arrived_is_told_though_asking_failed_till_next_morning(open_office: Any) -> None:
    """Until then nobody says that it was not taken: that is not known. Tries run out, asking does not."""
    async with open_office(calendar(TEN)) as office:
        office.all_confirm()
        await office.until(at(9, 49, second=59))
        office.life.world.faults.error_5xx_after_effect = 1.0
        for hour in range(20):
            await office.hop(at(10, day=23) + hour * HOURS)
        async with office.life.bot.store.read() as tx:
            row = await sends.send(tx, 1)
        assert row is not None
        assert (row.state, row.why) == ("failed", NOT_KNOWN)
        office.life.world.faults.stop()
        await office.until(at(9, 40, day=24))
        assert len(office.tasks) == 1
        assert {*(await office.results()).values()} == {"arrived"}


def to_customers(office: Office, *people: str) -> SendRow:
    """What owner1 is to say to these customers, each in private."""
    now = office.life.clock.now()
    return SendRow(
        key="a word",
        about="warning:1",
        chat_type="single",
        sender="owner1",
        targets=list(people),
        title="提醒",
        text="请不要发广告",
        say_at=now,
        until=now + 24 * HOURS,
    )


async def begin(office: Office, row: SendRow) -> SendRow | None:
    async with office.life.bot.store.write() as tx:
        return await send_handler.begin(tx, row, now=office.life.clock.now())


async def state(office: Office, row: SendRow) -> tuple[str, dict[str, str]]:
    async with office.life.bot.store.read() as tx:
        now = await sends.send(tx, row.id)
        results = await sends.results(tx, row.id)
    assert now is not None
    return now.state, {target: each.got for target, each in results.items()}


@pytest.mark.parametrize("fault", ["", "cut_after_effect"])
async def test_somebody_is_told_something_in_private_by_a_member_of_staff(open_office: Any, fault: str) -> None:
    """企业群发 to one customer: made once, confirmed by whoever has added them; the result is known per customer."""
    async with open_office(calendar()) as office:
        friend = office.life.world.add_customer("陈晨")
        office.life.world.make_contact("owner1", friend)
        stranger = office.life.world.add_customer("周舟")
        office.all_confirm(after=5 * MINUTES)
        row = await begin(office, to_customers(office, friend.id, stranger.id))
        assert row is not None
        if fault:
            await office.life.world.run_due()
            setattr(office.life.world.faults, fault, 1.0)
        await office.life.run(5 * SECONDS)
        office.life.world.faults.stop()
        await office.life.run(15 * MINUTES)
        assert len(office.tasks) == 1
        assert office.tasks[0].arrived == [friend.id]
        found = await state(office, row)
        assert found[1][friend.id] == "arrived"
        assert found[1][stranger.id] in ("refused", "waiting")  # a list found later names nobody whom it left out


async def test_a_private_word_that_nobody_confirms_ends(open_office: Any) -> None:
    """Reminded, told, and stopped after its time; ordered twice under one key it is one."""
    async with open_office(calendar()) as office:
        friend = office.life.world.add_customer("陈晨")
        office.life.world.make_contact("owner1", friend)
        now = office.life.clock.now()
        row = await begin(office, to_customers(office, friend.id))
        assert row is not None
        assert await begin(office, to_customers(office, friend.id)) is None
        await office.life.run(30 * SECONDS)
        for hours in (5, 9, 13, 19, 25):
            await office.hop(now + hours * HOURS)
        await office.life.run(timedelta(minutes=1))
        assert await state(office, row) == ("expired", {friend.id: "expired"})
        [task] = office.tasks
        assert task.cancelled_at is not None
        assert len(task.reminded) <= 3
        assert any("1 位客户" in each for each in office.texts("owner1"))


async def test_what_was_confirmed_at_the_very_last_moment_is_told_as_it_is(open_office: Any) -> None:
    """The end and the confirmation cross: the look after the end finds that it went out, and that is what stands."""
    async with open_office(calendar(TEN)) as office:
        await office.until(at(11, 59, second=59))
        [task] = office.tasks
        office.life.world.at(at(12), lambda: office.life.world.group_messages.confirm("owner1", task.msgid))
        await settle_before_the_world(office)
        await office.until(at(13, 5))
        assert {*(await office.results()).values()} == {"arrived"}
        assert (await office.states())[0] == "done"


async def settle_before_the_world(office: Office) -> None:
    """It is noon, and the bot is a little faster than the owner: it takes the last step without looking once more."""
    office.life.clock.set(at(12))
    [row] = await office.sends()
    async with office.life.bot.store.write() as tx:
        event = SendDue(at=at(12), send_id=row.id)
        book = office.life.bot.worker.rules.book
        await send_handler.handle(event, send_handler.Seen(), tx, book, at(12))


async def test_a_task_that_the_platform_does_not_tell_of_still_ends(open_office: Any) -> None:
    """40058 for its id, for ever: reminders and the end come all the same, and nothing is asked without end."""
    async with open_office(calendar(TEN)) as office:
        await office.until(at(9, 52))
        office.life.world.group_messages.tasks.clear()
        await office.until(at(14))
        assert {*(await office.results()).values()} == {"expired"}
        asked = sum(
            times for (path, code), times in office.life.world.calls.items() if path.endswith("groupmsg_task") and code
        )
        assert asked < 30
