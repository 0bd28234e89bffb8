"""A rule that wants more people removed on one day than it may stops itself, and the managers are asked about it.

What they say holds for the rest of the day. Until then the cases are held: nobody is asked to remove anybody.
"""

import hashlib
from datetime import datetime

from handlers import case_cards, matters
from handlers.asking import managers
from rules.actions import SendCard
from rules.book import Book
from rules.clock import BEIJING
from rules.warning import say_held, write_held
from store import cards
from store.cards import PressRow
from store.database import Tx
from store.removal import CaseRow

BUTTONS = ("go_on", "call_off")


async def ask_managers(tx: Tx, book: Book, case: CaseRow, *, now: datetime) -> PressRow | None:
    """Put a held case on the managers' card, one a day and rule while it is open. Where a manager has pressed today, no
    card is sent: the press is the answer.
    """
    day = _day(case.rule, now)
    earlier = await cards.held(tx, day)
    for card in earlier:
        if card.state == "sent":
            await cards.put_on(tx, card, [case])
            return None
        if (said := await cards.last_press_on(tx, card, BUTTONS)) is not None:
            return said
    rule = next((each for each in book.in_force if each.title == case.rule), None)
    to = await managers(tx, book)
    if rule is not None and to:
        card = await cards.new(tx, "held", [case], send_at=now)
        card.state, card.recipients, card.task_id = "sent", to, f"{day}{len(earlier) + 1}"
        words = write_held(case.rule, rule.most_a_day or 0)
        await case_cards.send(tx, card, SendCard(task_id=card.task_id, to=tuple(to), card=words), now=now)
        title, text = say_held(case.rule)
        await matters.raise_one(tx, book, card.task_id, audience="managers", title=title, text=text, now=now)
    return None


def _day(rule: str, now: datetime) -> str:
    """What the task ids of a rule's cards of one day begin with (a task_id is ASCII: page 90236)."""
    return f"held-{hashlib.blake2b(rule.encode(), digest_size=8).hexdigest()}-{now.astimezone(BEIJING):%Y%m%d}-"
