"""The calendar is written out: every fire of the next days becomes a row, once; what is no more is withdrawn.

What was missed while nobody looked is written out, too: whether it is too late for it is decided when its turn comes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers import matters
from rules.book import Book
from rules.decision import Decision
from rules.events import CalendarDue
from rules.post_plan import Fire, Held, ask_at, plan
from rules.posts import Post, PostGroup
from store import matters as matter_rows
from store import posts, roster
from store.database import Database, Tx
from store.posts import PostRow
from store.roster import GroupRow
from wecom.gateway import Gateway

AHEAD = timedelta(days=2)
SOON = timedelta(minutes=1)
A_WHILE = timedelta(minutes=10)
HELD = "posts-held:"


async def look_up(event: CalendarDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: CalendarDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Write out what is between where we stopped and some days from now."""
    calendar = await posts.calendar(tx)
    if calendar is None or (not book.calendar and calendar.until is None):
        return []
    until = now + AHEAD + max((each.approval.ask for each in book.calendar if each.approval), default=timedelta(0))
    began = [each for each in (calendar.until, calendar.looked_at) if each is not None]
    after = min([now, *began])
    rows = await roster.groups(tx)
    found = plan(book, [post_group(row) for row in rows if row.read_at], after, until)
    await _write(tx, book, found.fires, now=now)
    await _withdraw(tx, {each.key for each in found.fires}, now=now, until=until)
    await _tell_held(tx, book, found.held, now=now)
    calendar.until, calendar.looked_at = until, now
    fresh = [row for row in rows if row.read_at is None and row.out_of_sight_at is None]
    if not rows or any(row.watched_since + A_WHILE > now for row in fresh):
        calendar.due_at = min(calendar.due_at, now + SOON)  # nothing can be planned for groups that nobody has read
    return []


def post_group(row: GroupRow) -> PostGroup:
    """The group as posts see it."""
    return PostGroup(**dict(row.facts()), born_at=row.created_at)


def begins_at(settings: Post, row: PostRow, book: Book) -> datetime:
    """When it is made: the owners are asked some time before it should be out; staff are told at that very time."""
    return row.say_at if settings.to_staff else ask_at(settings, row.say_at, book)


def first_step(settings: Post, row: PostRow, book: Book) -> datetime:
    """When somebody is shown it, where that is wanted; else when it is made."""
    begins = begins_at(settings, row, book)
    if settings.approval is None or row.approval == "passed":
        return begins
    return min(begins, row.say_at - settings.approval.ask)


async def _write(tx: Tx, book: Book, fires: Iterable[Fire], *, now: datetime) -> None:
    fires = list(fires)
    known = await posts.of_keys(tx, [each.key for each in fires])
    for fire in fires:
        row, settings = known.get(fire.key), book.post(fire.post)
        if settings is None:
            continue
        if row is None:
            row = PostRow(
                key=fire.key,
                name=fire.post,
                day=fire.day,
                number=fire.number,
                step=fire.step,
                fire_at=fire.at,
                say_at=fire.at,
            )
            tx.add(row)
        elif row.state in ("withdrawn", "skipped") and row.say_at > now:  # it is wanted again; or the clock was wrong
            row.state, row.why, row.ended_at, row.approval = "planned", "", None, ""
        elif row.state != "planned":
            continue
        if row.approval != "asked":
            row.due_at = first_step(settings, row, book)
    await tx.flush()


async def _withdraw(tx: Tx, wanted: set[str], *, now: datetime, until: datetime) -> None:
    """What the calendar does not have any more does not go out."""
    for row in await posts.planned_after(tx, now):
        if row.key not in wanted and row.fire_at <= until:
            posts.end(row, "withdrawn", "日历里没有这一条了（设置改了、暂停了，或者没有合适的群）", now=now)


async def _tell_held(tx: Tx, book: Book, held: list[Held], *, now: datetime) -> None:
    """Of a year whose holidays nobody knows nothing is guessed: the managers are told, once."""
    key = HELD + ",".join(f"{each.post}:{each.year}" for each in held) if held else ""
    await matter_rows.settle_but(tx, HELD, key, now=now)
    if held and await matter_rows.last_done(tx, key) is None:
        names = "、".join(dict.fromkeys(f"「{each.post}」" for each in held))
        title, text = "有些定时内容排不出来", f"{names}：{held[0].because}"
        await matters.raise_one(tx, book, key, audience="managers", title=title, text=text, now=now)
