"""What people say, and the archive that hands it over."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from simulator import Archive, ImpossibleError
from simulator.groups import Group
from simulator.people import Customer

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk

SECRET = "what-archive-and-bot-share"
SECOND = timedelta(seconds=1)


@dataclass
class Intake:
    """A bot that keeps what is signed well, and answers with the next of `statuses` (then 200); 0: nobody is there."""

    statuses: list[int] = field(default_factory=list)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise httpx2.ConnectError("nobody there")
        body, headers = (await receive())["body"], dict(scope["headers"])
        signed = headers[b"x-steward-timestamp"] + b"." + body
        expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers[b"x-steward-signature"].decode() == expected
        self.batches.append(json.loads(body)["messages"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        answer = {"accepted": len(self.batches[-1]), "doubled": 0, "refused": []}
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def texts(self) -> list[list[str]]:
        return [[each["text"] for each in batch] for batch in self.batches]


@dataclass
class Talkers:
    """A group with a customer in it, and an archive that hands over what is said there."""

    desk: "Desk"
    group: Group
    person: Customer
    intake: Intake
    archive: Archive

    def says(self, text: str) -> None:
        self.desk.world.says(self.person, self.group, text)


@pytest.fixture
async def talkers(desk: "Desk") -> AsyncIterator[Talkers]:
    world, intake = desk.world, Intake()
    group, person = world.create_group("静安1群", "wangwu"), world.add_customer("陈晨")
    world.join(group, person)
    await desk.until_quiet()
    archive = Archive(world, SECRET)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=intake)) as client:
        archive.deliver_to("http://bot/ingest/messages", client)
        yield Talkers(desk, group, person, intake, archive)


async def test_only_people_in_the_group_can_say_something(talkers: Talkers) -> None:
    """Staff and customers inside can; who is not, or in a group that is gone, cannot, and nothing is kept of it."""
    world = talkers.desk.world
    world.says("wangwu", talkers.group, "大家好")
    with pytest.raises(ImpossibleError):
        world.says("lihua", talkers.group, "我不在")
    world.dismiss(talkers.group)
    with pytest.raises(ImpossibleError):
        talkers.says("还有人吗")
    assert [(each.name, each.text) for each in world.talk.in_group(talkers.group.chat_id)] == [("王五", "大家好")]


async def test_the_archive_is_fifteen_seconds_behind(talkers: Talkers) -> None:
    """Nothing is handed over sooner; then one batch has all that is old enough, as the archive's fields are documented,
    and what was said a little later comes 15 s after it was said."""
    desk, start = talkers.desk, talkers.desk.clock.now()
    talkers.says("一")
    talkers.says("二")
    desk.clock.set(start + 10 * SECOND)
    talkers.says("三")
    desk.clock.set(start + 14 * SECOND)
    await desk.world.run_due()
    assert talkers.intake.batches == []
    desk.clock.set(start + 15 * SECOND)
    await desk.world.run_due()
    assert talkers.intake.texts() == [["一", "二"]]
    await desk.until_quiet()
    assert talkers.intake.texts() == [["一", "二"], ["三"]]
    assert desk.clock.now() == start + 25 * SECOND
    first = talkers.intake.batches[0][0]
    assert first["msgid"].endswith("_external")
    assert first | {"msgid": ""} == {
        "msgid": "",
        "chat_id": talkers.group.chat_id,
        "sender": talkers.person.id,
        "time": int(start.timestamp() * 1000),
        "type": "text",
        "text": "一",
    }


async def test_what_was_not_taken_comes_again_with_what_was_said_since(talkers: Talkers) -> None:
    """A bot that is away or answers 503 gets the same messages later, in order, and none is left out."""
    talkers.intake.statuses = [0, 503]
    talkers.says("一")
    talkers.desk.clock.advance(10 * SECOND)
    talkers.says("二")
    await talkers.desk.until_quiet()
    assert talkers.archive.statuses == [None, 503, 200]
    assert talkers.intake.texts() == [["一"], ["一", "二"]]
    assert list(talkers.archive.waiting) == []


async def test_a_lost_answer_sends_the_same_messages_again(talkers: Talkers) -> None:
    """Where the 200 does not arrive, the batch goes out again under the same msgids."""
    world = talkers.desk.world
    world.faults.answer_lost = 1.0
    talkers.says("一")
    talkers.desk.clock.advance(15 * SECOND)
    await world.run_due()
    world.faults.stop()
    await talkers.desk.until_quiet()
    first, second = talkers.intake.batches
    assert first == second
    assert world.faults.injected["answer_lost"] == 1


async def test_a_doubled_batch_goes_out_twice(talkers: Talkers) -> None:
    """The fault `doubled` sends one batch two times, and the archive goes on after it."""
    talkers.desk.world.faults.doubled = 1.0
    talkers.says("一")
    await talkers.desk.until_quiet()
    assert talkers.intake.texts() == [["一"], ["一"]]
    assert talkers.archive.statuses == [200]


async def test_a_bot_that_never_answers_is_given_up_until_somebody_speaks(talkers: Talkers) -> None:
    """A quiet world comes to its end; the next message takes along what is waiting and not over 5 days old."""
    talkers.intake.statuses = [0] * 30
    talkers.says("一")
    await talkers.desk.until_quiet()
    talkers.says("二")
    talkers.desk.clock.advance(timedelta(days=4, hours=4))  # the tries took a day
    await talkers.desk.until_quiet()
    assert [each.text for each in talkers.archive.expired] == ["一"]
    assert talkers.intake.texts() == [["二"]]


async def test_more_than_a_thousand_go_in_several_batches(talkers: Talkers) -> None:
    """No batch has more than 1,000 messages, and all arrive in order."""
    for number in range(1001):
        talkers.says(str(number))
    await talkers.desk.until_quiet()
    assert [len(each) for each in talkers.intake.batches] == [1000, 1]
    assert talkers.intake.texts()[1] == ["1000"]


async def test_a_server_hands_over_beside_its_other_work(talkers: Talkers) -> None:
    """Where the world lives in real time, deliveries run in its task group, and what is said meanwhile follows."""
    talkers.says("一")
    talkers.desk.clock.advance(15 * SECOND)
    async with asyncio.TaskGroup() as tasks:
        await talkers.desk.world.run_due(tasks)
        talkers.says("二")
    await talkers.desk.until_quiet()
    assert talkers.intake.texts() == [["一"], ["二"]]


async def test_the_phone_shows_the_conversation(talkers: Talkers) -> None:
    """Who is in the group reads on its page what was said, escaped, and can answer; who is not cannot."""
    http, group = talkers.desk.http, talkers.group
    talkers.says("<b>在吗</b>")
    talkers.desk.world.says(talkers.person, group, "好店\nhttps://shop.example", "link")
    page = (await http.get("/phone/wangwu")).text
    assert "&lt;b&gt;在吗" in page
    assert ">link<" in page
    await http.post("/phone/wangwu/say", data={"chat_id": group.chat_id, "text": " 在的 "})
    assert talkers.desk.world.talk.said[-1].text == "在的"
    assert "在的" in (await http.get(f"/phone/{talkers.person.id}")).text
    for who, text in (("lihua", "我也在"), ("wangwu", " ")):
        answer = await http.post(f"/phone/{who}/say", data={"chat_id": group.chat_id, "text": text})
        assert "做不到" in (await http.get(answer.headers["location"])).text
    assert len(talkers.desk.world.talk.said) == 3
