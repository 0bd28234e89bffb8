"""How fast a grab is: 5,000 people press twice within a moment for 100 shares, with the functions that the page calls.

On SQLite, and on PostgreSQL where there is one. What counts for people is how soon the last share is given away, and
what a press costs once everything is gone: a question that writes nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import insert

from handlers import draw_entry, draws
from rules.book import Book
from rules.events import DrawEntered, DrawsDue, DrawStepDue
from store import draw_winners
from store import draws as draw_rows
from store.columns import table_of
from store.database import Clash, Database
from store.draws import DrawCalendarRow
from store.identities import ProofRow, VisitorRow
from store.migrate import upgrade
from store.roster import GroupRow, MemberRow

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LONG_AGO = AT - timedelta(days=400)
SHARES, AT_ONCE = 100, 50
BOOK = Book.model_validate(
    {
        "managers": ["lihua"],
        "groups": {"members": "会员*"},
        "budget": {"monthly": "5000元"},
        "draws": [
            {
                "name": "friday",
                "to": "members",
                "when": "2026-11-27 20:00",
                "prize": {"type": "拼手气", "total": "200元", "shares": SHARES},
                "pay_by": "微信支付",
                "enter": "抢",
                "announce": False,
                "organiser": "茶里有限公司",
                "contact": "021-12345678",
            }
        ],
    }
)
NOBODY_IS_ASKED: Any = None


class Grabbed(NamedTuple):
    """Seconds until the last share was given away, and until everybody was answered; `late`: ms of a press that comes
    when everything is gone. `winners`: so many people have a share.
    """

    engine: str
    people: int
    given_away: float
    answered: float
    late: float
    winners: int


async def grab(engine: str, address: Callable[[str], str], people: int) -> Grabbed:
    """One run on a database of its own. AssertionError where not exactly as many won as there are shares."""
    name = f"grab_{people}"
    if engine == "PostgreSQL":
        connection = await asyncpg.connect(address("postgres"))
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
    await upgrade(address(name))
    store = await Database.open(address(name))
    try:
        await _open(store)
        await _crowd(store, people)
        given_away, answered = await _rush(store, people)
        late = await _late(store, people)
        async with store.read() as tx:
            winners = await draw_winners.of_draw(tx, 1)
        assert len({each.person for each in winners}) == len(winners) == min(SHARES, people)
        return Grabbed(engine, people, given_away, answered, late, len(winners))
    finally:
        await store.close()


async def _rush(store: Database, people: int) -> tuple[float, float]:
    """Everybody presses twice at once; the page works on AT_ONCE of them at a time."""
    gate, answers, last_given = asyncio.Semaphore(AT_ONCE), Counter[str](), 0.0
    began = time.perf_counter()

    async def press(visitor_id: int) -> None:
        nonlocal last_given
        async with gate:
            answer = await _press(store, visitor_id)
        answers[answer] += 1
        if not answer:
            last_given = time.perf_counter() - began

    await asyncio.gather(*[press(number) for _ in range(2) for number in range(1, people + 1)])
    assert answers[""] == 2 * min(SHARES, people)
    return last_given, time.perf_counter() - began


async def _late(store: Database, people: int) -> float:
    """Milliseconds of a press by somebody who comes when everything is gone, one after the other."""
    few = range(max(1, people - 499), people + 1)
    began = time.perf_counter()
    for visitor_id in few:
        await _press(store, visitor_id)
    return (time.perf_counter() - began) / len(few) * 1e3


async def _press(store: Database, visitor_id: int) -> str:
    event = DrawEntered(at=AT, draw_id=1, visitor_id=visitor_id)
    seen = await draw_entry.look_up(event, NOBODY_IS_ASKED, store, AT)
    while seen.answer is None:
        try:
            async with store.write() as tx:
                [found] = await draw_entry.handle(event, seen, tx, BOOK, AT)
        except Clash:
            continue
        return found.because if found.verdict == "miss" else ""
    return seen.answer


# --- who is there -----------------------------------------------------------------------------------------------------


async def _open(store: Database) -> None:
    """A group, a draw in it, and everything is ready to be grabbed."""
    announced = AT - timedelta(days=2)
    async with store.write() as tx:
        group = GroupRow(
            chat_id="wr0", name="会员群", kind="members", owner="wangwu", watched_since=LONG_AGO, read_at=LONG_AGO
        )
        tx.add_all([group, DrawCalendarRow(id=1, due_at=announced, config_id=0)])
        await draw_rows.note_house(tx, secret="5" * 64, address="https://c.example.com", now=announced)
    async with store.write() as tx:
        await draws.handle(DrawsDue(at=announced), {}, tx, BOOK, announced)
    async with store.write() as tx:
        await draws.handle(DrawStepDue(at=AT, draw_id=1), {}, tx, BOOK, AT)


async def _crowd(store: Database, people: int) -> None:
    """So many members of the group who have opened the page before."""
    async with store.write() as tx:
        connection = await tx.connection()
        for first in range(1, people + 1, 500):
            numbers = range(first, min(first + 500, people + 1))
            for table, row in ((VisitorRow, _visitor), (ProofRow, _proof), (MemberRow, _member)):
                await connection.execute(insert(table_of(table)), [row(number) for number in numbers])


def _visitor(number: int) -> dict[str, Any]:
    return {"id": number, "made_at": LONG_AGO}


def _proof(number: int) -> dict[str, Any]:
    whose = {"visitor_id": number, "home": number, "kind": "external_userid", "appid": "", "value": f"wm{number}"}
    return {**whose, "evidence": "oauth", "source": "", "at": LONG_AGO}


def _member(number: int) -> dict[str, Any]:
    who = {"chat_id": "wr0", "external_userid": f"wm{number}", "name": f"名{number}"}
    return {**who, "joined_at": LONG_AGO, "seen_at": LONG_AGO, "detailed": True, "announced": False}
