"""The trace: found again by whom it speaks about, and forgotten in time."""

from datetime import UTC, datetime, timedelta
from itertools import count

from rules.decision import Decision, Verdict
from store import trace
from store.database import Database, Tx

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_rows = count(1)


def said(person: str, verdict: Verdict = "miss", chat_id: str = "") -> Decision:
    return Decision(rule="other_company", verdict=verdict, because="因为", subject=person, chat_id=chat_id)


async def write(
    tx: Tx, *decisions: Decision, event: str = "members_joined", chat_id: str | None = None, at: datetime = NOW
) -> int:
    number = next(_rows)
    await trace.write(tx, decisions, inbox_id=number, event=event, chat_id=chat_id, config="c", now=at)
    return number


async def test_decisions_are_found_by_person_and_by_group(db: Database) -> None:
    """Whoever an event's rows speak about, they are found, newest first, with all that was said at that moment."""
    async with db.write() as tx:
        first = await write(tx, said("wo1", "hit"), said("wm2"), chat_id="wr1")
        second = await write(tx, said("wo1", chat_id="wr1"), said("wo1", chat_id="wr2"))
        await write(tx, said("wm3"), chat_id="wr3")
    async with db.read() as tx:
        by_person = await trace.about(tx, "wo1", newest=10)
        assert [row.inbox_id for row in by_person] == [second, first]
        assert trace.decisions(by_person[1])[0].verdict == "hit"
        assert [row.inbox_id for row in await trace.about(tx, "wr1", newest=10)] == [second, first]
        assert [row.inbox_id for row in await trace.about(tx, "wr2", newest=10)] == [second]
        assert [row.inbox_id for row in await trace.about(tx, "wo1", newest=1)] == [second]
        assert await trace.about(tx, "nobody", newest=10) == []


async def test_an_event_that_speaks_about_nobody_is_traced(db: Database) -> None:
    """There need not be a subject."""
    async with db.write() as tx:
        await write(tx, said(""))
    async with db.read() as tx:
        assert len(await trace.since(tx, 0)) == 1


async def test_hits_are_kept_for_two_years_and_misses_for_a_month(db: Database) -> None:
    """What was acted on can be explained long afterwards; what was not goes early; each leaves with its index."""
    async with db.write() as tx:
        kept = [
            await write(tx, said("a", "hit"), said("b"), at=NOW - 700 * DAY),
            await write(tx, said("c"), at=NOW - 29 * DAY),
            await write(tx, said("d", "unknown"), at=NOW - 29 * DAY),
        ]
        await write(tx, said("e", "hit"), at=NOW - 731 * DAY)
        await write(tx, said("f"), at=NOW - 31 * DAY)
        await write(tx, said("g", "unknown"), at=NOW - 31 * DAY)
    async with db.write() as tx:
        assert await trace.prune(tx, now=NOW) == 3
        assert await trace.prune(tx, now=NOW) == 0
    async with db.read() as tx:
        assert [row.inbox_id for row in await trace.since(tx, 0)] == kept
        assert [await trace.about(tx, who, newest=9) for who in "efg"] == [[], [], []]


async def test_what_was_said_about_harmless_messages_is_kept_for_a_day(db: Database) -> None:
    """Most messages are nobody's business; one that a rule hit can be explained like anything else."""
    async with db.write() as tx:
        kept = [
            await write(tx, said("a", "hit"), said("a"), event="message_posted", at=NOW - 300 * DAY),
            await write(tx, said("b"), event="message_posted", at=NOW - DAY / 2),
            await write(tx, said("c"), at=NOW - 2 * DAY),
        ]
        await write(tx, said("d"), event="message_posted", at=NOW - 2 * DAY)
        assert await trace.prune(tx, now=NOW) == 1
    async with db.read() as tx:
        assert [row.inbox_id for row in await trace.since(tx, 0)] == kept


async def test_forgetting_is_done_a_little_at_a_time(db: Database) -> None:
    """A transaction that forgets never takes long: callbacks wait for it."""
    async with db.write() as tx:
        for _ in range(5):
            await write(tx, said("a"), at=NOW - 40 * DAY)
        assert [await trace.prune(tx, now=NOW, at_most=2) for _ in range(4)] == [2, 2, 1, 0]
