"""The weeks since the last report are over: the managers hear what became of every post."""

from datetime import datetime, timedelta
from typing import NamedTuple

from loguru import logger

from handlers import asking, checkin_report
from rules.actions import CardLine, Link, SendNotice
from rules.book import Book
from rules.checkin_report import say_week
from rules.decision import Decision
from rules.events import PostReportDue
from rules.lanes import STATISTICS
from rules.post_report import NotOut, OwnerWeek, Report, Told, say_card, span_of, tally
from store import owner_weeks, post_fates, roster, staff
from store.database import Database, Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

OWNERS_AT_ONCE = 100  # of owner_filter (page 92133)
MOST_DAYS = timedelta(days=30)
MOST_LINES = 6  # of a card's (page 90236)


class Seen(NamedTuple):
    """`owners` None: the platform did not tell."""

    owners: tuple[OwnerWeek, ...] | None


async def look_up(event: PostReportDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """How lively the groups of each owner were. A report without it is better than none."""
    async with store.read() as tx:
        owners = sorted({row.owner for row in await roster.groups(tx) if row.owner and row.out_of_sight_at is None})
    first = max(event.first, event.last - MOST_DAYS + timedelta(days=1))
    begin, end = span_of(first, event.last)
    found: list[OwnerWeek] = []
    try:
        for place in range(0, len(owners), OWNERS_AT_ONCE):
            some = owners[place : place + OWNERS_AT_ONCE]
            found += await lookups.group_statistics(wecom, some, begin, end - timedelta(days=1))
    except PlatformError as error:
        logger.warning("the statistics of customer groups cannot be read, the report goes without: {}", error)
        return Seen(None)
    return Seen(tuple(found))


async def handle(event: PostReportDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """A card for each manager, with a link to all of it; nothing where nothing was planned."""
    if seen.owners is not None:
        await owner_weeks.keep(tx, event.first, seen.owners)
    report = await build(tx, event)
    of_checkins = await _of_checkins(tx, book, event, now=now)
    if not (report.planned or report.not_out or of_checkins) or not book.posting.weekly_report:
        return []
    title, description, lines = say_card(report)
    lines = (*lines[: MOST_LINES - len(of_checkins)], *of_checkins)
    for userid in await asking.managers(tx, book):
        link = Link(page="week", userid=userid, issued_at=event.at, days=f"{event.first}~{event.last}")
        notice = SendNotice(
            to=(userid,), title=title, description=description, lines=lines, link=link, open_words="看详细"
        )
        await asking.post(tx, notice, f"post-report:{event.first}:{userid}", lane=STATISTICS, now=now)
    return []


async def _of_checkins(tx: Tx, book: Book, event: PostReportDue, *, now: datetime) -> tuple[CardLine, ...]:
    """How the check-ins are going, the first two: all of them are on the page."""
    found = [say_week(await checkin_report.build(tx, each, now=now), event.first) for each in book.checkins]
    return tuple(CardLine(label="打卡", value=said) for said in found if said)[:2]


async def build(tx: Tx, event: PostReportDue) -> Report:
    """The report on these days as things stand. Locks nothing."""
    since, until = span_of(event.first, event.last)
    found = await post_fates.fates(tx, since, until)
    groups = {row.chat_id: row.name for row in await roster.groups(tx)}
    names = {row.userid: row.name or row.userid for row in await staff.everybody(tx)}
    told = [
        Told(
            post=fate.post.name,
            at=fate.post.say_at,
            chat_id=each.chat_id,
            group=groups.get(each.chat_id, each.chat_id),
            fate=each.fate,
            owner=names.get(each.owner, each.owner),
            why=each.why,
            got_at=each.at,
        )
        for fate in found
        for each in fate.groups.values()
    ]
    not_out = [
        NotOut(post=each.post.name, at=each.post.say_at, state=each.post.state, why=each.post.why)
        for each in found
        if not each.groups and each.post.state in ("skipped", "failed", "cancelled", "withdrawn")
    ]
    to_staff = sum(not each.groups and each.post.state == "done" for each in found)
    weeks = await owner_weeks.of_week(tx, event.first)
    owners = [each.model_copy(update={"name": names.get(each.owner, each.owner)}) for each in weeks] or None
    return tally(event.first, event.last, told, not_out, owners, to_staff=to_staff)
