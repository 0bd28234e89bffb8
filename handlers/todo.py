"""今日待办: what is still open for one person, in one message a day, with a page where all of it can be done."""

from datetime import datetime

from handlers import appeal, asking, matters
from handlers.case_cards import is_about_company
from rules.actions import Link, SendNotice
from rules.book import Book
from rules.decision import Decision
from rules.events import TodoDue
from rules.removal import how_joined
from rules.todo import Open, OpenGroup, OpenMatter, Todo, say_state, say_todo
from rules.warning import USUAL_WORDS
from store import removal, roster, staff, todo
from store.database import Database, Tx
from store.roster import GroupRow
from store.todo import OpenRow
from wecom.gateway import Gateway


async def look_up(event: TodoDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: reconciling keeps the roster."""


async def handle(event: TodoDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Write the list, unless nothing is open any more; while something is, there is one a day."""
    row = await todo.todo(tx, event.userid)
    open_for_them = await open_for(tx, book, event.userid)
    if not open_for_them.total:
        return []
    row.sent_at, row.due_at = now, None  # it says all there is now, also what was to be said in a minute
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


async def open_for(tx: Tx, book: Book, userid: str) -> Todo:
    """What is open in the groups where this person can remove, counted by the name of the group, and their matters."""
    waiting: dict[str, int] = {}
    listed: dict[str, int] = {}
    warnings: dict[str, int] = {}
    theirs = await _groups_of(tx, userid)
    for case in await removal.open_cases_in(tx, list(theirs)):
        if case.held:
            continue
        name = theirs[case.chat_id].name
        counted = warnings if case.demand == "warn" else listed if case.listed else waiting
        counted[name] = counted.get(name, 0) + 1
    titles = [row.title for row in await matters.open_for(tx, book, userid)]
    return Todo(waiting=waiting, listed=listed, warnings=warnings, matters=tuple(titles))


async def everything_for(tx: Tx, book: Book, userid: str) -> tuple[tuple[OpenGroup, ...], tuple[OpenMatter, ...]]:
    """Likewise with everybody by name, for the page. Locks nothing."""
    theirs = await _groups_of(tx, userid)
    rows = [row for row in await todo.open_rows(tx, list(theirs)) if not row.case.held]
    inviters = [row.member.invited_by for row in rows if row.member and row.member.invited_by]
    names = await staff.names(tx, inviters)
    people: dict[str, list[Open]] = {}
    for row in rows:
        people.setdefault(row.case.chat_id, []).append(_open(book, row, names))
    groups = [OpenGroup(chat_id=each, name=theirs[each].name, people=tuple(people[each])) for each in people]
    others = tuple(
        OpenMatter(matter_id=row.id, title=row.title, text=row.text, since=row.opened_at, appeal=appeal.is_appeal(row))
        for row in await matters.open_for(tx, book, userid)
    )
    return tuple(sorted(groups, key=lambda group: (group.name, group.chat_id))), others


async def _groups_of(tx: Tx, userid: str) -> dict[str, GroupRow]:
    """Where this person can remove people. Nobody is asked about groups that are out of sight."""
    seen = [group for group in await roster.groups(tx) if group.out_of_sight_at is None]
    return {group.chat_id: group for group in seen if userid in group.can_remove()}


def _open(book: Book, row: OpenRow, names: dict[str, str]) -> Open:
    case, member, person = row.case, row.member, row.person
    inviter = names.get(member.invited_by or "", "") if member else ""
    return Open(
        case_id=case.number,
        external_userid=case.external_userid,
        name=(member.name if member else "") or (person.name if person else ""),
        company=(person.company if person else "") or ("公司未知" if case.external_userid.startswith("wo") else ""),
        joined=how_joined(member.joined_at, member.join_scene, inviter) if member else "",
        since=case.opened_at,
        because=case.because,
        doubt=case.doubt,
        state=say_state(case.step, listed=case.listed, asked_at=row.asked_at),
        demand="warn" if case.demand == "warn" else "remove",
        words=next((reason.words for reason in case.why() if reason.words), "") or USUAL_WORDS,
        by_company=is_about_company(book, case) and bool(person and person.company),
    )
