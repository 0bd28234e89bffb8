"""A send is over: whatever it was for hears what came of it. A post goes on; a warning was given, or was not."""

from datetime import datetime

from handlers import asking, cases, draw_news, one_to_one, posts
from rules.book import Book
from rules.decision import Decision
from rules.events import SendOver
from rules.warning import say_not_told
from store import removal, roster, sends
from store.database import Database, Tx
from store.sends import SendRow
from wecom.gateway import Gateway


async def look_up(event: SendOver, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: SendOver, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """What follows, by what it was about ("post:12", "warning:3")."""
    send = await sends.send(tx, event.send_id)
    what, _, number = event.about.partition(":")
    if send is not None and number.isdecimal():
        await _FOLLOWS[what](tx, book, int(number), send, now=now)
    return []


async def _warning(tx: Tx, book: Book, case_id: int, send: SendRow, *, now: datetime) -> None:
    """The person has been told, and the case is over; or they have not, and the owner is to say it in the group."""
    case = await removal.case(tx, case_id)
    group = await roster.group(tx, case.chat_id) if case else None
    if case is None or group is None or not case.open_key:
        return
    results = await sends.results(tx, send.id)
    if any(each.got == "arrived" for each in results.values()):
        await cases.warned(tx, book, case, send.sender, now=now)
    elif group.owner:
        text = say_not_told(await asking.who(tx, [case]), group.name)
        await asking.tell(tx, [group.owner], text, f"untold:{case.number}", about=f"case:{case.number}", now=now)


_FOLLOWS = {"post": posts.send_over, "draw": draw_news.send_over, one_to_one.WARNING: _warning}
