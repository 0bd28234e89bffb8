"""convert_to_openid, read backwards: some people on the rosters at a time are asked about, and what is told is kept.

A call that is refused once for everybody (no right to it) ends the round; the next one begins an hour later.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger

from handlers import identity
from rules.book import Book
from rules.decision import Decision
from rules.events import OpenidsDue
from store import openids, reconcile
from store.database import Database, Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

A_TIME = 40  # people in one round
AT_ONCE = 20  # calls side by side: two times 9 seconds is below what looking up may take
MORE = timedelta(seconds=2)
REST = timedelta(hours=1)
"""From one round to the next: there is more, there is not."""


@dataclass(frozen=True)
class Answer:
    """What came of asking about one person; `openid` "" where it was refused with `errcode`."""

    external_userid: str
    openid: str
    errcode: int = 0


@dataclass(frozen=True)
class Seen:
    """`stopped`: the platform would not answer at all; `corp_id`: whose openids these are."""

    answers: tuple[Answer, ...]
    corp_id: str
    stopped: bool = False


async def look_up(event: OpenidsDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Ask about those whose turn it is; what is told before it goes wrong is kept."""
    async with store.read() as tx:
        people = await openids.to_ask(tx, now=now, limit=A_TIME)
    answers: list[Answer] = []
    for first in range(0, len(people), AT_ONCE):
        told = await asyncio.gather(*(_ask(wecom, who) for who in people[first : first + AT_ONCE]))
        answers += [each for each in told if each is not None]
        if None in told:
            return Seen(tuple(answers), wecom.corp_id, stopped=True)
    return Seen(tuple(answers), wecom.corp_id)


async def _ask(wecom: Gateway, external_userid: str) -> Answer | None:
    """None where nothing was answered about this person: trouble on the way, or no right to ask."""
    try:
        return Answer(external_userid, await lookups.convert_to_openid(wecom, external_userid))
    except PlatformError as error:
        if error.treatment == "refused":
            return Answer(external_userid, "", error.errcode)
        logger.log("ERROR" if error.treatment == "alert" else "WARNING", "openids cannot be asked for: {}", error)
        return None


async def handle(event: OpenidsDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Keep what was told; whoever is a visitor by it is tied to them, and what rests on that is looked at again."""
    for each in seen.answers:
        await openids.note(tx, each.external_userid, openid=each.openid, errcode=each.errcode, now=now)
        if each.openid:
            await identity.openid_told(tx, each.external_userid, each.openid, corp_id=seen.corp_id, now=now)
    row = (await reconcile.rounds(tx)).get(openids.ROUND)
    if row is not None:
        there_is_more = len(seen.answers) == A_TIME and not seen.stopped
        row.due_at = now + (MORE if there_is_more else REST)
    return []
