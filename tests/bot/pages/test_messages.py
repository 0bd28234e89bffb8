"""What becomes of each message in a batch: what is kept, how often, and what is said of those that are refused."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.pages.messages import MOST_TEXT
from rules.events import MessagePosted
from rules.lanes import NORMAL
from store.database import Database
from tests.bot.pages.source import MESSAGE, NOW, Source, message

# --- what is kept -----------------------------------------------------------------------------------------------------


async def test_a_message_becomes_an_event(db: Database) -> None:
    """On both engines: an open row of the normal lane, ordered by its group, with all that was told and UTC time."""
    source = Source(db)
    assert await source.send(MESSAGE) == {"accepted": 1, "doubled": 0, "refused": []}
    [row] = await source.rows()
    assert (row.source, row.lane, row.ordering_key, row.state) == ("ingest", NORMAL, "messages:wrA", "open")
    assert row.due_at == row.received_at == NOW
    assert await source.events() == [
        MessagePosted(
            at=datetime(2026, 11, 25, 11, 59, 45, 500_000, tzinfo=UTC),
            chat_id="wrA",
            msgid=str(MESSAGE["msgid"]),
            sender="wmB",
            type="text",
            text="加我微信，全场五折",
        )
    ]
    assert source.woken == 1


async def test_a_message_counts_once(db: Database) -> None:
    """On both engines: what comes again, in the same batch or a later one, alone or among new ones, is told as doubled
    and is not kept a second time, whatever it says now."""
    source = Source(db)
    assert await source.send(message(1), message(2), message(1)) == {"accepted": 2, "doubled": 1, "refused": []}
    assert await source.send(message(1), message(2)) == {"accepted": 0, "doubled": 2, "refused": []}
    assert await source.send(message(3), message(2, text="别的话")) == {"accepted": 1, "doubled": 1, "refused": []}
    assert [event.msgid for event in await source.events()] == ["m1", "m2", "m3"]
    assert {event.text for event in await source.events()} == {MESSAGE["text"]}
    assert source.count("steward_messages_total", result="accepted") == 3
    assert source.count("steward_messages_total", result="doubled") == 4


async def test_two_sources_at_once_count_once(db: Database) -> None:
    """On both engines: the same messages in opposite order at the same moment are all accepted, each by one of them."""
    source = Source(db)
    batch = [message(number) for number in range(400)]
    answers = await asyncio.gather(source.send(*batch), source.send(*reversed(batch)))
    assert sum(answer["accepted"] for answer in answers) == sum(answer["doubled"] for answer in answers) == 400
    assert len(await source.rows()) == 400


async def test_times_in_milliseconds(source: Source) -> None:
    """The archive's msgtime is taken to the millisecond."""
    await source.send(message(1, time=1_795_607_985_123))
    [event] = await source.events()
    assert event.at == datetime(2026, 11, 25, 11, 59, 45, 123_000, tzinfo=UTC)


async def test_type_and_text_may_be_left_out(source: Source) -> None:
    """A message of which nothing can be read is a message all the same."""
    await source.send({name: MESSAGE[name] for name in ("msgid", "chat_id", "sender", "time")})
    [event] = await source.events()
    assert (event.type, event.text) == ("text", "")


async def test_long_and_odd_texts_are_kept_as_far_as_they_can_be(db: Database) -> None:
    """On both engines: 5,000 characters of a text are kept; half an emoji and NUL are replaced, not stumbled over."""
    source = Source(db)
    body = b'{"messages": [' + json.dumps(message(1, text="长" * (MOST_TEXT + 1))).encode()
    body += b"," + json.dumps(message(2, text="a\x00b😀")).encode().replace(b"\\ude00", b"") + b"]}"
    assert (await source.post(body)).json() == {"accepted": 2, "doubled": 0, "refused": []}
    assert [event.text for event in await source.events()] == ["长" * MOST_TEXT, "a?b?"]


# --- item by item -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("a text", "a message must be an object"),
        (None, "a message must be an object"),
        ({**MESSAGE, "content": "x"}, "content: unknown field (there are msgid, chat_id, sender, time, type, text)"),
        ({**MESSAGE, "msgid": 7}, "msgid: must be text"),
        ({**MESSAGE, "msgid": ""}, "msgid: is empty"),
        ({**MESSAGE, "msgid": "x" * 257}, "msgid: is longer than 256 characters"),
        ({**MESSAGE, "chat_id": None}, "chat_id: must be text"),
        ({**MESSAGE, "chat_id": "wr A"}, "chat_id: must be printable ASCII without spaces"),
        ({**MESSAGE, "sender": "wm\x00"}, "sender: must be printable ASCII without spaces"),
        ({**MESSAGE, "sender": "王五"}, "sender: must be printable ASCII without spaces"),
        ({**MESSAGE, "sender": "\ud83d"}, "sender: must be printable ASCII without spaces"),
        ({**MESSAGE, "type": ""}, "type: is empty"),
        ({**MESSAGE, "text": ["x"]}, "text: must be text"),
        ({**MESSAGE, "text": None}, "text: must be text"),
        ({**MESSAGE, "time": 1_795_607_985}, "time: is in seconds; milliseconds are wanted"),
        ({**MESSAGE, "time": 1_795_607_985_000.0}, "time: must be text"),
        ({**MESSAGE, "time": True}, "time: must be text"),
        ({**MESSAGE, "time": 10**30}, "time: is no time"),
        ({**MESSAGE, "time": "0001-01-01T00:00:00+14:00"}, "time: is no time"),
        ({**MESSAGE, "time": "昨天"}, "time: is no time"),
        ({**MESSAGE, "time": "2026-11-25T20:00:00"}, "time: has no time zone"),
        ({**MESSAGE, "time": "2026-11-18T11:59:59Z"}, "time: is more than 7 days ago"),
        ({**MESSAGE, "time": "2026-11-25T12:10:01Z"}, "time: is in the future"),
    ],
)
async def test_a_bad_item_says_why_and_stops_no_other(source: Source, item: Any, error: str) -> None:
    """The answer names its place, its msgid where it has one, and the reason; the messages around it are kept."""
    told = await source.send(message(1), item, message(2))
    assert (told["accepted"], told["doubled"]) == (2, 0)
    [refused] = told["refused"]
    assert refused["index"] == 1
    assert refused["error"].startswith(error)
    assert [event.msgid for event in await source.events()] == ["m1", "m2"]
    assert source.count("steward_messages_total", result="refused") == 1


async def test_every_fault_of_an_item_is_told_at_once(source: Source, lines: list[str]) -> None:
    """All reasons in one text, values never quoted; the log has one line that something was refused."""
    told = await source.send({"msgid": "m1", "time": "secret words", "text": 3}, {}, [])
    first, second, third = told["refused"]
    assert (first["msgid"], second["msgid"], third["msgid"]) == ("m1", None, None)
    for field_ in ("chat_id: is missing", "sender: is missing", "time: is no time", "text: must be text"):
        assert field_ in first["error"]
    assert "secret words" not in first["error"]
    assert len(lines) == 1
    assert "refused: items → 200" in lines[0]


async def test_a_refused_item_may_come_again_mended(source: Source) -> None:
    """A msgid that was refused is not taken for one that is known."""
    await source.send(message(1, text=7))
    assert (await source.send(message(1)))["accepted"] == 1


async def test_odd_answers_can_be_written(source: Source) -> None:
    """Half an emoji in a field's name or a msgid, or a name of a million letters, comes back as readable JSON."""
    body = (
        json.dumps({"messages": [{"msgid": "😀" * 300, "😀": 1, "x" * 1_000_000: 1}]}).encode().replace(b"\\ude00", b"")
    )
    [refused] = (await source.post(body)).json()["refused"]
    assert len(refused["msgid"]) == 256
    assert len(refused["error"]) <= 300
