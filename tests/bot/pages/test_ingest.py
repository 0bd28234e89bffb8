"""POST /ingest/messages: who is let in, what happens when nothing can be written, and that the bot has the route."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bot.pages.ingest import MOST_BYTES
from bot.settings import Settings, SettingsError
from bot.wiring import Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from simulator import Archive, Faults, VirtualClock, World, corp, create_app
from store.database import Clash, Database, Tx
from tests.bot.pages.source import MESSAGE, NOW, SECRET, Source, message
from wecom.limits import Unlimited

# --- who is let in ----------------------------------------------------------------------------------------------------


async def test_it_is_closed_until_there_is_a_secret(sqlite_db: Database) -> None:
    """Without STEWARD_INGEST_SECRET every request gets 404 and a reason, also one signed with nothing."""
    source = Source(sqlite_db, secret=None)
    answer = await source.post({"messages": [MESSAGE]})
    assert answer.status_code == 404
    assert "STEWARD_INGEST_SECRET" in answer.json()["error"]
    assert await source.rows() == []
    assert source.count("steward_ingest_refused_total", cause="off") == 1


@pytest.mark.parametrize(
    ("age", "headers", "cause"),
    [
        (0, {"signature": ""}, "unsigned"),
        (0, {"timestamp": ""}, "unsigned"),
        (0, {"signature": "sha256=" + "0" * 64}, "signature"),
        (0, {"signature": "0" * 64}, "signature"),
        (0, {"signature": "sha256=é"}, "signature"),
        (0, {"timestamp": str(int(NOW.timestamp()) - 1)}, "signature"),
        (0, {"timestamp": "yesterday"}, "age"),
        (0, {"timestamp": "9" * 30}, "age"),
        (0, {"timestamp": "-1"}, "age"),
        (301, {}, "age"),
        (-301, {}, "age"),
    ],
)
async def test_who_does_not_sign_well_is_refused(source: Source, age: int, headers: dict[str, str], cause: str) -> None:
    """A header missing, another signature, another time than was signed, more than 300 s either way: 403 with a reason,
    counted by cause, and nothing is kept."""
    answer = await source.post({"messages": [MESSAGE]}, age, **headers)
    assert answer.status_code == 403
    assert "X-Steward-" in answer.json()["error"]
    assert await source.rows() == []
    assert source.count("steward_ingest_refused_total", cause=cause) == 1


@pytest.mark.parametrize("age", [300, -300])
async def test_clocks_may_differ_a_little(source: Source, age: int) -> None:
    """300 s either way are good."""
    assert (await source.post({"messages": [MESSAGE]}, age)).status_code == 200


async def test_a_changed_body_is_refused(source: Source) -> None:
    """The signature is over this very body: one more space is another body."""
    body = json.dumps({"messages": [MESSAGE]}).encode()
    timestamp = str(int(NOW.timestamp()))
    signature = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert (await source.post(body + b" ", signature=f"sha256={signature}")).status_code == 403


async def test_refusals_are_logged_once_a_second_for_each_cause(source: Source, lines: list[str]) -> None:
    """A flood of bad requests is one line, the next one says how many there were; no line holds the secret."""
    for _ in range(5):
        await source.post({}, signature="sha256=x")
    await source.post({}, 301)
    source.clock.advance(timedelta(seconds=1))
    await source.post({}, signature="sha256=x")
    assert [line.split(" (")[0] for line in lines] == [
        "POST /ingest/messages refused: signature → 403",
        "POST /ingest/messages refused: age → 403",
        "POST /ingest/messages refused: signature → 403",
    ]
    assert "4 more" in lines[-1]
    assert SECRET not in "".join(lines)


# --- the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b'{"messages": [',
        b"[" * 100_000,
        b'{"messages": ' + b"9" * 5000 + b"}",
        [MESSAGE],
        {},
        {"messages": {}},
        {"messages": [], "more": 1},
        None,
    ],
)
async def test_what_is_no_batch_is_refused_whole(source: Source, body: Any) -> None:
    """What is not JSON, or not an object with a list of messages and nothing else: 400 with a reason."""
    answer = await source.post(body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert source.count("steward_ingest_refused_total", cause="json") == 1


async def test_a_thousand_messages_are_taken_at_once_and_no_more(source: Source) -> None:
    """1,000 are accepted, in their order; with 1,001 nothing is kept and the answer is 413."""
    answer = await source.post({"messages": [message(number) for number in range(1001)]})
    assert (answer.status_code, await source.rows()) == (413, [])
    assert "1000" in answer.json()["error"]
    told = await source.send(*(message(number, chat_id=f"wr{number % 7}") for number in range(1000)))
    assert told == {"accepted": 1000, "doubled": 0, "refused": []}
    assert [event.msgid for event in await source.events()] == [f"m{number}" for number in range(1000)]


async def test_a_large_body_is_refused_unread(source: Source) -> None:
    """Over 4 MiB: 413, by its declared length before it is read, else as soon as it is clear."""
    large = b" " * (MOST_BYTES + 1)
    assert (await source.post(large)).status_code == 413

    async def never_ending() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    headers = {"X-Steward-Timestamp": str(int(NOW.timestamp())), "X-Steward-Signature": "sha256=x"}
    async with source.client() as client:
        transport = _streams(client, never_ending())
        assert await transport(headers) == 413
    assert source.count("steward_ingest_refused_total", cause="size") == 2


def _streams(client: httpx2.AsyncClient, content: AsyncIterator[bytes]) -> Any:
    async def post(headers: dict[str, str]) -> int:
        return (await client.post("/ingest/messages", content=content, headers=headers)).status_code

    return post


async def test_no_messages_are_no_mistake(source: Source) -> None:
    """An empty batch is answered with zeros and wakes nobody."""
    assert await source.send() == {"accepted": 0, "doubled": 0, "refused": []}
    assert source.woken == 0


# --- when it cannot be written ----------------------------------------------------------------------------------------


async def test_a_full_database_is_answered_503_and_keeps_nothing_of_the_batch(source: Source) -> None:
    """With no room for all of a batch none of it is kept and 200 is not said; with room again all of it is accepted."""
    batch = [message(number, text="长" * 1000) for number in range(300)]
    async with source.db.write() as tx:
        connection = await tx.connection()
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
    answer = await source.post({"messages": batch})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert await source.rows() == []
    assert source.woken == 0
    assert source.count("steward_ingest_refused_total", cause="store") == 1
    assert source.count("steward_messages_total", result="accepted") == 0
    async with source.db.write() as tx:
        await (await tx.connection()).exec_driver_sql("PRAGMA max_page_count = 100000")
    assert (await source.send(*batch))["accepted"] == 300


class Clashing(Database):
    """A database in which the first `clashes` transactions stand in another's way."""

    def __init__(self, real: Database, clashes: int) -> None:
        self._real, self.clashes = real, clashes

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        async with self._real.write() as tx:
            yield tx
            if self.clashes:
                self.clashes -= 1
                raise Clash("40P01: a deadlock")


@pytest.mark.parametrize(("clashes", "status", "kept"), [(2, 200, 1), (3, 503, 0)])
async def test_a_clash_is_tried_again(sqlite_db: Database, clashes: int, status: int, kept: int) -> None:
    """Two sources that stand in each other's way are sorted out here; where that fails, the sender tries again."""
    source = Source(Clashing(sqlite_db, clashes))
    assert (await source.post({"messages": [MESSAGE]})).status_code == status
    source.db = sqlite_db
    assert len(await source.rows()) == kept


# --- in the bot -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("secret", "status"), [({}, 404), ({"steward_ingest_secret": SECRET}, 200)])
async def test_the_setting_opens_it(sqlite_url: str, secret: dict[str, str], status: int) -> None:
    """The whole bot takes messages where STEWARD_INGEST_SECRET is set, and wakes its worker; else they get 404."""
    world, woken = World(clock=VirtualClock(NOW)), asyncio.Event()
    settings = Settings.explicit(
        wecom_corp_id=world.corp_id,
        wecom_agent_id=world.agent_id,
        wecom_secret=world.secret,
        wecom_callback_token=corp.TOKEN,
        wecom_callback_aes_key=corp.AES_KEY,
        wecom_api_base="http://127.0.0.1",
        steward_public_url="http://127.0.0.1",
        steward_secret_key="a-key-for-tests-only",
        database_url=sqlite_url,
        **secret,
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world))) as client:
        outside = Outside(world.clock, client, lambda: "token", Unlimited(), loopback_only=True)
        async with open_bot(settings, Rules(Book()), outside, wake=woken.set) as bot:
            answer = await Source(bot.store, app=bot.app).post({"messages": [MESSAGE]})
            assert len(await Source(bot.store).events()) == (status == 200)
    assert answer.status_code == status
    assert woken.is_set() == (status == 200)


@pytest.mark.parametrize("secret", ["short", "<openssl rand -hex 32>"])
def test_a_weak_secret_is_refused(secret: str) -> None:
    """One that can be guessed would let anybody put words into customers' mouths."""
    with pytest.raises(SettingsError, match=r"STEWARD_INGEST_SECRET.*openssl rand -hex 32"):
        Settings.explicit(steward_ingest_secret=secret)


# --- with people who talk ---------------------------------------------------------------------------------------------


async def test_what_people_say_arrives_once_whatever_happens_to_the_batches(sqlite_db: Database, seed: int) -> None:
    """From the simulated archive, with batches sent twice and answers lost: every message is one event, in order."""
    clock = VirtualClock(NOW)
    source = Source(sqlite_db, clock)
    world = World(clock=clock, seed=seed, faults=Faults(doubled=0.3, answer_lost=0.5))
    world.add_staff("wangwu", "王五")
    group, person = world.create_group("静安1群", "wangwu"), world.add_customer("陈晨")
    world.join(group, person)
    async with source.client() as client:
        archive = Archive(world, SECRET)
        archive.deliver_to("http://bot/ingest/messages", client)
        for number in range(60):
            world.says(person if number % 3 else "wangwu", group, f"第 {number} 句")
            clock.advance(timedelta(seconds=4))
            await world.run_due()
        while (due := world.next_due()) is not None:
            clock.set(max(due, clock.now()))
            await world.run_due()
    assert world.faults.injected["answer_lost"] > 0
    assert source.count("steward_messages_total", result="doubled") > 0
    assert archive.refused == []
    said = [(each.msgid, each.chat_id, each.sender, each.at, each.text) for each in world.talk.said]
    assert [(e.msgid, e.chat_id, e.sender, e.at, e.text) for e in await source.events()] == said
