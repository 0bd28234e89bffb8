"""The managers' weekly card says how the check-ins are going."""

from datetime import timedelta

from bot.config.read import parse_config
from handlers import post_report
from handlers.post_report import Seen
from rules.actions import SendNotice
from rules.book import Book
from rules.events import PostReportDue
from store import outbox, queue
from store.database import Database
from store.outbox import Outbox
from store.staff import StaffRow
from tests.bot.travellers import BEGAN, CONFIG, fill

NOW = BEGAN + timedelta(days=7)
WEEK = PostReportDue(at=NOW, first=BEGAN.date(), last=BEGAN.date() + timedelta(days=6))


async def cards(db: Database, book: Book) -> list[SendNotice]:
    """What the managers get for that week."""
    async with db.write() as tx:
        tx.add(StaffRow(userid="lihua", name="李华", seen_at=NOW))
        await tx.flush()
        await post_report.handle(WEEK, Seen(None), tx, book, NOW)
    async with db.write() as tx:
        rows = await queue.claim_some(tx, Outbox, now=NOW, lease=timedelta(minutes=1), token="t", at_most=9)
        return [deed for row in rows if isinstance(deed := outbox.deed_of(row), SendNotice)]


async def test_a_line_of_the_weekly_card_is_about_check_ins(sqlite_db: Database) -> None:
    """Even where nothing was posted; the card leads to the week's page, which leads to the overview."""
    async with sqlite_db.write() as tx:
        await fill(tx)
    [card] = await cards(sqlite_db, parse_config(CONFIG, "config.yaml", Book))
    assert [(line.label, line.value) for line in card.lines if line.label == "打卡"] == [
        ("打卡", "七天认识一杯茶：新 7 人，还在走 4 人，毕业 2 人")
    ]
    assert card.link is not None
    assert card.link.page == "week"


async def test_no_card_about_nothing(sqlite_db: Database) -> None:
    """Nobody began, nothing was posted: nobody is told."""
    assert await cards(sqlite_db, parse_config(CONFIG, "config.yaml", Book)) == []
