"""What staff sent to groups by themselves is counted daily: groups may get only so much a month, theirs included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.book import Book
from rules.decision import Decision
from rules.events import OwnSendsDue
from store import own_sends
from store.database import Database, Tx
from wecom import group_messages
from wecom.gateway import Gateway

AGAIN = timedelta(days=2)
"""What was made so long before the last count is looked at once more: it may have been confirmed later."""

FARTHEST = timedelta(days=30)
SOON = timedelta(minutes=5)
KEPT = timedelta(days=62)
MOST = 60
"""How many are asked about at once: two calls each, within the time of one look."""


@dataclass(frozen=True)
class Seen:
    """msgid → group → when it got it. `until`: everything made before that is counted."""

    got: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    until: datetime | None = None


async def look_up(event: OwnSendsDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Only where anything is scheduled at all is it worth the calls: the sweep sees to that."""
    async with store.read() as tx:
        counted = await own_sends.counted_until(tx)
    since = max(counted - AGAIN, now - FARTHEST) if counted else now - FARTHEST
    listed = await group_messages.listed_sends(wecom, "group", since=since, until=now, by_staff=True)
    got: dict[str, Mapping[str, datetime]] = {}
    for each in sorted(listed, key=lambda send: (send.created_at or now, send.msgid))[:MOST]:
        outcomes = await group_messages.send_results(wecom, each.msgid, each.creator) if each.creator else {}
        got[each.msgid] = {
            chat_id: outcome.at or each.created_at or now
            for chat_id, outcome in outcomes.items()
            if outcome.status == 1
        }
        last = each.created_at or now
    return Seen(got, now if len(listed) <= MOST else last)


async def handle(event: OwnSendsDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    for msgid, got in seen.got.items():
        await own_sends.note(tx, msgid, dict(got))
    row = await own_sends.look(tx)
    if row is not None:
        row.until = seen.until
        if seen.until is not None and seen.until < event.at:  # there were too many for one look
            row.due_at = now + SOON
    await own_sends.forget(tx, before=now - KEPT)
    return []
