"""A week is over: whoever kept the rules in it is given points."""

from datetime import datetime

from loguru import logger

from rules.book import Book
from rules.decision import Decision
from rules.events import RewardsDue
from rules.rewards import say_clean_week, span_of
from store import points
from store.database import Database, Tx
from wecom.gateway import Gateway


async def look_up(event: RewardsDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: RewardsDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Give once a week and person, whatever is worked on twice; nothing where the config gives nothing."""
    worth = book.rewards.clean_week
    if not worth:
        return []
    start, end = span_of(event.week)
    key, why = f"clean_week:{event.week.isoformat()}", say_clean_week(event.week)
    given = await points.give_clean_week(tx, worth, start=start, end=end, why=why, key=key, now=now)
    logger.info("{} people were given {} points for the week of {}", given, worth, event.week)
    return []
