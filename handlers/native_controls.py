"""Once a month the managers are asked to look at what only WeCom's console can switch on."""

from datetime import datetime

from handlers import matters
from rules.book import Book
from rules.decision import Decision
from rules.events import ControlsCheckDue
from rules.native_controls import ASKED, month_of, say_check
from store import matters as matter_rows
from store import observations
from store.database import Database, Tx
from wecom.gateway import Gateway


async def look_up(event: ControlsCheckDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: no API reads these switches."""


async def handle(event: ControlsCheckDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """One matter a month; last month's, if nobody has done it, gives way to it."""
    about = f"{observations.MONTHLY}{month_of(event.at)}"
    await matter_rows.settle_but(tx, observations.MONTHLY, about, now=now)
    await matters.raise_one(tx, book, about, audience="managers", title=ASKED, text=say_check(), now=now)
    return []
