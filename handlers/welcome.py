"""Welcomes: a new contact is greeted within 20 seconds; the templates of groups follow the config; owners attach them.

A template is ordered when the config has a new text, and not again before the order is answered. Owners are asked per
group, once per template; what is still missing days later is told to the managers, once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers import matters
from rules.actions import AddWelcomeTemplate, DeleteWelcomeTemplate, EditWelcomeTemplate, Link, SendWelcome
from rules.book import Book
from rules.decision import Decision
from rules.entrances import Entrance
from rules.events import ContactAdded, WelcomeDue
from rules.lanes import NORMAL, WELCOME
from rules.welcome import (
    ATTACH,
    CODE_LIVES,
    GroupWelcome,
    say_attach,
    say_failed,
    say_missing,
    text_hash,
)
from store import join_ways, outbox, roster, staff, welcome
from store import matters as matter_rows
from store.database import Database, Tx
from store.welcome import MISSING, WelcomeTemplateRow
from wecom.gateway import Gateway

MANAGERS_HEAR_AFTER = timedelta(days=3)
"""How long an owner has to attach a welcome before the managers are told."""


async def greet(tx: Tx, book: Book, event: ContactAdded, *, now: datetime) -> None:
    """Have the new contact greeted, where the config says how and there is still time; with the way in, where they
    came through an entrance that has them add staff first.
    """
    contact, expires_at = book.welcome.contact, event.at + CODE_LIVES
    if not event.welcome_code or now >= expires_at:
        return
    entrance = await _came_by(tx, book, event)
    said = [each for each in (contact and contact.text, entrance and entrance.contact_text) if each]
    if not said:
        return
    link = None
    if entrance is not None:
        link = Link(page="entrance", userid=event.external_userid, issued_at=event.at, entrance=entrance.name)
    deed = SendWelcome(welcome_code=event.welcome_code, text="\n\n".join(said), expires_at=expires_at, link=link)
    key = f"welcome:{event.welcome_code}"
    await outbox.put(tx, deed, key=key, lane=WELCOME, ordering_key=None, due_at=now, now=now)


async def _came_by(tx: Tx, book: Book, event: ContactAdded) -> Entrance | None:
    """The entrance whose 联系我 code they scanned."""
    way = await join_ways.of_state(tx, event.state) if event.state else None
    return book.entrance(way.entrance) if way is not None and way.purpose == "contact" else None


async def look_up(event: WelcomeDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: it cannot list its templates."""


async def handle(event: WelcomeDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Bring templates in line with the config, and ask whoever has to attach one."""
    rows = await welcome.templates(tx)
    if not rows and not book.welcome.group:
        return []
    for entry in book.welcome.group:
        row = rows.get(entry.title)
        if row is None:
            row = rows[entry.title] = WelcomeTemplateRow(title=entry.title, state="gone", number=0, changed_at=now)
            tx.add(row)
        await _keep(tx, row, entry, now=now)
    wanted = {entry.title for entry in book.welcome.group}
    for row in rows.values():
        if row.title not in wanted:
            await _let_go(tx, row, now=now)
    await tx.flush()
    await _ask_owners(tx, book, rows, now=now)
    await _tell_managers(tx, book, rows.values(), now=now)
    return []


# --- templates --------------------------------------------------------------------------------------------------------


async def _keep(tx: Tx, row: WelcomeTemplateRow, entry: GroupWelcome, *, now: datetime) -> None:
    """Order what makes the platform's template say what the config says."""
    hashed = text_hash(entry.text)
    if row.state in ("adding", "editing", "deleting") or (row.template_id and row.hash == hashed):
        return
    if row.why and row.tried == hashed and await matter_rows.last_done(tx, failed_key(row)) is None:
        return  # it was refused: somebody has to put something right first, and say so
    row.number, row.tried, row.why, row.changed_at = row.number + 1, hashed, "", now
    number, template_id = row.number, row.template_id
    if template_id is None:
        row.state = "adding"
        await _order(tx, AddWelcomeTemplate(title=row.title, number=number, text=entry.text), now=now)
    else:
        row.state = "editing"
        deed = EditWelcomeTemplate(title=row.title, number=number, template_id=template_id, text=entry.text)
        await _order(tx, deed, now=now)


async def _let_go(tx: Tx, row: WelcomeTemplateRow, *, now: datetime) -> None:
    """The config does not have this text any more."""
    if row.state in ("adding", "editing", "deleting", "gone"):
        return
    row.why = ""
    if row.template_id is None:
        row.state = "gone"
        return
    row.number, row.state, row.tried, row.changed_at = row.number + 1, "deleting", "", now
    deed = DeleteWelcomeTemplate(title=row.title, number=row.number, template_id=row.template_id)
    await _order(tx, deed, now=now)


async def _order(
    tx: Tx, deed: AddWelcomeTemplate | EditWelcomeTemplate | DeleteWelcomeTemplate, *, now: datetime
) -> None:
    key = welcome.deed_key(deed.title, deed.number)
    await outbox.put(tx, deed, key=key, lane=NORMAL, ordering_key="welcome-templates", due_at=now, now=now)


def failed_key(row: WelcomeTemplateRow) -> str:
    """What the matter for the managers is about, where this order was refused."""
    return f"{_failed(row)}{row.number}"


def _failed(row: WelcomeTemplateRow) -> str:
    return f"welcome-failed:{row.title}:"


# --- people -----------------------------------------------------------------------------------------------------------


async def _ask_owners(tx: Tx, book: Book, rows: dict[str, WelcomeTemplateRow], *, now: datetime) -> None:
    """One matter for each group that has not got its template attached; what is not wanted any more is settled."""
    told, wanted = await welcome.told(tx), set()
    for group in await roster.groups(tx):
        entry = book.welcome.of_group(group.facts()) if group.read_at and group.owner else None
        row = rows.get(entry.title) if entry else None
        if entry is None or row is None or row.template_id is None or not row.is_attachable:
            continue
        key = welcome.attach_key(row.template_id, group.chat_id)
        wanted.add(key)
        if key not in told and group.out_of_sight_at is None:
            text = say_attach(group.name, entry.text)
            await matters.raise_one(tx, book, key, audience="owner", title=ATTACH, text=text, group=group, now=now)
    for key, is_open in told.items():
        if is_open and key not in wanted:
            await matter_rows.settle(tx, key, outcome="settled", now=now)


async def _tell_managers(tx: Tx, book: Book, rows: Iterable[WelcomeTemplateRow], *, now: datetime) -> None:
    for row in rows:
        await matter_rows.settle_but(tx, _failed(row), failed_key(row) if row.why else "", now=now)
        if row.why:
            text = say_failed(row.title, row.why)
            await matters.raise_one(
                tx, book, failed_key(row), audience="managers", title="入群欢迎语没建好", text=text, now=now
            )
    late = [each for each in await welcome.waiting(tx) if each.since + MANAGERS_HEAR_AFTER <= now]
    if not late:
        await matter_rows.settle(tx, MISSING, outcome="settled", now=now)
        return
    heard = await matter_rows.last_done(tx, MISSING)
    news = heard is None or any(each.since + MANAGERS_HEAR_AFTER > heard.when for each in late)
    if not news and not await matter_rows.is_open(tx, MISSING):
        return
    names = await staff.names(tx, [each.owner for each in late])
    of_owner: dict[str, list[str]] = {}
    for each in late:
        of_owner.setdefault(names[each.owner], []).append(each.name)
    title, text = f"{len(late)} 个群没挂欢迎语", say_missing(of_owner)
    await matters.raise_one(tx, book, MISSING, audience="managers", title=title, text=text, now=now)
