"""The blocklist was changed by hand: whom it names is asked about wherever they are, or not any more."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from handlers import verdicts
from rules.blocklist import Blocklist
from rules.book import Book
from rules.decision import Decision
from rules.events import BlocklistChanged
from rules.lanes import REMOVAL
from store import blocks, inbox, people, roster
from store.database import Database, Tx
from wecom.gateway import Gateway

AT_ONCE = 200  # people in one event: a long import is worked on in pieces


async def look_up(event: BlocklistChanged, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: BlocklistChanged, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Ask about everybody who is named, in every group they are in."""
    answers = []
    for who in await roster.who_are(tx, event.people):
        answers += await verdicts.ask_everywhere(tx, book, who, now=now)
    return answers


async def changed(tx: Tx, who: Sequence[str], *, now: datetime) -> None:
    """Have these people asked about."""
    for first in range(0, len(who), AT_ONCE):
        some = tuple(who[first : first + AT_ONCE])
        key = f"blocklist:{some[0]}:{len(some)}:{now.isoformat()}"
        event = BlocklistChanged(at=now, people=some)
        await inbox.put(
            tx, source="page", key=key, event=event, lane=REMOVAL, ordering_key="blocklist", due_at=now, now=now
        )


async def block(tx: Tx, book: Book, who: str, unionid: str, *, name: str, because: str, by: str, now: datetime) -> bool:
    """Put somebody on the list by hand; a release from it counts no more. False where they were on it already."""
    if who:
        await people.withdraw_release(tx, who, titles(book))
    return await blocks.put(
        tx, external_userid=who or None, unionid=unionid or None, name=name, because=because, by=by, now=now
    )


async def lift(tx: Tx, book: Book, who: str, *, unionid: str | None = None, by: str, now: datetime) -> bool:
    """Take somebody (an external_userid or a unionid) off the list. Who was taken out for cause before is released from
    the rule as well, so that they may come back. False where they were not on the list.
    """
    lifted = await blocks.lift(tx, [who], [unionid or who], by=by, now=now)
    for rule in titles(book):
        await people.release(tx, who, rule, released_by=by, case_id=None, now=now)
    return bool(lifted)


def titles(book: Book) -> Iterable[str]:
    """The names of the rules that go by the list."""
    return [rule.title for rule in book.in_force if isinstance(rule, Blocklist)]
