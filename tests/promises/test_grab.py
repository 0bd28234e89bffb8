"""Promise 5, where it is hardest: everybody wants a share at the same moment."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from loguru import logger

from handlers import draw_entry
from handlers.draw_entry import GONE
from rules.draw_proof import verify
from rules.events import DrawEntered
from store import draw_winners, identities, ledger
from store.columns import table_of
from store.database import Clash, Database
from store.identities import ProofRow, VisitorRow
from store.roster import MemberRow
from tests.handlers.fair import FRIDAY, LONG_AGO, Fair, book_with, settings

SHARES, TOTAL = 100, 20_000
NOBODY_IS_ASKED: Any = None
AT_ONCE = 50  # requests that one process has under way


async def _crowd(db: Database, people: int) -> None:
    """So many members of the group who have opened the page."""
    async with db.write() as tx:
        connection = await tx.connection()
        for first in range(1, people + 1, 500):
            numbers = range(first, min(first + 500, people + 1))
            await connection.execute(
                table_of(VisitorRow).insert(), [{"id": number, "made_at": LONG_AGO} for number in numbers]
            )
            proofs = [
                {
                    "visitor_id": number,
                    "home": number,
                    "kind": "external_userid",
                    "appid": "",
                    "value": f"wm{number}",
                    "evidence": "oauth",
                    "source": "",
                    "at": LONG_AGO,
                }
                for number in numbers
            ]
            await connection.execute(table_of(ProofRow).insert(), proofs)
            members = [
                {
                    "chat_id": "wr0",
                    "external_userid": f"wm{number}",
                    "name": f"名{number}",
                    "joined_at": LONG_AGO,
                    "seen_at": LONG_AGO,
                    "detailed": True,
                    "announced": False,
                }
                for number in numbers
            ]
            await connection.execute(table_of(MemberRow).insert(), members)


async def test_exactly_as_many_win_as_there_are_shares(db_url: str, size: Callable[[int, int], int]) -> None:
    """5,000 people press twice within a moment, on two processes, for 100 shares: 100 winners, the sum exact, one per
    person, everybody else told that it is gone.
    """
    people = size(300, 5_000)
    stores = [await Database.open(db_url) for _ in range(2)]
    try:
        lucky = {"type": "拼手气", "total": "200元", "shares": SHARES}
        fair = Fair(stores[0], book_with(settings(prize=lucky, enter="抢")))
        await fair.open()
        await _crowd(stores[0], people)
        await fair.until(FRIDAY)
        answers = Counter[str]()
        gate = asyncio.Semaphore(AT_ONCE)

        async def press(store: Database, visitor_id: int) -> None:
            event = DrawEntered(at=FRIDAY, draw_id=1, visitor_id=visitor_id)
            async with gate:
                seen = await draw_entry.look_up(event, NOBODY_IS_ASKED, store, FRIDAY)
                if seen.answer is not None:
                    answers[seen.answer] += 1
                    return
                for _ in range(20):
                    try:
                        async with store.write() as tx:
                            [found] = await draw_entry.handle(event, seen, tx, fair.book, FRIDAY)
                    except Clash:
                        continue
                    answers[found.because if found.verdict == "miss" else ""] += 1
                    return

        began = time.perf_counter()
        presses = [press(stores[turn % 2], number) for number in range(1, people + 1) for turn in range(2)]
        await asyncio.gather(*presses)
        logger.info("{} people grabbed in {:.2f} s", people, time.perf_counter() - began)
        assert sum(answers.values()) == 2 * people
        assert answers == {"": 2 * SHARES, GONE: 2 * (people - SHARES)}
        winners = await fair.winners()
        assert len(winners) == len({each.person for each in winners}) == SHARES
        assert sorted(each.share for each in winners) == list(range(1, SHARES + 1))
        assert sum(each.amount for each in winners) == TOTAL
        assert await fair.month() == ledger.Month(budget=500_000, free=480_000, held=TOTAL, paid=0)
        await fair.until(FRIDAY + timedelta(seconds=5))
        assert (await fair.draw()).entrants == SHARES
        assert all(each.ok for each in verify((await fair.proof()).model_dump()))
        async with stores[1].read() as tx:
            assert await draw_winners.free_shares(tx, 1) == 0
            assert await identities.external_of(tx, 1) == "wm1"
    finally:
        for store in stores:
            await store.close()
