"""More may be known of somebody now: staff have added them, or it is time to ask again. The rules are asked anew.

Whoever comes with a welcome code is greeted.
"""

from dataclasses import dataclass
from datetime import datetime

from handlers import own_tags, verdicts, welcome
from handlers.reading import remember_contact
from rules.book import Book
from rules.decision import Decision
from rules.events import ContactAdded, PersonCheckDue
from store import people, roster
from store.database import Database, Tx
from wecom import lookups
from wecom.gateway import Gateway
from wecom.lookups import Contact


@dataclass(frozen=True)
class Seen:
    """`asked` is False where nobody wonders who this is. `contact` None is 84061: not a contact."""

    asked: bool
    contact: Contact | None = None


async def look_up(event: PersonCheckDue | ContactAdded, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Ask for the contact's record, if we have been wondering about this person; not before they are greeted."""
    if isinstance(event, ContactAdded) and event.welcome_code:
        return Seen(asked=False)
    async with store.read() as tx:
        person = await people.person(tx, event.external_userid)
    if person is None or person.account != "unknown":
        return Seen(asked=False)
    return Seen(asked=True, contact=await lookups.read_contact(wecom, event.external_userid))


async def handle(event: PersonCheckDue | ContactAdded, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Keep the answer and judge the person again in every group they are in.

    With a welcome code, which lives 20 seconds, the person is greeted, and asked about right after.
    """
    decisions = await _learn(event, seen, tx, book, now=now)
    if isinstance(event, ContactAdded):
        await own_tags.contact_added(tx, event.external_userid, event.userid, now=now)
    return decisions


async def _learn(
    event: PersonCheckDue | ContactAdded, seen: Seen, tx: Tx, book: Book, *, now: datetime
) -> list[Decision]:
    if isinstance(event, ContactAdded) and event.welcome_code:
        await welcome.greet(tx, book, event, now=now)
        person = await people.person(tx, event.external_userid)
        if person is not None and person.account == "unknown":
            person.check_due_at = now
        return []
    if seen.asked:
        await remember_contact(tx, event.external_userid, seen.contact, now=now)
    elif isinstance(event, ContactAdded):
        return []  # nothing that rules look at has changed
    decisions = []
    for group, member in await roster.groups_of(tx, event.external_userid):
        decisions += await verdicts.ask_rules(tx, book, group, [member], now=now, checked=True)
    return decisions
