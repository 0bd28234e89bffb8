"""What somebody is to send by hand: the page that lists it, and the button 已发 for each group."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from handlers import sends as send_handler
from rules.book import Book
from rules.content import Attachment
from rules.decision import Decision
from rules.events import SendSaid
from store import roster, sends
from store.database import Database, Tx
from store.sends import SendRow
from wecom.gateway import Gateway


class ToSend(NamedTuple):
    """One thing to send. `groups`: chat_id → name, those it has not gone to yet; `sent`: to how many it has."""

    send_id: int
    title: str
    text: str
    attachments: Sequence[Attachment]
    groups: Mapping[str, str]
    sent: int
    say_at: datetime
    until: datetime


async def look_up(event: SendSaid, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: it knows nothing of what people write themselves."""


async def handle(event: SendSaid, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """They have sent it to these groups; with the last one it is over."""
    row = await sends.send(tx, event.send_id, lock=True)
    if row is None or row.via != "hand" or row.sender != event.userid or row.state not in ("made", "expired"):
        return []
    results = await sends.results(tx, row.id)
    for chat_id in event.chat_ids:
        if chat_id in results and results[chat_id].got in ("waiting", "expired"):
            results[chat_id].got, results[chat_id].at = "arrived", now
    if row.state == "made" and not any(each.got == "waiting" for each in results.values()):
        row.confirmed_at = now
        sends.end(row, "done", now=now)
        await send_handler.tell_over(tx, row, now=now)
    return []


def attachments_of(row: SendRow) -> list[Attachment]:
    """What goes with the text."""
    return [Attachment.model_validate(each) for each in row.attachments]


async def open_for(tx: Tx, userid: str) -> list[ToSend]:
    """What this person has still to send, the oldest first. Locks nothing."""
    found = []
    for row in await sends.open_of(tx, userid):
        waiting = [each.target for each in (await sends.results(tx, row.id)).values() if each.got == "waiting"]
        groups = {chat_id: (await roster.group(tx, chat_id)) for chat_id in row.targets if chat_id in waiting}
        found.append(
            ToSend(
                send_id=row.id,
                title=row.title,
                text=row.text,
                attachments=attachments_of(row),
                groups={chat_id: (group.name if group else "") or "没有名字的群" for chat_id, group in groups.items()},
                sent=len(row.targets) - len(waiting),
                say_at=row.say_at,
                until=row.until,
            )
        )
    return found
