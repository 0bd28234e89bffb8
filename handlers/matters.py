"""Matters for staff that are not about removing anybody: they come up, stand in 今日待办, and are settled."""

from datetime import datetime, timedelta

from handlers import asking
from rules.book import Book
from rules.decision import Decision
from rules.events import MattersPressed
from store import matters, roster, strikes
from store.database import Database, Tx
from store.matters import Audience, MatterRow
from store.roster import GroupRow
from wecom.gateway import Gateway

FIRST_LIST_AFTER = timedelta(minutes=10)


async def of_group(tx: Tx, book: Book, group: GroupRow, answer: Decision, *, now: datetime) -> None:
    """A rule about a group as such found something, or finds that all is well."""
    key = f"{answer.rule}:{group.chat_id}"
    if answer.verdict == "miss":
        await matters.settle(tx, key, outcome="settled", now=now)
        await strikes.forgive(tx, [group.chat_id], [answer.rule], now=now)  # the same again is news
    elif answer.came_to == "warn":
        await raise_one(
            tx, book, key, audience="owner", group=group, title=f"群「{group.name}」", text=answer.because, now=now
        )


async def raise_one(
    tx: Tx,
    book: Book,
    key: str,
    *,
    audience: Audience,
    title: str,
    text: str,
    group: GroupRow | None = None,
    userid: str = "",
    now: datetime,
) -> None:
    """Open a matter, and have it told with the next daily list of whom it is for; `userid`: of this person."""
    new = await matters.open_one(
        tx,
        key,
        audience=audience,
        title=title,
        text=text,
        chat_id=group.chat_id if group else None,
        userid=userid,
        now=now,
    )
    if new:
        to = [userid] if userid else [group.owner] if audience == "owner" and group else await asking.managers(tx, book)
        await asking.expect_todo(tx, book, to, first_at=now + FIRST_LIST_AFTER, now=now)


async def open_for(tx: Tx, book: Book, userid: str) -> list[MatterRow]:
    """What is open for this person."""
    owned = [group.chat_id for group in await roster.groups(tx) if group.owner == userid]
    is_manager = userid in await asking.called(tx, book.managers, "managers")
    return await matters.open_for(tx, owned=owned, is_manager=is_manager, userid=userid)


async def look_up(event: MattersPressed, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: MattersPressed, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Somebody says that these are done: those of them that are open, and theirs."""
    theirs = {row.id for row in await open_for(tx, book, event.userid)}
    for row in await matters.some(tx, [each for each in event.matter_ids if each in theirs]):
        await matters.settle(tx, row.about, outcome="done", by=event.userid, now=now)
        if row.chat_id is not None:  # while nothing changes there is nothing more to say
            await strikes.over(tx, row.chat_id, [row.about.removesuffix(f":{row.chat_id}")], now=now)
    return []
