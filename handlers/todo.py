"""今日待办: what is still open for one person, in one message a day, with a page where all of it can be done."""

from datetime import datetime

from handlers import asking
from rules.actions import Link, SendNotice
from rules.book import Book
from rules.decision import Decision
from rules.events import TodoDue
from rules.removal import Todo, say_todo
from store import removal, roster, todo
from store.database import Database, Tx
from wecom.gateway import Gateway


async def look_up(event: TodoDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: reconciling keeps the roster."""


async def handle(event: TodoDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Write the list, unless nothing is open any more; while something is, there is one a day."""
    row = await todo.todo(tx, event.userid)
    open_for_them = await open_for(tx, event.userid)
    if not open_for_them.total:
        return []
    row.sent_at = now
    await asking.expect_todo(tx, book, [event.userid], now=now)
    title, description, lines = say_todo(open_for_them)
    link = Link(page="todo", userid=event.userid, issued_at=now)
    key = f"todo:{event.userid}:{now.isoformat()}"
    if event.userid in await asking.called(tx, book.removal.without_cards, "without_cards"):
        text = "\n".join([title, description, *(f"{line.label} {line.value}" for line in lines)])
        await asking.tell(tx, [event.userid], text, key, link=link, now=now)
    else:
        notice = SendNotice(to=(event.userid,), title=title, description=description, lines=lines, link=link)
        await asking.post(tx, notice, key, now=now)
    return []


async def open_for(tx: Tx, userid: str) -> Todo:
    """What is open in the groups where this person can remove: counts by the name of the group."""
    waiting: dict[str, int] = {}
    listed: dict[str, int] = {}
    theirs = {group.chat_id: group for group in await roster.groups(tx) if userid in group.can_remove()}
    for case in await removal.open_cases_in(tx, list(theirs)):
        name = theirs[case.chat_id].name
        counted = listed if case.listed else waiting
        counted[name] = counted.get(name, 0) + 1
    return Todo(waiting=waiting, listed=listed)
