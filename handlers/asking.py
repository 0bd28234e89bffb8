"""Whom to ask about a group, what people are called, and how anything for staff gets into the outbox."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from loguru import logger

from rules.actions import AnyDeed, Link, SendCard, SendNotice, SendText
from rules.book import Book
from rules.clock import BEIJING
from rules.lanes import NORMAL
from rules.removal import Asking, whom_to_ask
from rules.todo import next_list
from store import cards, outbox, roster, staff, todo
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow

A_MINUTE_EACH = 25  # messages; the platform silently drops what is over 30 (page 90454)
AT_ONCE = timedelta(minutes=10)  # the span of `removal.most_cards_at_once`
FIRST_LIST_AFTER = timedelta(minutes=10)


async def whom(tx: Tx, book: Book, group: GroupRow, *, now: datetime) -> Asking:
    """Those who can remove people from the group and may be asked now, or when."""
    shop = book.shop_of(group.name)
    return whom_to_ask(group.can_remove(), tuple(await deputies(tx, book, group)), shop.off_duty if shop else None, now)


async def deputies(tx: Tx, book: Book, group: GroupRow) -> list[str]:
    """The userids of those who stand in for the staff of the group's shop."""
    shop = book.shop_of(group.name)
    return await called(tx, shop.deputies, "deputies") if shop else []


async def managers(tx: Tx, book: Book) -> list[str]:
    """The userids of the managers. It is an error, and logged, when nobody is there to be told."""
    found = await called(tx, book.managers, "managers")
    if not found:
        logger.error("nobody is there to be told: the config names no manager who is known")
    return found


async def called(tx: Tx, names: Iterable[str], what: str) -> list[str]:
    """The userids of people called by name or userid. Who cannot be told apart is logged, and left out."""
    found, doubtful = await staff.find(tx, names)
    if doubtful:
        logger.warning("{} whose name fits nobody, or several people, are left out: {}", what, "、".join(doubtful))
    return found


async def who(tx: Tx, cases: Sequence[CaseRow]) -> str:
    """ "#3「张三」、#4「李四」"."""
    members = [(case, await roster.member(tx, case.chat_id, case.external_userid)) for case in cases]
    return "、".join(
        f"#{case.id}「{(member.name if member else '') or case.external_userid}」" for case, member in members
    )


async def post(
    tx: Tx,
    deed: AnyDeed,
    key: str,
    *,
    lane: int = NORMAL,
    ordering_key: str | None = None,
    about: str | None = None,
    now: datetime,
) -> None:
    """Order a message, and count it for everybody who gets it; beyond a person's limit it waits for a later minute."""
    to = list(deed.to) if isinstance(deed, SendText | SendNotice | SendCard) else []
    due_at = await _when_there_is_room(tx, to, now=now)
    if await outbox.put(tx, deed, key=key, lane=lane, ordering_key=ordering_key, due_at=due_at, now=now, about=about):
        await cards.note_mailing(tx, to, now=due_at)


async def _when_there_is_room(tx: Tx, to: list[str], *, now: datetime) -> datetime:
    """The first moment, in steps of a minute, at which one more message is not too many for any of them."""
    at = now
    while to and await cards.most_mailed_around(tx, to, at=at) >= A_MINUTE_EACH:
        at += timedelta(minutes=1)
    return at


async def had_enough(tx: Tx, book: Book, userids: Sequence[str], *, left: int = 1, now: datetime) -> set[str]:
    """Who among them may get no more than so many messages today (Beijing): the last one is their list."""
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    times, just_before = book.removal.most_cards_a_day - left, midnight - timedelta(microseconds=1)
    return await cards.often_mailed(tx, list(userids), times=times, since=just_before) if times else set(userids)


async def tell(
    tx: Tx, to: Sequence[str], text: str, key: str, *, now: datetime, about: str | None = None, link: Link | None = None
) -> None:
    """Order a text message. `key` says what it is about; with the moment it makes the message this one."""
    if to:
        await post(tx, SendText(to=tuple(to), text=text, link=link), f"{key}:{now.isoformat()}", about=about, now=now)


async def expect_todo(
    tx: Tx, book: Book, userids: Iterable[str], *, now: datetime, first_at: datetime | None = None
) -> None:
    """These people have something open that stands in their daily list: the first comes soon, then one a day."""
    for userid in userids:
        row = await todo.todo(tx, userid)
        soon = first_at if row.sent_at is None else None
        todo.expect(row, at=soon or next_list(book.removal.todo_at, row.sent_at, now))
